//! How the programs wait for the network, and for how long.

use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
use std::io::ErrorKind::{InvalidInput, NotConnected, TimedOut, WouldBlock};
use std::io::{Error, Read, Result};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Mutex, mpsc::RecvTimeoutError, mpsc::channel};
use std::{thread, time::Duration, time::Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;

use crate::{log_disconnect, log_line};

/// The time after which [`show_waiting`] prints its line, and for which
/// [`log_and_pause`] pauses. [`close_gracefully`] reads for this time at most.
const SECOND: Duration = Duration::from_secs(1);

/// Accepts a connection. Waits at most `timeout` for one.
///
/// Python's `accept` does the same after `settimeout`. The listener must be
/// non-blocking. The accepted connection is blocking and does not have a timeout.
///
/// Several threads may wait on the same listener. `poll` then wakes all of them, but
/// only one of them accepts the connection. The other threads wait for the rest of
/// their time.
///
/// A receive timeout on the listener would be simpler, but `accept` ignores it on
/// macOS and Windows.
///
/// # Errors
///
/// [`TimedOut`] if no client connected in time. Any other error comes from [poll(2)]
/// or [accept(2)].
///
/// [poll(2)]: https://man7.org/linux/man-pages/man2/poll.2.html
/// [accept(2)]: https://man7.org/linux/man-pages/man2/accept.2.html
pub fn accept_within(
    listener: &TcpListener,
    timeout: Duration,
) -> Result<(TcpStream, SocketAddr)> {
    let deadline = Instant::now() + timeout;
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let remaining = Timespec::try_from(remaining).map_err(Error::other)?;
        let mut list = [PollFd::new(listener, PollFlags::IN)];
        let ready = retry_on_intr(|| poll(&mut list, Some(&remaining)))?;
        if ready == 0 {
            return Err(TimedOut.into());
        }
        match listener.accept() {
            Ok((client, peer)) => {
                // On macOS and Windows, the connection is non-blocking, too, because
                // the listener is.
                let blocking = client.set_nonblocking(false);
                if blocking.is_ok() {
                    return Ok((client, peer));
                }
                log_disconnect(peer, &blocking);
            }
            // Another thread has accepted the connection first.
            Err(err) if err.kind() == WouldBlock => {}
            Err(err) => return Err(err),
        }
    }
}

/// Reads from a connection. Waits at most `timeout` for the first bytes.
///
/// Returns the number of bytes, or 0 at the end of the stream. Python's `recv` does
/// the same after `settimeout`.
///
/// # Errors
///
/// [`TimedOut`] with the message `timed out: nothing received for N s` if no bytes
/// arrived in time. Any other error comes from [recv(2)]. If a signal interrupts the
/// read ([`Interrupted`]), this function reads again. For example, on Linux Ctrl-Z
/// and `fg` interrupt a read that has a timeout.
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
pub fn read_within(
    mut client: &TcpStream,
    buffer: &mut [u8],
    timeout: Duration,
) -> Result<usize> {
    client.set_read_timeout(Some(timeout))?;
    retry_or_time_out(timeout, || client.read(buffer))
}

/// Receives a datagram on a connected socket. Waits at most `timeout` for one.
///
/// Returns the number of bytes.
///
/// # Errors
///
/// As in [`read_within`].
pub fn receive_within(
    socket: &UdpSocket,
    buffer: &mut [u8],
    timeout: Duration,
) -> Result<usize> {
    socket.set_read_timeout(Some(timeout))?;
    retry_or_time_out(timeout, || socket.recv(buffer))
}

/// Makes a call on a socket that has the read timeout `timeout`. Repeats the call if
/// a signal interrupts it.
fn retry_or_time_out(
    timeout: Duration,
    mut call: impl FnMut() -> Result<usize>,
) -> Result<usize> {
    loop {
        match call() {
            Err(err) if err.kind() == Interrupted => {}
            // A read timeout is `WouldBlock` on Unix and `TimedOut` on Windows.
            Err(err) if err.kind() == WouldBlock || err.kind() == TimedOut => {
                let seconds = timeout.as_secs_f64();
                let why = format!("timed out: nothing received for {seconds} s");
                return Err(Error::new(TimedOut, why));
            }
            result => return result,
        }
    }
}

/// Makes a call and returns its result. Prints a line if the call is slow.
///
/// The line `waiting for WHAT ...` appears on stderr after a second. Without it, the
/// user could think that the program has hung.
pub fn show_waiting<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let (done, finished) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if finished.recv_timeout(SECOND) == Err(RecvTimeoutError::Timeout) {
                log_line(format!("waiting for {what} ..."));
            }
        });
        let result = call();
        drop(done);
        result
    })
}

/// Returns true if `accept` or `recv_from` failed because of one peer or a signal.
/// The program can then make the next call immediately.
///
/// - A client can reset its connection before the server accepts it. `accept` then
///   returns [`ConnectionAborted`], or on Windows [`ConnectionReset`] or
///   [`NotConnected`].
/// - On macOS, an IPv6 listener then returns a connection without an address. Rust
///   reports this as [`InvalidInput`], without a number.
/// - On Windows, `recv_from` returns [`ConnectionReset`] if the server has sent an
///   earlier reply to a closed port.
/// - On Windows, `recv_from` returns error 10040 if a datagram is larger than the
///   buffer. The datagram is then lost.
/// - [`Interrupted`] means that a signal interrupted the call.
pub fn is_about_one_peer(err: &Error) -> bool {
    let number = err.raw_os_error();
    let is_too_large = cfg!(windows) && number == Some(10040);
    let has_no_address = number.is_none() && err.kind() == InvalidInput;
    let kinds = [ConnectionAborted, ConnectionReset, NotConnected, Interrupted];
    is_too_large || has_no_address || kinds.contains(&err.kind())
}

/// Logs that a call failed, and pauses for a second. Does nothing if the error
/// [is about one peer](is_about_one_peer).
///
/// A server calls this function when `accept` or `recv_from` has failed, or when it
/// could not start a thread. `what` completes the sentence "cannot ...".
///
/// The pause matters if a server has no file descriptor left. `accept` then fails
/// immediately and leaves the connection in the queue. Without the pause, the server
/// would use 100 % of a CPU. If several threads call this function at the same time,
/// only one of them logs.
pub fn log_and_pause(what: &str, err: &Error) {
    static LOGGING: Mutex<()> = Mutex::new(());
    if is_about_one_peer(err) {
        return;
    }
    let lock = LOGGING.try_lock();
    if lock.is_ok() {
        log_line(format!("cannot {what}: {err}; trying again in a second"));
    }
    thread::sleep(SECOND);
}

/// Closes a connection gracefully, so that the client still receives the last reply.
///
/// A program may close a socket that has unread bytes, or bytes may arrive after the
/// close. In both cases, the kernel sends a reset. The client's kernel may then
/// discard a reply that the client has not read yet ([RFC 1122], section 4.2.2.13).
/// Therefore this function
///
/// 1. closes the sending side, so that the client sees the end of the stream,
/// 2. reads and discards bytes until the client closes its sending side, but for a
///    second at most,
/// 3. closes the socket.
///
/// [RFC 1122]: https://www.rfc-editor.org/rfc/rfc1122
pub fn close_gracefully(mut client: TcpStream) {
    // This fails if the client has reset the connection. The read fails then, too.
    let _ = client.shutdown(Shutdown::Write);
    let deadline = Instant::now() + SECOND;
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        // The second is over if no time remains. A timeout of zero is an error.
        if client.set_read_timeout(Some(remaining)).is_err() {
            return;
        }
        match client.read(&mut [0; 4096]) {
            Ok(1..) => {}
            Err(err) if err.kind() == Interrupted => {}
            _ => return,
        }
    }
}
