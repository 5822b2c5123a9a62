//! One client program for all stream servers: what each design does to its clients, and
//! how fast each one is.
//!
//! For slides 4 and 9 to 18. In a terminal, after `cargo run --example
//! slow_thread_pool_timeout -- --delay 1` in another:
//!
//! ```text
//! $ cargo run --example crowd -- 1241 --clients 5
//! ·· no connection yet  ├ connected  ━━ no answer yet  ● answer  ┤ closed  × lost
//! client connected answered  closed 0          0.5        1          1.5        s
//! 1241: clients 5, messages 1, silent 0
//!      1      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      2      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      3      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      4      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      5      0.00     2.00    2.00 ├━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━●
//! first answer after 1.00 s, last after 2.00 s: 4 at once
//! ```
//!
//! Arguments: `[SERVER]`, by default 1237; as for the other clients `IP:PORT`, `HOST:PORT`,
//! or a `PORT` of this machine; or the name of an example, which is then built and started on
//! a free port, with `[--delay 1]`, `[--timeout 20]` and `[--backlog 100]` if it takes them.
//! `[--compare SERVER,SERVER]` takes several. `[--blocks]` for a server at an address that
//! takes blocks (slide 9). `[--size 64]`, the bytes of a message. `[--patience 30]`, the
//! seconds without any event after which it gives up. Then one of these:
//!
//! 1. Who waits for whom: `[--clients 8]` come at once, each with `[--messages 1]`, and have a
//!    row each. `[--silent 1]`, the first of them, say nothing for two seconds.
//!    `[--svg FILE]` draws a picture too.
//! 2. `[--backlog-probe]`: keeps the server busy, opens up to `[--clients 300]` connections,
//!    and tells how many completed, and how it was for the next. `[--svg FILE]` here too.
//! 3. `[--seconds 5]`: for so long `[--clients 100]` ask as fast as they are answered, and
//!    `[--idle 0]` others are connected and say nothing. With several servers, they take
//!    turns.
//!
//! What to look for:
//!
//! - `--compare slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout`: a
//!   staircase, a wall, and two walls of four.
//! - `--compare listen_backlog,poll_server --silent 1`, then `thread_pool --silent 4` and
//!   with 3: who is served beside clients that are silent?
//! - `listen_backlog --backlog-probe --backlog 1`: some are connected though nobody has
//!   accepted them; the next hear nothing.
//! - `--seconds 2 --compare thread_per_client,poll_server`, then with `--idle 1000`: whom do
//!   silent clients cost something? Where a server closes after each answer (slides 4, 9, 16
//!   to 18), each message takes a connection: the load says how many it made.

// Counts, lengths and columns stay far below 2^32.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#![allow(clippy::cast_sign_loss, clippy::format_push_string)]

mod clients;
mod draw;
mod load;
mod log;
mod picture;
mod probe;
#[allow(dead_code)] // What only check asks for; and it is formatted there.
#[rustfmt::skip]
#[path = "../common/server.rs"]
mod server;
#[allow(dead_code)]
#[rustfmt::skip]
#[path = "../common/lessons.rs"]
mod lessons;

use std::io::ErrorKind::TimedOut;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::{NonZeroU16, ParseIntError};
use std::{fs, io, path::Path, process::Stdio, str::FromStr, time::Duration};

use sockets101::{Args, Failure, no_answer, unresolved};

use clients::{Crowd, Texts, texts};
use draw::{FRAME, Part, Screen, drawing, line};
use lessons::{Kind, SERVERS};

/// Where the server is expected: at the port of slides 12 and 14.
const PORT: &str = "1237";

/// How many clients come at once; to a probe, at most; with a load.
const CLIENTS: NonZeroU16 = count(8);
const PROBES: NonZeroU16 = count(300);
const LOAD: NonZeroU16 = count(100);

/// How many bytes a message has.
const SIZE: NonZeroU16 = count(64);

/// What is passed on to a server that is started here: seconds, but for the backlog.
const PASSED: [(&str, f64); 3] = [("delay", 1.0), ("timeout", 20.0), ("backlog", 100.0)];

/// How long silent clients say nothing.
const SILENCE: Duration = Duration::from_secs(2);

/// How long nothing may happen, in seconds.
const PATIENCE: f64 = 30.0;

/// What may be asked for.
const USAGE: &str = "crowd [SERVER] [--compare SERVER,SERVER] [--delay 1] [--timeout 20] \
    [--backlog 100] [--blocks] [--patience 30] [--clients 8] [--messages 1] [--silent 0] \
    [--svg FILE] [--backlog-probe] [--seconds 5] [--size 64] [--idle 0]";

const fn count(number: u16) -> NonZeroU16 {
    NonZeroU16::MIN.saturating_add(number - 1)
}

/// Servers, as they are named on the command line: examples and addresses.
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
    let here = if place.contains(':') { "" } else { "127.0.0.1:" };
    let found = format!("{here}{place}").to_socket_addrs();
    let found = found.map_err(|err| format!("{place} {}", unresolved(&err)))?;
    Ok(found.min_by_key(SocketAddr::is_ipv6).ok_or("no address")?)
}

/// A server that can be talked to.
struct Target {
    name: String,
    address: SocketAddr,
    patience: Duration,
    texts: Texts,
    /// Whether it closes after an answer, as far as we know.
    one_message: bool,
    /// It is killed when this goes.
    _server: Option<server::Server>,
}

/// How an example is started, and any server is talked to.
struct Terms {
    passed: [(&'static str, f64); 3],
    patience: Duration,
    blocks: bool,
    size: NonZeroU16,
}

impl Terms {
    /// An example is started, on a free port. One that is in no table, such as `my_server`,
    /// is taken for one with conversations.
    fn target(&self, place: &str) -> Result<Target, Failure> {
        let row = SERVERS.iter().find(|row| row.name == place);
        let kind = row.map_or(Kind::Conversation, |row| row.kind);
        if kind == Kind::Datagram {
            return Err(format!("{place} answers datagrams, not streams").into());
        }
        let taken = row.map_or(&[][..], |row| row.options);
        let passed = self.passed.iter().filter(|(name, _)| taken.contains(name));
        let options: Vec<_> = passed.map(|(name, value)| format!("--{name}={value}")).collect();
        let start = || {
            server::build([place])?;
            // Its lines about clients could be millions.
            server::Server::start(place, &options, Stdio::null())
        };
        let server = is_example(place).then(start).transpose()?;
        let known = server.as_ref().map(|server| server.address);
        let blocks = self.blocks || kind == Kind::Block;
        Ok(Target {
            name: format!("{place} {}", options.join(" ").replace("--", "")).trim_end().to_owned(),
            address: known.map_or_else(|| address(place), Ok)?,
            patience: self.patience,
            texts: texts(self.size, blocks),
            one_message: blocks || kind == Kind::OneMessage,
            _server: server,
        })
    }
}

fn main() -> Result<(), Failure> {
    let mut args = Args::new(USAGE);
    let Places(mut places) = args.option("--compare", Places(Vec::new()));
    if places.is_empty() {
        places = args.positional(Places(vec![PORT.into()])).0;
    }
    let time = args.seconds("--seconds", 0.0, 0.0);
    let is_load = !time.is_zero();
    let is_probe = !is_load && args.option("--backlog-probe", false);
    let passed = PASSED.map(|(name, usual)| (name, args.option(&format!("--{name}"), usual)));
    let terms = Terms {
        passed,
        patience: args.seconds("--patience", PATIENCE, 0.001),
        blocks: args.option("--blocks", false),
        size: args.option("--size", SIZE),
    };
    // What does not belong to what is asked for is left over, and refused.
    let usual = if is_probe { PROBES } else { CLIENTS };
    let clients = args.option("--clients", if is_load { LOAD } else { usual }).get();
    let is_plain = !is_load && !is_probe;
    let messages = if is_plain { args.option("--messages", count(1)) } else { count(1) };
    let silent = if is_plain { args.option("--silent", 0).min(clients - 1) } else { 0 };
    let idle = if is_load { args.option("--idle", 0) } else { 0 };
    let svg = if is_load { String::new() } else { args.option("--svg", String::new()) };
    args.finish();

    let mut screen = Screen::new();
    let targets = places.iter().map(|place| terms.target(place));
    if is_load {
        let targets = targets.collect::<Result<Vec<_>, _>>()?;
        return load::run(&targets, time, clients.into(), idle);
    }
    let mut parts = Vec::new();
    for target in targets {
        let target = &target?;
        parts.push(if is_probe {
            probe::run(target, clients, &mut screen)?
        } else {
            let mut crowd = Crowd::new(target, messages.get().into(), silent.into());
            (0..clients).try_for_each(|_| crowd.enter())?;
            timeline(crowd, &mut screen)?
        });
    }
    drawing(&parts, screen.is_live).iter().for_each(line);
    if !svg.is_empty() {
        let written = fs::write(&svg, picture::picture(&parts, Path::new(&svg)));
        written.map_err(|err| format!("cannot write {svg}: {err}"))?;
    }
    let lost: usize = parts.iter().map(|part| part.log.lost().count()).sum();
    let is_failure = lost > 0 && !is_probe;
    if is_failure { Err(format!("{lost} got no answer").into()) } else { Ok(()) }
}

/// All have come at once; they ask, and leave.
fn timeline(mut crowd: Crowd, screen: &mut Screen) -> Result<Part, Failure> {
    let Crowd { target, messages, silent, .. } = crowd;
    let (name, count) = (&target.name, crowd.len());
    let title = format!("{name}: clients {count}, messages {messages}, silent {silent}");
    watch(&mut crowd, |crowd| screen.crowd(&title, crowd))?;
    screen.clear();
    if crowd.log.count(log::What::Connected) == 0 {
        let why = crowd.log.lost().next().map_or(TimedOut, |(_, why, _)| why);
        return Err(no_answer(target.address, &why.into()));
    }
    let words = crowd.log.verdict(silent);
    Ok(Part { title, log: crowd.log, words })
}

/// Lets a crowd go on until nobody is left, or nothing happens for too long.
fn watch(crowd: &mut Crowd, mut show: impl FnMut(&Crowd)) -> io::Result<()> {
    let (mut moved, mut shown) = (crowd.now(), crowd.now());
    while crowd.turn(FRAME)? {
        let now = crowd.now();
        if now > SILENCE {
            crowd.speak();
        }
        moved = if crowd.note() { now } else { moved };
        if now > moved + crowd.target.patience.max(SILENCE) {
            crowd.give_up();
        }
        if now > shown + FRAME {
            shown = now;
            show(crowd);
        }
    }
    crowd.note();
    Ok(())
}
