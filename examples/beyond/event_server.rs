//! A TCP server that serves all its clients in one thread. Idle connections cost it
//! no CPU time.
//!
//! This server is beyond the lecture. It is the next step after slide 13,
//! "multiplexing (poll)". It needs one more crate, mio, which the option
//! `--features event` adds. In one terminal:
//!
//! ```text
//! $ cargo run --example event_server --features event
//! server ready on 127.0.0.1:1242
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1242 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1242,
//! which only programs on this machine can reach. `0.0.0.0:1242` also accepts other
//! machines on the network.
//!
//! What to try:
//!
//! - Compare this file with lesson 13 (`poll_server`). Both give the same replies,
//!   and most lines are the same. But `poll_server` makes a list of all sockets for
//!   each call, and the kernel looks at every entry. This server registers each
//!   socket once. The kernel keeps the list (epoll on Linux, kqueue on macOS, IOCP
//!   on Windows). So one iteration of the event loop costs only as much as its
//!   events.
//! - The events are edge-triggered. This means that the kernel reports new bytes
//!   once. If the server does not read them, the kernel does not report them again.
//!   So the server keeps a client in `ready` until a call returns the error "would
//!   block". This costs an extra call per request.
//! - In one iteration, each ready client gets one read and one write. So a client
//!   that sends without a pause cannot block the other clients.
//! - If a client does not read its replies, the server stops reading from it. This
//!   is called back-pressure.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, event::Event};
use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, is_about_one_peer};
use sockets101::{log_disconnect, log_event, log_line, print_line};

/// A port that no slide uses.
const PORT: u16 = 1242;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The largest number of events that one call returns. Further events stay in the
/// kernel.
const EVENTS: usize = 1024;

/// How long the server does not accept connections after `accept` has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The token of the listener. The clients have the tokens 1, 2, 3 and so on.
const LISTENER: Token = Token(0);

fn main() -> Result<(), Failure> {
    let args = Args::new("event_server --features event [IP:PORT]");
    let address = args.listen_address(PORT);
    let mut listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    print_line(format!("server ready on {}", listener.local_addr()?));

    let mut clients: HashMap<Token, Client> = HashMap::new();
    let mut next_token = 1;
    let mut events = Events::with_capacity(EVENTS);
    // Clients that may have more to read or write. The kernel does not report them
    // again.
    let mut ready: BTreeSet<Token> = BTreeSet::new();
    // The time of the next call of `accept`. `None` means that the server waits for
    // an event of the listener.
    let mut accept_at: Option<Instant> = None;
    loop {
        // Wait for events, but not if there is work to do.
        let mut timeout = None;
        if let Some(time) = accept_at {
            timeout = Some(time.saturating_duration_since(Instant::now()));
        }
        if !ready.is_empty() {
            timeout = Some(Duration::ZERO);
        }
        if let Err(err) = poll.poll(&mut events, timeout) {
            if err.kind() != ErrorKind::Interrupted {
                return Err(err.into()); // `into` converts it to a `Failure`.
            }
        }
        for event in &events {
            if event.token() != LISTENER {
                if is_expected(event, &clients) {
                    ready.insert(event.token());
                }
            } else if accept_at.is_none() {
                accept_at = Some(Instant::now());
            }
        }

        // Serve each ready client once. Keep the clients that may have more to do.
        let mut still_ready = BTreeSet::new();
        for token in ready {
            if let Some(client) = clients.get_mut(&token) {
                if client.serve() {
                    still_ready.insert(token);
                } else if client.state == State::Closed {
                    clients.remove(&token); // This also closes the socket.
                }
            }
        }
        ready = still_ready;

        // Accept new connections.
        if accept_at.is_some_and(|time| time <= Instant::now()) {
            accept_at = None;
            let registry = poll.registry();
            if let Err(err) =
                accept_new(&listener, registry, &mut clients, &mut next_token)
            {
                // The connection is still pending, so `accept` would fail
                // immediately, again and again. Therefore the server does not call
                // it for a while.
                log_line(format!("cannot accept: {err}; trying again in a second"));
                accept_at = Some(Instant::now() + PAUSE);
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default protocol.
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // With SO_REUSEADDR, the server can use the port again immediately after a
    // restart. On Windows, SO_REUSEADDR would let another program listen on the same
    // port.
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    // `into` returns a listener of the standard library, `from_std` a listener of
    // mio.
    Ok(TcpListener::from_std(socket.into()))
}

/// Accepts all pending connections. The kernel does not report them again.
fn accept_new(
    listener: &TcpListener,
    registry: &Registry,
    clients: &mut HashMap<Token, Client>,
    next_token: &mut usize,
) -> io::Result<()> {
    loop {
        let (mut stream, peer) = match listener.accept() {
            Ok(accepted) => accepted, // mio makes the stream non-blocking.
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(err) if is_about_one_peer(&err) => continue,
            Err(err) => return Err(err),
        };
        // A token is never used twice, so an old event cannot belong to a new
        // client.
        let token = Token(*next_token);
        *next_token += 1;
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, token, both)?;
        log_event(peer, "connected");
        let client = Client {
            stream,
            peer,
            decoder: Decoder::default(),
            unsent: Vec::new(),
            state: State::Open,
            result: Ok(()),
        };
        clients.insert(token, client);
    }
}

/// Returns true if the server waits for this event.
///
/// If a client has unsent replies, the server waits until it can write to the
/// client. Otherwise the server waits until it can read from the client.
///
/// On Windows, a call that would block makes mio report all events again. Idle
/// clients are always writable. Without this check, these events would use 100 % of
/// a CPU.
fn is_expected(event: &Event, clients: &HashMap<Token, Client>) -> bool {
    match clients.get(&event.token()) {
        Some(client) if !client.unsent.is_empty() => event.is_writable(),
        _ => event.is_readable(),
    }
}

/// The state of a connection.
#[derive(PartialEq)]
enum State {
    /// The server reads requests and sends replies.
    Open,
    /// The server reads no more. It sends the unsent replies.
    Closing,
    /// The main loop removes this client.
    Closed,
}

/// All that the server knows about one client.
struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    /// Keeps the first bytes of a character until the others arrive.
    decoder: Decoder,
    /// Replies that the kernel has not taken yet.
    unsent: Vec<u8>,
    state: State,
    /// How the connection ended: an error, or `Ok` if the client has disconnected.
    result: io::Result<()>,
}

impl Client {
    /// Reads once, if all replies are sent, and writes once. Returns true if there
    /// may be more to read or to write.
    fn serve(&mut self) -> bool {
        let mut result = Ok(());
        if self.state == State::Open && self.unsent.is_empty() {
            result = self.receive_requests();
        }
        if result.is_ok() && !self.unsent.is_empty() {
            result = self.send_replies();
        }

        if let Err(err) = result {
            if err.kind() == ErrorKind::WouldBlock {
                return false;
            }
            self.result = Err(err);
        } else if self.state == State::Open || !self.unsent.is_empty() {
            return true;
        }
        log_disconnect(self.peer, &self.result);
        self.state = State::Closed;
        false
    }

    fn receive_requests(&mut self) -> io::Result<()> {
        let mut buffer = [0; BUFFER_SIZE];
        let length = self.stream.read(&mut buffer)?;
        if length == 0 {
            // The client has closed its sending side. Was its last character
            // complete?
            self.result = self.decoder.finish();
            self.state = State::Closing;
            return Ok(());
        }
        // `valid` is false if there are invalid bytes after `text`.
        let (text, valid) = self.decoder.decode(&buffer[..length]);
        self.unsent = text.to_uppercase().into_bytes();
        if !valid {
            self.result = Err(io::Error::other("invalid UTF-8"));
            self.state = State::Closing;
        }
        Ok(())
    }

    fn send_replies(&mut self) -> io::Result<()> {
        let sent = self.stream.write(&self.unsent)?;
        // Keep the other bytes in a new list, so that an idle client uses no memory.
        self.unsent = self.unsent[sent..].to_vec();
        Ok(())
    }
}
