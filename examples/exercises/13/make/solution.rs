//! Exercise 13, make: a server with `poll` that keeps silent clients forever.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, is_about_one_peer};
use sockets101::{log_disconnect, log_event, log_line, print_line};

/// The port of the slide.
const PORT: u16 = 1236;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The server stops reading from a client that has more unsent bytes than this.
const UNSENT_LIMIT: usize = 64 * 1024;

/// The default time after which the server disconnects an idle client, in seconds:
/// more than 11 days.
const NO_TIMEOUT: f64 = 1e6;

/// How long the server waits before it calls `accept` again after an error.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the server waits if `poll` reports only a hang-up (see `serve`).
const HANG_UP_PAUSE: Duration = Duration::from_millis(1);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_13_make [IP:PORT] [--timeout SECONDS]");
    let idle_timeout = args.timeout("--timeout", NO_TIMEOUT);
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    let mut clients: Vec<Client> = Vec::new();
    // If `accept` fails, the server sets this to a later time.
    let mut accept_again_at = Instant::now();
    loop {
        // `poll` also waits for new connections. During the pause after a failed
        // `accept`, it does not wait for connections, and has a shorter timeout.
        let mut listener_events = PollFlags::IN;
        let mut timeout = idle_timeout;
        let pause = accept_again_at.saturating_duration_since(Instant::now());
        if pause > Duration::ZERO {
            listener_events = PollFlags::empty();
            timeout = timeout.min(pause);
        }
        // Wake up at the latest when the next client has been idle for too long.
        for client in &clients {
            let idle = client.received_at.elapsed();
            timeout = timeout.min(idle_timeout.saturating_sub(idle));
        }

        // Build the list: entry 0 is the listener, entry i + 1 is client i.
        // An entry borrows its socket, so no socket can be closed during `poll`.
        let mut list = vec![PollFd::new(&listener, listener_events)];
        for client in &clients {
            list.push(PollFd::new(&client.stream, client.events()));
        }

        // Wait until a socket is ready, or until the timeout. If a signal interrupts
        // `poll`, call it again: `||` makes a closure (a function without a name),
        // which `retry_on_intr` can call several times.
        let timeout = Timespec::try_from(timeout)?;
        retry_on_intr(|| poll(&mut list, Some(&timeout)))?;

        // Copy what `poll` reports for each entry. The list is not used after this,
        // so it does not borrow the clients any more, and we may change them.
        let mut ready = Vec::with_capacity(list.len());
        for entry in &list {
            ready.push(entry.revents());
        }

        // Serve the ready clients. `zip` pairs client i with entry i + 1.
        for (client, events) in clients.iter_mut().zip(&ready[1..]) {
            if !events.is_empty() {
                client.serve(*events);
            }
            let is_idle = client.received_at.elapsed() >= idle_timeout;
            if is_idle && client.state != State::Closed {
                log_event(client.peer, "dropped: timed out");
                client.state = State::Closed;
            }
        }

        // Remove the closed clients. This also closes their sockets.
        clients.retain(|client| client.state != State::Closed);

        // Accept new connections.
        if !ready[0].is_empty() {
            if let Err(err) = accept_new(&listener, &mut clients) {
                // `WouldBlock` means that no more connections are pending. An error
                // about one peer means that a client has already disconnected. In
                // both cases, the server continues.
                if err.kind() != ErrorKind::WouldBlock && !is_about_one_peer(&err) {
                    // The connection is still pending, so `poll` would return
                    // immediately, again and again. Therefore the server does not
                    // ask for events of the listener for a while.
                    log_line(format!(
                        "cannot accept: {err}; trying again in a second"
                    ));
                    accept_again_at = Instant::now() + PAUSE;
                }
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
    // `accept` must not wait, because this thread also serves the clients.
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// Accepts new connections, but at most `BACKLOG` of them, so that the connected
/// clients do not wait too long. Returns the error of the first call that fails.
/// This is `WouldBlock` if no more connections are pending.
fn accept_new(listener: &TcpListener, clients: &mut Vec<Client>) -> io::Result<()> {
    for _ in 0..BACKLOG {
        let (stream, peer) = listener.accept()?;
        stream.set_nonblocking(true)?;
        log_event(peer, "connected");
        clients.push(Client {
            stream,
            peer,
            received_at: Instant::now(),
            decoder: Decoder::default(),
            unsent: Vec::new(),
            state: State::Open,
            result: Ok(()),
        });
    }
    Ok(())
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
    /// The time when the last bytes arrived, or when the client connected.
    received_at: Instant,
    /// Keeps the first bytes of a character until the others arrive.
    decoder: Decoder,
    /// Replies that the kernel has not taken yet.
    unsent: Vec<u8>,
    state: State,
    /// How the connection ended: an error, or `Ok` if the client has disconnected.
    result: io::Result<()>,
}

impl Client {
    /// Returns the events that `poll` should wait for. `poll` always reports errors
    /// and hang-ups, even if you do not ask for them.
    fn events(&self) -> PollFlags {
        let mut events = PollFlags::empty();
        if self.wants_to_read() {
            events |= PollFlags::IN;
        }
        // Ask for OUT only with unsent bytes. An idle socket is always writable, so
        // `poll` would return immediately each time, and the server would use 100 %
        // of a CPU.
        if !self.unsent.is_empty() {
            events |= PollFlags::OUT;
        }
        events
    }

    /// Returns true if the connection is open and at most `UNSENT_LIMIT` bytes are
    /// unsent.
    fn wants_to_read(&self) -> bool {
        self.state == State::Open && self.unsent.len() <= UNSENT_LIMIT
    }

    /// Reads and writes once, as far as this is possible now.
    fn serve(&mut self, events: PollFlags) {
        let mut result = Ok(());
        // Read also if `poll` reports an error or a hang-up. The read then returns
        // the error, or 0 bytes.
        if events != PollFlags::OUT && self.wants_to_read() {
            result = self.receive_requests();
        }
        if result.is_ok() && !self.unsent.is_empty() {
            result = self.send_replies();
        }

        if let Err(err) = result {
            if err.kind() == ErrorKind::WouldBlock {
                // The kernel has no bytes to read now, or it cannot take more bytes.
                // The server tries again after the next `poll`. Windows reports a
                // hang-up (POLLHUP) again and again if a client has closed its
                // sending side and does not read its replies. Without this pause,
                // the server would use 100 % of a CPU.
                if events == PollFlags::HUP {
                    thread::sleep(HANG_UP_PAUSE);
                }
                return;
            }
            self.result = Err(err);
        } else if self.state == State::Open || !self.unsent.is_empty() {
            // There is more to read or to send.
            return;
        }
        log_disconnect(self.peer, &self.result);
        self.state = State::Closed;
    }

    fn receive_requests(&mut self) -> io::Result<()> {
        let mut buffer = [0; BUFFER_SIZE];
        let length = self.stream.read(&mut buffer)?;
        self.received_at = Instant::now();
        if length == 0 {
            // The client has closed its sending side. `finish` returns an error if
            // the last character is not complete.
            self.result = self.decoder.finish();
            self.state = State::Closing;
            return Ok(());
        }
        // `valid` is false if there are invalid bytes after `text`.
        let (text, valid) = self.decoder.decode(&buffer[..length]);
        self.unsent.extend_from_slice(text.to_uppercase().as_bytes());
        if !valid {
            self.result = Err(io::Error::other("invalid UTF-8"));
            self.state = State::Closing;
        }
        Ok(())
    }

    fn send_replies(&mut self) -> io::Result<()> {
        let sent = self.stream.write(&self.unsent)?;
        // Copy the other bytes to a new list. A list keeps its memory, even when it
        // is empty. Then thousands of idle clients would need too much memory.
        self.unsent = self.unsent[sent..].to_vec();
        Ok(())
    }
}
