//! A server that talks with all its clients at once, in one thread.
//!
//! Slide 13, "multiplexing (poll)". In one terminal:
//!
//! ```text
//! $ cargo run --example poll_server
//! server ready on 127.0.0.1:1236
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1236 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1236, which only this
//! machine reaches. `0.0.0.0:1236` opens it to the room.
//!
//! What to look for:
//!
//! - One call, `poll`, waits for everybody. It is level-triggered: as long as a socket can
//!   be read or written, it says so. Every socket is non-blocking, since "can be written"
//!   means some bytes, not all: with a blocking one, a client that asks for much and reads
//!   nothing would stop the only thread there is.
//! - What could not be sent waits in `unsent`, and the client that does not read is not
//!   read from either, once that is over `UNSENT_LIMIT`. It is then the client whose
//!   `send` blocks: that is back-pressure.
//! - The end of a client's side is a read of 0 bytes, not POLLHUP: it may have ended only
//!   its own side and still wait for answers, as `tcp_client` does.
//! - Unlike the servers that can wait, this one does not read on before it closes on a
//!   client whose bytes are not UTF-8. If more of them were on their way, the system
//!   resets the connection, and the reply to the good text before them may be lost.

// ANCHOR: program
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{ended, is_about_one_peer, say, tell};

/// The slide's port.
const PORT: u16 = 1236;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// A client with more unsent bytes than this is not read from.
const UNSENT_LIMIT: usize = 64 * 1024;

/// How long nobody is accepted when the system has no descriptor for one more.
const PAUSE: Duration = Duration::from_secs(1);

/// All that the server knows of one client.
struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    /// Keeps the first bytes of a character whose last ones have not come.
    decoder: Decoder,
    /// What is answered, but not yet taken by the system.
    unsent: Vec<u8>,
    /// How the visit ends, once all is sent. `None` while the client may say more.
    end: Option<io::Result<()>>,
}

fn main() -> Result<(), Failure> {
    let address = Args::new("poll_server [IP:PORT]").listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    let mut clients: Vec<Client> = Vec::new();
    let mut buffer = [0; CHUNK];
    let mut accept_from = Instant::now();
    loop {
        let pause = accept_from.saturating_duration_since(Instant::now());
        let paused = !pause.is_zero();
        let wanted = if paused { PollFlags::empty() } else { PollFlags::IN };
        let limit = Timespec::try_from(pause)?;
        // A PollFd borrows its socket: nobody can close it while poll looks at
        // it. So the list is made anew each time, which costs little: poll
        // reads all of it too.
        let mut fds = vec![PollFd::new(&listener, wanted)];
        fds.extend(clients.iter().map(Client::poll_fd));
        retry_on_intr(|| poll(&mut fds, paused.then_some(&limit)))?;
        let events: Vec<_> = fds.iter().map(PollFd::revents).collect();
        let mut events = events.into_iter();
        let somebody_new = events.next().is_some_and(|event| !event.is_empty());

        clients.retain_mut(|client| {
            let event = events.next().unwrap_or(PollFlags::empty());
            event.is_empty() || client.serve(event, &mut buffer)
        });

        if somebody_new {
            if let Err(err) = accept(&listener, &mut clients) {
                // The client stays in the queue, and poll would return at once,
                // again and again: so for a while it is not asked about the
                // listener.
                say(format_args!("cannot accept: {err}; trying again in a second"));
                accept_from = Instant::now() + PAUSE;
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts whoever is in the queue. A queue's length at most: the others' turn
/// comes too.
fn accept(listener: &TcpListener, clients: &mut Vec<Client>) -> io::Result<()> {
    for _ in 0..BACKLOG {
        let (stream, peer) = match listener.accept() {
            Err(err) if not_now(&err) || is_about_one_peer(&err) => break,
            accepted => accepted?,
        };
        tell(peer, "connected");
        match stream.set_nonblocking(true) {
            Ok(()) => clients.push(Client::new(stream, peer)),
            refused => ended(peer, &refused),
        }
    }
    Ok(())
}

impl Client {
    fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        Self {
            stream,
            peer,
            decoder: Decoder::default(),
            unsent: Vec::new(),
            end: None,
        }
    }

    /// What poll is to wait for. It tells of errors and hang-ups unasked.
    fn poll_fd(&self) -> PollFd<'_> {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, self.may_speak());
        wanted.set(PollFlags::OUT, !self.unsent.is_empty());
        PollFd::new(&self.stream, wanted)
    }

    /// Whether to read from it: not after its end, and not while it does not read.
    fn may_speak(&self) -> bool {
        self.end.is_none() && self.unsent.len() <= UNSENT_LIMIT
    }

    /// Does what can be done, and says whether the client stays.
    fn serve(&mut self, event: PollFlags, buffer: &mut [u8]) -> bool {
        match self.exchange(event, buffer) {
            Err(err) if not_now(&err) => return true,
            Err(err) => self.end = Some(Err(err)),
            Ok(()) if !self.unsent.is_empty() => return true,
            Ok(()) => {}
        }
        self.end.take().inspect(|visit| ended(self.peer, visit)).is_none()
    }

    /// Reads once and writes once, where there is something to read or to write.
    fn exchange(&mut self, event: PollFlags, buffer: &mut [u8]) -> io::Result<()> {
        // An error or a hang-up shows in the read, after all that came before it.
        if event != PollFlags::OUT && self.may_speak() {
            let length = self.stream.read(buffer)?;
            let (text, verdict) = self.decoder.feed(&buffer[..length]);
            self.unsent.extend_from_slice(text.to_uppercase().as_bytes());
            let over = length == 0 || verdict.is_err();
            self.end = over.then(|| verdict.and_then(|()| self.decoder.finish()));
        }
        if !self.unsent.is_empty() {
            let sent = self.stream.write(&self.unsent)?;
            // An idle client keeps no memory.
            self.unsent = self.unsent.split_off(sent);
        }
        Ok(())
    }
}

/// Whether a non-blocking call failed only because it would have had to wait.
fn not_now(err: &io::Error) -> bool {
    matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
// ANCHOR_END: program
