//! The clients: one thread, non-blocking sockets, and `poll` to learn who can go on.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use socket2::{Domain, Socket, Type};
use sockets101::put_block;

use crate::log::{Event, What};

/// How many different messages there are: an answer to another client, or to another
/// message of the same, is noticed.
const TEXTS: usize = 37;

/// How a server, or the way to it, refuses a connection. All else, such as too many open
/// files, is trouble of our own.
const REFUSALS: [ErrorKind; 5] = [
    ErrorKind::ConnectionRefused,
    ErrorKind::ConnectionReset,
    ErrorKind::NetworkUnreachable,
    ErrorKind::HostUnreachable,
    ErrorKind::TimedOut,
];

/// A message, and its answer.
pub struct Text {
    pub ask: Vec<u8>,
    pub answer: Vec<u8>,
}

/// Messages of `size` bytes, the last one a newline; as blocks, with their length in front.
pub fn texts(size: usize, blocks: bool) -> io::Result<Vec<Text>> {
    let letters = b"the quick brown fox jumps over a dog ".iter().copied().cycle();
    let make = |skip| {
        let mut ask: Vec<u8> = letters.clone().skip(skip).take(size - 1).collect();
        ask.push(b'\n');
        let mut text = Text { answer: ask.to_ascii_uppercase(), ask };
        if blocks {
            for part in [&mut text.ask, &mut text.answer] {
                let message = std::mem::take(part);
                put_block(part, &message)?;
            }
        }
        Ok(text)
    };
    (0..TEXTS).map(make).collect()
}

/// Where a client is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// Connected; it waits for the others to be so, or is only to be there.
    Idle,
    Talking,
    /// It has its answer; the server is to close before the next message.
    Renewing,
    /// It has all its answers, and the server is to close.
    Leaving,
    Gone,
}

struct Client {
    socket: Option<Socket>,
    stage: Stage,
    /// The answers so far; those of this connection.
    answers: usize,
    here: usize,
    /// The bytes of this message, and of its answer.
    sent: usize,
    got: usize,
}

/// The clients of one server.
pub struct Crowd<'a> {
    address: SocketAddr,
    texts: &'a [Text],
    /// How many each asks.
    pub messages: usize,
    /// Whether a client asks when it is connected.
    pub asking: bool,
    /// Whether it stays when it has all its answers.
    pub staying: bool,
    /// Whether the server closes after each answer. If nobody has told us, we learn it.
    one_message: bool,
    clients: Vec<Client>,
    start: Instant,
    buffer: Vec<u8>,
    /// Why this machine can make no more connections.
    trouble: Option<String>,
    // Kept from turn to turn, so that nothing is allocated for a request.
    fds: Vec<PollFd<'static>>,
    polled: Vec<usize>,
}

impl<'a> Crowd<'a> {
    pub fn new(address: SocketAddr, one_message: bool, texts: &'a [Text]) -> Self {
        Self {
            address,
            texts,
            messages: 1,
            asking: true,
            staying: false,
            one_message,
            clients: Vec::new(),
            start: Instant::now(),
            buffer: vec![0; 64 * 1024],
            trouble: None,
            fds: Vec::new(),
            polled: Vec::new(),
        }
    }

    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    pub fn connecting(&self) -> usize {
        let connecting = |client: &&Client| client.stage == Stage::Connecting;
        self.clients.iter().filter(connecting).count()
    }

    /// One client more, which asks for a connection.
    pub fn enter(&mut self, log: &mut impl FnMut(Event)) {
        let stage = Stage::Gone;
        let client =
            Client { socket: None, stage, answers: 0, here: 0, sent: 0, got: 0 };
        self.clients.push(client);
        self.connect(self.clients.len() - 1, log);
    }

    /// Those who wait for the others begin.
    pub fn begin(&mut self, log: &mut impl FnMut(Event)) {
        self.asking = true;
        for number in 0..self.clients.len() {
            if self.clients[number].stage == Stage::Idle {
                self.ask(number, log);
            }
        }
    }

    /// Those who wait for something have waited long enough.
    pub fn give_up(&mut self, log: &mut impl FnMut(Event)) {
        for number in 0..self.clients.len() {
            if matches!(
                self.clients[number].stage,
                Stage::Connecting | Stage::Talking
            ) {
                self.tell(number, What::Lost(ErrorKind::TimedOut), log);
            }
            self.clients[number].stage = Stage::Gone;
        }
    }

    /// Waits until some client can go on, and lets all go on that can. Says whether there is
    /// anybody left to wait for. An error is that of this machine, not of the server.
    pub fn turn(
        &mut self,
        wait: Duration,
        log: &mut impl FnMut(Event),
    ) -> io::Result<bool> {
        if let Some(trouble) = self.trouble.take() {
            return Err(io::Error::other(trouble));
        }
        let mut fds = recycled(std::mem::take(&mut self.fds));
        self.polled.clear();
        for (number, client) in self.clients.iter().enumerate() {
            let Some(socket) = &client.socket else { continue };
            let flags = match client.stage {
                Stage::Connecting => PollFlags::OUT,
                Stage::Talking if client.sent < self.text(number).ask.len() => {
                    PollFlags::IN | PollFlags::OUT
                }
                Stage::Talking | Stage::Renewing | Stage::Leaving => PollFlags::IN,
                Stage::Idle | Stage::Gone => continue,
            };
            fds.push(PollFd::new(socket, flags));
            self.polled.push(number);
        }
        if fds.is_empty() {
            return Ok(false);
        }
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        retry_on_intr(|| poll(&mut fds, Some(&wait)))?;
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        self.polled.retain(|_| ready.next() == Some(true));
        self.fds = recycled(fds);
        for place in 0..self.polled.len() {
            self.go_on(self.polled[place], log);
        }
        Ok(true)
    }

    fn text(&self, number: usize) -> &'a Text {
        &self.texts[(number + self.clients[number].answers) % TEXTS]
    }

    fn tell(&self, client: usize, what: What, log: &mut impl FnMut(Event)) {
        log(Event { client, what, at: self.start.elapsed() });
    }

    fn connect(&mut self, number: usize, log: &mut impl FnMut(Event)) {
        self.tell(number, What::Connecting, log);
        self.clients[number].stage = Stage::Connecting;
        let outcome = self.socket();
        match outcome {
            Ok(socket) => self.clients[number].socket = Some(socket),
            Err(err) => {
                self.lose(number, err.kind(), log);
                if !REFUSALS.contains(&err.kind()) {
                    let advice = "take fewer clients, or a higher `ulimit -n`";
                    let who = number + 1;
                    let trouble =
                        format!("no socket for client {who}: {err}; {advice}");
                    self.trouble.get_or_insert(trouble);
                }
            }
        }
    }

    /// A socket that is being connected.
    fn socket(&self) -> io::Result<Socket> {
        let domain = Domain::for_address(self.address);
        let socket = Socket::new(domain, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&self.address.into()) {
            // Under way: `poll` tells when it is done. Windows calls it WouldBlock.
            Err(err) if Errno::from_io_error(&err) == Some(Errno::INPROGRESS) => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => {}
            done => done?,
        }
        Ok(socket)
    }

    fn go_on(&mut self, number: usize, log: &mut impl FnMut(Event)) {
        let stage = self.clients[number].stage;
        let outcome = match stage {
            Stage::Connecting => self.connected(number, log),
            Stage::Talking => self.talk(number, log),
            _ => self.leave(number),
        };
        match outcome {
            Ok(()) => {}
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock) => {}
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(_) if matches!(stage, Stage::Leaving | Stage::Renewing) => {
                self.close(number, stage == Stage::Renewing, log);
            }
            // It has answered once, and closed: the next message needs a connection.
            Err(_)
                if self.clients[number].here > 0
                    && self.clients[number].got == 0 =>
            {
                self.one_message = true;
                self.close(number, true, log);
            }
            Err(err) => self.lose(number, err.kind(), log),
        }
    }

    fn connected(
        &mut self,
        number: usize,
        log: &mut impl FnMut(Event),
    ) -> io::Result<()> {
        let client = &mut self.clients[number];
        if let Some(socket) = &client.socket {
            if let Some(err) = socket.take_error()? {
                return Err(err);
            }
        }
        client.here = 0;
        client.stage = Stage::Idle;
        self.tell(number, What::Connected, log);
        if self.asking {
            self.ask(number, log);
        }
        Ok(())
    }

    fn ask(&mut self, number: usize, log: &mut impl FnMut(Event)) {
        self.tell(number, What::Asked, log);
        let text = self.text(number);
        let client = &mut self.clients[number];
        (client.stage, client.sent, client.got) = (Stage::Talking, 0, 0);
        // What goes wrong here is seen when the answer is read.
        if let Some(Ok(sent)) =
            client.socket.as_ref().map(|mut s| s.write(&text.ask))
        {
            client.sent = sent;
        }
    }

    /// Sends what is left of the message, and compares what has come of the answer.
    fn talk(
        &mut self,
        number: usize,
        log: &mut impl FnMut(Event),
    ) -> io::Result<()> {
        let text = self.text(number);
        let client = &mut self.clients[number];
        let Some(mut socket) = client.socket.as_ref() else { return Ok(()) };
        if client.sent < text.ask.len() {
            match socket.write(&text.ask[client.sent..]) {
                Ok(sent) => client.sent += sent,
                Err(err) if err.kind() == ErrorKind::WouldBlock => {}
                Err(err) => return Err(err),
            }
        }
        let length = socket.read(&mut self.buffer)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if !text.answer[client.got..].starts_with(&self.buffer[..length]) {
            client.got += length;
            return Err(ErrorKind::InvalidData.into());
        }
        client.got += length;
        if client.got == text.answer.len() {
            self.answered(number, log);
        }
        Ok(())
    }

    fn answered(&mut self, number: usize, log: &mut impl FnMut(Event)) {
        self.tell(number, What::Answered, log);
        let client = &mut self.clients[number];
        client.answers += 1;
        client.here += 1;
        if client.answers < self.messages {
            if self.one_message {
                client.stage = Stage::Renewing;
            } else {
                self.ask(number, log);
            }
        } else if self.staying {
            client.stage = Stage::Idle;
        } else {
            client.stage = Stage::Leaving;
            // Where this fails, the server has closed.
            let _ = client.socket.as_ref().map(|s| s.shutdown(Shutdown::Write));
        }
    }

    /// Waits for the server's end.
    fn leave(&mut self, number: usize) -> io::Result<()> {
        let Some(mut socket) = self.clients[number].socket.as_ref() else {
            return Ok(());
        };
        match socket.read(&mut self.buffer)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn close(&mut self, number: usize, again: bool, log: &mut impl FnMut(Event)) {
        self.clients[number].socket = None;
        self.tell(number, What::Closed, log);
        if again {
            self.connect(number, log);
        } else {
            self.clients[number].stage = Stage::Gone;
        }
    }

    /// A client has no answer. One that was connected, and never tires, comes back.
    fn lose(&mut self, number: usize, why: ErrorKind, log: &mut impl FnMut(Event)) {
        let was_connected = self.clients[number].stage == Stage::Talking;
        self.clients[number].socket = None;
        self.clients[number].stage = Stage::Gone;
        self.tell(number, What::Lost(why), log);
        if was_connected && self.messages == usize::MAX {
            self.connect(number, log);
        }
    }
}

/// The same memory for other borrows: a `PollFd` borrows a socket, and must be gone before
/// that one can be replaced.
fn recycled<'b>(mut fds: Vec<PollFd<'_>>) -> Vec<PollFd<'b>> {
    fds.clear();
    fds.into_iter().map_while(|_| None).collect()
}
