//! The steps of each path: they build, they follow each other, and each shows what the table
//! `examples/tools/live/script.rs` says.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use sockets101_book::failure::Failure;
use sockets101_book::lessons::SERVERS;
use sockets101_book::script::{By, ONLY_SHORT, PATHS, Path, Step};
use sockets101_book::steps::{Scratch, file, name, source, sources};
use sockets101_book::{compare, read, top};

#[allow(dead_code)] // Each test uses a part of it.
mod programs;

use programs::{ONE_CLIENT, Program, build_tools, compare_all, skipped, text};

/// The largest width of a line.
const COLUMNS: usize = 60;

/// The largest number of new lines in a step that is not marked as catch-up.
const TYPED: usize = 15;

/// Waits until no other test of this file runs programs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The package with all steps. Each is built without a network and without a warning.
fn scratch() -> &'static Scratch {
    static BUILT: OnceLock<Scratch> = OnceLock::new();
    BUILT.get_or_init(|| {
        let sources = sources().unwrap();
        Scratch::build("steps", &sources).unwrap_or_else(|err| panic!("{err}"))
    })
}

/// Each step builds without a network and without a warning, with the Rust that runs this test.
#[test]
fn every_step_builds() {
    let _alone = alone();
    for path in PATHS {
        for number in 1..path.steps.len() {
            assert!(scratch().program(&name(path.lesson, number)).is_file());
        }
    }
}

/// Returns the path of a lesson.
fn path_of(lesson: &str) -> &'static Path {
    PATHS.into_iter().find(|path| path.lesson == lesson).unwrap()
}

/// Makes all checks with all stored steps of a path, and compares with the table.
fn compare_path(lesson: &str) {
    if !cfg!(target_os = "linux") {
        skipped(
            "which checks the steps fail: the table shows what happens on Linux",
        );
        return;
    }
    let _alone = alone();
    build_tools();
    let path = path_of(lesson);
    let row = SERVERS.into_iter().find(|row| row.name == lesson).unwrap();
    let mut programs = Vec::new();
    for (index, step) in path.steps.iter().enumerate() {
        let number = index + 1;
        if number < path.steps.len() {
            let program = scratch().program(&name(lesson, number));
            programs.push(Program::new(
                format!("step {number} of {lesson}"),
                row,
                vec![program.to_str().unwrap().to_owned()],
                step.fails,
            ));
        }
    }
    compare_all(programs);
}

#[test]
fn udp_server() {
    compare_path("udp_server");
}

#[test]
fn tcp_server() {
    compare_path("tcp_server");
}

#[test]
fn recvall_server() {
    compare_path("recvall_server");
}

#[test]
fn sequential_server() {
    compare_path("sequential_server");
}

#[test]
fn poll_server() {
    compare_path("poll_server");
}

#[test]
fn thread_per_client() {
    compare_path("thread_per_client");
}

#[test]
fn thread_pool() {
    compare_path("thread_pool");
}

/// Returns the names of the checks.
fn names(failures: &[Failure]) -> BTreeSet<&'static str> {
    failures.iter().map(|failure| failure.check).collect()
}

/// Does something with each step and the step before it.
fn for_each_step(mut action: impl FnMut(&Path, usize, &Step, Option<&Step>)) {
    for path in PATHS {
        let mut before = None;
        for (index, step) in path.steps.iter().enumerate() {
            action(path, index + 1, step, before);
            before = Some(step);
        }
    }
}

#[test]
fn what_has_passed_stays_passed() {
    for_each_step(|path, number, step, before| {
        let Some(before) = before else { return };
        if names(before.fails).contains(ONE_CLIENT) {
            return; // `check` did not make most of the checks.
        }
        let new = &names(step.fails) - &names(before.fails);
        let brings: BTreeSet<_> = step.brings.iter().copied().collect();
        assert_eq!(new, brings, "step {number} of {}", path.lesson);
    });
    for path in PATHS {
        let last = path.steps.last().unwrap();
        assert!(
            last.fails.is_empty(),
            "{}: the lesson passes all checks",
            path.lesson
        );
    }
}

#[test]
fn the_files_are_those_of_the_table() {
    for path in PATHS {
        let mut expected = BTreeSet::new();
        for number in 1..path.steps.len() {
            expected.insert(format!("{number}.rs"));
        }
        let folder = top().join("examples/steps").join(path.lesson);
        let found = fs::read_dir(folder).unwrap().flatten();
        let found = found.map(|entry| entry.file_name().into_string().unwrap());
        assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{}", path.lesson);
        if let Some((lesson, number)) = path.from {
            assert!((1..path_of(lesson).steps.len()).contains(&number));
        }
    }
}

#[test]
fn a_step_is_short_and_narrow() {
    let mut wrong = String::new();
    for_each_step(|path, number, step, _| {
        let title = format!("step {number} of {}", path.lesson);
        let text = source(path, number).unwrap();
        if number < path.steps.len() {
            for line in text.lines() {
                assert!(line.chars().count() <= COLUMNS, "{title}: {line}");
            }
        }
        let new = compare::new_lines(&source(path, number - 1).unwrap(), &text);
        let count = new.iter().filter(|is_new| **is_new).count();
        assert!(count > 0, "{title} changes nothing");
        if step.by != By::CatchUp {
            assert!(count <= TYPED, "{title}: {count} new lines");
        }
        // An edit of one step, without the same edit of the next step, changes this number.
        if count != step.lines {
            let _ = writeln!(
                wrong,
                "{title}: {count} new lines instead of {}",
                step.lines
            );
        }
    });
    assert!(wrong.is_empty(), "does a step not follow the step before it?\n{wrong}");
}

#[test]
fn rustfmt_changes_nothing() {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.arg("--check");
    for path in PATHS {
        for number in 1..path.steps.len() {
            rustfmt.arg(top().join(file(path, number)));
        }
    }
    for (lesson, _) in ONLY_SHORT {
        rustfmt.arg(top().join(format!("examples/steps/{lesson}/1.rs")));
    }
    match rustfmt.output() {
        Ok(output) => assert!(output.status.success(), "{}", text(&output.stdout)),
        Err(err) => skipped(&format!("the format of the steps: rustfmt: {err}")),
    }
}

/// Returns the check that a command makes alone.
fn only(command: &str) -> Option<&str> {
    command.split_once(" --only ").map(|(_, check)| check)
}

/// The check of a problem fails in this step, and passes in the next step. The checks that the
/// class makes pass.
#[test]
fn the_commands_show_what_the_table_says() {
    for_each_step(|path, number, step, before| {
        let title = format!("step {number} of {}", path.lesson);
        let own = format!("--own my_{}", path.lesson);
        let fails = names(step.fails);
        for command in step.run.iter().chain([&step.problem_command]) {
            assert!(
                !command.contains("--own ") || command.contains(&own),
                "{title}"
            );
        }
        for command in step.run {
            assert!(
                only(command).is_none_or(|check| !fails.contains(check)),
                "{title}"
            );
        }
        if let Some(check) = only(step.problem_command) {
            assert!(fails.contains(check), "{title}: {check} passes");
        }
        if let Some(check) = before.and_then(|before| only(before.problem_command)) {
            let before = before.map_or(&[][..], |before| before.fails);
            let is_same = |now: &Failure| {
                let same =
                    |old: &Failure| old.check == check && old.reasons == now.reasons;
                now.check == check && before.iter().any(same)
            };
            assert!(!step.fails.iter().any(is_same), "{title}: {check} still fails");
        }
        let is_last = number == path.steps.len();
        assert_eq!(step.problem.is_empty(), is_last, "{title}");
        // The name of the act is the last word of the command.
        let rude = read("examples/tools/rude.rs").unwrap();
        for command in step.run.iter().chain([&step.problem_command]) {
            if let Some((_, act)) = command.split_once(" --example rude -- ") {
                let act = act.rsplit(' ').next().unwrap();
                assert!(
                    rude.contains(&format!("Act {{ name: \"{act}\"")),
                    "{title}: {act}"
                );
            }
        }
        // What the class looks for with a command of the operating system is measured.
        assert!(step.look.is_none() || step.symptom.is_some(), "{title}");
    });
}
