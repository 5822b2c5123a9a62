//! Exercise 19, make: a server with an event loop. It must stop at the line `quit`.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token, Waker, event::Event};
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

/// The default time that the clients have to finish, in seconds.
const GRACE: f64 = 5.0;

/// The token of the listener. The clients have the tokens 1, 2, 3 and so on.
const LISTENER: Token = Token(0);

/// The token of the waker. No client ever has this token.
const WAKER: Token = Token(usize::MAX);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_19_make [IP:PORT] [--grace 5]");
    let grace = args.seconds("--grace", GRACE);
    let address = args.listen_address(PORT);
    let mut listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    print_line(format!("server ready on {}", listener.local_addr()?));
    log_line(format!("after the line quit, the clients have {grace:?} to finish"));
    let waker = Waker::new(poll.registry(), WAKER)?;
    thread::spawn(move || read_lines(&waker));
    let mut listener = Some(listener);
    // The time at which the server stops, after the line `quit`.
    let mut stop_at: Option<Instant> = None;

    let mut clients: HashMap<Token, Client> = HashMap::new();
    let mut next_token = 1;
    let mut events = Events::with_capacity(EVENTS);
    // Clients that may have more to read or write. The kernel does not report them
    // again.
    let mut ready: BTreeSet<Token> = BTreeSet::new();
    // The time of the next call of `accept`. `None` means that the server waits for
    // an event of the listener.
    let mut accept_at: Option<Instant> = None;
    while stop_at.is_none_or(|time| !clients.is_empty() && Instant::now() < time) {
        // Wait for events, but not if there is work to do.
        let mut timeout = None;
        if let Some(time) = accept_at.or(stop_at) {
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
            if event.token() == WAKER {
                (listener, accept_at) = (None, None); // The kernel refuses clients.
                stop_at.get_or_insert(Instant::now() + grace);
            } else if event.token() != LISTENER {
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
            let Some(listener) = &listener else { continue };
            let registry = poll.registry();
            if let Err(err) =
                accept_new(listener, registry, &mut clients, &mut next_token)
            {
                // The connection is still pending, so `accept` would fail
                // immediately, again and again. Therefore the server does not call
                // it for a while.
                log_line(format!("cannot accept: {err}; trying again in a second"));
                accept_at = Some(Instant::now() + PAUSE);
            }
        }
    }
    Ok(())
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

/// Reads the lines of the standard input.
fn read_lines(waker: &Waker) -> io::Result<()> {
    for line in io::stdin().lock().split(b'\n') {
        if line?.trim_ascii() == b"quit" {
            waker.wake()?;
        }
    }
    // The end of the input does not stop the server. This thread never ends.
    loop {
        thread::park();
    }
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
