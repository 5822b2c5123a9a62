//! How the programs wait, and for how long.

use std::io::ErrorKind::{ConnectionAborted, ConnectionReset};
use std::io::ErrorKind::{Interrupted, NotConnected, TimedOut, WouldBlock};
use std::io::{Error, Read, Result};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, mpsc::RecvTimeoutError, mpsc::channel};
use std::{thread, time::Duration, time::Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;

use crate::{ended, say};

/// How long [`hang_up`] reads on, in all; how long [`call_failed`] waits; after how long
/// [`while_waiting`] says so.
const SECOND: Duration = Duration::from_secs(1);

/// Makes a call that may take no longer than `limit`, such as a read on a socket with
/// that [read timeout](TcpStream::set_read_timeout), and names the silence.
///
/// # Errors
///
/// [`TimedOut`], `silent for N s`, when nothing came in time, which the system calls
/// [`WouldBlock`] on Unix. Otherwise the call's own, but for [`Interrupted`], after which
/// it is made again: on Linux, Ctrl-Z and `fg` interrupt a read with a time limit.
pub fn within<T>(limit: Duration, mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(err) if err.kind() == Interrupted => {}
            Err(err) if matches!(err.kind(), WouldBlock | TimedOut) => {
                let why = format!("silent for {} s", limit.as_secs_f64());
                return Err(Error::new(TimedOut, why));
            }
            outcome => return outcome,
        }
    }
}

/// Makes a call that may take long, such as waiting for an answer, and after a second says
/// so on stderr, lest anybody think that the program hangs.
pub fn while_waiting<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let (done, finished) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if finished.recv_timeout(SECOND) == Err(RecvTimeoutError::Timeout) {
                say(format_args!("waiting for {what} ..."));
            }
        });
        let outcome = call();
        drop(done);
        outcome
    })
}

/// Waits for a client, `wait` at most: what Python's `settimeout` makes of `accept`.
///
/// The listener must be non-blocking. Several threads may wait on it: a client wakes them
/// all, the first to accept gets it, and the others go on waiting for what is left of their
/// time. (The obvious way, a receive timeout on the listener, works on Linux only.)
///
/// The client's socket is a blocking one, with the same limit on its reads: some systems
/// would pass the listener's mode on to it.
///
/// # Errors
///
/// [`TimedOut`] when nobody came in time; otherwise what [poll(2)] or [accept(2)] report.
///
/// [poll(2)]: https://man7.org/linux/man-pages/man2/poll.2.html
/// [accept(2)]: https://man7.org/linux/man-pages/man2/accept.2.html
pub fn accept_within(
    listener: &TcpListener,
    wait: Duration,
) -> Result<(TcpStream, SocketAddr)> {
    let deadline = Instant::now() + wait;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(Error::other)?;
        let mut fds = [PollFd::new(listener, PollFlags::IN)];
        if retry_on_intr(|| poll(&mut fds, Some(&left)))? == 0 {
            return Err(TimedOut.into());
        }
        let (client, peer) = match listener.accept() {
            Err(err) if err.kind() == WouldBlock => continue,
            accepted => accepted?,
        };
        let limited = client.set_read_timeout(Some(wait));
        match client.set_nonblocking(false).and(limited) {
            Ok(()) => return Ok((client, peer)),
            refused => ended(peer, &refused),
        }
    }
}

/// Whether an `accept` or a `recv_from` failed because of one peer, who has gone, so that
/// the next call can be made at once.
///
/// - A connection can be reset while it waits in the queue: `accept` then says
///   [`ConnectionAborted`], on Windows [`ConnectionReset`] or [`NotConnected`].
/// - On Windows `recv_from` says [`ConnectionReset`] when an earlier reply went to a port
///   where nobody was, and error 10040 for a datagram longer than the buffer, which it has
///   thrown away.
/// - [`Interrupted`] is a signal, and nobody's fault.
pub fn is_about_one_peer(err: &Error) -> bool {
    let long = cfg!(windows) && err.raw_os_error() == Some(10040);
    let gone = [ConnectionAborted, ConnectionReset, NotConnected, Interrupted];
    long || gone.contains(&err.kind())
}

/// To be called when `accept` has failed, or `recv_from`, or starting a thread (`what` says
/// it): says so and waits a second. Returns at once when the error
/// [is about one peer](is_about_one_peer).
///
/// Out of descriptors, `accept` fails at once and leaves the client in the queue: without
/// the wait, a loop around it would use a whole processor and fill the terminal. In a pool,
/// one thread says it, and the others only wait.
pub fn call_failed(what: &str, err: &Error) {
    static SPEAKER: Mutex<()> = Mutex::new(());
    if !is_about_one_peer(err) {
        let line = format!("cannot {what}: {err}; trying again in a second");
        let _speaker = SPEAKER.try_lock().inspect(|_| say(line));
        thread::sleep(SECOND);
    }
}

/// Closes a connection without taking the last reply away again.
///
/// When a socket is closed with bytes still unread, or bytes arrive after it was closed,
/// the system answers with a reset, and a reset can overtake the reply that the client has
/// not read yet ([RFC 1122], section 4.2.2.13). So this ends our side, which the client
/// sees as the end of the replies, reads and throws away what still comes until the client
/// ends its side or a second in all has passed, and only then closes.
///
/// [RFC 1122]: https://www.rfc-editor.org/rfc/rfc1122
pub fn hang_up(mut client: TcpStream) {
    let _ = client.shutdown(Shutdown::Write); // Where this fails, so does the read.
    let deadline = Instant::now() + SECOND;
    let left = || deadline.saturating_duration_since(Instant::now());
    // A limit of zero is an error: the second is over.
    while client.set_read_timeout(Some(left())).is_ok() {
        let Ok(1..) = within(SECOND, || client.read(&mut [0; 4096])) else { return };
    }
}
