//! Checks a server of the workbook, or yours, in any language. It connects over real sockets,
//! as polite and as rude clients, and names the cause of each failure.
//!
//! For all lessons with a server. In one terminal:
//!
//! ```text
//! $ cargo run --example check -- thread_pool --only reset
//! thread_pool at 127.0.0.1:50412
//! passed    reset              a reset: expected "NEXT", came "NEXT" (486.0 ms)
//! 1 of 1
//! ```
//!
//! Arguments:
//!
//! - `[LESSON]`: the example to build, start on a free port, and check. Without it, all of
//!   them are checked, and each has one line.
//! - `[IP:PORT]`: the address of a server to check instead. It must do what the lesson's server
//!   does. `HOST:PORT` and `PORT` (on this machine) work, too.
//! - `[--list]`: prints the lessons and the checks.
//! - `[--only CHECK]`: makes only one check.
//! - `[--timeout 2]`: the seconds after which a check gives up a server that does not reply.
//! - `[--delay 5]`: the seconds that the slow server at `IP:PORT` sleeps before a reply. A
//!   server that `check` starts does not sleep.
//!
//! What to try:
//!
//! - A line shows what the client did, what it expected, what came, and how long it took.
//!   The exit status is 0 if all checks passed, and 1 if some failed. It is 2 if an argument is
//!   wrong, or if no server listens on the address.
//! - A sequential server cannot serve two clients at the same time. This is not a failure, so
//!   `check` prints `by design`.
//! - Send one rude client: start `thread_pool`, run `cargo run --example check -- thread_pool
//!   1239 --only reset`, and read what the server logs.

mod checks;
#[path = "../common/lessons.rs"]
mod lessons;
mod reasons;
#[path = "../common/server.rs"]
mod server;
mod wire;
#[allow(dead_code)] // Some of it is only for crowd.
#[path = "../common/words.rs"]
mod words;

use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sockets101::{Args, Failure, log_line, print_or_exit};

use checks::{CHECKS, Check, TOO_LONG_FOR_SLOW};
use lessons::{Row, SERVERS};
use reasons::{reason, why};
use wire::{Lab, Seen, missed};
use words::has_colours;

const USAGE: &str = "check [LESSON] [IP:PORT] [--list] [--only CHECK] [--timeout 2] [--delay 5]";

/// The time after which a check gives up a server that does not reply, in seconds.
const TIMEOUT: f64 = 2.0;

/// The time that a slow lesson sleeps before a reply, in seconds.
const DELAY: f64 = 5.0;

/// The server that is in the table only with the feature `event`.
const BEHIND_A_FEATURE: &str = "event_server";

/// The standard output. If it is closed or full, the program stops its servers and exits.
#[derive(Default)]
struct Output {
    error: Option<io::Error>,
}

impl Output {
    /// Prints a line, unless an earlier line could not be printed.
    fn line(&mut self, text: impl Display) {
        if self.error.is_none() {
            self.error = writeln!(io::stdout(), "{text}").err();
        }
    }
}

fn main() -> ExitCode {
    let mut output = Output::default();
    let result = run(&mut output);
    // All servers have stopped.
    let failure = match (result, output.error) {
        (Err(failure), _) => failure,
        // The reader has seen enough, for example `head -2`.
        (Ok(_), Some(err)) if err.kind() == ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        (Ok(_), Some(err)) => format!("cannot write to stdout: {err}; free some space").into(),
        (Ok(all_passed), None) => return ExitCode::from(u8::from(!all_passed)),
    };
    log_line(format!("Error: {failure:?}"));
    ExitCode::from(2)
}

/// Returns true if all checks passed.
fn run(output: &mut Output) -> Result<bool, Failure> {
    let mut args = Args::new(USAGE);
    let wants_list = args.option("--list", false);
    let only = args.option("--only", String::new());
    let timeout = args.timeout("--timeout", TIMEOUT);
    let lesson = args.positional(String::new());
    let address = if has_address() { Some(args.server_address(0)?) } else { None };
    let delay = args.seconds("--delay", if address.is_some() { DELAY } else { 0.0 });
    args.finish();

    if wants_list {
        print_or_exit(list());
        return Ok(true);
    }
    let named = |row: &&Row| lesson.is_empty() || row.name == lesson;
    let rows: Vec<Row> = SERVERS.iter().filter(named).copied().collect();
    let wanted = |check: &&Check| only.is_empty() || check.name == only;
    let checks: Vec<&Check> = CHECKS.iter().filter(wanted).collect();
    if rows.is_empty() && lesson == BEHIND_A_FEATURE {
        let command = "cargo run --example check --features event";
        return Err(format!("{lesson} needs a feature: {command} -- {lesson}").into());
    }
    if rows.is_empty() {
        return Err(format!("there is no server named '{lesson}'; see --list").into());
    }
    if !checks.iter().any(|check| rows.iter().any(check.suits)) {
        let whose = if lesson.is_empty() { "any lesson" } else { &lesson };
        return Err(format!("there is no check named '{only}' for {whose}; see --list").into());
    }
    if address.is_none() {
        server::build(rows.iter().map(|row| row.name))?;
    }
    let mut all_passed = true;
    for row in &rows {
        let checks: Vec<_> = checks.iter().filter(|check| (check.suits)(row)).collect();
        if checks.is_empty() || output.error.is_some() {
            continue;
        }
        let delay = if row.is_slow() { delay } else { Duration::ZERO };
        let nowhere = SocketAddr::from(([0; 4], 0));
        let mut lab =
            Lab { row: *row, address: address.unwrap_or(nowhere), timeout, delay, server: None };
        if address.is_none() {
            lab.renew()?;
        }
        all_passed &= examine(lab, &checks, rows.len() == 1, output)?;
    }
    Ok(all_passed)
}

/// Returns true if the command line has an address. [`Args`] can only return an address or a
/// default, so this reads the command line once more.
fn has_address() -> bool {
    let mut args = Args::new(USAGE);
    let _lesson = args.positional(String::new());
    !args.positional(String::new()).is_empty()
}

fn list() -> String {
    let mut text = String::from("The lessons with a server:\n");
    for Row { lesson, name, kind, design, port, .. } in SERVERS {
        let _ = writeln!(text, "{lesson:>4}  {name:<26}{port}  {kind:?}, {design:?}");
    }
    text += "The checks:\n";
    for check in &CHECKS {
        let _ = writeln!(text, "      {:<20}{}", check.name, check.does);
    }
    text
}

/// Makes the checks. Prints a line for each of them, or one line for all. Returns true if all
/// have passed.
fn examine(
    mut lab: Lab,
    checks: &[&&Check],
    lines: bool,
    output: &mut Output,
) -> Result<bool, Failure> {
    let name = lab.row.name;
    if lab.server.is_none() {
        if let Some(why) = lab.absence() {
            return Err(format!("nobody listens at {}: {why}", lab.address).into());
        }
    }
    if lines {
        output.line(format!("{name} at {}", lab.address));
    }
    let start = Instant::now();
    let (mut passed, mut total, mut failures) = (0, checks.len(), Vec::new());
    for (number, check) in checks.iter().enumerate() {
        if output.error.is_some() {
            break;
        }
        let (mark, words) = match left_out(check, &lab) {
            Some(why) => (LEFT_OUT, why.to_owned()),
            None => make(check, &lab),
        };
        let words = format!("{} {:<18} {words}", marked(mark), check.name);
        passed += usize::from(mark == PASSED || mark == BY_DESIGN);
        total -= usize::from(mark == LEFT_OUT);
        if lines {
            output.line(words);
        } else if mark == FAILED {
            failures.push(words);
        }
        if mark == FAILED && number + 1 < checks.len() {
            // The server of the next check must be well, so ours is started again.
            if lab.server.is_some() {
                lab.renew()?;
            }
            if lab.ask("hello").is_err_and(|miss| miss.talk.came.is_empty()) {
                let end = "does not answer: the other checks were not made";
                output.line(format!("{name} {end}"));
                break;
            }
        }
    }
    if total == 0 {
        return Err("there is no check left to be made".into());
    }
    let verdict = format!("{passed} of {total}");
    if lines {
        output.line(verdict);
    } else {
        let mark = marked(if passed == total { PASSED } else { FAILED });
        output.line(format!("{mark} {name:<26}{verdict:<10}{}", seconds(start)));
        for failure in failures {
            output.line(failure);
        }
    }
    Ok(passed == total)
}

/// Makes one check. Returns its mark, and the words about it.
fn make(check: &Check, lab: &Lab) -> (Mark, String) {
    let start = Instant::now();
    let mut outcome = (check.run)(lab);
    if outcome.is_ok() && lab.exits_within(Duration::ZERO).is_some() {
        outcome = missed("a server that lives on", "its end", why::DIED);
    }
    let time = seconds(start);
    let (mark, remark, seen) = match outcome {
        Ok(seen) => match seen.remark {
            Some(what) => (BY_DESIGN, format!(": {what}"), seen),
            None => (PASSED, String::new(), seen),
        },
        Err(miss) => (FAILED, format!("\n          {}", reason(check, lab, &miss)), miss),
    };
    let Seen { expected, came, .. } = seen;
    (mark, format!("{}: expected {expected}, came {came} ({time}){remark}", check.does))
}

/// Returns the reason if a check cannot be made with this server, although it is made with
/// others of its kind.
fn left_out(check: &Check, lab: &Lab) -> Option<&'static str> {
    let (given, slow) = (lab.server.is_none(), !lab.delay.is_zero());
    match check.name {
        "idle_end" if given => Some("only for a server that is started here"),
        "slow_clients" if given && !slow => Some("there is nothing to see"),
        name if slow && TOO_LONG_FOR_SLOW.contains(&name) => {
            Some("would take minutes: start the server with --delay 0, and give it here too")
        }
        _ => None,
    }
}

fn seconds(start: Instant) -> String {
    match start.elapsed().as_secs_f64() {
        long if long >= 1.0 => format!("{long:.1} s"),
        short => format!("{:.1} ms", short * 1000.0),
    }
}

/// The result of a check: a tick, a word, and a colour.
type Mark = (char, &'static str, u8);

const PASSED: Mark = ('✓', "passed", 32);
const BY_DESIGN: Mark = ('✓', "by design", 36);
const FAILED: Mark = ('✗', "FAILED", 31);
const LEFT_OUT: Mark = ('-', "left out", 33);

/// Formats a mark as a column. The word alone says everything. Ticks and colours only help.
fn marked((tick, word, colour): Mark) -> String {
    if has_colours() {
        format!("\x1b[{colour}m{tick} {word:<9}\x1b[0m")
    } else if io::stdout().is_terminal() {
        format!("{tick} {word:<9}")
    } else {
        format!("{word:<9}")
    }
}
