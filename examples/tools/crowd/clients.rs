//! The clients of one server. One thread serves all of them, with non-blocking sockets and
//! `poll`.

use std::io::ErrorKind::{self, Interrupted, InvalidData, TimedOut, WouldBlock};
use std::io::{Error, Read, Result, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};
use std::{array, num::NonZeroU16};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::put_block;

use crate::Target;
use crate::log::{Action, Event, Log};

/// The number of different messages. Because the messages differ, a client notices a wrong reply.
/// For example, the reply may belong to another client or to the client's previous message.
const TEXTS: usize = 37;

/// Pairs of a message and its correct reply.
pub type Texts = [(Vec<u8>, Vec<u8>); TEXTS];

/// Returns messages of `size` bytes. The last byte is a newline. With `blocks`, each message begins
/// with its length.
pub fn texts(size: NonZeroU16, blocks: bool) -> Texts {
    let letters = b"the quick brown fox jumps over a dog ".iter().copied().cycle();
    let framed = |message: Vec<u8>| {
        let mut block = Vec::new();
        // This cannot fail, because a message is shorter than `MAX_BLOCK`.
        let is_block = blocks && put_block(&mut block, &message).is_ok();
        if is_block { block } else { message }
    };
    array::from_fn(|skip| {
        let letters = letters.clone().skip(skip).take(usize::from(size.get()) - 1);
        let message: Vec<u8> = letters.chain([b'\n']).collect();
        (framed(message.clone()), framed(message.to_ascii_uppercase()))
    })
}

/// What a client does now.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Connecting,
    /// The client is connected and silent.
    Silent,
    /// The client sends a message and waits for the reply.
    Waiting,
    /// The client expects that the server closes the connection.
    Closing,
}

#[derive(Default)]
struct Client {
    /// `None` if the connection is closed.
    socket: Option<Socket>,
    stage: Stage,
    /// The number of replies on all connections of this client.
    replies: usize,
    /// The number of replies on this connection.
    replies_here: usize,
    /// The number of bytes of the current message that the client has sent.
    sent: usize,
    /// The number of bytes of the current reply that the client has received.
    received: usize,
}

impl Client {
    fn socket(&self) -> Result<&Socket> {
        self.socket.as_ref().ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

/// The clients of one server.
pub struct Crowd<'a> {
    pub target: &'a Target,
    /// The number of messages that each client sends.
    pub messages: usize,
    /// The first `silent` clients send nothing until `end_silence` is called.
    pub silent: usize,
    /// True if the server closes the connection after each reply. For a server at an address, the
    /// clients learn this from the first reply.
    one_message: bool,
    clients: Vec<Client>,
    start: Instant,
    /// The events that are not in the log yet.
    pub events: Vec<Event>,
    pub log: Log,
    buffer: Vec<u8>,
}

impl<'a> Crowd<'a> {
    pub fn new(target: &'a Target, messages: usize, silent: usize) -> Self {
        Self {
            target,
            messages,
            silent,
            one_message: target.one_message,
            clients: Vec::new(),
            start: Instant::now(),
            events: Vec::new(),
            log: Log::default(),
            buffer: vec![0; 64 * 1024],
        }
    }

    /// Returns the time since the start of the run.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Moves the new events to the log. Returns true if there were any.
    pub fn record_events(&mut self) -> bool {
        let is_any = !self.events.is_empty();
        for event in self.events.drain(..) {
            self.log.add(event);
        }
        is_any
    }

    /// Returns the number of clients that are waiting for a connection.
    pub fn connecting(&self) -> usize {
        let is_waiting = |c: &&Client| c.socket.is_some() && c.stage == Stage::Connecting;
        self.clients.iter().filter(is_waiting).count()
    }

    /// Adds a client and starts its connection. An error comes from this machine, not from the
    /// server.
    pub fn add_client(&mut self) -> Result<()> {
        self.clients.push(Client::default());
        self.connect(self.clients.len() - 1)
    }

    /// Makes the silent clients send their first message.
    pub fn end_silence(&mut self) {
        self.silent = 0;
        for number in 0..self.clients.len() {
            if self.clients[number].stage == Stage::Silent {
                self.send_message(number);
            }
        }
    }

    /// Closes all connections. Clients that wait for something fail.
    pub fn give_up(&mut self) {
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            if client.socket.take().is_some() && client.stage != Stage::Closing {
                self.add_event(number, Action::Failed(TimedOut));
            }
        }
    }

    /// Waits until at least one client is ready, and handles all ready clients. Returns false if
    /// the program does not have to wait for any client.
    pub fn step(&mut self, timeout: Duration) -> Result<bool> {
        let (mut list, mut numbers) = (Vec::new(), Vec::new());
        for (number, client) in self.clients.iter().enumerate() {
            let Some(socket) = &client.socket else { continue };
            let is_sending = client.sent < self.text(number).0.len();
            let flags = match client.stage {
                Stage::Connecting => PollFlags::OUT,
                Stage::Waiting if is_sending => PollFlags::IN | PollFlags::OUT,
                // If all clients stay silent, the program does not wait for them.
                Stage::Silent if self.silent == usize::MAX => continue,
                _ => PollFlags::IN,
            };
            list.push(PollFd::new(socket, flags));
            numbers.push(number);
        }
        if list.is_empty() {
            return Ok(false);
        }
        let timeout = Timespec::try_from(timeout).map_err(Error::other)?;
        retry_on_intr(|| poll(&mut list, Some(&timeout)))?;
        let entries = list.iter().zip(numbers);
        let ready = entries.filter(|(entry, _)| !entry.revents().is_empty());
        let ready: Vec<usize> = ready.map(|(_, number)| number).collect();
        for number in ready {
            self.serve(number)?;
        }
        Ok(true)
    }

    /// Returns the current message of a client, and its correct reply.
    fn text(&self, number: usize) -> &'a (Vec<u8>, Vec<u8>) {
        &self.target.texts[(number + self.clients[number].replies) % TEXTS]
    }

    fn add_event(&mut self, client: usize, action: Action) {
        self.events.push(Event { client, action, at: self.start.elapsed() });
    }

    fn connect(&mut self, number: usize) -> Result<()> {
        self.add_event(number, Action::Connecting);
        let replies = self.clients[number].replies;
        let socket = match start_connecting(self.target.address)? {
            Ok(socket) => Some(socket),
            Err(err) => {
                self.add_event(number, Action::Failed(err.kind()));
                None
            }
        };
        self.clients[number] = Client { socket, replies, ..Client::default() };
        Ok(())
    }

    /// Does what a client that is ready can do now. If the server has closed the connection, the
    /// client connects again, unless it has all its replies.
    fn serve(&mut self, number: usize) -> Result<()> {
        let client = &self.clients[number];
        let (stage, has_more) = (client.stage, client.replies < self.messages);
        let is_connecting = stage == Stage::Connecting;
        let result =
            if is_connecting { self.finish_connecting(number) } else { self.exchange(number) };
        let why = match result.map_err(|err| err.kind()) {
            Ok(()) | Err(WouldBlock | Interrupted) => return Ok(()),
            Err(why) => why,
        };
        let client = &mut self.clients[number];
        client.socket = None;
        // If the server has closed after a reply, the next message needs a new connection.
        let is_after_reply = client.replies_here > 0 && client.received == 0;
        let is_close = (stage == Stage::Closing || is_after_reply) && why != InvalidData;
        self.one_message |= is_close && has_more;
        self.add_event(number, if is_close { Action::Closed } else { Action::Failed(why) });
        let is_load = self.messages == usize::MAX && !is_connecting;
        let is_coming_back = has_more && (is_close || is_load);
        if is_coming_back { self.connect(number) } else { Ok(()) }
    }

    fn finish_connecting(&mut self, number: usize) -> Result<()> {
        let client = &mut self.clients[number];
        if let Some(err) = client.socket()?.take_error()? {
            return Err(err);
        }
        client.stage = Stage::Silent;
        self.add_event(number, Action::Connected);
        if number >= self.silent {
            self.send_message(number);
        }
        Ok(())
    }

    fn send_message(&mut self, number: usize) {
        self.add_event(number, Action::Sent);
        let client = &mut self.clients[number];
        (client.stage, client.sent, client.received) = (Stage::Waiting, 0, 0);
        // The client notices an error when it reads the reply.
        let _ = self.send_rest(number);
    }

    /// Sends the rest of the message, as far as the kernel takes it.
    fn send_rest(&mut self, number: usize) -> Result<()> {
        let (text, _) = self.text(number);
        let client = &mut self.clients[number];
        if client.sent < text.len() {
            match client.socket()?.write(&text[client.sent..]) {
                Err(err) if err.kind() == WouldBlock => {}
                result => client.sent += result?,
            }
        }
        Ok(())
    }

    /// Sends the rest of the message, reads, and compares the bytes with the correct reply.
    fn exchange(&mut self, number: usize) -> Result<()> {
        let (mut expected, (_, reply)) = (&[][..], self.text(number));
        if self.clients[number].stage == Stage::Waiting {
            self.send_rest(number)?;
            expected = &reply[self.clients[number].received..];
        }
        let client = &mut self.clients[number];
        let length = client.socket()?.read(&mut self.buffer)?;
        client.received += length;
        match length {
            0 => Err(ErrorKind::UnexpectedEof)?,
            _ if !expected.starts_with(&self.buffer[..length]) => Err(InvalidData)?,
            _ if length == expected.len() => self.finish_reply(number),
            _ => {}
        }
        Ok(())
    }

    fn finish_reply(&mut self, number: usize) {
        self.add_event(number, Action::Replied);
        let client = &mut self.clients[number];
        client.replies += 1;
        client.replies_here += 1;
        let has_more = client.replies < self.messages;
        if has_more && !self.one_message {
            return self.send_message(number);
        }
        client.stage = Stage::Closing;
        if !has_more {
            // This fails if the server has closed the connection already.
            let _ = client.socket().map(|socket| socket.shutdown(Shutdown::Write));
        }
    }
}

/// Starts to connect. `poll` later reports that the connection is complete. The outer error comes
/// from this machine. The inner error is what the network reports immediately.
fn start_connecting(address: SocketAddr) -> Result<Result<Socket>> {
    let advice = "use fewer clients or raise the limit (`ulimit -n`)";
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)
        .map_err(|err| Error::other(format!("cannot open another socket: {err}; {advice}")))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    Ok(match socket.connect(&SockAddr::from(address)) {
        Ok(()) => Ok(socket),
        // The kernel is still connecting. Windows reports this as WouldBlock.
        Err(err) if Errno::from_io_error(&err) == Some(Errno::INPROGRESS) => Ok(socket),
        Err(err) if err.kind() == WouldBlock => Ok(socket),
        Err(err) => Err(err),
    })
}
