//! Grades a student's program with the tests in its file.

use std::fs;
use std::io::{self, Read};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use sockets101::{Failure, show_waiting};

use crate::grade::{cannot_start, cargo, cargo_path, in_package, not_graded};
use crate::guard::guard;
use crate::task::Work;
use crate::text::{paragraph, print, wrapped};

/// The text that the Rust test harness prints before the name of a test.
const MODULE: &str = "tests::";

/// The longest time for all tests. The tests of the solutions take less than 5 seconds.
const LIMIT: Duration = Duration::from_secs(30);

/// The longest time from the end of the tests to the end of their output.
const STOP: Duration = Duration::from_secs(5);

/// The largest output of the tests that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// The number of characters of a message that are shown.
const SHOWN: usize = 600;

/// The result of one test.
struct Test<'a> {
    name: &'a str,
    /// The word after the name: `ok`, `FAILED` or `ignored`. Empty if the test has no result.
    result: &'static str,
}

/// What the tests have printed, and whether they have ended.
struct Said {
    text: String,
    /// Why a test can be without a result.
    missing: &'static str,
}

/// Runs the tests, and prints the message of each test. Returns true if all have passed.
pub fn run(work: &Work) -> Result<bool, Failure> {
    let program = work.exercise.program();
    let arguments = ["test", "-q", "--example", &program];
    // The messages of the compiler are on stderr.
    let status = cargo(&arguments).arg("--no-run").status();
    if !status.map_err(|err| cannot_start(&err))?.success() {
        return Err(not_graded(work));
    }
    print(&format!("$ cargo {}\n", arguments.join(" ")))?;
    let said = run_tests(&program).map_err(|err| cannot_start(&err))?;
    let start = work.text("start")?;
    let tests = results(&names(&start), &said.text);
    print(&report(&tests, &said))?;
    let own = fs::read_to_string(work.path()).unwrap_or_default();
    let has_changed = !without_spaces(&own).contains(&without_spaces(part_with_tests(&start)));
    if has_changed {
        let file = work.file();
        let start = work.exercise.file("start.rs");
        let what = format!("The tests in {file} differ from those of the exercise.");
        print(&paragraph(format!("{what} Copy the module tests from {start} again.")))?;
    }
    Ok(!has_changed && tests.iter().all(|test| test.result == "ok"))
}

/// Runs the tests in a guard. The guard stops them if they do not end, or if the student stops this
/// program.
fn run_tests(program: &str) -> io::Result<Said> {
    let arguments = ["test", "--example", program].map(str::to_owned);
    let mut command = guard(&cargo_path(), &arguments)?;
    in_package(&mut command);
    // These variables of the user would change what the tests print.
    command.env("RUST_TEST_THREADS", "4").env("CARGO_TERM_QUIET", "false");
    command.env_remove("RUST_TEST_NOCAPTURE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut guard = command.spawn()?;
    let (pipe, stdout) = (guard.stdin.take(), guard.stdout.take());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            let _ = stdout.take(LARGEST).read_to_end(&mut said);
        }
        sender.send(said)
    });
    let in_time = show_waiting("the tests", || receiver.recv_timeout(LIMIT));
    let is_late = in_time.is_err();
    // The guard now stops the tests, if they still run.
    drop(pipe);
    let said = in_time.or_else(|_| receiver.recv_timeout(STOP)).unwrap_or_default();
    let _ = guard.wait();
    let text = String::from_utf8_lossy(&said).into_owned();
    let missing = if is_late {
        "No result after 30 seconds. Does your program have a loop that never ends?"
    } else if said.len() as u64 >= LARGEST {
        "No result, because the tests printed more than 64 MiB. Does your program have a \
         loop that never ends?"
    } else if text.contains("\ntest result: ") {
        "No result. Is this a test in the module tests, and not in a comment?"
    } else {
        "No result, because the program exited. Does it call `exit`, or does a function \
         call itself without an end?"
    };
    Ok(Said { text, missing })
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

/// Returns the module with the tests of a start.
fn part_with_tests(start: &str) -> &str {
    start.find("#[cfg(test)]").map_or("", |index| &start[index..])
}

/// Returns a text without spaces and line ends, because an editor may change these.
fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Returns the results of the tests with these names.
///
/// The harness prints a line for each test while the tests run. The program can write into the
/// middle of this line. After the last test, the harness prints the names of the failed tests and
/// the number of passed tests. The program cannot write into these lines. They are missing if the
/// tests did not end. Then only a line that nothing has changed is a result.
fn results<'a>(names: &[&'a str], said: &str) -> Vec<Test<'a>> {
    let (lines, summary) = said.rsplit_once("\ntest result: ").unwrap_or((said, ""));
    let (_, failures) = lines.rsplit_once("\nfailures:\n").unwrap_or_default();
    let has_failed =
        |name: &str| failures.lines().any(|line| line.trim() == format!("{MODULE}{name}"));
    let failed = names.iter().filter(|name| has_failed(name)).count();
    let passed = summary.split_whitespace().nth(1).map_or(0, |word| word.parse().unwrap_or(0));
    let mut tests = Vec::new();
    for name in names {
        let line = format!("test {MODULE}{name} ... ");
        let rest = lines.split_once(&line).map(|(_, rest)| rest);
        // A test of the student with another name does not count.
        let has_run = lines.contains(&format!("{MODULE}{name}"));
        let result = if has_failed(name) {
            "FAILED"
        } else if rest.is_some_and(|rest| rest.starts_with("ignored")) {
            "ignored"
        } else if summary.is_empty() {
            if rest.is_some_and(|rest| rest.starts_with("ok\n")) { "ok" } else { "" }
        } else if rest.is_some() || has_run && passed + failed >= names.len() {
            "ok"
        } else {
            ""
        };
        tests.push(Test { name, result });
    }
    tests
}

/// Formats the results as `check` does it.
fn report(tests: &[Test], said: &Said) -> String {
    let mut text = String::new();
    let is_ok = |test: &&Test| test.result == "ok";
    let passed: Vec<_> = tests.iter().filter(is_ok).map(|test| test.name).collect();
    if !passed.is_empty() {
        text += &wrapped("passed    ", &passed.join(", "));
    }
    // Tests with the same message share a row.
    let mut failed: Vec<(String, String)> = Vec::new();
    for Test { name, result } in tests {
        let message = match *result {
            "ok" => continue,
            "FAILED" => message(name, &said.text),
            "ignored" => "No result. Remove `#[ignore]`.".to_owned(),
            _ => said.missing.to_owned(),
        };
        match failed.iter_mut().find(|(_, other)| *other == message) {
            Some((names, _)) => names.extend([", ", name]),
            None => failed.push(((*name).to_owned(), message)),
        }
    }
    for (names, message) in failed {
        text += &wrapped("FAILED    ", &format!("{names}: {message}"));
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
    // The first line says where the test panicked. After the message comes a note. A test can
    // catch a panic of the program, so the last message is the one of the test.
    let (_, message) = block.rsplit_once(" panicked at ").unwrap_or(("", block));
    let (_, message) = message.split_once('\n').unwrap_or(("", message));
    let message = message.split("\nnote: ").next().unwrap_or_default();
    let shown: String = message.chars().take(SHOWN).collect();
    let dots = if shown.len() < message.len() { " ..." } else { "" };
    shown.split_whitespace().collect::<Vec<_>>().join(" ") + dots
}
