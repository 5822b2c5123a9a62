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
//! 127.0.0.1:1241: 5 at once, messages each: 1
//!      1      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      2      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      3      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      4      0.00     1.00    1.00 ├━━━━━━━━━━━━━━━━━━━━━●
//!      5      0.00     2.00    2.00 ├━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━●
//! first answer after 1.00 s, last after 2.00 s: 4 at once
//! ```
//!
//! Arguments: `[SERVER]`, by default 1237; as for the other clients `IP:PORT`, `HOST:PORT`,
//! or a `PORT` of this machine; or the name of an example, which is then built and started on a
//! free port, a slow one with `[--delay 1]` seconds an answer. `[--compare SERVER,SERVER]`
//! takes several. `[--blocks]` for a server at an address that takes blocks (slide 9).
//! `[--patience 30]`, the seconds without any event after which it gives up. Then one of
//! these:
//!
//! 1. Who waits for whom: `[--clients 8]`, each with `[--messages 1]`, a row each.
//!    `[--svg FILE]` draws a picture too.
//! 2. `[--backlog-probe]`: keeps the server busy, opens up to `[--clients 300]` connections,
//!    and tells how many completed, and how it was for the next. Try `listen_backlog`, with
//!    `[--backlog 100]`.
//! 3. `[--seconds 5]`: for so long `[--clients 100]` ask `[--size 64]` bytes at a time, as
//!    fast as they are answered, and `[--idle 0]` others are connected and say nothing. With
//!    several servers, they take turns.
//!
//! What to look for:
//!
//! - `--compare slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout`: a
//!   staircase, a wall, and two walls of four.
//! - `listen_backlog --backlog-probe --backlog 1`: some are connected though nobody has
//!   accepted them; the next hear nothing.
//! - `--seconds 2 --compare thread_per_client,poll_server`, then with `--idle 1000`: whom do
//!   silent clients cost something?
//! - Where a server closes after each answer (slides 4, 9, 16 to 18), each message takes a
//!   connection: the load says how many it made.

// Counts, lengths and columns stay far below 2^32.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
#![allow(clippy::cast_sign_loss, clippy::format_push_string)]

mod clients;
mod draw;
mod load;
mod log;
mod picture;
mod probe;
#[allow(dead_code)] // What only check asks for.
#[path = "../check/server.rs"]
mod server;
#[allow(dead_code)]
#[path = "../check/table.rs"]
mod table;

use std::io::ErrorKind::{InvalidInput, NotFound, TimedOut};
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::{NonZeroU16, ParseIntError};
use std::process::Stdio;
use std::time::Duration;
use std::{fs, io, iter, path::Path, str::FromStr};

use sockets101::{Args, Failure, no_answer, unresolved};

use clients::{Crowd, Text, texts};
use draw::{FRAME, Part, Screen, drawing, line};
use log::{Log, What};
use server::Server;
use table::{Kind, SERVERS};

/// Where the server is expected: at the port of slides 12 and 14.
const PORT: &str = "1237";

/// How many clients come at once; to a probe, at most; with a load.
const CLIENTS: u16 = 8;
const PROBES: u16 = 300;
const LOAD: u16 = 100;

/// The queue of a `listen_backlog` that is started here, and how long a slow server that is
/// takes, in seconds.
const BACKLOG: u16 = 100;
const DELAY: f64 = 1.0;

/// How long nothing may happen, in seconds.
const PATIENCE: f64 = 30.0;

/// What may be asked for.
const USAGE: &str = "crowd [SERVER] [--compare SERVER,SERVER] [--delay 1] [--blocks] \
    [--patience 30] [--clients 8] [--messages 1] [--svg FILE] [--backlog-probe] \
    [--backlog 100] [--seconds 5] [--size 64] [--idle 0]";

/// Servers, as they are named on the command line: examples and addresses.
struct Places(Vec<String>);

impl FromStr for Places {
    type Err = io::Error;

    fn from_str(text: &str) -> io::Result<Self> {
        let places: Vec<_> = text.split(',').map(str::to_owned).collect();
        // A host that is not found is no mistake of the command line.
        let is_wrong = |err: &io::Error| err.kind() == InvalidInput;
        let mut errors = places.iter().filter_map(|place| address(place).err());
        errors.find(is_wrong).map_or(Ok(Self(places.clone())), Err)
    }
}

fn is_example(place: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    place.chars().all(is_name) && place.parse::<f64>().is_err() && !place.is_empty()
}

/// `IP:PORT`, `HOST:PORT`, or a `PORT` of this machine. An example has none yet.
fn address(place: &str) -> io::Result<SocketAddr> {
    if is_example(place) {
        return Err(NotFound.into());
    }
    let here = if place.contains(':') { "" } else { "127.0.0.1:" };
    let found = format!("{here}{place}").to_socket_addrs()?;
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| NotFound.into())
}

/// A server that can be talked to.
struct Target {
    name: String,
    address: SocketAddr,
    texts: Vec<Text>,
    /// Whether it closes after an answer, as far as we know.
    one_message: bool,
    /// The queue that it asks for, if we know it.
    backlog: Option<u16>,
    /// It is killed when this goes.
    _server: Option<Server>,
}

/// How an example is started, and any server is talked to.
struct Terms {
    delay: Duration,
    backlog: u16,
    blocks: bool,
    size: u16,
    /// Whether its lines about clients are thrown away: they could be millions.
    quiet: bool,
}

impl Terms {
    fn target(&self, place: &str) -> Result<Target, Failure> {
        if is_example(place) {
            return self.start(place);
        }
        let address = address(place);
        let address =
            address.map_err(|err| format!("{place} {}", unresolved(&err)))?;
        let (texts, one_message) = (texts(self.size, self.blocks)?, self.blocks);
        let (name, backlog) = (address.to_string(), None);
        Ok(Target { name, address, texts, one_message, backlog, _server: None })
    }

    /// An example, on a free port. One that is in no table, such as `my_server`, is taken
    /// for one with conversations.
    fn start(&self, name: &str) -> Result<Target, Failure> {
        let row = SERVERS.iter().find(|row| row.name == name);
        let kind = row.map_or(Kind::Conversation, |row| row.kind);
        if kind == Kind::Datagram {
            return Err(format!("{name} answers datagrams, not streams").into());
        }
        let takes = |option| row.is_some_and(|row| row.options.contains(&option));
        let (delay, backlog) = (self.delay.as_secs_f64(), self.backlog);
        let delay = takes("delay").then(|| format!("--delay={delay}"));
        let queue = takes("backlog").then(|| format!("--backlog={backlog}"));
        let options = || delay.iter().chain(&queue).map(String::as_str);
        let stderr = if self.quiet { Stdio::null() } else { Stdio::piped() };
        let server = Server::start(name, options(), stderr)?;
        Ok(Target {
            name: iter::once(name).chain(options()).collect::<Vec<_>>().join(" "),
            address: server.address,
            texts: texts(self.size, kind == Kind::Block || self.blocks)?,
            one_message: matches!(kind, Kind::Block | Kind::OneMessage),
            backlog: queue.map(|_| backlog),
            _server: Some(server),
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
    let is_probe = args.option("--backlog-probe", false);
    let patience = args.seconds("--patience", PATIENCE, 0.001);
    let delay = args.seconds("--delay", DELAY, 0.0);
    let blocks = args.option("--blocks", false);
    // What does not belong to what is asked for is left over, and refused.
    let usual = if is_probe { PROBES } else { CLIENTS };
    let usual = if is_load { LOAD } else { usual };
    let Count(clients) = args.option("--clients", Count(usual));
    let mut terms =
        Terms { delay, backlog: BACKLOG, blocks, size: 16, quiet: is_load };
    let mut screen = Screen::new();
    if is_load {
        terms.size = args.option("--size", Count(64)).0;
        let many = (clients.into(), args.option("--idle", 0));
        args.finish();
        build(&places)?;
        let targets = places.iter().map(|place| terms.target(place));
        let targets = targets.collect::<Result<Vec<_>, _>>()?;
        return load::run(&targets, time, many, &mut screen);
    }
    let mut messages = Count(1);
    if is_probe {
        terms.backlog = args.option("--backlog", BACKLOG);
    } else {
        messages = args.option("--messages", messages);
    }
    let svg = args.option("--svg", String::new());
    args.finish();
    build(&places)?;
    let run = |place: &String| {
        let target = terms.target(place)?;
        if is_probe {
            probe::run(&target, clients.into(), patience, &mut screen)
        } else {
            timeline(&target, clients, messages.0, patience, &mut screen)
        }
    };
    let parts: Vec<_> = places.iter().map(run).collect::<Result<_, _>>()?;
    drawing(&parts, screen.is_live).iter().for_each(line);
    if !svg.is_empty() {
        let stem = Path::new(&svg).file_stem().unwrap_or_default().to_string_lossy();
        let name = stem.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let written = fs::write(&svg, picture::picture(&parts, &name));
        written.map_err(|err| format!("cannot write {svg}: {err}"))?;
    }
    let lost = parts.iter().map(|part| part.log.lost().count()).sum::<usize>();
    if lost > 0 && !is_probe {
        return Err(format!("{lost} clients got no answer").into());
    }
    Ok(())
}

/// A number that is not 0.
struct Count(u16);

impl FromStr for Count {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<NonZeroU16>().map(|count| Self(count.get()))
    }
}

/// Builds the examples that are to be started, if there are any.
fn build(places: &[String]) -> Result<(), Failure> {
    let names = places.iter().map(String::as_str).filter(|place| is_example(place));
    if names.clone().next().is_some() { server::build(names) } else { Ok(()) }
}

/// All come at once, ask, and leave.
fn timeline(
    target: &Target,
    clients: u16,
    messages: u16,
    patience: Duration,
    screen: &mut Screen,
) -> Result<Part, Failure> {
    let title =
        format!("{}: {clients} at once, messages each: {messages}", target.name);
    let mut crowd = Crowd::new(target);
    crowd.messages = messages.into();
    (0..clients).for_each(|_| crowd.enter());
    let mut log = Log::default();
    let show = |log: &Log, now| screen.crowd(&title, log, now);
    watch(&mut crowd, &mut log, patience, show)?;
    screen.clear();
    if log.count(What::Connected) == 0 {
        let why = log.lost().next().map_or(TimedOut, |(_, why, _)| why);
        return Err(no_answer(target.address, &why.into()));
    }
    let words = log.verdict();
    Ok(Part { title, log, words })
}

/// Lets a crowd go on until nobody is left, or nothing happens for too long.
fn watch(
    crowd: &mut Crowd,
    log: &mut Log,
    patience: Duration,
    mut show: impl FnMut(&Log, Duration),
) -> io::Result<()> {
    let (mut moved, mut shown) = (crowd.now(), crowd.now());
    while crowd.turn(FRAME)? {
        let now = crowd.now();
        if !crowd.events.is_empty() {
            moved = now;
            log.note(&mut crowd.events);
        }
        if now > moved + patience {
            crowd.give_up();
        }
        if now > shown + FRAME {
            shown = now;
            show(log, now);
        }
    }
    log.note(&mut crowd.events);
    Ok(())
}
