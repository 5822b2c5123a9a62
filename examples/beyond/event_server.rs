//! A server that talks with all its clients in one thread, and pays only for those
//! who speak.
//!
//! Beyond the slides: it goes on where slide 13, "multiplexing (poll)", ends. It
//! needs one crate more, mio, and so a feature. In one terminal:
//!
//! ```text
//! $ cargo run --example event_server --features event
//! server ready on 127.0.0.1:1242
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1242 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1242, which only
//! this machine reaches. `0.0.0.0:1242` opens it to the room.
//!
//! What to look for:
//!
//! - Read it beside `poll_server`: the service is the same (the last reply to what
//!   is not UTF-8 too), and so are most lines. There each turn makes a list of all
//!   sockets, and the system looks at every one. Here a socket is registered once,
//!   the system keeps the list (epoll on Linux, kqueue on macOS, IOCP on Windows),
//!   and a turn costs what its events cost.
//! - It is edge-triggered: the system says once that bytes came, not as long as they
//!   are there. Who stops before a call says "would block" may wait for ever for
//!   bytes that are already here. So a server asks once more than `poll_server`, in
//!   vain where the client has not said more by then.
//! - So who had something stays in `ready`, for another turn. A turn is one read and
//!   one write, and then it is the others': nobody can keep us by sending without
//!   end.
//! - Who does not take an answer is not read from, which is back-pressure. A `Token`
//!   is never used again, as a descriptor's number is: no event is taken for
//!   another's.

// ANCHOR: program
use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind::Interrupted, ErrorKind::WouldBlock, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, event::Event};
use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{ended, is_about_one_peer, say, tell};

/// No slide's port.
const PORT: u16 = 1242;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// How long nobody is accepted when the system has no descriptor for one more.
const PAUSE: Duration = Duration::from_secs(1);

/// What an event of the listener is called. The clients' tokens follow.
const LISTENER: Token = Token(0);

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
    let args = Args::new("event_server --features event [IP:PORT]");
    let address = args.listen_address(PORT);
    let mut listener =
        listen(address).map_err(|err| cannot_listen(address, &err))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("server ready on {}", listener.local_addr()?);

    let mut clients: HashMap<Token, Client> = HashMap::new();
    let mut buffer = [0; CHUNK];
    let mut tokens = (1..).map(Token);
    // As many as one call tells of. The others stay with the system.
    let mut events = Events::with_capacity(1024);
    // Who may have more than we took. Of these the system will not tell us again.
    let mut ready: BTreeSet<Token> = BTreeSet::new();
    // When to ask the listener. `None`: when an event tells of somebody new.
    let mut accept_at: Option<Instant> = None;
    loop {
        let wait = accept_at.map(|at| at.saturating_duration_since(Instant::now()));
        let limit = if ready.is_empty() { wait } else { Some(Duration::ZERO) };
        // No other event counts. On Windows a call that would block asks for all of
        // them anew, and "can be written" comes at once: to read then has no end.
        let awaited = |event: &&Event| match clients.get(&event.token()) {
            Some(client) if !client.unsent.is_empty() => event.is_writable(),
            _ => event.is_readable(),
        };
        match poll.poll(&mut events, limit) {
            Err(err) if err.kind() != Interrupted => Err(err)?,
            _ => ready.extend(events.iter().filter(awaited).map(Event::token)),
        }
        accept_at = accept_at.or(ready.remove(&LISTENER).then(Instant::now));

        ready.retain(|token| {
            let more = clients.get_mut(token).and_then(|it| it.serve(&mut buffer));
            if more.is_none() {
                clients.remove(token); // Closed, it has no more events.
            }
            more == Some(true)
        });

        if accept_at.is_some_and(|at| at <= Instant::now()) {
            accept_at = accept(&listener, &poll, &mut tokens, &mut clients);
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
    Ok(TcpListener::from_std(socket.into()))
}

/// Accepts whoever is in the queue. A queue's length at most: the others' turn
/// comes too. Says when to go on, if somebody may be left.
fn accept(
    listener: &TcpListener,
    poll: &Poll,
    tokens: &mut impl Iterator<Item = Token>,
    clients: &mut HashMap<Token, Client>,
) -> Option<Instant> {
    for token in tokens.take(BACKLOG as usize) {
        let (mut stream, peer) = match listener.accept() {
            Ok(accepted) => accepted, // The stream is non-blocking: mio sees to it.
            Err(err) if err.kind() == WouldBlock => return None,
            Err(err) if is_about_one_peer(&err) => continue,
            Err(err) => {
                // The client stays in the queue, and accept would fail at once,
                // again and again: so for a while it is not called.
                say(format_args!("cannot accept: {err}; trying again in a second"));
                return Some(Instant::now() + PAUSE);
            }
        };
        tell(peer, "connected");
        let both = Interest::READABLE | Interest::WRITABLE;
        match poll.registry().register(&mut stream, token, both) {
            Ok(()) => drop(clients.insert(token, Client::new(stream, peer))),
            refused => ended(peer, &refused),
        }
    }
    Some(Instant::now()) // No event will tell of those who are still in the queue.
}

impl Client {
    fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        Self { stream, peer, decoder: Decoder::default(), unsent: vec![], end: None }
    }

    /// Does what can be done, and says whether there may be more to do; `None` when
    /// the visit is over.
    fn serve(&mut self, buffer: &mut [u8]) -> Option<bool> {
        let visit = match self.exchange(buffer) {
            Err(err) if err.kind() == WouldBlock => return Some(false),
            Err(err) if err.kind() != Interrupted => Some(Err(err)),
            _ => self.end.take_if(|_| self.unsent.is_empty()),
        };
        visit.inspect(|visit| ended(self.peer, visit)).is_none().then_some(true)
    }

    /// Reads once, unless it has to take an answer first, and writes once.
    fn exchange(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if self.unsent.is_empty() {
            let length = self.stream.read(buffer)?;
            let (text, verdict) = self.decoder.feed(&buffer[..length]);
            self.unsent = text.to_uppercase().into_bytes();
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
// ANCHOR_END: program
