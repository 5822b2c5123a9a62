//! Reads the output of strace: the calls that the book draws, in order.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A call that has returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
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
    /// The sockets that are ready.
    Poll(Vec<Socket>),
    /// The thread sleeps, for this number of seconds.
    Sleep(f64),
    /// It wakes up.
    Awake,
    /// The time to live of the datagrams that are sent from now on.
    Ttl(usize),
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
}

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?<start>[\d.]+) (?<name>\w+)\((?<args>.*)\) += (?<result>-?\d+)(?: (?<error>E\w+))?.*?<(?<took>[\d.]+)>$",
    )
});
static STRING: LazyLock<Regex> = LazyLock::new(|| regex(r#""((?:[^"\\]|\\.)*)""#));
static READY: LazyLock<Regex> =
    LazyLock::new(|| regex(r"fd=(\d+), revents=([A-Z|]+)"));
static SLEEP: LazyLock<Regex> =
    LazyLock::new(|| regex(r"tv_sec=(\d+), tv_nsec=(\d+)"));

/// A connection that takes longer than this, in seconds, had to wait.
const LONG: f64 = 0.5;

#[allow(clippy::unwrap_used)] // All patterns are constants, and every run compiles each of them.
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// Reads the files of a program's threads, and returns its calls in the order in which they
/// returned.
pub fn read(folder: &Path) -> Result<Vec<Event>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", folder.display());
    let mut threads = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let text = fs::read(entry.map_err(failed)?.path()).map_err(failed)?;
        threads.push(String::from_utf8_lossy(&text).into_owned());
    }
    // Sort by the time in the first line, because process numbers can start again from 1.
    threads.sort_unstable();
    let mut lines = Vec::new();
    for (thread, text) in threads.iter().enumerate() {
        let found = text.lines().filter_map(|line| LINE.captures(line));
        lines.extend(found.map(|line| {
            let end = number::<f64>(&line["start"]) + number::<f64>(&line["took"]);
            // A copy, because `text` is dropped.
            (end, thread, line[0].to_owned())
        }));
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut reader = Reader::default();
    for (_, thread, line) in &lines {
        if let Some(found) = LINE.captures(line) {
            reader.take(*thread, &found);
        }
    }
    // A call that acts has its place at the time at which it began.
    reader.events.sort_by(|a, b| a.time.total_cmp(&b.time));
    Ok(reader.events)
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
}

/// The state of the file descriptors of a program, updated with each call.
#[derive(Default)]
struct Reader {
    events: Vec<Event>,
    /// For each number: how many sockets have had it.
    generation: BTreeMap<usize, usize>,
    /// The open sockets, by file descriptor. A socket can have several of them.
    open: BTreeMap<usize, Open>,
}

impl Reader {
    fn take(&mut self, thread: usize, line: &Captures) {
        let (name, args) = (&line["name"], &line["args"]);
        let result: i64 = number(&line["result"]);
        let error = line.name("error").map(|error| error.as_str());
        let descriptor = number(args.split(',').next().unwrap_or_default());
        let when = When {
            start: number(&line["start"]),
            took: number(&line["took"]),
            thread,
        };
        if name == "socket" && args.starts_with("AF_INET") {
            let opened = usize::try_from(result).unwrap_or_default();
            return self.opened(opened, false, args.contains("SOCK_DGRAM"));
        }
        if name == "fcntl" && args.contains("F_DUPFD") {
            // Rust's `try_clone` makes a second file descriptor for the socket.
            if let Some(open) = self.open.get(&descriptor).copied() {
                self.open.insert(usize::try_from(result).unwrap_or_default(), open);
            }
            return;
        }
        let has_none = ["poll", "ppoll", "clock_nanosleep"].contains(&name);
        if !has_none && !self.open.contains_key(&descriptor) {
            return; // A file, or a local socket of the resolver.
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
                Call::ReceiveFailed(received(args).0, error.to_owned())
            }
            ("shutdown", None) => Call::Shutdown,
            ("close", None) => {
                let closed = self.open.remove(&descriptor).unwrap_or_default();
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
                return self.push(when, 0, Call::Awake);
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

    fn opened(&mut self, descriptor: usize, carries: bool, datagrams: bool) {
        let generation = self.generation.entry(descriptor).or_default();
        *generation += 1;
        let socket = (descriptor, *generation);
        self.open.insert(descriptor, Open { socket, datagrams, carries });
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
            _ => call == Call::Awake,
        };
        let thread = when.thread;
        self.events.push(Event { time, late, thread, socket, datagrams, call });
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
