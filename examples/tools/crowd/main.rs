//! Starts many clients of a TCP server at the same time, and shows how long each client waits. It
//! can also measure how fast a server is.
//!
//! For lessons 4 and 9 to 18. In one terminal:
//!
//! ```text
//! $ cargo run --example slow_thread_pool_timeout -- --delay 1
//! server ready on 127.0.0.1:1241
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example crowd -- 1241 --clients 5
//! ·· connecting  ├ connected  ━━ waiting for a reply  ● reply  ┤ closed  × failed
//! client connected  replied  closed 0 s        0.5        1          1.5        2
//! 127.0.0.1:1241: 5 clients, 1 message each
//!      1      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      2      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      3      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      4      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      5      0.00     2.00    2.00 ├━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━●
//! first reply after 1.00 s, last after 2.00 s; 4 at once
//! ```
//!
//! The program has three tasks. You choose the task with an option:
//!
//! 1. Without an option, it shows which clients wait. For example, eight clients send one message
//!    each: `cargo run --example crowd -- slow_sequential_server`.
//! 2. With `[--backlog-probe]`, it measures the queue of connections that the server has not
//!    accepted: `cargo run --example crowd -- listen_backlog --backlog-probe`. It keeps the server
//!    busy and opens more connections until the queue is full.
//! 3. With `[--seconds 5]`, it measures the speed of a server for so many seconds:
//!    `cargo run --release --example crowd -- poll_server --seconds 5`. Each client sends a message
//!    as soon as it has the reply to the previous message.
//!
//! Arguments for all tasks:
//!
//! - `[SERVER]`: the server, 1237 by default. It is `IP:PORT`, `HOST:PORT`, a `PORT` of this
//!   machine, or the name of an example. `crowd` builds the example and starts it on a free port.
//! - `[--own NAME]`: your program `examples/NAME.rs` instead of the lesson's example. For example,
//!   `cargo run --example crowd -- thread_pool --own my_server` sends your program the messages of
//!   lesson 16. If `SERVER` is an address, `NAME` is only the name that the report shows.
//! - `[--delay 1]`, `[--timeout 20]`, `[--backlog 100]`: `crowd` passes these options on to the
//!   example, if the example has them. In task 3, the default delay is 0. Your program gets only
//!   the options that you write.
//! - `[--compare SERVER,SERVER]`: several servers instead of one. In task 3, the servers take
//!   turns. The column `ratio` compares each server with the first server.
//! - `[--blocks]`: the server at an address expects length-prefixed messages (lesson 9).
//! - `[--size 64]`: the number of bytes of a message.
//! - `[--clients 8]`: the number of clients. The default is 8, 300 or 100, depending on the task.
//! - `[--patience 30]`: the seconds without any event after which `crowd` gives up.
//!
//! Arguments for some tasks:
//!
//! - `[--messages 1]` (task 1): the number of messages that each client sends.
//! - `[--silent 0]` (task 1): the number of clients that send nothing for the first two seconds.
//! - `[--svg FILE]` (tasks 1 and 2): a file for the chart as a picture.
//! - `[--idle 0]` (task 3): the number of other clients, which are connected and silent.
//!
//! What to try:
//!
//! - Which server lets its clients wait? Compare three servers that need one second for a reply:
//!   `cargo run --example crowd -- --compare
//!   slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout`. The first server
//!   sends its replies one after another. The second server sends all replies at the same time. The
//!   third server sends four replies at a time.
//! - Which clients get a reply while other clients are silent? Compare
//!   `cargo run --example crowd -- thread_pool --silent 4` and
//!   `cargo run --example crowd -- thread_pool --silent 3`. Then try the same with `listen_backlog`
//!   and `poll_server`.
//! - How many connections does the kernel complete before the server accepts them? Start
//!   `cargo run --example crowd -- listen_backlog --backlog-probe --backlog 1`. The next clients
//!   wait for their connection.
//! - Which server do idle clients slow down? Start `cargo run --release --example crowd --
//!   --seconds 2 --compare thread_per_client,poll_server`. Then add `--idle 1000` to the command. A
//!   server that closes after each reply (lessons 4, 9 and 16 to 18) needs a connection for each
//!   message. The report shows the number of connections.

// Counts, lengths and columns stay far below 2^32.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#![allow(clippy::cast_sign_loss, clippy::format_push_string)]

mod clients;
mod draw;
#[allow(dead_code)] // Some of it is only for check.
#[path = "../common/lessons.rs"]
mod lessons;
mod load;
mod log;
mod picture;
mod probe;
#[allow(dead_code)] // Some of it is only for check.
#[path = "../common/server.rs"]
mod server;
#[path = "../common/words.rs"]
mod words;

use std::io::ErrorKind::TimedOut;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::num::{NonZeroU16, ParseIntError};
use std::{fs, io, path::Path, process, str::FromStr, time::Duration};

use sockets101::{Args, Failure, log_line, lookup_error, no_reply, print_or_exit};

use clients::{Crowd, Texts, texts};
use draw::{FRAME, Part, Screen, drawing};
use lessons::{Kind, Row, SERVERS};
use log::Action;
use server::{Launch, Program, Server};
use words::counted;

/// The default port, which lessons 12 and 14 use.
const PORT: &str = "1237";

/// The default number of clients that connect at the same time.
const CLIENTS: NonZeroU16 = count(8);

/// The default number of clients of a backlog probe.
const PROBES: NonZeroU16 = count(300);

/// The default number of clients that measure the speed of a server.
const LOAD: NonZeroU16 = count(100);

/// The default number of bytes of a message.
const SIZE: NonZeroU16 = count(64);

/// The options for the examples that `crowd` starts, with their defaults.
const PASSED: [(&str, f64); 3] = [("delay", 1.0), ("timeout", 20.0), ("backlog", 100.0)];

/// The time for which silent clients send nothing.
const SILENCE: Duration = Duration::from_secs(2);

/// The default number of seconds without an event after which the program gives up.
const PATIENCE: f64 = 30.0;

const USAGE: &str = "crowd [SERVER] [--own NAME] [--compare SERVER,SERVER] [--delay 1] \
    [--timeout 20] [--backlog 100] [--blocks] [--patience 30] [--clients 8] [--messages 1] [--silent 0] \
    [--svg FILE] [--backlog-probe] [--seconds 5] [--size 64] [--idle 0]";

const fn count(number: u16) -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(number - 1)
}

/// The servers of the command line: names of examples, and addresses.
struct Places(Vec<String>);

impl FromStr for Places {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let places: Vec<_> = text.split(',').map(str::to_owned).collect();
        for place in places.iter().filter(|place| !is_example(place)) {
            place.rsplit(':').next().unwrap_or_default().parse::<u16>()?;
        }
        Ok(Self(places))
    }
}

fn is_example(place: &str) -> bool {
    place.starts_with(|c: char| c.is_ascii_lowercase()) && !place.contains([':', '.'])
}

fn address(place: &str) -> Result<SocketAddr, Failure> {
    let found = match place.to_socket_addrs() {
        Ok(found) => found,
        Err(err) => return Err(format!("{place} {}", lookup_error(&err)).into()),
    };
    // Like the other clients, `crowd` prefers an IPv4 address.
    Ok(found.min_by_key(SocketAddr::is_ipv6).ok_or(format!("{place} has no address"))?)
}

/// A server to which the clients send messages.
struct Target {
    /// The name of the example and its options, the name of `--own`, or the address.
    name: String,
    address: SocketAddr,
    patience: Duration,
    texts: Texts,
    /// True if the server closes the connection after a reply, as far as we know.
    one_message: bool,
    /// The server process. When Rust drops this value, the process stops.
    #[allow(dead_code)]
    server: Option<Server>,
}

/// The arguments that say how to start an example, and what the clients send.
struct Terms {
    /// The name of the student's program, or nothing.
    own: String,
    passed: [(&'static str, f64); 3],
    is_load: bool,
    patience: Duration,
    blocks: bool,
    size: NonZeroU16,
}

impl Terms {
    /// Starts an example on a free port, or looks up an address. An example that is not in the
    /// table, such as `my_server`, should reply until the client closes its sending side.
    fn target(&self, place: &str) -> Result<Target, Failure> {
        let row = SERVERS.iter().find(|row| row.name == place);
        let kind = row.map_or(Kind::Conversation, |row| row.kind);
        if kind == Kind::Datagram {
            let advice = "crowd works only with TCP servers";
            return Err(format!("{place} is a UDP server; {advice}").into());
        }
        let blocks = self.blocks || kind == Kind::Block;
        let mut target = Target {
            name: place.to_owned(),
            address: SocketAddr::from(([0; 4], 0)),
            patience: self.patience,
            texts: texts(self.size, blocks),
            one_message: blocks || kind == Kind::OneMessage,
            server: None,
        };
        if is_example(place) {
            let name = if self.own.is_empty() { place } else { &self.own };
            let taken = row.map_or(&[][..], |row| row.options);
            let is_passed = |(name, value): &&(&str, f64)| taken.contains(name) && !value.is_nan();
            let passed = self.passed.iter().filter(is_passed);
            let passed: Vec<_> = passed.map(|(name, value)| format!("{name}={value}")).collect();
            let options = passed.iter().map(|option| format!("--{option}")).collect();
            server::build([name])?;
            let program = if self.own.is_empty() { Program::Example } else { Program::Own };
            let program = program(name.to_owned());
            let ip = row.map_or(Ipv4Addr::LOCALHOST.into(), Row::listen_ip);
            let launch = Launch { program, options, address: None, ip, reads_lines: false };
            // The server can log millions of lines about its clients. If it does not start, its
            // log says why.
            let server = if self.is_load || self.own.is_empty() {
                Server::start_without_log(&launch)?
            } else {
                Server::start(&launch)?
            };
            let name = format!("{name} {}", passed.join(" "));
            name.trim_end().clone_into(&mut target.name);
            target.address = server.address;
            target.server = Some(server);
        } else {
            if !place.contains(':') {
                target.name = format!("127.0.0.1:{place}");
            }
            target.address = address(&target.name)?;
            if !self.own.is_empty() {
                target.name.clone_from(&self.own);
            }
        }
        Ok(target)
    }
}

fn main() -> Result<(), Failure> {
    server::guard_if_asked();
    let mut args = Args::new(USAGE);
    let Places(mut places) = args.option("--compare", Places(Vec::new()));
    let mut own = String::new();
    if places.is_empty() {
        let given = args.option("--own", String::new());
        given.trim_end_matches(".rs").clone_into(&mut own);
        let usual = if own.is_empty() { PORT } else { &own };
        places = args.positional(Places(vec![usual.into()])).0;
    }
    let time = args.seconds("--seconds", 0.0);
    let is_load = !time.is_zero();
    let is_probe = !is_load && args.option("--backlog-probe", false);
    let passed = PASSED.map(|(name, usual)| {
        let usual = match name {
            // A student's program may not have the option.
            _ if !own.is_empty() => f64::NAN,
            // The speed of a server that sleeps would be the speed of its sleep.
            "delay" if is_load => 0.0,
            _ => usual,
        };
        (name, args.option(&format!("--{name}"), usual))
    });
    let terms = Terms {
        own,
        passed,
        is_load,
        patience: args.timeout("--patience", PATIENCE),
        blocks: args.option("--blocks", false),
        size: args.option("--size", SIZE),
    };
    // The program reads only the options of its task. `finish` refuses all other options.
    let usual = if is_probe { PROBES } else { CLIENTS };
    let clients = args.option("--clients", if is_load { LOAD } else { usual }).get();
    let is_timeline = !is_load && !is_probe;
    let messages = if is_timeline { args.option("--messages", count(1)) } else { count(1) };
    let silent = if is_timeline { args.option("--silent", 0).min(clients - 1) } else { 0 };
    let idle = if is_load { args.option("--idle", 0) } else { 0 };
    let svg = if is_load { String::new() } else { args.option("--svg", String::new()) };
    args.finish();
    if !terms.own.is_empty() && is_example(&places[0]) {
        if let Err(failure) = server::find_own(&terms.own) {
            log_line(format!("Error: {failure:?}"));
            process::exit(2);
        }
    }

    if is_load {
        let targets = places.iter().map(|place| terms.target(place));
        return load::run(targets.collect::<Result<_, _>>()?, time, clients.into(), idle);
    }
    let (mut screen, mut parts) = (Screen::new(), Vec::new());
    for place in &places {
        let target = &terms.target(place)?;
        parts.push(if is_probe {
            probe::run(target, clients, &mut screen)?
        } else {
            let mut crowd = Crowd::new(target, messages.get().into(), silent.into());
            for _ in 0..clients {
                crowd.add_client()?;
            }
            timeline(crowd, &mut screen)?
        });
    }
    if !svg.is_empty() {
        let picture = picture::picture(&parts, Path::new(&svg));
        fs::write(&svg, picture).map_err(|err| format!("cannot write {svg}: {err}"))?;
    }
    // The servers have stopped, so the program may exit in this call.
    print_or_exit(drawing(&parts, screen.is_live).join("\n") + "\n");
    let failed: usize = parts.iter().map(|part| part.log.failures().count()).sum();
    if failed > 0 && !is_probe {
        return Err(format!("{} got no reply", counted(failed, "client")).into());
    }
    Ok(())
}

/// Lets all clients of a crowd send their messages.
fn timeline(mut crowd: Crowd, screen: &mut Screen) -> Result<Part, Failure> {
    let Crowd { target, messages, silent, .. } = crowd;
    let (clients, messages) = (counted(crowd.len(), "client"), counted(messages, "message"));
    let mut title = format!("{}: {clients}, {messages} each", target.name);
    if silent > 0 {
        title += &format!(", {silent} of them silent");
    }
    watch(&mut crowd, |crowd| screen.crowd(&title, crowd))?;
    screen.clear();
    if crowd.log.count(Action::Connected) == 0 {
        let why = crowd.log.failures().next().map_or(TimedOut, |(_, why, _)| why);
        return Err(no_reply(target.address, &why.into()));
    }
    let words = crowd.log.summary(silent);
    Ok(Part { title, log: crowd.log, words })
}

/// Lets the clients of a crowd continue until no client is left, or until nothing happens for too
/// long.
fn watch(crowd: &mut Crowd, mut show: impl FnMut(&Crowd)) -> io::Result<()> {
    let (mut last_event, mut shown) = (crowd.now(), crowd.now());
    while crowd.step(FRAME)? {
        let now = crowd.now();
        if now > SILENCE {
            crowd.end_silence();
        }
        if crowd.record_events() {
            last_event = now;
        }
        if now > last_event + crowd.target.patience.max(SILENCE) {
            crowd.give_up();
        }
        if now > shown + FRAME {
            shown = now;
            show(crowd);
        }
    }
    crowd.record_events();
    Ok(())
}
