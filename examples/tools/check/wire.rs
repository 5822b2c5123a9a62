//! What the checks are made of: a server under test, and clients that compare what they receive.

use std::fs::read_to_string;
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{mem, thread};

use sockets101::Failure;

use crate::connection::{Connection, LONG, MOMENT, framed, is_timeout, reply, shown};
use crate::lessons::{Design, Kind, Row};
use crate::reasons::{self as why, Reason};
use crate::server::{Launch, Program, Server, Written, has_ipv6, source_path};

/// The result of a check: `Ok` if what came was expected, `Err` if it was not.
pub type Outcome = Result<Seen, Seen>;

#[derive(Default)]
pub struct Seen {
    pub expected: String,
    pub came: String,
    pub ending: Ending,
    pub talk: Box<Talk>,
    /// The reason of a failure, if the check knows it.
    pub reason: Option<&'static Reason>,
    /// What the design of the server cannot do, if that was seen.
    pub by_design: Option<&'static str>,
}

/// The bytes that a client sent, those that should have come, and those that came.
#[derive(Clone, Default)]
pub struct Talk {
    pub sent: Vec<u8>,
    pub want: Vec<u8>,
    pub came: Vec<u8>,
}

impl Talk {
    /// Returns the number of bytes before the first difference.
    pub fn same(&self) -> usize {
        self.want.iter().zip(&self.came).take_while(|(want, came)| want == came).count()
    }
}

/// The reason why a client read no more.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// Enough bytes came, or wrong ones.
    #[default]
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
    pub fn new(expected: &str, came: &str, ending: Ending) -> Self {
        Self { expected: expected.into(), came: came.into(), ending, ..Self::default() }
    }

    /// Returns true if no bytes came before the timeout.
    pub fn is_silence(&self) -> bool {
        self.ending == Ending::Silence && self.talk.came.is_empty()
    }
}

/// Returns the success of a check that compares for itself.
pub fn passed(expected: &str, came: &str) -> Outcome {
    Ok(Seen::new(expected, came, Ending::Enough))
}

/// Returns the failure of a check that compares for itself, and its reason.
pub fn missed(expected: &str, came: &str, why: &'static Reason) -> Outcome {
    Err(Seen { reason: Some(why), ..Seen::new(expected, came, Ending::Enough) })
}

/// Adds reasons that a check knows better than the general rules.
pub trait Because: Sized {
    /// Sets the reason if `such` is true for the failure and it does not have a reason yet.
    fn because(self, such: impl Fn(&Seen) -> bool, why: &'static Reason) -> Self;

    /// Says what the design cannot do. This is not a failure.
    fn by_design(self, what: &'static str) -> Self;

    fn if_silent(self, why: &'static Reason) -> Self {
        self.because(|miss| miss.ending == Ending::Silence, why)
    }

    fn if_ended(self, why: &'static Reason) -> Self {
        self.because(|miss| matches!(miss.ending, Ending::End | Ending::Reset), why)
    }

    fn if_short(self, why: &'static Reason) -> Self {
        self.if_silent(why).if_ended(why)
    }

    fn if_other(self, why: &'static Reason) -> Self {
        self.because(|miss| !miss.talk.want.starts_with(&miss.talk.came), why)
    }
}

impl Because for Outcome {
    fn because(self, such: impl Fn(&Seen) -> bool, why: &'static Reason) -> Self {
        self.map_err(|miss| Seen { reason: miss.reason.or(such(&miss).then_some(why)), ..miss })
    }

    fn by_design(self, what: &'static str) -> Self {
        self.map(|seen| Seen { by_design: Some(what), ..seen })
    }
}

/// Calls `session` several times, and stops at the first failure.
pub fn repeat(times: usize, mut session: impl FnMut(usize) -> Outcome) -> Outcome {
    let mut outcome = Ok(Seen::default());
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

/// Returns true if the program takes this option.
pub fn takes(row: &Row, program: &Program, option: &str) -> bool {
    match program {
        Program::Command(line) => line.contains("{options}"),
        Program::Example(_) => row.options.contains(&&option[2..]),
        // A program that takes an option contains its name.
        Program::Own(name) => {
            read_to_string(source_path(name)).is_ok_and(|text| text.contains(option))
        }
    }
}

/// A server, and how long a client waits for it.
pub struct Lab {
    pub row: Row,
    /// How to start the program, again and again. `None` if the user has started the server.
    pub launch: Option<Launch>,
    pub address: SocketAddr,
    /// The process, if this program has started it.
    server: Option<Mutex<Server>>,
    /// What the process writes, and what the second processes of a check write.
    written: Mutex<Vec<Arc<Written>>>,
    /// The time after which a check gives up a server that does not reply.
    pub timeout: Duration,
    /// The time that a reply takes by design.
    pub delay: Duration,
    /// The delay is not the one of an option: the first reply took so long.
    pub is_measured: bool,
    /// If the server waits for a newline, a newline is sent after each text. These bytes are
    /// what the server then adds to its reply: a newline or nothing.
    pub line_end: Option<Vec<u8>>,
    /// A connection has been accepted since the start. Before, a refused one is repeated.
    is_ready: AtomicBool,
    ready_by: Instant,
    /// A server that should close each connection has left one open. Or the server replies to
    /// several length-prefixed messages.
    never_closes: AtomicBool,
    /// The number of polite clients after rude ones.
    nexts: AtomicUsize,
    /// The last replies, to recognise bytes of an older message.
    pub history: Mutex<Vec<u8>>,
    /// The server has sent bytes of an older message. A short rest of one is then recognised, too.
    pub sends_old_bytes: AtomicBool,
    /// The time that the first reply took.
    pub first_reply: OnceLock<Duration>,
}

impl Lab {
    /// Returns the server under test, which is not started yet.
    pub fn new(row: Row, launch: Option<Launch>, address: SocketAddr, timeout: Duration) -> Self {
        Self {
            row,
            launch,
            address,
            server: None,
            written: Mutex::default(),
            timeout,
            delay: Duration::ZERO,
            is_measured: false,
            line_end: None,
            is_ready: AtomicBool::new(true),
            ready_by: Instant::now(),
            never_closes: AtomicBool::new(row.reads_blocks()),
            nexts: AtomicUsize::new(1),
            history: Mutex::default(),
            sends_old_bytes: AtomicBool::new(false),
            first_reply: OnceLock::new(),
        }
    }

    /// Starts a new process of the program, and stops the current one. At an address, gives a
    /// server that has stopped the time to come back.
    pub fn renew(&mut self) -> Result<(), Failure> {
        self.is_ready = AtomicBool::new(false);
        self.ready_by = Instant::now() + self.timeout;
        if let Some(launch) = &self.launch {
            self.server = None;
            let server = Server::start(launch)?;
            self.address = server.address;
            self.written = Mutex::new(vec![Arc::clone(&server.written)]);
            self.server = Some(Mutex::new(server));
            self.ready_by = Instant::now() + START.max(self.timeout);
        }
        Ok(())
    }

    /// Starts a second server with this option, too, if that is possible.
    pub fn another(&self, option: &str, value: f64) -> Result<Option<Self>, Seen> {
        if !self.can_start_with(option) {
            return Ok(None);
        }
        let mut lab = Self::new(self.row, self.launch.clone(), self.address, self.timeout);
        if let Some(launch) = &mut lab.launch {
            launch.options.retain(|given| !given.starts_with(option));
            launch.options.push(format!("{option}={value}"));
        }
        lab.delay = if option == "--delay" { Duration::from_secs_f64(value) } else { self.delay };
        lab.line_end.clone_from(&self.line_end);
        lab.renew().map_err(|err| Seen::new("a server", &format!("{err:?}"), Ending::Refused))?;
        self.written().extend(lab.written().iter().cloned());
        Ok(Some(lab))
    }

    fn written(&self) -> MutexGuard<'_, Vec<Arc<Written>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lines that the processes have written since the last call.
    pub fn output(&self) -> Vec<String> {
        self.written().iter().flat_map(|written| written.take()).collect()
    }

    /// Returns true if a second process of the program can be started with this option, for
    /// example `--delay`.
    pub fn can_start_with(&self, option: &str) -> bool {
        let Some(launch) = &self.launch else { return false };
        launch.address.is_none() && !self.is_measured && takes(&self.row, &launch.program, option)
    }

    /// Returns true if the program is in Rust: a lesson, or an example of the student.
    pub fn is_rust(&self) -> bool {
        let program = self.launch.as_ref().map(|launch| &launch.program);
        matches!(program, Some(Program::Example(_) | Program::Own(_)))
    }

    /// Returns the time after which a server that has not replied is not going to reply.
    pub fn moment(&self) -> Duration {
        Duration::from_millis(200) + self.reply_time()
    }

    /// Returns the time that a reply takes.
    fn reply_time(&self) -> Duration {
        self.delay.max(self.first_reply())
    }

    /// Returns the time that the first reply took, or 0 if the first client has got no reply.
    pub fn first_reply(&self) -> Duration {
        self.first_reply.get().copied().unwrap_or_default()
    }

    /// Returns the number of rude clients: more than a pool has threads.
    pub fn often(&self) -> usize {
        if self.reply_time() < Duration::from_secs(1) { 8 } else { 5 }
    }

    /// Connects a client. Until the server has accepted a first one, a refused connection is
    /// repeated, because the program may need a moment to start.
    pub fn connect(&self) -> Result<Client<'_>, Seen> {
        loop {
            let error = match self.open() {
                Ok(connection) => {
                    if self.row.is_stream() {
                        self.is_ready.store(true, Relaxed);
                    }
                    let talk = Talk::default();
                    return Ok(Client { lab: self, connection, replies_before: 0, talk });
                }
                Err(error) => error,
            };
            // Windows tries for two seconds before it refuses a connection.
            let is_late = cfg!(windows) && !self.has_been_seen();
            let ending = match error.kind() {
                ErrorKind::ConnectionRefused => Ending::Refused,
                ErrorKind::TimedOut if is_late => Ending::Refused,
                ErrorKind::TimedOut => Ending::Unconnected,
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ending::Reset,
                _ => Ending::Unable,
            };
            if ending != Ending::Refused || !self.may_come() {
                return Err(Seen::new("a connection", &error.to_string(), ending));
            }
            thread::sleep(MOMENT / 2);
        }
    }

    fn open(&self) -> io::Result<Connection> {
        Connection::open(self.address, self.row.kind, self.timeout)
    }

    /// Returns true if the server has accepted a connection, or received a datagram, since its
    /// start.
    pub fn has_been_seen(&self) -> bool {
        self.is_ready.load(Relaxed)
    }

    /// Returns true if the server may still be starting.
    fn may_come(&self) -> bool {
        let has_time = !self.has_been_seen() && Instant::now() < self.ready_by;
        has_time && self.exits_within(Duration::ZERO).is_none()
    }

    /// Returns the bytes of a message to the server.
    pub fn message(&self, text: &[u8]) -> Vec<u8> {
        let end = if self.line_end.is_some() { "\n" } else { "" };
        framed(self.row.kind, &[text, end.as_bytes()].concat())
    }

    /// Returns the bytes of the correct reply to a text.
    pub fn reply(&self, text: &str) -> Vec<u8> {
        let mut reply = reply(&self.row, text);
        reply.extend(self.line_end.iter().flatten());
        framed(self.row.kind, &reply)
    }

    /// Connects a client that sends these bytes.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> Result<Client<'_>, Seen> {
        let mut client = self.connect()?;
        client.send(bytes);
        Ok(client)
    }

    /// Connects a client that sends this text, with its length if the server expects that.
    pub fn say(&self, text: &str) -> Result<Client<'_>, Seen> {
        self.send(self.message(text.as_bytes()))
    }

    /// Sends one text over a new connection, and expects its reply.
    pub fn ask(&self, text: &str) -> Outcome {
        self.connect()?.ask(text)
    }

    /// Sends one text after a rude client. The server must reply as if nothing had happened.
    pub fn next(&self) -> Outcome {
        // Each text differs, so that a reply to an earlier one is recognised.
        let text = format!("next {}", self.nexts.fetch_add(1, Relaxed));
        let mut client = self.connect()?;
        client.replies_before += 1;
        let is_pool = self.row.design == Design::Pool;
        client.ask(&text).if_silent(if is_pool { &why::THREADS_GONE } else { &why::NEXT_WAITS })
    }

    /// Returns the process, if this program has started it.
    pub fn server(&self) -> Option<MutexGuard<'_, Server>> {
        self.server.as_ref()?.lock().ok()
    }

    /// Returns the exit status if the server that this program started exits within this time.
    pub fn exits_within(&self, time: Duration) -> Option<ExitStatus> {
        self.server()?.exits_within(time)
    }

    /// Returns the same server at its other loopback address, if the server accepts IPv4 and IPv6.
    pub fn other_family(&self) -> Option<Self> {
        let ip: IpAddr = match self.address {
            _ if self.row.name != "dual_stack" || !has_ipv6() => return None,
            SocketAddr::V4(_) => Ipv6Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv4Addr::LOCALHOST.into(),
        };
        let address = SocketAddr::new(ip, self.address.port());
        Some(Self::new(self.row, None, address, self.timeout))
    }

    /// Writes a line to the standard input of the server, if this program has started it.
    pub fn type_line(&self, line: &str) {
        if let Some(mut server) = self.server() {
            server.type_line(line);
        }
    }

    /// Closes the standard input of the server, if this program has started it.
    pub fn end_input(&self) {
        if let Some(mut server) = self.server() {
            server.end_input();
        }
    }

    /// Returns true if the server has exited. At an address, a refused connection shows that.
    pub fn is_gone(&self) -> bool {
        if self.launch.is_some() {
            return self.exits_within(MOMENT * 10).is_some();
        }
        self.open().is_err_and(|err| err.kind() == ErrorKind::ConnectionRefused)
    }

    /// Asks an unconnected datagram socket, and returns true if a reply comes from another port.
    pub fn replies_from_another_port(&self) -> io::Result<bool> {
        let socket = UdpSocket::bind(if self.address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" })?;
        socket.set_read_timeout(Some(self.moment()))?;
        socket.send_to(b"hello", self.address)?;
        let (_, peer) = socket.recv_from(&mut [0; 4096])?;
        Ok(peer.port() != self.address.port())
    }
}

/// The longest time from the start of a program to its first accepted connection.
const START: Duration = Duration::from_secs(10);

pub struct Client<'a> {
    lab: &'a Lab,
    pub connection: Connection,
    /// The number of replies that the server may have to send before the next one comes.
    pub replies_before: u32,
    pub talk: Talk,
}

impl Client<'_> {
    /// Sends the bytes as one segment, or as one datagram. Errors are ignored, because they
    /// show in the reply.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        if !self.lab.row.is_stream() {
            self.talk = Talk::default();
        }
        self.replies_before += 1;
        self.talk.sent.extend(bytes);
        let _ = self.connection.send(bytes);
        // A refused datagram is reported a moment later.
        while self.lab.may_come() {
            thread::sleep(MOMENT / 2);
            match self.connection.socket.take_error() {
                Ok(None) => self.lab.is_ready.store(true, Relaxed),
                _ => drop(self.connection.send(bytes)),
            }
        }
    }

    /// Sends a text, with its length if the server expects that.
    pub fn say(&mut self, text: &str) {
        self.send(self.lab.message(text.as_bytes()));
    }

    /// Sends one text, expects its reply, and waits for the end of the connection.
    pub fn ask(&mut self, text: &str) -> Outcome {
        self.say(text);
        let outcome = self.expect_reply(text);
        self.leave();
        outcome
    }

    /// Sends a long text and reads the reply at the same time. Otherwise, each side could wait
    /// for the other.
    pub fn say_and_listen(&mut self, text: &str) -> Outcome {
        let message = self.lab.message(text.as_bytes());
        let Ok(socket) = self.connection.socket.try_clone() else { return self.expect_reply(text) };
        self.talk.sent.clone_from(&message);
        thread::scope(|both| {
            both.spawn(move || (&socket).write_all(&message));
            self.expect_reply(text)
        })
    }

    /// Sends the bytes in pieces, with a pause after each, so that the server reads them one by
    /// one.
    pub fn send_in_pieces(&mut self, pieces: &[&[u8]]) {
        self.replies_before += 1;
        self.talk.sent.extend(pieces.concat());
        let _ = self.connection.send_in_pieces(pieces);
    }

    /// Sends until the kernel takes no more bytes, and never reads. Returns the number of bytes,
    /// or `None` if the server takes all of them.
    pub fn stuff(&mut self, chunk: &[u8]) -> Option<usize> {
        const NO_END: usize = 64 << 20; // Several times the size of the kernel's buffers.
        let mut socket = &self.connection.socket;
        // The kernel's buffers grow to several megabytes otherwise.
        let _ = socket.set_send_buffer_size(64 << 10);
        let _ = socket.set_nonblocking(true);
        let (mut sent, mut refused) = (0, 0);
        // The server may still read. The buffers are full only if they stay full.
        let deadline = Instant::now() + self.lab.timeout * 4;
        while refused < 20 && sent < NO_END && Instant::now() < deadline {
            refused += 1;
            match socket.write(&chunk[sent % chunk.len()..]) {
                Ok(n) => (sent, refused) = (sent + n, 0),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
        let _ = socket.set_nonblocking(false);
        (sent < NO_END).then_some(sent)
    }

    /// Returns true if nothing comes for this time.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.receive(self.talk.came.len() + 1, time) == Ending::Silence
    }

    /// Returns true if nothing comes for a while.
    pub fn is_silent(&mut self) -> bool {
        self.is_silent_for(self.lab.moment())
    }

    /// Expects the reply to a text.
    pub fn expect_reply(&mut self, text: &str) -> Outcome {
        self.expect(self.lab.reply(text))
    }

    /// Expects these bytes next.
    pub fn expect(&mut self, bytes: impl AsRef<[u8]>) -> Outcome {
        self.talk.want.extend(bytes.as_ref());
        let ending = self.receive_reply(self.talk.want.len());
        self.compare(ending, Ending::Enough)
    }

    /// Expects that the server closes its sending side next.
    pub fn expect_end(&mut self) -> Outcome {
        let ending = self.receive_reply(self.talk.want.len() + 1);
        self.compare(ending, Ending::End)
    }

    /// Expects a first part of the reply to a text, and then that the server closes its sending
    /// side.
    pub fn expect_a_beginning(&mut self, text: &str) -> Outcome {
        self.talk.want = self.lab.reply(text);
        let ending = self.receive_reply(self.talk.want.len() + 1);
        let Talk { want, came, .. } = &mut self.talk;
        if !came.is_empty() && want.starts_with(came) {
            want.truncate(came.len());
        }
        let rename = |seen| Seen { expected: "a first part, then the end".into(), ..seen };
        self.compare(ending, Ending::End).map(rename).map_err(rename)
    }

    /// Waits for the end of the connection, if the server should close first. The client that
    /// has seen the end leaves no `TIME_WAIT` (see [`Connection`]).
    pub fn leave(&mut self) {
        let closes = matches!(self.lab.row.kind, Kind::OneMessage | Kind::Block);
        if closes && !self.lab.never_closes.load(Relaxed) {
            let ending = self.receive(self.talk.came.len() + 1, self.lab.moment());
            self.lab.never_closes.store(ending == Ending::Silence, Relaxed);
        }
    }

    /// Reads like [`Client::receive`], for as long as the next reply may take.
    fn receive_reply(&mut self, enough: usize) -> Ending {
        let replies = mem::take(&mut self.replies_before);
        self.receive(enough, self.lab.timeout + self.lab.reply_time() * replies)
    }

    /// Reads until `enough` bytes have come in all, or one datagram, or until nothing comes for
    /// this time.
    fn receive(&mut self, enough: usize, limit: Duration) -> Ending {
        let is_stream = self.lab.row.is_stream();
        let enough = if is_stream { enough } else { 1 };
        // A server could send one byte after another forever.
        let deadline = Instant::now() + limit * 10;
        let Talk { want, came, .. } = &mut self.talk;
        while came.len() < enough {
            match self.connection.receive(came, limit) {
                // This can be an empty datagram.
                Ok(_) if !is_stream => return Ending::Enough,
                Ok(0) => return Ending::End,
                Ok(_) => {}
                Err(err) if is_timeout(&err) => return Ending::Silence,
                Err(err) if err.kind() == ErrorKind::ConnectionRefused => return Ending::Refused,
                Err(_) => return Ending::Reset,
            }
            if !want.starts_with(came) && !came.starts_with(want) {
                // The first bytes are wrong already. The others help to find the reason.
                while came.len() < enough + LONG
                    && self.connection.receive(came, MOMENT * 2).is_ok_and(|n| n > 0)
                {
                }
                break;
            } else if Instant::now() > deadline {
                return Ending::Silence;
            }
        }
        Ending::Enough
    }

    /// Compares what came with what was expected.
    fn compare(&self, ending: Ending, wanted: Ending) -> Outcome {
        let Talk { want, came, .. } = &self.talk;
        let kind = self.lab.row.kind;
        let expected = with_ending(kind, want, wanted);
        let mut seen = Seen::new(&expected, &with_ending(kind, came, ending), ending);
        if came == want && ending == wanted {
            if let Ok(mut history) = self.lab.history.lock() {
                history.extend(&came[..came.len().min(LONG)]);
                history.push(b'|');
            }
            return Ok(seen);
        }
        if came.len() > LONG {
            seen.came = format!("{}, different from byte {}", seen.came, self.talk.same() + 1);
        }
        Err(Seen { talk: self.talk.clone().into(), ..seen })
    }
}

/// Formats bytes, and how they ended.
fn with_ending(kind: Kind, bytes: &[u8], ending: Ending) -> String {
    let shown = shown(kind, bytes);
    let end = match ending {
        Ending::Enough if shown.is_empty() => return "an empty datagram".into(),
        Ending::Silence => "nothing",
        Ending::End => "the end of the connection",
        Ending::Reset => "a reset",
        Ending::Refused => "a refused connection",
        _ => return shown,
    };
    if shown.is_empty() { end.into() } else { format!("{shown}, then {end}") }
}
