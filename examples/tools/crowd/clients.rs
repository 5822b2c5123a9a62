//! The clients: one thread, non-blocking sockets, and `poll` to learn who can go on.

use std::io::ErrorKind::{self, Interrupted, InvalidData, TimedOut, WouldBlock};
use std::io::{Error, Read, Result, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};
use std::{array, mem, num::NonZeroU16};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use socket2::{Domain, Socket, Type};
use sockets101::put_block;

use crate::Target;
use crate::log::{Event, Log, What};

/// How many different messages there are: an answer to another client, or to another
/// message of the same, is noticed.
const TEXTS: usize = 37;

/// Messages and their answers.
pub type Texts = [(Vec<u8>, Vec<u8>); TEXTS];

/// Of `size` bytes, the last one a newline; as blocks, with their length in front.
pub fn texts(size: NonZeroU16, blocks: bool) -> Texts {
    let letters = b"the quick brown fox jumps over a dog ".iter().copied().cycle();
    let framed = |message: Vec<u8>| {
        let mut block = Vec::new();
        // A Vec takes all, and a message is not too long for a block.
        let is_block = blocks && put_block(&mut block, &message).is_ok();
        if is_block { block } else { message }
    };
    array::from_fn(|skip| {
        let letters = letters.clone().skip(skip).take(usize::from(size.get()) - 1);
        let message: Vec<u8> = letters.chain([b'\n']).collect();
        (framed(message.clone()), framed(message.to_ascii_uppercase()))
    })
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
    pub target: &'a Target,
    /// How many each asks.
    pub messages: usize,
    /// So many, the first, do not ask before they are told to.
    pub silent: usize,
    /// Whether the server closes after each answer. If nobody has told us, we learn it.
    one_message: bool,
    clients: Vec<Client>,
    start: Instant,
    /// What happened since somebody last took it.
    pub events: Vec<Event>,
    /// What somebody noted of it.
    pub log: Log,
    // Kept from turn to turn, so that nothing is allocated for a request.
    buffer: Vec<u8>,
    fds: Vec<PollFd<'static>>,
    ready: Vec<usize>,
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

    /// What happened goes to the log. Says whether that was anything.
    pub fn note(&mut self) -> bool {
        self.events.drain(..).map(|event| self.log.note(event)).count() > 0
    }

    pub fn connecting(&self) -> usize {
        let waits = |c: &&Client| c.socket.is_some() && c.stage == Stage::Connecting;
        self.clients.iter().filter(waits).count()
    }

    /// One client more, which asks for a connection. An error is that of this machine, not
    /// of the server.
    pub fn enter(&mut self) -> Result<()> {
        self.clients.push(Client::default());
        self.connect(self.clients.len() - 1)
    }

    /// Who was silent asks.
    pub fn speak(&mut self) {
        self.silent = 0;
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
            if client.socket.take().is_some() && client.stage != Stage::Leaving {
                self.tell(number, What::Lost(TimedOut));
            }
        }
    }

    /// Waits until some client can go on, and lets all go on that can. Says whether there is
    /// anybody left to wait for.
    pub fn turn(&mut self, wait: Duration) -> Result<bool> {
        let mut fds = recycled(mem::take(&mut self.fds));
        self.ready.clear();
        for (number, client) in self.clients.iter().enumerate() {
            let Some(socket) = &client.socket else { continue };
            let is_sending = client.sent < self.text(number).0.len();
            let flags = match client.stage {
                Stage::Connecting => PollFlags::OUT,
                Stage::Talking if is_sending => PollFlags::IN | PollFlags::OUT,
                // Where all are silent, nobody waits for them.
                Stage::Idle if self.silent == usize::MAX => continue,
                _ => PollFlags::IN,
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
            self.go_on(self.ready[place])?;
        }
        Ok(true)
    }

    fn text(&self, number: usize) -> &'a (Vec<u8>, Vec<u8>) {
        &self.target.texts[(number + self.clients[number].answers) % TEXTS]
    }

    fn tell(&mut self, client: usize, what: What) {
        self.events.push(Event { client, what, at: self.start.elapsed() });
    }

    fn connect(&mut self, number: usize) -> Result<()> {
        self.tell(number, What::Connecting);
        let answers = self.clients[number].answers;
        let socket = connect(self.target.address)?;
        let socket = socket.map_err(|err| self.tell(number, What::Lost(err.kind()))).ok();
        self.clients[number] = Client { socket, answers, ..Client::default() };
        Ok(())
    }

    fn go_on(&mut self, number: usize) -> Result<()> {
        let client = &self.clients[number];
        let (stage, goes_on) = (client.stage, client.answers < self.messages);
        let outcome =
            if stage == Stage::Connecting { self.connected(number) } else { self.talk(number) };
        let why = match outcome.map_err(|err| err.kind()) {
            Ok(()) | Err(WouldBlock | Interrupted) => return Ok(()),
            Err(why) => why,
        };
        let client = &mut self.clients[number];
        client.socket = None;
        // The server has closed after an answer: another needs another connection.
        let is_end = stage == Stage::Leaving || client.here > 0 && client.got == 0;
        let is_end = is_end && why != InvalidData;
        self.one_message |= is_end && goes_on;
        self.tell(number, if is_end { What::Closed } else { What::Lost(why) });
        let is_load = self.messages == usize::MAX && stage != Stage::Connecting;
        let comes_back = goes_on && (is_end || is_load);
        if comes_back { self.connect(number) } else { Ok(()) }
    }

    fn connected(&mut self, number: usize) -> Result<()> {
        let client = &mut self.clients[number];
        client.socket()?.take_error()?.map_or(Ok(()), Err)?;
        client.stage = Stage::Idle;
        self.tell(number, What::Connected);
        if number >= self.silent {
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
        let (text, _) = self.text(number);
        let client = &mut self.clients[number];
        if client.sent < text.len() {
            match client.socket()?.write(&text[client.sent..]) {
                Err(err) if err.kind() == WouldBlock => {}
                sent => client.sent += sent?,
            }
        }
        Ok(())
    }

    /// Goes on sending, and compares what has come with the answer: no byte more is right.
    fn talk(&mut self, number: usize) -> Result<()> {
        let (mut expected, (_, answer)) = (&[][..], self.text(number));
        if self.clients[number].stage == Stage::Talking {
            self.send(number)?;
            expected = &answer[self.clients[number].got..];
        }
        let client = &mut self.clients[number];
        let length = client.socket()?.read(&mut self.buffer)?;
        client.got += length;
        match length {
            0 => Err(ErrorKind::UnexpectedEof)?,
            _ if !expected.starts_with(&self.buffer[..length]) => Err(InvalidData)?,
            _ if length == expected.len() => self.answered(number),
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

/// Begins to connect; `poll` tells when that is done. The outer error is that of this
/// machine, the inner one what the network says at once.
fn connect(address: SocketAddr) -> Result<Result<Socket>> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
    let advice = "take fewer, or allow more (`ulimit -n`)";
    let socket = socket.map_err(|err| Error::other(format!("no more clients: {err}; {advice}")))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    Ok(match socket.connect(&address.into()) {
        // Under way. Windows calls it WouldBlock.
        Err(err) if Errno::from_io_error(&err) == Some(Errno::INPROGRESS) => Ok(socket),
        Err(err) if err.kind() == WouldBlock => Ok(socket),
        done => done.map(|()| socket),
    })
}

/// The same memory for other borrows: a `PollFd` borrows a socket, and must be gone before
/// that one can be replaced.
fn recycled<'b>(mut fds: Vec<PollFd<'_>>) -> Vec<PollFd<'b>> {
    fds.clear();
    fds.into_iter().map_while(|_| None).collect()
}
