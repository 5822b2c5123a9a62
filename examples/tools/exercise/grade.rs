//! Grades a student's program with `check`, or with the tests in the file.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use sockets101::Failure;

use crate::lessons::ALL_CHECKS;
use crate::student::top;
use crate::table::{Grade, Kind, Language};
use crate::task::{PYTHON, Work};
use crate::tests;
use crate::text::print;

/// The options with which `check` starts a program.
const OPTIONS: [&str; 5] = ["--timeout", "--limit", "--clients", "--delay", "--grace"];

/// Grades the program, and prints the results. Returns true if it has passed.
pub fn grade(work: &Work) -> Result<bool, Failure> {
    if work.language == Language::Rust {
        // An error does not matter, because the time is almost always right.
        let _ = renew_time(&work.path());
    }
    let Some(arguments) = arguments(work) else { return tests::run(work) };
    require_options(work)?;
    print(&format!("$ {}\n", shown(&arguments)))?;
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut check = cargo(&arguments);
    // A slow program, for example, would pass without the checks that take too long.
    check.env(ALL_CHECKS, "1");
    let status = check.status().map_err(|err| cannot_start(&err))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        // A signal has killed `check`.
        None => {
            let file = work.file();
            Err(format!("{file} could not be graded, because check was stopped; try again").into())
        }
        // `check` could not grade the program (2), or cargo could not start `check` (101).
        _ => Err(not_graded(work)),
    }
}

/// Gives a file the present time if it is a copy that has the time of an older file.
///
/// Cargo compares only the times. It would take the program that it has built from the file before
/// for the program of this file.
fn renew_time(path: &Path) -> io::Result<()> {
    let data = fs::metadata(path)?;
    if came_here(&data)? > data.modified()? + Duration::from_secs(1) {
        // On Windows, only a file that is open for writing can get another time.
        let file = File::options().read(true).write(cfg!(windows)).open(path)?;
        file.set_modified(SystemTime::now())?;
    }
    Ok(())
}

/// Returns the time at which a file got its content or its name.
#[cfg(unix)]
fn came_here(data: &Metadata) -> io::Result<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(data.ctime().try_into().unwrap_or_default()))
}

/// Returns the time at which a file was made.
#[cfg(windows)]
fn came_here(data: &Metadata) -> io::Result<SystemTime> {
    data.created()
}

/// Returns an error if the program does not take an option of the start. `check` would skip the
/// checks that need this option, and the program could pass without them.
fn require_options(work: &Work) -> Result<(), Failure> {
    // `check` gives each option to a program in Python.
    if work.language == Language::Python {
        return Ok(());
    }
    let start = work.text("start")?;
    let student = work.student()?;
    let own = String::from_utf8_lossy(student.bytes.as_deref().unwrap_or_default());
    for option in OPTIONS {
        if start.contains(option) && !own.contains(option) {
            let what = format!("{} does not take the option {option}", work.file());
            let place = work.exercise.file("start.rs");
            return Err(format!("{what}, so check cannot grade it; take it as {place} does").into());
        }
    }
    Ok(())
}

/// Returns an error, which says that the program does not have a result.
pub fn not_graded(work: &Work) -> Failure {
    let file = work.file();
    format!("{file} could not be graded; the lines above say why").into()
}

/// Returns the command that grades the program each time the student saves it. Returns `None` if
/// the tests in the file grade the program.
pub fn watch(work: &Work) -> Option<String> {
    arguments(work).map(|arguments| shown(&arguments) + " --watch")
}

/// Returns the arguments of cargo that grade the program with `check`. Returns `None` if the tests
/// in the file grade the program.
fn arguments(work: &Work) -> Option<Vec<String>> {
    let exercise = work.exercise;
    let Grade::Check(lesson) = exercise.grade else { return None };
    let command = format!("run -q {}--example check -- {lesson}", exercise.features());
    let mut arguments: Vec<_> = command.split(' ').map(str::to_owned).collect();
    if exercise.kind == Kind::Make {
        arguments.push("--make".to_owned());
    }
    match work.language {
        Language::Rust => arguments.extend(["--own".to_owned(), exercise.program()]),
        Language::Python => {
            let command = format!("{PYTHON} {} {{address}} {{options}}", work.file());
            arguments.extend(["--run".to_owned(), command]);
        }
    }
    Some(arguments)
}

/// Returns a cargo command as a user types it.
fn shown(arguments: &[String]) -> String {
    let mut text = String::from("cargo");
    for argument in arguments {
        let quote = if argument.contains(' ') { "\"" } else { "" };
        text = text + " " + quote + argument + quote;
    }
    text
}

/// Returns a cargo command in the folder of the package.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(cargo_path());
    cargo.args(arguments);
    in_package(&mut cargo);
    cargo
}

/// Returns the path of cargo. Cargo says where it is when it runs this program.
pub fn cargo_path() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Lets a command run in the folder of the package.
pub fn in_package(command: &mut Command) {
    // The tests say what is wrong in a sentence. A backtrace would hide this sentence.
    command.current_dir(top()).env("RUST_BACKTRACE", "0");
}

/// Says that cargo does not start.
pub fn cannot_start(err: &io::Error) -> String {
    format!("cannot start cargo: {err}; use the command cargo run to start exercise")
}
