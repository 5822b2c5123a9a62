//! Checks a server of the workbook, or yours, in any language. It connects over real sockets,
//! as polite and as rude clients, and names the cause of each failure.
//!
//! For all lessons with a server. In one terminal:
//!
//! ```text
//! $ cargo run --example check -- thread_pool --only reset
//! thread_pool
//! passed    reset
//! 1 of 1 check passed
//! ```
//!
//! Arguments:
//!
//! - `[LESSON]`: the lesson whose work the server must do. `check` builds and starts the server of
//!   this lesson. Without a lesson, it checks all of them, and each has one row.
//! - `[IP:PORT]`: the address of a server that already runs. `HOST:PORT` and `PORT` (on this
//!   machine) work, too.
//! - `[--own NAME]`: your program `examples/NAME.rs`. `check` builds and starts it.
//! - `[--run COMMAND]`: a command that starts your program, in any language. `check` replaces
//!   `{port}` or `{address}` by a free one, and `{options}` by an option such as `--delay=0.4`.
//!   If your program has a fixed port, write its `IP:PORT`, too.
//! - `[--make]`: makes one more check, for the make task of the lesson. A make task is an extension
//!   that you write, so the server must be yours: `--own`, `--run` or an address.
//! - `[--watch]`: grades your program (`--own` or `--run`) each time that you save its file.
//! - `[--long]`: shows for each check what was expected and what came.
//! - `[--list]`: prints the lessons and the checks.
//! - `[--only CHECK]`: makes only one check.
//! - `[--timeout 2]`: the seconds after which a check gives up a server that does not reply.
//! - `[--delay 5]`: the seconds that a slow server sleeps before a reply. Without this option,
//!   `check` starts a slow server without a delay, or measures the delay of yours.
//!
//! What to try:
//!
//! - Copy a lesson to `examples/my_server.rs`, break it, and run `cargo run --example check --
//!   thread_pool --own my_server`. The exit status is 0 if all checks passed, and 1 if some
//!   failed. It is 2 if an argument is wrong, or if the server did not start.
//! - A sequential server cannot serve two clients at the same time. This is not a failure, so
//!   `check` prints `by design`.
//! - Keep `check` open while you write: `cargo run --example check -- sequential_server --own
//!   my_server --watch`.

mod beyond;
mod blame;
mod checks;
#[path = "../common/connection.rs"]
mod connection;
mod grade;
#[allow(dead_code)] // Some of it is only for exercise.
#[path = "../common/lessons.rs"]
mod lessons;
mod make;
#[allow(dead_code)] // The page "What `check` says" shows some of it.
#[path = "../common/reasons.rs"]
mod reasons;
mod report;
#[allow(dead_code)] // Some of it is only for crowd.
#[path = "../common/server.rs"]
mod server;
mod watch;
mod wire;
#[path = "../common/words.rs"]
mod words;

use std::env;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sockets101::{Args, Failure, log_line, print_or_exit};

use checks::{CHECKS, Check};
use grade::{Mark, SLOW, grade};
use lessons::{ALL_CHECKS, Row, SERVERS, SPECIAL};
use report::Output;
use server::{Launch, Program};
use wire::{Lab, takes};

const USAGE: &str = "check [LESSON] [IP:PORT] [--own NAME] [--run COMMAND] [--make] [--watch] \
    [--long] [--list] [--only CHECK] [--timeout 2] [--delay 5]";

/// The value of an option that the user has not given. It cannot be typed.
const NOT_GIVEN: &str = "\0";

fn main() -> ExitCode {
    server::guard_if_asked();
    let mut output = Output::default();
    let result = run(&mut output);
    output.end_line();
    let failure = match (result, output.error) {
        (Err(failure), _) => failure,
        // The reader may have closed stdout, for example `head -2`. The result counts anyway.
        (Ok(_), Some(err)) if err.kind() != ErrorKind::BrokenPipe => {
            format!("cannot write to stdout: {err}; free some space").into()
        }
        (Ok(all_passed), _) => return ExitCode::from(u8::from(!all_passed)),
    };
    log_line(format!("Error: {failure:?}"));
    ExitCode::from(2)
}

/// What to check, and how.
pub struct Task {
    row: Row,
    /// What the report calls it.
    title: String,
    /// How to start the program. `None` if the server at the address already runs.
    launch: Option<Launch>,
    /// The address of the server. The port is 0 if it is not known yet.
    address: SocketAddr,
    checks: Vec<&'static Check>,
    timeout: Duration,
    delay: Option<Duration>,
}

/// Returns true if all checks passed.
fn run(output: &mut Output) -> Result<bool, Failure> {
    let mut args = Args::new(USAGE);
    let wants_list = args.option("--list", false);
    let [only, own, command] = ["--only", "--own", "--run"].map(|name| {
        let value = args.option(name, NOT_GIVEN.to_owned());
        if value.is_empty() {
            args.refuse(format!("{name} needs a value, but it is empty"));
        }
        if value == NOT_GIVEN { String::new() } else { value }
    });
    let is_make = args.option("--make", false);
    let is_watching = args.option("--watch", false);
    let is_long = args.option("--long", false);
    let timeout = args.timeout("--timeout", 2.0);
    let delay = args.seconds("--delay", SLOW.as_secs_f64());
    let lesson = args.positional(String::new());
    // An argument that is not there has its default value, so this reads the command line again.
    let mut given = Args::new(USAGE);
    let is_given = |value: String| !value.is_empty();
    let delay = is_given(given.option("--delay", String::new())).then_some(delay);
    let _lesson = given.positional(String::new());
    let has_address = is_given(given.positional(String::new()));
    let address = if has_address { Some(args.server_address(0)?) } else { None };
    args.finish();

    if wants_list {
        print_or_exit(list());
        return Ok(true);
    }
    if !own.is_empty() && !command.is_empty() {
        args.refuse("give --own or --run, not both");
    }
    let is_own = !own.is_empty() || !command.is_empty();
    if is_watching && !is_own {
        args.refuse("--watch needs your program: --own NAME or --run COMMAND");
    }
    if is_own && lesson.is_empty() {
        args.refuse("name the lesson whose work your program must do, before the options");
    }
    if is_make && !is_own && address.is_none() {
        let yours = "give your own: --own NAME, --run COMMAND or an address";
        args.refuse(format!("--make: the lesson's program does not have the extension; {yours}"));
    }
    let rows = if is_make { vec![make_row(&lesson)?] } else { rows(&lesson)? };
    check_program(&own, &command, address)?;
    let mut tasks = Vec::new();
    for row in rows {
        let is_named = |check: &&Check| only.is_empty() || check.name == only;
        let checks = CHECKS.iter().filter(is_named).filter(|check| (check.suits)(&row));
        let program = match (&*own, &*command) {
            ("", "") => Program::Example(row.name.into()),
            ("", command) => Program::Command(command.into()),
            (own, _) => Program::Own(own.into()),
        };
        let starts = is_own || address.is_none();
        tasks.push(Task {
            row,
            title: title(row.name, &own, &command, address),
            launch: starts.then_some(Launch {
                program,
                options: Vec::new(),
                address,
                ip: row.listen_ip(),
                reads_lines: checks::stops(&row),
            }),
            address: address.unwrap_or(SocketAddr::from(([0; 4], 0))),
            checks: checks.collect(),
            timeout,
            delay,
        });
    }
    tasks.retain(|task| !task.checks.is_empty());
    if tasks.is_empty() {
        let whose = if lesson.is_empty() { "any lesson" } else { &lesson };
        if is_make_check(&only) && !is_make {
            return Err(format!("'{only}' is the check of a make task; add --make").into());
        }
        return Err(format!("'{only}' is not a check for {whose}; see --list").into());
    }

    if is_watching {
        return watch::watch(&tasks[0], output);
    }
    build(&tasks)?;
    if let [task] = &*tasks {
        return check_one(task, is_long, output);
    }
    let mut all_passed = true;
    for task in &tasks {
        let start = Instant::now();
        let entries = grade(task, |_| {})?;
        report::print_lesson(output, task.row.name, &entries, start.elapsed());
        all_passed &= report::has_passed(&entries);
        if output.error.is_some() {
            break;
        }
    }
    Ok(all_passed)
}

/// Makes the checks of one lesson, and prints each result. Returns true if all have passed.
fn check_one(task: &Task, is_long: bool, output: &mut Output) -> Result<bool, Failure> {
    let entries = grade(task, |entry| {
        if entry.check.name == task.checks[0].name {
            output.line(&task.title);
        }
        if is_long {
            output.line(&report::long_row(entry));
        } else if entry.mark == Mark::Passed {
            output.name(entry.check.name);
        }
    })?;
    if !is_long {
        report::print_rows(output, &entries);
    }
    output.line(&report::summary(&entries));
    let has_passed = report::has_passed(&entries);
    let has_skipped = entries.iter().any(|entry| entry.mark == Mark::Skipped);
    if has_passed && has_skipped && env::var_os(ALL_CHECKS).is_some() {
        let advice = "remove the cause above, and try again";
        return Err(format!("check skipped a check, so the program is not graded; {advice}").into());
    }
    Ok(has_passed)
}

/// Builds the examples of all tasks.
fn build(tasks: &[Task]) -> Result<(), Failure> {
    let mut names = Vec::new();
    for task in tasks {
        let program = task.launch.as_ref().map(|launch| &launch.program);
        if let Some(Program::Example(name) | Program::Own(name)) = program {
            names.push(name.as_str());
        }
    }
    if names.is_empty() { Ok(()) } else { server::build(names) }
}

/// Returns the server under test, which is not started yet.
pub fn lab_of(task: &Task) -> Lab {
    let mut lab = Lab::new(task.row, task.launch.clone(), task.address, task.timeout);
    if task.row.reads_lines() {
        lab.line_end = Some(b"\n".into());
    }
    if !task.row.is_slow() {
        return lab;
    }
    lab.delay = task.delay.unwrap_or(SLOW);
    if let Some(launch) = &mut lab.launch {
        if takes(&task.row, &launch.program, "--delay") {
            lab.delay = task.delay.unwrap_or_default();
            launch.options.push(format!("--delay={}", lab.delay.as_secs_f64()));
        }
    }
    lab
}

/// Returns what the report calls the server.
fn title(lesson: &str, own: &str, command: &str, address: Option<SocketAddr>) -> String {
    let program = [own, command].concat();
    let server = match address {
        None if program.is_empty() => return lesson.to_owned(),
        None => program,
        Some(address) if program.is_empty() => address.to_string(),
        Some(address) => format!("{program} at {address}"),
    };
    format!("{server}, checked as {lesson}")
}

/// Returns the lesson with this name, or all lessons with a server.
fn rows(lesson: &str) -> Result<Vec<Row>, Failure> {
    let named = |row: &&Row| lesson.is_empty() || row.name == lesson;
    // Without `--make`, the server is not extended.
    let rows: Vec<Row> = SERVERS.iter().filter(named).map(|row| Row { make: "", ..*row }).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let advice = if let Some(special) = SPECIAL.iter().find(|special| special.row.name == lesson) {
        let command = format!("cargo run --example check --features {}", special.feature);
        format!("{lesson} needs a feature: {command} -- {lesson}")
    } else if lesson.starts_with(|c: char| c.is_ascii_digit() || c == '[') || lesson.contains(':') {
        format!("name the lesson before the address, for example: check -- tcp_server {lesson}")
    } else if lesson.starts_with("my_") {
        let command = format!("cargo run --example check -- tcp_server --own {}", bare(lesson));
        format!("{lesson} is not a lesson; name the lesson that it must do, for example: {command}")
    } else if let Some(row) = SERVERS.iter().find(|row| row.name.contains(lesson)) {
        format!("'{lesson}' is not a lesson; do you mean {}?", row.name)
    } else if server::source_path(lesson).is_file() {
        format!("{lesson} is not a server of the workbook; see --list, or use --own {lesson}")
    } else {
        format!("'{lesson}' is not a server of the workbook; see --list")
    };
    Err(advice.into())
}

/// Returns the lesson with this name, and with the extension of its make task.
fn make_row(lesson: &str) -> Result<Row, Failure> {
    rows(lesson)?;
    let has_make_task = SERVERS.iter().filter(|row| !row.make.is_empty());
    if let Some(row) = has_make_task.clone().find(|row| row.name == lesson) {
        return Ok(*row);
    }
    let names: Vec<_> = has_make_task.map(|row| row.name).collect();
    let advice = format!("these lessons have one: {}", names.join(", "));
    Err(format!("{lesson} does not have a make task that check grades; {advice}").into())
}

/// Returns the name of an example without its folder and without `.rs`.
fn bare(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.strip_suffix(".rs").unwrap_or(name)
}

/// Returns an error if the user's program cannot be started in this way.
fn check_program(own: &str, command: &str, address: Option<SocketAddr>) -> Result<(), Failure> {
    if bare(own) != own {
        return Err(format!("--own takes only a name: --own {}", bare(own)).into());
    }
    if !own.is_empty() {
        server::find_own(own)?;
    }
    let has_port = command.contains("{port}") || command.contains("{address}");
    if command.is_empty() || has_port || address.is_some() {
        return Ok(());
    }
    let advice = "write {port} where your program takes its port, or give its fixed IP:PORT";
    Err(format!("the command does not say where your program listens; {advice}").into())
}

/// Returns true for the check of a make task.
fn is_make_check(name: &str) -> bool {
    SERVERS.iter().any(|row| !row.make.is_empty() && row.make == name)
}

fn list() -> String {
    let mut text = String::from("The lessons with a server, and the servers beyond the lecture:\n");
    for Row { lesson, name, kind, design, port, .. } in SERVERS {
        let lesson = if lesson == 0 { "-".to_owned() } else { lesson.to_string() };
        let _ = writeln!(text, "{lesson:>4}  {name:<26}{port}  {kind:?}, {design:?}");
    }
    text += "The checks:\n";
    for check in &CHECKS {
        let suits = |row: &Row| (check.suits)(&Row { make: "", ..*row });
        let note = if is_make_check(check.name) && !SERVERS.iter().any(suits) {
            " (only with --make)"
        } else {
            ""
        };
        let _ = writeln!(text, "      {:<20}{}{note}", check.name, check.does);
    }
    text
}
