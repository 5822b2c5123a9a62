//! One client program for all stream servers: what each design does to its clients, and
//! how fast each one is.
//!
//! For slides 4 and 9 to 18. In a terminal, after `cargo run --example
//! slow_thread_pool_timeout -- --delay 1` in another:
//!
//! ```text
//! $ cargo run --example crowd -- 1241 --clients 5
//! ·· no connection yet  ├ connected  ━━ no answer yet  ● answer  ┤ closed  × lost
//! client connected answered  closed 0         0.5        1         1.5       2 s
//! 127.0.0.1:1241: 5 clients at once, 1 message each
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

#![allow(clippy::cast_precision_loss)] // Counts and lengths stay far below 2^52.

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

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::num::{NonZeroUsize, ParseIntError};
use std::process::Stdio;
use std::time::Duration;
use std::{fs, io, path::Path, str::FromStr};

use sockets101::{Args, Failure, no_answer, unresolved};

use clients::{Crowd, texts};
use draw::{Part, Screen, drawing, line};
use load::Load;
use log::{Log, What, phrase};
use server::Server;
use table::{Kind, SERVERS};

/// Where the server is expected: at the port of slides 12 and 14.
const PORT: u16 = 1237;

/// How many clients come at once; to a probe, at most; with a load.
const CLIENTS: usize = 8;
const PROBES: usize = 300;
const LOAD: usize = 100;

/// How many bytes a message of a load has, at most.
const LARGEST: usize = 1_000_000;

/// How long a slow server takes that is started here, in seconds.
const DELAY: f64 = 1.0;

/// How long nothing may happen, in seconds.
const PATIENCE: f64 = 30.0;

/// How often a drawing that is alive is renewed.
const FRAME: Duration = Duration::from_millis(100);

/// What may be asked for; `Args` knows no option that is not in it.
const USAGE: &str = "crowd [SERVER] [--compare SERVER,SERVER] [--delay 1] [--blocks] \
    [--patience 30] [--clients 8] [--messages 1] [--svg FILE] [--backlog-probe] \
    [--backlog 100] [--seconds 5] [--size 64] [--idle 0]";

/// A server, as it is named on the command line.
enum Place {
    Example(String),
    At(SocketAddr),
    Host(String),
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Ok(port) = text.parse::<u16>() {
            return Ok(Self::At((Ipv4Addr::LOCALHOST, port).into()));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::At(address));
        }
        match text.rsplit_once(':') {
            Some(("", _)) => Err("no host"),
            Some((_, port)) if port.parse::<u16>().is_ok() => {
                Ok(Self::Host(text.into()))
            }
            None if text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.chars().all(is_word) =>
            {
                Ok(Self::Example(text.into()))
            }
            _ => Err("neither an address nor a name"),
        }
    }
}

/// Several, with commas between them.
struct Places(Vec<Place>);

impl FromStr for Places {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// How servers are started, and talked to.
struct Terms {
    delay: Duration,
    backlog: Option<u16>,
    blocks: bool,
    /// Whether its lines about clients are thrown away: they would be millions.
    quiet: bool,
}

/// A server that can be talked to.
struct Target {
    name: String,
    title: String,
    address: SocketAddr,
    blocks: bool,
    /// Whether it closes after an answer, as far as we know.
    one_message: bool,
    /// The queue that it asks for, if we know it.
    backlog: Option<u16>,
    /// It is killed when this goes.
    _server: Option<Server>,
}

impl Target {
    fn new(place: &Place, terms: &Terms) -> Result<Self, Failure> {
        match place {
            Place::Example(name) => Self::start(name, terms),
            Place::At(address) => Ok(Self::at(*address, address.to_string(), terms)),
            Place::Host(text) => {
                let found = text.to_socket_addrs();
                let found =
                    found.map_err(|err| format!("{text} {}", unresolved(&err)))?;
                let address = found.min_by_key(SocketAddr::is_ipv6);
                Ok(Self::at(address.ok_or("no address")?, text.clone(), terms))
            }
        }
    }

    fn at(address: SocketAddr, name: String, terms: &Terms) -> Self {
        let (title, blocks) = (name.clone(), terms.blocks);
        let (one_message, backlog) = (blocks, None);
        Self { name, title, address, blocks, one_message, backlog, _server: None }
    }

    /// An example, on a free port. One that is in no table, such as `my_server`, is taken
    /// for one with conversations.
    fn start(name: &str, terms: &Terms) -> Result<Self, Failure> {
        let row = SERVERS.iter().find(|row| row.name == name);
        let kind = row.map_or(Kind::Conversation, |row| row.kind);
        if kind == Kind::Datagram {
            return Err(
                format!("{name} answers datagrams; this is for streams").into()
            );
        }
        let takes = |option| row.is_some_and(|row| row.options.contains(&option));
        let mut options = Vec::new();
        if takes("delay") {
            options.push(format!("--delay={}", terms.delay.as_secs_f64()));
        }
        let mut backlog = row.and_then(|row| row.backlog.try_into().ok());
        if let Some(given) = terms.backlog.filter(|_| takes("backlog")) {
            options.push(format!("--backlog={given}"));
            backlog = Some(given);
        }
        let stderr = if terms.quiet { Stdio::null() } else { Stdio::piped() };
        let server =
            Server::start(name, options.iter().map(String::as_str), stderr)?;
        let address = server.address;
        Ok(Self {
            name: name.into(),
            title: [name]
                .into_iter()
                .chain(options.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(" "),
            address,
            blocks: kind == Kind::Block || terms.blocks,
            one_message: matches!(kind, Kind::Block | Kind::OneMessage),
            backlog,
            _server: Some(server),
        })
    }
}

fn main() -> Result<(), Failure> {
    let mut args = Args::new(USAGE);
    let Places(mut places) = args.option("--compare", Places(Vec::new()));
    if places.is_empty() {
        places.push(args.positional(Place::At((Ipv4Addr::LOCALHOST, PORT).into())));
    }
    let time = args.seconds("--seconds", 0.0, 0.0);
    let is_probe = args.option("--backlog-probe", false);
    let patience = args.seconds("--patience", PATIENCE, 0.001);
    let mut terms = Terms {
        delay: args.seconds("--delay", DELAY, 0.0),
        backlog: None,
        blocks: args.option("--blocks", false),
        quiet: !time.is_zero(),
    };
    let count = |args: &mut Args, name: &str, default: usize| {
        let one = NonZeroUsize::MIN;
        args.option(name, NonZeroUsize::new(default).unwrap_or(one)).get()
    };
    let mut screen = Screen::new();
    // An option that does not belong to what is done is left over, and refused.
    if !time.is_zero() {
        let clients = count(&mut args, "--clients", LOAD);
        let Size(size) = args.option("--size", Size(64));
        let load = Load { time, clients, size, idle: args.option("--idle", 0) };
        args.finish();
        build(&places)?;
        let targets = places.iter().map(|place| Target::new(place, &terms));
        return load::run(
            &targets.collect::<Result<Vec<_>, _>>()?,
            &load,
            &mut screen,
        );
    }
    let messages = if is_probe { 1 } else { count(&mut args, "--messages", 1) };
    let clients =
        count(&mut args, "--clients", if is_probe { PROBES } else { CLIENTS });
    let svg = args.option("--svg", String::new());
    if is_probe {
        let backlog = args.option("--backlog", Backlog(None));
        terms.backlog = backlog.0;
    }
    args.finish();
    build(&places)?;
    let (mut parts, mut words) = (Vec::new(), Vec::new());
    for place in &places {
        let target = Target::new(place, &terms)?;
        if is_probe {
            let (part, said) = probe::run(&target, clients, patience, &mut screen)?;
            parts.push(part);
            words.extend(said);
        } else {
            parts.push(timeline(&target, clients, messages, patience, &mut screen)?);
        }
    }
    drawing(&parts, screen.is_live).iter().chain(&words).for_each(line);
    if !svg.is_empty() {
        let stem = Path::new(&svg).file_stem().unwrap_or_default().to_string_lossy();
        let name = stem.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let written = fs::write(&svg, picture::picture(&parts, &name));
        written.map_err(|err| format!("cannot write {svg}: {err}"))?;
    }
    let all: usize = parts.iter().map(|part| part.log.0.len()).sum();
    let lost = parts.iter().filter_map(|part| part.log.lost());
    match lost.reduce(|one, other| (one.0 + other.0, one.1)) {
        Some((many, why)) if !is_probe => {
            Err(format!("{many} of {all} clients lost: {}", phrase(why)).into())
        }
        _ => Ok(()),
    }
}

/// The length of a message.
struct Size(usize);

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let size = text.parse().ok().filter(|size| (1..=LARGEST).contains(size));
        size.map(Self).ok_or("no length")
    }
}

/// The queue of a server that is started here.
struct Backlog(Option<u16>);

impl FromStr for Backlog {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(|backlog| Self(Some(backlog)))
    }
}

/// Builds the examples that are to be started, if there are any.
fn build(places: &[Place]) -> Result<(), Failure> {
    let names: Vec<_> = places
        .iter()
        .filter_map(|place| match place {
            Place::Example(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if names.is_empty() { Ok(()) } else { server::build(names) }
}

/// All come at once, ask, and leave.
fn timeline(
    target: &Target,
    clients: usize,
    messages: usize,
    patience: Duration,
    screen: &mut Screen,
) -> Result<Part, Failure> {
    let title = format!(
        "{}: {clients} client{} at once, {messages} message{} each",
        target.title,
        if clients == 1 { "" } else { "s" },
        if messages == 1 { "" } else { "s" },
    );
    let texts = texts(16, target.blocks)?;
    let mut crowd = Crowd::new(target.address, target.one_message, &texts);
    crowd.messages = messages;
    let mut log = Log::default();
    for _ in 0..clients {
        crowd.enter(&mut |event| log.note(event));
    }
    watch(&mut crowd, &mut log, patience, |log, now| {
        screen.crowd(&title, log, now);
    })?;
    screen.clear();
    match log.lost() {
        Some((_, why)) if log.count(What::Connected) == 0 => {
            Err(no_answer(target.address, &why.into()))
        }
        _ => Ok(Part { title, log }),
    }
}

/// Lets a crowd go on until nobody is left, or nothing happens for too long.
fn watch(
    crowd: &mut Crowd,
    log: &mut Log,
    patience: Duration,
    mut show: impl FnMut(&Log, Duration),
) -> io::Result<()> {
    let (mut moved, mut events) = (crowd.now(), 0);
    let mut shown = moved;
    while crowd.turn(FRAME, &mut |event| log.note(event))? {
        let now = crowd.now();
        if now >= shown + FRAME {
            shown = now;
            show(log, now);
        }
        let sum = log.0.iter().map(Vec::len).sum();
        if sum != events {
            (moved, events) = (now, sum);
        } else if now > moved + patience {
            crowd.give_up(&mut |event| log.note(event));
        }
    }
    Ok(())
}
