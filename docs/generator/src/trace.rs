//! Reads the output of strace: the calls that the book shows, in order, and the line of the program
//! that makes each call.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::lines::{Lines, Place};

/// A call that has returned. The picture shows the calls that use the network, and the recording
/// also shows the others.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// The program has created a socket for IPv4 or IPv6.
    Create,
    Bind,
    Listen,
    /// The kernel has sent a SYN, and there was no reply for a while.
    Connecting,
    /// The connection is complete, or `connect` has failed.
    Connect(Result<(), String>),
    Accept,
    Send(Vec<u8>),
    /// The size of the buffer, and the bytes that arrived.
    Receive(usize, Vec<u8>),
    /// Nothing arrived in time, or the connection is lost.
    ReceiveFailed(usize, String),
    /// The program has closed its sending side.
    Shutdown,
    Close,
    /// The program has closed a listening socket.
    CloseListener,
    /// The sockets that are ready for reading.
    Poll(Vec<Socket>),
    /// `poll` has not waited, and has reported no socket.
    PollNone,
    /// The sockets that are only ready for writing.
    PollWritable(Vec<Socket>),
    /// The thread sleeps, for this number of seconds.
    Sleep(f64),
    /// It wakes up, after this number of seconds.
    Awake(f64),
    /// The time to live of the datagrams that are sent from now on.
    Ttl(usize),
    /// `poll` has returned because its timeout is over.
    PollTimedOut,
    /// The program has written these bytes to its standard output (1) or standard error (2).
    Print(usize, Vec<u8>),
    /// The program has read what the reader typed.
    Typed,
    /// The program has started the thread with this number.
    Spawn(usize),
    /// The thread has waited for other threads.
    Joined,
    /// The thread has exited.
    Exit,
    /// The thread was still in a call when the scene was over.
    Stopped,
}

impl Call {
    /// Returns whether a thread can wait in this call for another program.
    pub const fn can_wait(&self) -> bool {
        matches!(
            self,
            Self::Accept
                | Self::Receive(..)
                | Self::ReceiveFailed(..)
                | Self::Poll(_)
                | Self::PollTimedOut
                | Self::Stopped
        )
    }
}

/// A socket of one program: its file descriptor, and how many sockets have had this number.
pub type Socket = (usize, usize);

/// A call of a program.
#[derive(Clone, Debug)]
pub struct Event {
    /// The time at which the call returned. For a call that makes something happen, the time at
    /// which it began, because strace may report it later than the call that it causes.
    pub time: f64,
    /// The call took long, and no traced call shows what it waited for.
    pub late: bool,
    /// The number of the thread, counted from the first one.
    pub thread: usize,
    pub socket: Socket,
    /// Whether this is a datagram socket.
    pub datagrams: bool,
    pub call: Call,
    /// The lines of the project that have led to the call, the innermost line first.
    pub places: Vec<Place>,
}

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?<start>[\d.]+) (?<name>\w+)\((?<args>.*)\) += (?<result>-?\d+)(?: (?<error>E\w+))?.*?<(?<took>[\d.]+)>$",
    )
});
/// The signal that stops the thread interrupts its call.
static INTERRUPTED: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(?<time>[\d.]+) \w+\((?<descriptor>\d+),.* = \? ERESTART")
});
/// The thread has exited, or it was stopped at the end of the scene.
static LAST: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?<time>[\d.]+) (?:\+\+\+ (?<exited>exited) |--- stopped by SIGSTOP ---)",
    )
});
static STRING: LazyLock<Regex> = LazyLock::new(|| regex(r#""((?:[^"\\]|\\.)*)""#));
static READY: LazyLock<Regex> =
    LazyLock::new(|| regex(r"fd=(\d+), revents=([A-Z|]+)"));
static TOKEN: LazyLock<Regex> = LazyLock::new(|| regex(r"u64=(\d+)"));
static SLEEP: LazyLock<Regex> =
    LazyLock::new(|| regex(r"tv_sec=(\d+), tv_nsec=(\d+)"));

/// A connection that takes longer than this, in seconds, had to wait.
const LONG: f64 = 0.5;

/// A timeout is longer than this, in seconds.
const SHORT: f64 = 0.1;

#[allow(clippy::unwrap_used)] // All patterns are constants, and every run compiles each of them.
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// A line of strace, and the stack below it.
struct Record<'a> {
    /// The times at which the call began and returned.
    began: f64,
    time: f64,
    thread: usize,
    line: &'a str,
    stack: Vec<&'a str>,
}

/// Reads the files of a program's threads, and returns its calls in the order in which they
/// returned. `lines` knows the lines that made the calls.
pub fn read(folder: &Path, lines: Option<&Lines>) -> Result<Vec<Event>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", folder.display());
    let mut threads = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let text = fs::read(&path).map_err(failed)?;
        let id = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        threads.push((String::from_utf8_lossy(&text).into_owned(), id));
    }
    // Sort by the time in the first line, because process numbers can start again from 1.
    threads.sort_unstable();
    let ids: Vec<_> = threads.iter().map(|(_, id)| id.as_str()).collect();
    let mut records = Vec::new();
    for (thread, (text, _)) in threads.iter().enumerate() {
        records.extend(records_of(thread, text));
    }
    records.sort_by(|a, b| a.time.total_cmp(&b.time));
    let mut reader = Reader::default();
    for record in records {
        let id = &threads[record.thread].1;
        let places = match lines {
            Some(lines) => {
                let is_output = record.line.contains(" write(");
                lines.places(id, record.began, &record.stack, is_output)?
            }
            None => Some(Vec::new()),
        };
        let Some(places) = places else { continue };
        reader.places = places;
        if let Some(found) = LINE.captures(record.line) {
            reader.take(record.thread, &found, &ids);
        } else if let Some(found) = INTERRUPTED.captures(record.line) {
            reader.interrupted.insert(record.thread, number(&found["descriptor"]));
        } else if let Some(found) = LAST.captures(record.line) {
            let exited = found.name("exited").is_some();
            let call = if exited { Call::Exit } else { Call::Stopped };
            let when = When { start: record.time, took: 0.0, thread: record.thread };
            let descriptor = reader.interrupted.get(&record.thread).copied();
            reader.push(when, descriptor.unwrap_or_default(), call);
        }
    }
    // A call that acts has its place at the time at which it began.
    reader.events.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(reader.events)
}

/// Returns the lines of a thread that matter, each with the time at which its call returned.
fn records_of(thread: usize, text: &str) -> Vec<Record<'_>> {
    let mut records: Vec<Record> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if line.starts_with(" > ") {
            if let Some(record) = records.last_mut().filter(|_| is_open) {
                record.stack.push(line);
            }
            continue;
        }
        let (began, took) = if let Some(found) = LINE.captures(line) {
            (Some(number::<f64>(&found["start"])), number(&found["took"]))
        } else {
            let other = LAST.captures(line).or_else(|| INTERRUPTED.captures(line));
            (other.map(|found| number(&found["time"])), 0.0)
        };
        is_open = began.is_some();
        records.extend(began.map(|began| {
            let time: f64 = began + took;
            Record { began, time, thread, line, stack: Vec::new() }
        }));
    }
    records
}

/// The time and the duration of a call, and its thread.
#[derive(Clone, Copy)]
struct When {
    start: f64,
    took: f64,
    thread: usize,
}

/// An open socket for IPv4 or IPv6.
#[derive(Clone, Copy, Default)]
struct Open {
    socket: Socket,
    datagrams: bool,
    /// Whether it carries data. A listener does not.
    carries: bool,
    listens: bool,
}

/// The state of the file descriptors of a program, updated with each call.
#[derive(Default)]
struct Reader {
    events: Vec<Event>,
    /// For each number: how many sockets have had it.
    generation: BTreeMap<usize, usize>,
    /// The open sockets, by file descriptor. A socket can have several of them.
    open: BTreeMap<usize, Open>,
    /// For each token of `epoll`, its file descriptor.
    tokens: BTreeMap<usize, usize>,
    /// For each thread: the file descriptor in the call that a signal has interrupted.
    interrupted: BTreeMap<usize, usize>,
    /// The lines that led to the present call.
    places: Vec<Place>,
    /// For each thread: the lines that led to its last change of the blocked signals.
    blocked: BTreeMap<usize, Vec<Place>>,
}

impl Reader {
    fn take(&mut self, thread: usize, line: &Captures, ids: &[&str]) {
        let (name, args) = (&line["name"], &line["args"]);
        let result: i64 = number(&line["result"]);
        let descriptor = number(args.split(',').next().unwrap_or_default());
        let when = When {
            start: number(&line["start"]),
            took: number(&line["took"]),
            thread,
        };
        if name == "socket" && args.starts_with("AF_INET") {
            let opened = usize::try_from(result).unwrap_or_default();
            self.opened(opened, false, args.contains("SOCK_DGRAM"));
            return self.push(when, opened, Call::Create);
        }
        if let Some(call) = self.of_program(when, (name, args, result), ids) {
            return self.push_to(when, Open::default(), call);
        }
        let has_none =
            ["poll", "ppoll", "epoll_ctl", "epoll_wait", "clock_nanosleep"]
                .contains(&name);
        // Other file descriptors are files, or local sockets of the resolver.
        if has_none || self.open.contains_key(&descriptor) {
            self.of_socket(when, descriptor, line);
        }
    }

    /// Handles a call that uses a socket, or that waits.
    fn of_socket(&mut self, when: When, descriptor: usize, line: &Captures) {
        let (name, args) = (&line["name"], &line["args"]);
        let result: i64 = number(&line["result"]);
        let error = line.name("error").map(|error| error.as_str());
        if name == "fcntl" && args.contains("F_DUPFD") {
            // Rust's `try_clone` makes a second file descriptor for the socket.
            if let Some(open) = self.open.get(&descriptor).copied() {
                self.open.insert(usize::try_from(result).unwrap_or_default(), open);
            }
            return;
        }
        if name == "epoll_ctl" {
            // The program chooses a token for the file descriptor, which is the third argument.
            if let (Some(token), Some(added)) =
                (TOKEN.captures(args), args.split(", ").nth(2))
            {
                self.tokens.insert(number(&token[1]), number(added));
            }
            return;
        }

        let call = match (name, error) {
            ("accept4", None) => {
                let accepted = usize::try_from(result).unwrap_or_default();
                self.opened(accepted, true, false);
                return self.push(when, accepted, Call::Accept);
            }
            ("connect", None) => Call::Connect(Ok(())),
            ("connect", Some("EINPROGRESS")) => Call::Connecting,
            ("connect", Some(error)) => Call::Connect(Err(error.to_owned())),
            ("poll" | "ppoll", None) if result > 0 => {
                return self.ready(when, args, line);
            }
            ("epoll_wait", None) => {
                let call =
                    if result > 0 { self.events(args) } else { Call::PollNone };
                return self.push(when, 0, call);
            }
            ("poll" | "ppoll", None) => {
                // When a program starts, Rust's library polls the terminal without a timeout.
                if when.took < SHORT {
                    return;
                }
                return self.push_to(when, Open::default(), Call::PollTimedOut);
            }
            ("bind", None) => Call::Bind,
            ("listen", None) => {
                if let Some(open) = self.open.get_mut(&descriptor) {
                    open.listens = true;
                }
                Call::Listen
            }
            ("sendto" | "sendmmsg", None) => {
                // In `sendto`, the first string is sent, and another one is an address. In
                // `sendmmsg`, each string is sent.
                let most = if name == "sendto" { 1 } else { usize::MAX };
                let sent = STRING.captures_iter(args).take(most);
                for bytes in sent.map(|found| unescaped(&found[1])) {
                    self.push(when, descriptor, Call::Send(bytes));
                }
                return;
            }
            ("recvfrom", None) => {
                let (asked, bytes) = received(args);
                Call::Receive(asked, bytes)
            }
            ("recvfrom", Some(error)) => {
                // A call without a timeout does not wait.
                let is_immediate = error == "EAGAIN" && when.took < SHORT;
                let error = if is_immediate { "EWOULDBLOCK" } else { error };
                Call::ReceiveFailed(received(args).0, error.to_owned())
            }
            ("shutdown", None) => Call::Shutdown,
            ("close", None) => {
                let closed = self.open.remove(&descriptor).unwrap_or_default();
                if closed.listens {
                    self.push_to(when, closed, Call::CloseListener);
                }
                let mut others = self.open.values();
                // The socket closes with its last file descriptor.
                if closed.carries && others.all(|open| open.socket != closed.socket)
                {
                    self.push_to(when, closed, Call::Close);
                }
                return;
            }
            ("clock_nanosleep", None) => {
                let Some(found) = SLEEP.captures(args) else { return };
                let seconds =
                    number::<f64>(&found[1]) + number::<f64>(&found[2]) / 1e9;
                self.push(when, 0, Call::Sleep(seconds));
                return self.push(when, 0, Call::Awake(seconds));
            }
            ("setsockopt", None) if args.contains("IP_TTL") => {
                let ttl =
                    args.split('[').nth(1).and_then(|rest| rest.split(']').next());
                Call::Ttl(number(ttl.unwrap_or_default()))
            }
            _ => return,
        };
        self.push(when, descriptor, call);
    }

    /// Returns the call if it does not use a socket: it uses the terminal, or it starts a thread.
    fn of_program(
        &mut self,
        when: When,
        (name, args, result): (&str, &str, i64),
        ids: &[&str],
    ) -> Option<Call> {
        match name {
            // A short wait only means that another thread had a lock.
            "futex" if when.took > LONG => Some(Call::Joined),
            "write" if args.starts_with("1,") || args.starts_with("2,") => {
                let text = STRING.captures(args)?;
                Some(Call::Print(number(&args[..1]), unescaped(&text[1])))
            }
            "read" if args.starts_with("0,") => Some(Call::Typed),
            // In `clone3`, the stack is that of the new thread. The C library blocks the signals
            // immediately before it.
            "rt_sigprocmask" => {
                self.blocked.insert(when.thread, self.places.clone());
                None
            }
            "clone3" | "clone" => {
                self.places = self.blocked.get(&when.thread)?.clone();
                let id = result.to_string();
                ids.iter().position(|other| *other == id).map(Call::Spawn)
            }
            _ => None,
        }
    }

    fn opened(&mut self, descriptor: usize, carries: bool, datagrams: bool) {
        let generation = self.generation.entry(descriptor).or_default();
        *generation += 1;
        let socket = (descriptor, *generation);
        self.open
            .insert(descriptor, Open { socket, datagrams, carries, listens: false });
    }

    fn push(&mut self, when: When, descriptor: usize, call: Call) {
        let open = self.open.get(&descriptor).copied().unwrap_or_default();
        if matches!(call, Call::Connect(_) | Call::Send(_) | Call::Receive(..)) {
            for other in self.open.values_mut() {
                if other.socket == open.socket {
                    other.carries = true;
                }
            }
        }
        self.push_to(when, open, call);
    }

    fn push_to(&mut self, when: When, open: Open, call: Call) {
        let Open { socket, datagrams, .. } = open;
        let acts = matches!(
            call,
            Call::Connecting | Call::Send(_) | Call::Shutdown | Call::Sleep(_)
        );
        let time = if acts { when.start } else { when.start + when.took };
        let late = match call {
            Call::Connect(_) => when.took > LONG,
            Call::PollTimedOut | Call::Awake(_) => true,
            _ => false,
        };
        let (thread, places) = (when.thread, self.places.clone());
        self.events.push(Event {
            time,
            late,
            thread,
            socket,
            datagrams,
            call,
            places,
        });
    }

    /// Returns the call for the events that `epoll_wait` reported.
    fn events(&self, args: &str) -> Call {
        let tokens = TOKEN.captures_iter(args).map(|found| number(&found[1]));
        let descriptors = tokens.filter_map(|token: usize| self.tokens.get(&token));
        let sockets =
            descriptors.map(|descriptor| self.socket(*descriptor)).collect();
        if args.contains("EPOLLIN") {
            Call::Poll(sockets)
        } else {
            Call::PollWritable(sockets)
        }
    }

    fn socket(&self, descriptor: usize) -> Socket {
        self.open.get(&descriptor).map_or((descriptor, 0), |open| open.socket)
    }

    /// Handles the return of `poll`: in `connect_timeout`, or in a server.
    fn ready(&mut self, when: When, args: &str, line: &Captures) {
        let whole = line.get(0).map_or("", |found| found.as_str());
        let ready: Vec<_> = READY
            .captures_iter(whole)
            .map(|found| (number(&found[1]), found[2].to_owned()))
            .collect();
        let [(descriptor, what)] = &ready[..] else {
            let sockets = ready
                .iter()
                .map(|(descriptor, _)| self.socket(*descriptor))
                .collect();
            return self.push(when, 0, Call::Poll(sockets));
        };
        let connects = args.contains("POLLOUT")
            && !self.open.get(descriptor).is_some_and(|open| open.carries);
        if connects {
            let outcome = if what == "POLLOUT" {
                Ok(())
            } else {
                Err("ECONNREFUSED".to_owned())
            };
            if when.took <= LONG {
                let socket = self.socket(*descriptor);
                self.events.retain(|event| {
                    event.socket != socket || event.call != Call::Connecting
                });
            }
            return self.push(when, *descriptor, Call::Connect(outcome));
        }
        let socket = self.socket(*descriptor);
        self.push(when, 0, Call::Poll(vec![socket]));
    }
}

fn number<T: std::str::FromStr + Default>(text: &str) -> T {
    text.trim().parse().unwrap_or_default()
}

/// Returns the size of the buffer, and the bytes that arrived.
fn received(args: &str) -> (usize, Vec<u8>) {
    let found = STRING.captures(args);
    let bytes = found.as_ref().map_or_else(Vec::new, |found| unescaped(&found[1]));
    let found_one = found.is_some();
    // If nothing arrived, strace shows the address of the buffer.
    let buffer = found
        .and_then(|found| found.get(0))
        .map_or(args, |found| &args[found.end()..]);
    let numbers = buffer.split(", ").filter_map(|part| part.parse().ok());
    let mut numbers = numbers.skip(usize::from(!found_one)); // The descriptor.
    (numbers.next().unwrap_or_default(), bytes)
}

/// Returns the bytes of a string that strace wrote with escapes, as in C.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let digits = rest
            .iter()
            .take(3)
            .take_while(|byte| (b'0'..=b'7').contains(byte))
            .count();
        if digits > 0 {
            let value = rest[..digits]
                .iter()
                .fold(0_u32, |value, byte| value * 8 + u32::from(byte - b'0'));
            bytes.push(u8::try_from(value).unwrap_or_default());
            rest = &rest[digits..];
        } else if let Some((escape, after)) = rest.split_first() {
            let control = match escape {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'v' => 0x0b,
                b'f' => 0x0c,
                other => *other,
            };
            bytes.push(control);
            rest = after;
        }
    }
    bytes
}
