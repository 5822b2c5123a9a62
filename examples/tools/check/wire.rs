//! The functions that the checks are made of: connect, send in pieces, expect a reply.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{mem, str, sync::Mutex, thread};

use socket2::{Domain, Socket, Type};
use sockets101::{Failure, put_block};

use crate::lessons::{Design, Kind, Row};
use crate::reasons::why;
use crate::server::Server;

/// The result of a check: `Ok` if what came was expected, `Err` if it was not.
pub type Outcome = Result<Seen, Seen>;

pub struct Seen {
    pub expected: String,
    pub came: String,
    pub ending: Ending,
    pub talk: Box<Talk>,
    /// Of a success, what the design cannot do, if that was seen. Of a failure, the reason, if
    /// the check knows it.
    pub remark: Option<&'static str>,
}

/// The bytes that a client sent, those that should have come, and those that came.
#[derive(Clone, Default)]
pub struct Talk {
    pub sent: Vec<u8>,
    pub want: Vec<u8>,
    pub came: Vec<u8>,
}

/// The reason why a client read no more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Enough bytes came.
    Enough,
    /// Nothing came before the timeout.
    Silence,
    /// The server closed its sending side.
    End,
    /// The connection was reset.
    Reset,
    /// No server listens on the address.
    Refused,
    /// The connection was not completed before the timeout.
    Unconnected,
    /// This machine could not connect.
    Unable,
}

impl Seen {
    fn new(expected: &str, came: &str, ending: Ending) -> Self {
        let (expected, came) = (expected.to_owned(), came.to_owned());
        Self { expected, came, ending, talk: Box::default(), remark: None }
    }
}

/// Returns the success of a check that compares for itself.
pub fn passed(expected: &str, came: &str) -> Outcome {
    Ok(Seen::new(expected, came, Ending::Enough))
}

/// Returns the failure of a check that compares for itself, and its reason.
pub fn missed(expected: &str, came: &str, why: &'static str) -> Outcome {
    let seen = Seen::new(expected, came, Ending::Enough);
    Err(Seen { remark: Some(why), ..seen })
}

/// Adds reasons that a check knows better than the general rules.
pub trait Because: Sized {
    /// Sets the reason if `such` is true for the failure and it does not have a reason yet.
    fn because(self, such: impl Fn(&Seen) -> bool, why: &'static str) -> Self;

    /// Says what the design cannot do. This is not a failure.
    fn by_design(self, what: &'static str) -> Self;

    fn if_silent(self, why: &'static str) -> Self {
        self.because(|miss| miss.ending == Ending::Silence, why)
    }

    fn if_ended(self, why: &'static str) -> Self {
        self.because(|miss| matches!(miss.ending, Ending::End | Ending::Reset), why)
    }

    fn if_short(self, why: &'static str) -> Self {
        self.if_silent(why).if_ended(why)
    }

    fn if_other(self, why: &'static str) -> Self {
        self.because(|miss| !miss.talk.want.starts_with(&miss.talk.came), why)
    }
}

impl Because for Outcome {
    fn because(self, such: impl Fn(&Seen) -> bool, why: &'static str) -> Self {
        self.map_err(|miss| {
            let remark = miss.remark.or(such(&miss).then_some(why));
            Seen { remark, ..miss }
        })
    }

    fn by_design(self, what: &'static str) -> Self {
        self.map(|seen| Seen { remark: Some(what), ..seen })
    }
}

/// Calls `session` several times, and stops at the first failure.
pub fn repeat(times: usize, mut session: impl FnMut(usize) -> Outcome) -> Outcome {
    let mut outcome = passed("", "");
    for number in 0..times {
        outcome = Ok(session(number)?);
    }
    outcome
}

/// Calls `session` for several clients at the same time, each in a thread of its own.
pub fn at_once(clients: u32, session: impl Fn(u32) -> Outcome + Sync) -> Outcome {
    let session = &session;
    let outcomes: Result<Vec<_>, Seen> = thread::scope(|scope| {
        let start = |number| scope.spawn(move || session(number));
        let threads: Vec<_> = (0..clients).map(start).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let served = format!("{} clients served", outcomes?.len());
    passed(&format!("{clients} clients served"), &served)
}

/// A server, and how long a client waits for it.
pub struct Lab {
    pub row: Row,
    pub address: SocketAddr,
    /// The time after which a check gives up a server that does not reply.
    pub timeout: Duration,
    /// The time that a reply takes by design.
    pub delay: Duration,
    /// The process, if this program has started it.
    pub server: Option<Mutex<Server>>,
}

impl Lab {
    /// Starts a new server process, and stops the current one.
    pub fn renew(&mut self) -> Result<(), Failure> {
        self.server = None;
        let delay = format!("--delay={}", self.delay.as_secs_f64());
        let option = self.row.is_slow().then_some(&*delay);
        let server = Server::start(self.row.name, option, Stdio::piped())?;
        self.address = server.address;
        self.server = Some(Mutex::new(server));
        Ok(())
    }

    /// Starts a second server with this option, if this program has started the first one.
    pub fn another(&self, option: &str, delay: Duration) -> Result<Option<Self>, Seen> {
        let Self { row, timeout, .. } = *self;
        let start = |_| Server::start(row.name, [option], Stdio::piped());
        let server = self
            .server
            .as_ref()
            .map(start)
            .transpose()
            .map_err(|err| Seen::new("a server", &format!("{err:?}"), Ending::Refused))?;
        Ok(server.map(|server| {
            let (address, server) = (server.address, Some(Mutex::new(server)));
            Self { row, address, timeout, delay, server }
        }))
    }

    /// Returns the time after which a server that has not replied is not going to reply.
    pub fn moment(&self) -> Duration {
        Duration::from_millis(200) + self.delay
    }

    /// Connects a client.
    pub fn connect(&self) -> Result<Client<'_>, Seen> {
        let stream = self.row.is_stream();
        let kind = if stream { Type::STREAM } else { Type::DGRAM };
        let socket = Socket::new(Domain::for_address(self.address), kind, None);
        let connect = |socket: Socket| {
            socket.connect_timeout(&self.address.into(), self.timeout)?;
            socket.set_write_timeout(Some(self.timeout))?;
            if stream { socket.set_tcp_nodelay(true) } else { Ok(()) }?;
            Ok(Client { lab: self, socket, answers: 0, talk: Talk::default() })
        };
        socket.and_then(connect).map_err(|err: io::Error| {
            let ending = match err.kind() {
                ErrorKind::ConnectionRefused => Ending::Refused,
                ErrorKind::TimedOut => Ending::Unconnected,
                _ => Ending::Unable,
            };
            Seen::new("a connection", &err.to_string(), ending)
        })
    }

    /// Connects a client that sends these bytes.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> Result<Client<'_>, Seen> {
        let mut client = self.connect()?;
        client.send(bytes);
        Ok(client)
    }

    /// Connects a client that sends this text, with its length if the server expects that.
    pub fn say(&self, text: &str) -> Result<Client<'_>, Seen> {
        self.send(framed(self.row.kind, text.as_bytes()))
    }

    /// Sends one text over a new connection, and expects its reply.
    pub fn ask(&self, text: &str) -> Outcome {
        self.say(text)?.expect_reply(text)
    }

    /// Sends one text after a rude client. The server must reply as if nothing had happened.
    pub fn next(&self) -> Outcome {
        let pool = self.row.design == Design::Pool;
        let why = if pool { why::THREADS_GONE } else { why::NEXT_WAITS };
        self.ask("next").if_silent(why)
    }

    /// Returns the exit status if the server that this program started exits within this time.
    pub fn exits_within(&self, time: Duration) -> Option<ExitStatus> {
        self.server.as_ref()?.lock().ok()?.exits_within(time)
    }

    /// Returns the lines that the server printed after its ready line. Call this after it has
    /// exited.
    pub fn printed(&self) -> Vec<String> {
        let server = self.server.as_ref().and_then(|server| server.lock().ok());
        server.map_or_else(Vec::new, |server| server.printed())
    }

    /// Returns the reason if no server listens on the address. Sends a request, because a
    /// connection without one could crash the server.
    pub fn absence(&self) -> Option<String> {
        self.ask("hello").err()?;
        let miss = self.ask("hello").err()?;
        // Windows tries for two seconds before it refuses.
        let late = cfg!(windows) && miss.ending == Ending::Unconnected;
        let absent = late || matches!(miss.ending, Ending::Refused | Ending::Unable);
        absent.then_some(miss.came)
    }

    /// Returns true if the server has exited.
    pub fn is_gone(&self) -> bool {
        match self.server {
            Some(_) => self.exits_within(self.moment()).is_some(),
            None => self.absence().is_some(),
        }
    }
}

pub struct Client<'a> {
    lab: &'a Lab,
    socket: Socket,
    /// The number of replies that the server may have to send before the next one comes.
    answers: u32,
    talk: Talk,
}

impl Client<'_> {
    /// Sends the bytes as one segment, or as one datagram. Errors are ignored, because they
    /// show in the reply.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if !self.lab.row.is_stream() {
            self.talk = Talk::default();
        }
        self.answers += 1;
        self.talk.sent.extend(bytes.as_ref());
        let _ = self.socket.write_all(bytes.as_ref());
        if bytes.as_ref().is_empty() {
            let _ = self.socket.send(&[]); // write_all would do nothing.
        }
    }

    /// Sends a text, with its length if the server expects that.
    pub fn say(&mut self, text: &str) {
        self.send(framed(self.lab.row.kind, text.as_bytes()));
    }

    /// Sends a long text and reads the reply at the same time. Otherwise, each side could wait
    /// for the other.
    pub fn say_and_listen(&mut self, text: &str) -> Outcome {
        let Ok(socket) = self.socket.try_clone() else {
            return self.expect_reply(text);
        };
        let (lab, talk) = (self.lab, Talk::default());
        self.talk.sent = framed(lab.row.kind, text.as_bytes());
        thread::scope(|both| {
            both.spawn(move || Client { lab, socket, answers: 0, talk }.say(text));
            self.expect_reply(text)
        })
    }

    /// Sends the bytes in pieces, with a pause after each, so that the server reads them one by
    /// one.
    pub fn send_in_pieces<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) {
        for piece in pieces {
            self.send(piece);
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Sends until the kernel takes no more bytes, and never reads. Returns the number of bytes,
    /// or `None` if the server takes all of them.
    pub fn stuff(&mut self) -> Option<usize> {
        const NO_END: usize = 64 << 20; // Several times the size of the kernel's buffers.
        let _ = self.socket.set_nonblocking(true);
        let chunk = [b'x'; 64 * 1024];
        let (mut sent, mut refused) = (0, 0);
        // The server may still read. The buffers are full only if they stay full.
        let deadline = Instant::now() + self.lab.timeout * 4;
        while refused < 30 && sent < NO_END && Instant::now() < deadline {
            refused += 1;
            match self.socket.write(&chunk) {
                Ok(n) => (sent, refused) = (sent + n, 0),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
        let _ = self.socket.set_nonblocking(false);
        (sent < NO_END).then_some(sent)
    }

    /// Closes the sending side. The client can still receive.
    pub fn half_close(&self) {
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Closes the connection with a reset.
    pub fn reset(self) {
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }

    /// Waits longer, because the server may have to send replies to other clients first.
    pub fn wait_behind(&mut self, others: u32) {
        self.answers += others;
    }

    /// Returns true if nothing comes for a while.
    pub fn is_silent(&mut self) -> bool {
        self.receive(self.talk.came.len() + 1, self.lab.moment()) == Ending::Silence
    }

    /// Expects the reply to a text.
    pub fn expect_reply(&mut self, text: &str) -> Outcome {
        self.expect(framed(self.lab.row.kind, &reply(&self.lab.row, text)))
    }

    /// Expects these bytes next.
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) -> Outcome {
        self.talk.want.extend(bytes.as_ref());
        let limit = self.limit();
        let ending = self.receive(self.talk.want.len(), limit);
        self.verdict(ending, Ending::Enough)
    }

    /// Expects that the server closes its sending side next.
    pub fn expect_end(&mut self) -> Outcome {
        let limit = self.limit();
        let ending = self.receive(self.talk.want.len() + 1, limit);
        self.verdict(ending, Ending::End)
    }

    /// Expects a first part of the reply to a text, and then that the server closes its sending
    /// side.
    pub fn expect_a_beginning(&mut self, text: &str) -> Outcome {
        let limit = self.limit();
        let whole = reply(&self.lab.row, text);
        let ending = self.receive(whole.len() + 1, limit);
        let right = !self.talk.came.is_empty() && whole.starts_with(&self.talk.came);
        self.talk.want = if right { self.talk.came.clone() } else { whole };
        let told = |seen| Seen { expected: "some of it, then an end".into(), ..seen };
        self.verdict(ending, Ending::End).map(told).map_err(told)
    }

    /// Returns the time that the next reply may take.
    fn limit(&mut self) -> Duration {
        self.lab.timeout + self.lab.delay * mem::take(&mut self.answers)
    }

    /// Reads until `enough` bytes have come in all, or one datagram.
    fn receive(&mut self, enough: usize, limit: Duration) -> Ending {
        let stream = self.lab.row.is_stream();
        let _ = self.socket.set_read_timeout(Some(limit));
        let deadline = Instant::now() + limit * 2; // A server could send one byte after another forever.
        let mut buffer = vec![0; 64 * 1024];
        while !stream || self.talk.came.len() < enough {
            match self.socket.read(&mut buffer).map_err(|err| err.kind()) {
                Ok(0) if stream => return Ending::End,
                Ok(length) => self.talk.came.extend(&buffer[..length]),
                Err(ErrorKind::Interrupted) => continue,
                Err(ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ending::Silence;
                }
                Err(ErrorKind::ConnectionRefused) => return Ending::Refused,
                Err(_) => return Ending::Reset,
            }
            let Talk { want, came, .. } = &self.talk;
            if !stream || !want.starts_with(came) && !came.starts_with(want) {
                break; // The first bytes are wrong already.
            } else if Instant::now() > deadline {
                return Ending::Silence;
            }
        }
        Ending::Enough
    }

    /// Compares what came with what was expected.
    fn verdict(&self, ending: Ending, wanted: Ending) -> Outcome {
        let Talk { want, came, .. } = &self.talk;
        let kind = self.lab.row.kind;
        let expected = show(kind, want, wanted);
        let mut seen = Seen::new(&expected, &show(kind, came, ending), ending);
        if came == want && ending == wanted {
            return Ok(seen);
        }
        if came.len() > LONG {
            let same = want.iter().zip(came).take_while(|(want, came)| want == came);
            let from = same.count() + 1;
            seen.came = format!("{}, other than expected from byte {from}", seen.came);
        }
        Err(Seen { talk: self.talk.clone().into(), ..seen })
    }
}

/// Returns the correct reply to a text.
fn reply(row: &Row, text: &str) -> Vec<u8> {
    match row.name {
        "udp_server_bytes" => text.to_ascii_uppercase().into(),
        "ttl_pong" => b"PONG".into(),
        _ => text.to_uppercase().into(),
    }
}

/// Returns the bytes to send: with the length in front, if the server expects that.
pub fn framed(kind: Kind, message: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    match kind {
        Kind::Block if put_block(&mut block, message).is_ok() => block,
        _ => message.to_vec(),
    }
}

/// The largest number of bytes that is shown. Of more, only the number is shown.
const LONG: usize = 48;

/// Formats bytes as text, or in hexadecimal if they are not text, and how they ended.
fn show(kind: Kind, bytes: &[u8], ending: Ending) -> String {
    let (prefix, bytes) = bytes.split_at(if kind == Kind::Block { 4.min(bytes.len()) } else { 0 });
    let hex =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let is_text = |text: &&str| !text.contains(|c: char| c.is_control() && c != '\n');
    let text = match str::from_utf8(bytes).ok().filter(is_text) {
        Some("") if kind == Kind::Datagram && ending == Ending::Enough => {
            "an empty datagram".into()
        }
        Some("") => String::new(),
        _ if bytes.len() > LONG => format!("{} bytes", bytes.len()),
        Some(text) => format!("\"{}\"", text.replace('\n', "\\n")),
        None => hex(bytes),
    };
    let shown = format!("{} {text}", hex(prefix)).trim().to_owned();
    let end = match ending {
        Ending::Silence => "silence",
        Ending::End => "an end",
        Ending::Reset => "a reset",
        Ending::Refused => "nobody there",
        _ => return shown,
    };
    if shown.is_empty() { end.into() } else { format!("{shown}, then {end}") }
}
