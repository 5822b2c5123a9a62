//! The clients: one thread, non-blocking sockets, and `poll` to learn who can go on.

use std::io::ErrorKind::{self, Interrupted, WouldBlock};
use std::io::{Error, Read, Result, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use socket2::{Domain, Socket, Type};
use sockets101::put_block;

use crate::Target;
use crate::log::{Event, What};

/// How many different messages there are: an answer to another client, or to another
/// message of the same, is noticed.
const TEXTS: usize = 37;

/// A message, and its answer.
pub struct Text {
    pub ask: Vec<u8>,
    pub answer: Vec<u8>,
}

/// Messages of `size` bytes, the last one a newline; as blocks, with their length in front.
pub fn texts(size: u16, blocks: bool) -> Result<Vec<Text>> {
    let letters = b"the quick brown fox jumps over a dog ".iter().copied().cycle();
    let mut texts = Vec::new();
    for skip in 0..TEXTS {
        let letters = letters.clone().skip(skip).take(usize::from(size) - 1);
        let ask: Vec<u8> = letters.chain([b'\n']).collect();
        let mut text = Text { answer: ask.to_ascii_uppercase(), ask };
        for part in [&mut text.ask, &mut text.answer].into_iter().filter(|_| blocks)
        {
            let message = std::mem::take(part);
            put_block(part, &message)?;
        }
        texts.push(text);
    }
    Ok(texts)
}

/// Where a client is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Connecting,
    /// Connected, and silent.
    Idle,
    Talking,
    /// The server is to close: after the last answer, or after each.
    Leaving,
}

#[derive(Default)]
struct Client {
    /// Gone, if it has none.
    socket: Option<Socket>,
    stage: Stage,
    /// The answers so far; those of this connection.
    answers: usize,
    here: usize,
    /// The bytes of this message, and of its answer.
    sent: usize,
    got: usize,
}

impl Client {
    fn socket(&self) -> Result<&Socket> {
        self.socket.as_ref().ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

/// The clients of one server.
pub struct Crowd<'a> {
    target: &'a Target,
    /// How many each asks.
    pub messages: usize,
    /// Whether a client asks when it is connected.
    pub asking: bool,
    /// Whether the server closes after each answer. If nobody has told us, we learn it.
    one_message: bool,
    clients: Vec<Client>,
    start: Instant,
    /// What happened since somebody last took it.
    pub events: Vec<Event>,
    /// Why this machine can make no more sockets.
    trouble: Option<Error>,
    // Kept from turn to turn, so that nothing is allocated for a request.
    buffer: Vec<u8>,
    fds: Vec<PollFd<'static>>,
    ready: Vec<usize>,
}

impl<'a> Crowd<'a> {
    pub fn new(target: &'a Target) -> Self {
        Self {
            target,
            messages: 1,
            asking: true,
            one_message: target.one_message,
            clients: Vec::new(),
            start: Instant::now(),
            events: Vec::new(),
            trouble: None,
            buffer: vec![0; 64 * 1024],
            fds: Vec::new(),
            ready: Vec::new(),
        }
    }

    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    pub fn connecting(&self) -> usize {
        let clients = self.clients.iter().filter(|client| client.socket.is_some());
        clients.filter(|client| client.stage == Stage::Connecting).count()
    }

    /// One client more, which asks for a connection.
    pub fn enter(&mut self) {
        self.clients.push(Client::default());
        self.connect(self.clients.len() - 1);
    }

    /// Those who wait for the others begin.
    pub fn begin(&mut self) {
        self.asking = true;
        for number in 0..self.clients.len() {
            if self.clients[number].stage == Stage::Idle {
                self.ask(number);
            }
        }
    }

    /// All who wait for something have waited long enough.
    pub fn give_up(&mut self) {
        for number in 0..self.clients.len() {
            let client = &mut self.clients[number];
            let waits = matches!(client.stage, Stage::Connecting | Stage::Talking);
            if client.socket.take().is_some() && waits {
                self.tell(number, What::Lost(ErrorKind::TimedOut));
            }
        }
    }

    /// Waits until some client can go on, and lets all go on that can. Says whether there is
    /// anybody left to wait for. An error is that of this machine, not of the server.
    pub fn turn(&mut self, wait: Duration) -> Result<bool> {
        if let Some(err) = self.trouble.take() {
            let advice = "take fewer, or allow more (`ulimit -n`)";
            return Err(Error::other(format!("no more clients: {err}; {advice}")));
        }
        let mut fds = recycled(std::mem::take(&mut self.fds));
        self.ready.clear();
        for (number, client) in self.clients.iter().enumerate() {
            let Some(socket) = &client.socket else { continue };
            let flags = match client.stage {
                Stage::Connecting => PollFlags::OUT,
                Stage::Talking if client.sent < self.text(number).ask.len() => {
                    PollFlags::IN | PollFlags::OUT
                }
                Stage::Talking | Stage::Leaving => PollFlags::IN,
                Stage::Idle => continue,
            };
            fds.push(PollFd::new(socket, flags));
            self.ready.push(number);
        }
        if fds.is_empty() {
            return Ok(false);
        }
        let wait = Timespec::try_from(wait).map_err(Error::other)?;
        retry_on_intr(|| poll(&mut fds, Some(&wait)))?;
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        self.ready.retain(|_| ready.next() == Some(true));
        self.fds = recycled(fds);
        for place in 0..self.ready.len() {
            self.go_on(self.ready[place]);
        }
        Ok(true)
    }

    fn text(&self, number: usize) -> &'a Text {
        &self.target.texts[(number + self.clients[number].answers) % TEXTS]
    }

    fn tell(&mut self, client: usize, what: What) {
        self.events.push(Event { client, what, at: self.start.elapsed() });
    }

    fn connect(&mut self, number: usize) {
        self.tell(number, What::Connecting);
        let client = &mut self.clients[number];
        *client = Client { answers: client.answers, ..Client::default() };
        let address = self.target.address;
        match Socket::new(Domain::for_address(address), Type::STREAM, None) {
            Err(err) => self.trouble = Some(err),
            Ok(socket) => match connect(&socket, address) {
                Ok(()) => client.socket = Some(socket),
                Err(err) => self.tell(number, What::Lost(err.kind())),
            },
        }
    }

    fn go_on(&mut self, number: usize) {
        let outcome = match self.clients[number].stage {
            Stage::Connecting => self.connected(number),
            _ => self.talk(number),
        };
        let client = &self.clients[number];
        let goes_on = client.answers < self.messages;
        let is_end =
            client.stage == Stage::Leaving || client.here > 0 && client.got == 0;
        let comes_back =
            self.messages == usize::MAX && client.stage != Stage::Connecting;
        match outcome.map_err(|err| err.kind()) {
            Ok(()) | Err(WouldBlock | Interrupted) => {}
            // The server has closed after an answer: another needs another connection.
            Err(_) if is_end => {
                self.one_message |= goes_on;
                self.end(number, What::Closed, goes_on);
            }
            Err(why) => self.end(number, What::Lost(why), comes_back),
        }
    }

    fn end(&mut self, number: usize, how: What, comes_back: bool) {
        self.clients[number].socket = None;
        self.tell(number, how);
        if comes_back {
            self.connect(number);
        }
    }

    fn connected(&mut self, number: usize) -> Result<()> {
        let client = &mut self.clients[number];
        if let Some(err) = client.socket()?.take_error()? {
            return Err(err);
        }
        client.stage = Stage::Idle;
        self.tell(number, What::Connected);
        if self.asking {
            self.ask(number);
        }
        Ok(())
    }

    fn ask(&mut self, number: usize) {
        self.tell(number, What::Asked);
        let client = &mut self.clients[number];
        (client.stage, client.sent, client.got) = (Stage::Talking, 0, 0);
        // What goes wrong here is seen when the answer is read.
        let _ = self.send(number);
    }

    /// Sends what is left of the message, as far as the system takes it.
    fn send(&mut self, number: usize) -> Result<()> {
        let text = self.text(number);
        let client = &mut self.clients[number];
        if client.sent < text.ask.len() {
            match client.socket()?.write(&text.ask[client.sent..]) {
                Err(err) if err.kind() == WouldBlock => {}
                sent => client.sent += sent?,
            }
        }
        Ok(())
    }

    /// Goes on sending, and compares what has come of the answer. (All are of one length: one
    /// who has the whole answer expects no more bytes.)
    fn talk(&mut self, number: usize) -> Result<()> {
        self.send(number)?;
        let text = self.text(number);
        let client = &mut self.clients[number];
        let length = client.socket()?.read(&mut self.buffer)?;
        let is_right = text.answer[client.got..].starts_with(&self.buffer[..length]);
        client.got += length;
        match length {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            _ if !is_right => return Err(ErrorKind::InvalidData.into()),
            _ if client.got == text.answer.len() => self.answered(number),
            _ => {}
        }
        Ok(())
    }

    fn answered(&mut self, number: usize) {
        self.tell(number, What::Answered);
        let client = &mut self.clients[number];
        client.answers += 1;
        client.here += 1;
        let goes_on = client.answers < self.messages;
        if goes_on && !self.one_message {
            return self.ask(number);
        }
        client.stage = Stage::Leaving;
        if !goes_on {
            // Where this fails, the server has closed.
            let _ = client.socket().map(|socket| socket.shutdown(Shutdown::Write));
        }
    }
}

/// Begins to connect; `poll` tells when that is done.
fn connect(socket: &Socket, address: SocketAddr) -> Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&address.into()) {
        // Under way. Windows calls it WouldBlock.
        Err(err) if Errno::from_io_error(&err) == Some(Errno::INPROGRESS) => Ok(()),
        Err(err) if err.kind() == WouldBlock => Ok(()),
        done => done,
    }
}

/// The same memory for other borrows: a `PollFd` borrows a socket, and must be gone before
/// that one can be replaced.
fn recycled<'b>(mut fds: Vec<PollFd<'_>>) -> Vec<PollFd<'b>> {
    fds.clear();
    fds.into_iter().map_while(|_| None).collect()
}
