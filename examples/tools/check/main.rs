//! A checker for the workbook's servers, and for yours: it talks to one over real
//! sockets, politely and rudely, and says of each failure what it comes from.
//!
//! For all slides with a server. In a terminal:
//!
//! ```text
//! $ cargo run --example check -- thread_pool --only reset
//! thread_pool at 127.0.0.1:50412
//! passed    reset              a reset: expected "NEXT", came "NEXT" (486.0 ms)
//! 1 of 1
//! ```
//!
//! Arguments: `[SLIDE]`, the example to build, start on a free port, and check; without
//! it all of them, a row each. `[IP:PORT]`, a server to check in its place, in any
//! language, that is to do what the slide's does; or `HOST:PORT`, or a `PORT` of this
//! machine. `[--list]` names slides and checks. `[--only CHECK]` makes one check.
//! `[--timeout 2]`, the seconds after which a stuck server is given up. `[--delay 5]`,
//! the seconds that an answer of the slow server at `IP:PORT` takes; one that is started
//! here takes none.
//!
//! What to look for:
//!
//! - A line tells what was done, what was expected, what came, and how long it took.
//!   Exit status 0: all passed; 1: some failed; 2: bad arguments, or nobody listens.
//! - What a design cannot do, such as a sequential server serving two, is no failure. It
//!   is shown as `by design`.
//! - `--only` is also a way to send one rude client, live: start `thread_pool`, then
//!   `check -- thread_pool 1239 --only reset`, and read what the server says.

mod checks;
mod reasons;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/lessons.rs"]
mod lessons;
mod wire;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fmt::Display};

use sockets101::{Args, Failure, say};

use checks::{CHECKS, Check, TOO_LONG_FOR_SLOW};
use reasons::{reason, why};
use lessons::{Row, SERVERS};
use wire::{Lab, Seen, missed};

/// How long a server that is stuck is waited for, in seconds.
const PATIENCE: f64 = 2.0;

/// How long an answer of a slow slide takes, in seconds.
const DELAY: f64 = 5.0;

/// The server that is in the table only with the feature `event`.
const BEHIND_A_FEATURE: &str = "event_server";

fn main() -> ExitCode {
    match run() {
        Ok(all_passed) => ExitCode::from(u8::from(!all_passed)),
        Err(failure) => {
            say(format_args!("Error: {failure:?}"));
            ExitCode::from(2)
        }
    }
}

/// Whether all has passed.
fn run() -> Result<bool, Failure> {
    let mut args = Args::new(
        "check [SLIDE] [IP:PORT] [--list] [--only CHECK] [--timeout 2] [--delay 5]",
    );
    let wants_list = args.option("--list", false);
    let only = args.option("--only", String::new());
    let patience = args.seconds("--timeout", PATIENCE, 0.001);
    let slide = args.positional(String::new());
    let address = args.server_address(0)?; // Port 0, where nobody is: none was given.
    let address = (address.port() != 0).then_some(address);
    let delay = args.seconds("--delay", address.map_or(0.0, |_| DELAY), 0.0);
    args.finish();

    if wants_list {
        list();
        return Ok(true);
    }
    let named = |row: &&Row| slide.is_empty() || row.name == slide;
    let rows: Vec<Row> = SERVERS.iter().filter(named).copied().collect();
    let wanted = |check: &&Check| only.is_empty() || check.name == only;
    let checks: Vec<&Check> = CHECKS.iter().filter(wanted).collect();
    if rows.is_empty() && slide == BEHIND_A_FEATURE {
        let command = "cargo run --example check --features event";
        return Err(format!("{slide} needs a feature: {command} -- {slide}").into());
    }
    if rows.is_empty() {
        return Err(format!("'{slide}' is no server's slide; see --list").into());
    }
    if !checks.iter().any(|check| rows.iter().any(check.suits)) {
        let whom = if slide.is_empty() { "any slide" } else { &slide };
        return Err(format!("no check '{only}' for {whom}; see --list").into());
    }
    if address.is_none() {
        server::build(rows.iter().map(|row| row.name))?;
    }
    let mut all_passed = true;
    for row in &rows {
        let checks: Vec<_> =
            checks.iter().filter(|check| (check.suits)(row)).collect();
        if checks.is_empty() {
            continue;
        }
        let delay = if row.is_slow() { delay } else { Duration::ZERO };
        let (row, nowhere) = (*row, SocketAddr::from(([0; 4], 0)));
        let address = address.unwrap_or(nowhere);
        let mut lab = Lab { row, address, patience, delay, server: None };
        if address == nowhere {
            lab.renew()?;
        }
        all_passed &= examine(lab, &checks, rows.len() == 1)?;
    }
    Ok(all_passed)
}

fn list() {
    line("The slides with a server:");
    for Row { slide, name, kind, design, port, .. } in SERVERS {
        line(format_args!("{slide:>4}  {name:<26}{port}  {kind:?}, {design:?}"));
    }
    line("The checks:");
    for check in &CHECKS {
        line(format_args!("      {:<20}{}", check.name, check.does));
    }
}

/// Makes the checks, a line each, or all of them a row. Says whether all have passed.
fn examine(mut lab: Lab, checks: &[&&Check], lines: bool) -> Result<bool, Failure> {
    let name = lab.row.name;
    if lab.server.is_none() {
        if let Some(why) = lab.absence() {
            return Err(format!("nobody listens at {}: {why}", lab.address).into());
        }
    }
    if lines {
        line(format_args!("{name} at {}", lab.address));
    }
    let start = Instant::now();
    let (mut passed, mut total, mut failures) = (0, checks.len(), Vec::new());
    for (number, check) in checks.iter().enumerate() {
        let (mark, told) =
            left_out(check, &lab).unwrap_or_else(|| make(check, &lab));
        let told = format!("{} {:<18} {told}", marked(mark), check.name);
        passed += usize::from(mark == PASSED || mark == BY_DESIGN);
        total -= usize::from(mark == LEFT_OUT);
        if lines {
            line(told);
        } else if mark == FAILED {
            failures.push(told);
        }
        if mark == FAILED && number + 1 < checks.len() {
            // The next check is to meet a server that is well: ours is started anew.
            if lab.server.is_some() {
                lab.renew()?;
            }
            if lab.ask("hello").is_err_and(|miss| miss.talk.came.is_empty()) {
                let end = "does not answer: the other checks were not made";
                line(format_args!("{name} {end}"));
                break;
            }
        }
    }
    if total == 0 {
        return Err("there is no check left to be made".into());
    }
    let verdict = format!("{passed} of {total}");
    if lines {
        line(verdict);
    } else {
        let mark = marked(if passed == total { PASSED } else { FAILED });
        line(format_args!("{mark} {name:<26}{verdict:<10}{}", seconds(start)));
        failures.iter().for_each(line);
    }
    Ok(passed == total)
}

/// Makes one check, and tells of it.
fn make(check: &Check, lab: &Lab) -> (Mark, String) {
    let start = Instant::now();
    let mut outcome = (check.run)(lab);
    if outcome.is_ok() && lab.ends_within(Duration::ZERO).is_some() {
        outcome = missed("a server that lives on", "its end", why::DIED);
    }
    let time = seconds(start);
    let (mark, remark, seen) = match outcome {
        Ok(seen) => match seen.remark {
            Some(what) => (BY_DESIGN, format!(": {what}"), seen),
            None => (PASSED, String::new(), seen),
        },
        Err(miss) => {
            (FAILED, format!("\n          {}", reason(check, lab, &miss)), miss)
        }
    };
    let Seen { expected, came, .. } = seen;
    (
        mark,
        format!("{}: expected {expected}, came {came} ({time}){remark}", check.does),
    )
}

/// Why a check is not made with this server, where it is made with others of its kind.
fn left_out(check: &Check, lab: &Lab) -> Option<(Mark, String)> {
    let (given, slow) = (lab.server.is_none(), !lab.delay.is_zero());
    let why = match check.name {
        "idle_end" if given => "only for a server that is started here",
        "slow_clients" if given && !slow => "there is nothing to see",
        name if slow && TOO_LONG_FOR_SLOW.contains(&name) => {
            "would take minutes: start the server with --delay 0, and give it here too"
        }
        _ => return None,
    };
    Some((LEFT_OUT, why.into()))
}

/// A line to stdout. When nobody reads it any more, the checks still go on, and end what
/// they have started.
fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn seconds(start: Instant) -> String {
    match start.elapsed().as_secs_f64() {
        long if long >= 1.0 => format!("{long:.1} s"),
        short => format!("{:.1} ms", short * 1000.0),
    }
}

/// How a check came out: a tick, a word, a colour.
type Mark = (char, &'static str, u8);

const PASSED: Mark = ('✓', "passed", 32);
const BY_DESIGN: Mark = ('✓', "by design", 36);
const FAILED: Mark = ('✗', "FAILED", 31);
const LEFT_OUT: Mark = ('-', "left out", 33);

/// The mark, in a column. The words stand for themselves: ticks and colours only help.
fn marked((tick, word, colour): Mark) -> String {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    // An old console of Windows would show the escape sequences themselves.
    let plain = set("NO_COLOR")
        || dumb
        || cfg!(windows) && !set("WT_SESSION") && !set("TERM");
    match io::stdout().is_terminal() {
        false => format!("{word:<9}"),
        true if plain => format!("{tick} {word:<9}"),
        true => format!("\x1b[{colour}m{tick} {word:<9}\x1b[0m"),
    }
}
