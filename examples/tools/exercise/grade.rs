//! Grades a student's program with `check`, or with the tests in the file.

use std::env;
use std::process::{Command, ExitStatus};

use sockets101::{Failure, print_or_exit};

use crate::student::top;
use crate::table::{Grade, Kind, Language};
use crate::task::{PYTHON, Work};

/// The exit status of `check` if it could not grade the program.
const NOT_GRADED: i32 = 2;

/// Grades the program. Returns true if it has passed. What `check` or the tests print is on stdout
/// and stderr.
pub fn grade(work: &Work) -> Result<bool, Failure> {
    let arguments = arguments(work);
    if work.exercise.grade == Grade::Tests {
        // Otherwise, a program that cannot be compiled looks like a test that fails.
        let program = work.exercise.program();
        let builds = run(&["test", "-q", "--example", &program, "--no-run"])?;
        if !builds.success() {
            return Err(not_graded(work));
        }
    }
    print_or_exit(format!("$ {}\n", shown(&arguments)));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let status = run(&arguments)?;
    if status.success() {
        return Ok(true);
    }
    // Without a code, a signal has killed the process, for example Ctrl-C.
    if status.code().is_none() || status.code() == Some(NOT_GRADED) {
        return Err(not_graded(work));
    }
    Ok(false)
}

fn not_graded(work: &Work) -> Failure {
    let file = work.file();
    format!("{file} could not be graded; the lines above say why").into()
}

/// Returns the command that grades the program each time the student saves it. The tests in a
/// file do not have such a command.
pub fn watch(work: &Work) -> Option<String> {
    if work.exercise.grade == Grade::Tests {
        return None;
    }
    Some(shown(&arguments(work)) + " --watch")
}

/// Returns the arguments of the cargo command that grades the program.
fn arguments(work: &Work) -> Vec<String> {
    let exercise = work.exercise;
    let Grade::Check(lesson) = exercise.grade else {
        let program = exercise.program();
        return ["test", "-q", "--example", &program].map(str::to_owned).to_vec();
    };
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
    arguments
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

/// Runs cargo in the folder of the package.
fn run(arguments: &[&str]) -> Result<ExitStatus, Failure> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The tests say what is wrong in a sentence. A backtrace would hide this sentence.
    cargo.args(arguments).current_dir(top()).env("RUST_BACKTRACE", "0");
    let status = cargo.status();
    status.map_err(|err| format!("cannot start cargo: {err}; install it from rustup.rs").into())
}
