//! Grades a student's program with `check`, or with the tests in the file.

use std::env;
use std::process::Command;

use sockets101::{Failure, print_or_exit};

use crate::student::top;
use crate::table::{Grade, Kind, Language};
use crate::task::{PYTHON, Work};
use crate::tests;

/// The exit status of `check` if a check has failed.
const FAILED: i32 = 1;

/// Grades the program, and prints the results. Returns true if it has passed.
pub fn grade(work: &Work) -> Result<bool, Failure> {
    let Some(arguments) = arguments(work) else { return tests::run(work) };
    print_or_exit(format!("$ {}\n", shown(&arguments)));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let status = cargo(&arguments).status();
    let status = status.map_err(|err| format!("cannot start cargo: {err}"))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(FAILED) => Ok(false),
        // `check` or cargo could not do its work, or a signal has killed it, for example Ctrl-C.
        _ => Err(not_graded(work)),
    }
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
    let mut arguments =
        ["run", "-q", "--example", "check", "--", lesson].map(str::to_owned).to_vec();
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
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The tests say what is wrong in a sentence. A backtrace would hide this sentence.
    cargo.args(arguments).current_dir(top()).env("RUST_BACKTRACE", "0");
    cargo
}
