//! Grades a student's program with the tests in its file.

use std::fs;
use std::process::Stdio;

use sockets101::{Failure, print_or_exit};

use crate::grade::{cargo, not_graded};
use crate::task::Work;
use crate::text::{paragraph, wrapped};

/// The text that the Rust test harness prints before the name of a test.
const MODULE: &str = "tests::";

/// The result of one test.
struct Test<'a> {
    name: &'a str,
    /// The word after the name: `ok`, `FAILED` or `ignored`. Empty if the test did not run.
    result: String,
}

/// Runs the tests, and prints the message of each test. Returns true if all have passed.
pub fn run(work: &Work) -> Result<bool, Failure> {
    let program = work.exercise.program();
    let arguments = ["test", "-q", "--example", &program];
    // The messages of the compiler are on stderr.
    let status = cargo(&arguments).arg("--no-run").status();
    if !status.is_ok_and(|status| status.success()) {
        return Err(not_graded(work));
    }
    print_or_exit(format!("$ cargo {}\n", arguments.join(" ")));
    let output = cargo(&["test", "--example", &program]).stderr(Stdio::null()).output();
    let output = output.map_err(|err| format!("cannot start cargo: {err}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let start = work.text("start")?;
    let mut tests = Vec::new();
    for name in names(&start) {
        let line = format!("test {MODULE}{name} ... ");
        let result = said.lines().find_map(|said| said.strip_prefix(&line));
        tests.push(Test { name, result: result.unwrap_or_default().to_owned() });
    }
    print_or_exit(report(&tests, &said));
    let own = fs::read_to_string(work.path()).unwrap_or_default();
    let has_changed = part_with_tests(&own) != part_with_tests(&start);
    if has_changed {
        let file = work.file();
        let start = work.exercise.file("start.rs");
        let what = format!("The tests in {file} differ from those of the exercise.");
        print_or_exit(paragraph(format!("{what} Copy the module tests from {start} again.")));
    }
    Ok(!has_changed && tests.iter().all(|test| test.result == "ok"))
}

/// Returns the names of the tests in a program.
fn names(program: &str) -> Vec<&str> {
    let functions = program.split("#[test]").skip(1);
    let names = functions.filter_map(|text| {
        let (_, rest) = text.split_once("fn ")?;
        rest.split('(').next()
    });
    names.collect()
}

/// Returns the module with the tests, without spaces and line ends, because an editor may change
/// these.
fn part_with_tests(program: &str) -> String {
    let (_, tests) = program.split_once("#[cfg(test)]").unwrap_or_default();
    tests.split_whitespace().collect()
}

/// Formats the results as `check` does it.
fn report(tests: &[Test], said: &str) -> String {
    let mut text = String::new();
    let is_ok = |test: &&Test| test.result == "ok";
    let passed: Vec<_> = tests.iter().filter(is_ok).map(|test| test.name).collect();
    if !passed.is_empty() {
        text += &wrapped("passed    ", &passed.join(", "));
    }
    for Test { name, result, .. } in tests {
        text += &match &**result {
            "ok" => continue,
            "FAILED" => wrapped("FAILED    ", &format!("{name}: {}", message(name, said))),
            _ => wrapped("FAILED    ", &format!("{name}: This test did not run.")),
        };
    }
    let count = passed.len();
    text + &format!("{count} of {} tests passed\n", tests.len())
}

/// Returns the message with which a test has failed.
fn message(name: &str, said: &str) -> String {
    let heading = format!("---- {MODULE}{name} stdout ----\n");
    let (_, rest) = said.split_once(&heading).unwrap_or_default();
    let block = rest.split("\n---- ").next().unwrap_or_default();
    let block = block.split("\nfailures:\n").next().unwrap_or_default();
    // The first line says where the test panicked. After the message comes a note.
    let (_, message) = block.split_once(" panicked at ").unwrap_or(("", block));
    let (_, message) = message.split_once('\n').unwrap_or(("", message));
    let message = message.split("\nnote: ").next().unwrap_or_default();
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
