//! The exercises are complete, and each start and each solution does what the table
//! `examples/tools/exercise/table.rs` says.
//!
//! With `EXERCISE="10 make"`, the tests run only the programs of this exercise.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use similar::{ChangeTag, TextDiff};

use sockets101_book::exercises::{PROGRAMS, binary, sources};
use sockets101_book::failure::Failure;
use sockets101_book::lessons::SERVERS;
use sockets101_book::steps::Scratch;
use sockets101_book::table::{EXERCISES, Exercise, Grade, Kind, Language};
use sockets101_book::{read, top};

#[allow(dead_code)] // Each test uses a part of it.
mod programs;

use programs::{Program, build_tools, compare_all, has_python, skipped, text};

/// The largest number of lines of the start that a solution changes, adds or removes.
const LINES: usize = 20;

/// The largest number of lines of a task. A terminal has 24 lines, and it also shows the
/// commands.
const TASK_LINES: usize = 15;

/// The largest number of lines of a hint, without its code.
const HINT_LINES: usize = 12;

/// The largest number of columns in a line of Python.
const COLUMNS: usize = 79;

/// Returns the exercises that the tests run.
fn selected() -> Vec<&'static Exercise> {
    let only = env::var("EXERCISE").unwrap_or_default();
    let is_selected =
        |exercise: &&Exercise| only.is_empty() || exercise.arguments() == only;
    let selected: Vec<_> = EXERCISES.iter().filter(is_selected).collect();
    assert!(!selected.is_empty(), "EXERCISE={only} is not an exercise");
    selected
}

/// Returns the package with all programs in Rust. Builds the package without a network and
/// without a warning.
fn scratch() -> &'static Scratch {
    static BUILT: OnceLock<Scratch> = OnceLock::new();
    BUILT.get_or_init(|| {
        // This also downloads the crates of the features, if they are missing.
        build_tools();
        let sources = sources().unwrap();
        Scratch::build("exercises", &sources).unwrap_or_else(|err| panic!("{err}"))
    })
}

/// Each program builds without a network and without a warning, with the Rust that runs this test.
#[test]
fn every_program_builds() {
    for exercise in selected() {
        for program in PROGRAMS {
            let path = scratch().program(&binary(exercise, program));
            assert!(path.is_file(), "{}", path.display());
        }
    }
}

/// Returns the checks or the tests that a program of an exercise fails.
fn fails(exercise: &Exercise, program: &str) -> &'static [Failure] {
    if program == "solution" { &[] } else { exercise.fails }
}

/// Returns the title of a program of an exercise.
fn title(exercise: &Exercise, language: Language, program: &str) -> String {
    let (arguments, language) = (exercise.arguments(), language.name());
    format!("exercise {arguments}, {language}, {program}")
}

/// Returns the programs of an exercise that `check` grades as this lesson.
fn programs_of(exercise: &Exercise, lesson: &str, has_python: bool) -> Vec<Program> {
    let special = exercise.special().map(|special| special.row);
    let mut servers = SERVERS.into_iter().chain(special);
    let row = servers.find(|row| row.name == lesson).unwrap();
    let mut programs = Vec::new();
    for language in exercise.languages() {
        if *language == Language::Python && !has_python {
            continue;
        }
        for program in PROGRAMS {
            let file = exercise.file(&format!("{program}.{}", language.ending()));
            let path = top().join(file).to_str().unwrap().to_owned();
            let rust = scratch().program(&binary(exercise, program));
            let command = match language {
                Language::Rust => vec![rust.to_str().unwrap().to_owned()],
                Language::Python => vec!["python3".to_owned(), path],
            };
            programs.push(Program {
                title: title(exercise, *language, program),
                row,
                command,
                arguments: "{address} {options}",
                options: if exercise.kind == Kind::Make { &["--make"] } else { &[] },
                fails: fails(exercise, program),
            });
        }
    }
    programs
}

/// Each start fails exactly the checks in the table, and each solution passes all checks.
#[test]
fn check_finds_what_the_table_says() {
    if !cfg!(target_os = "linux") {
        skipped("what the exercises fail: the table shows what happens on Linux");
        return;
    }
    build_tools();
    let has_python = has_python("the exercises in Python");
    let mut programs = Vec::new();
    for exercise in selected() {
        if let Grade::Check(lesson) = exercise.grade {
            programs.extend(programs_of(exercise, lesson, has_python));
        }
    }
    compare_all(programs);
}

/// Each start fails exactly the tests in the table, and each solution passes all tests.
#[test]
fn the_tests_find_what_the_table_says() {
    let mut wrong = String::new();
    for exercise in selected() {
        if exercise.grade != Grade::Tests {
            continue;
        }
        for program in PROGRAMS {
            let said = scratch().test(&binary(exercise, program)).unwrap();
            let mut found = BTreeSet::new();
            for line in said.lines() {
                let failed = line
                    .strip_prefix("---- tests::")
                    .and_then(|line| line.strip_suffix(" stdout ----"));
                found.extend(failed);
            }
            let fails = fails(exercise, program);
            let expected: BTreeSet<_> =
                fails.iter().map(|test| test.check).collect();
            let end = if expected.is_empty() { "ok" } else { "FAILED" };
            let has_run = said.contains(&format!("test result: {end}. "));
            let title = title(exercise, Language::Rust, program);
            if has_run && found == expected {
                println!("as in the table: {title}");
            } else {
                let _ = writeln!(wrong, "{title}: expected {expected:?}");
                let _ = writeln!(wrong, "found {found:?}\n{said}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns the names of the files that an exercise must have.
fn expected_files(exercise: &Exercise) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["task.md".to_owned(), "hints.md".to_owned()]);
    for language in exercise.languages() {
        for program in PROGRAMS {
            names.insert(format!("{program}.{}", language.ending()));
        }
    }
    names
}

#[test]
fn each_exercise_has_its_files() {
    let mut wrong = String::new();
    for exercise in selected() {
        let mut found = BTreeSet::new();
        let folder = top().join(exercise.file(""));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if name != "make" {
                found.insert(name);
            }
        }
        let expected = expected_files(exercise);
        if found != expected {
            let arguments = exercise.arguments();
            let _ = writeln!(
                wrong,
                "exercise {arguments}: {found:?} instead of {expected:?}"
            );
        }
        if exercise.fails.is_empty() {
            let _ = writeln!(
                wrong,
                "exercise {}: the start fails nothing",
                exercise.arguments()
            );
        }
    }
    for entry in fs::read_dir(top().join("examples/exercises")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let mut exercises = EXERCISES.iter();
        if !exercises.any(|exercise| exercise.lesson.to_string() == name) {
            let _ = writeln!(wrong, "{name} is not an exercise");
        }
    }
    for lesson in 1..=18 {
        let is_repair = |exercise: &&Exercise| {
            exercise.lesson == lesson && exercise.kind == Kind::Repair
        };
        assert_eq!(EXERCISES.iter().filter(is_repair).count(), 1, "lesson {lesson}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns the lines of the start that the solution does not have, and the new lines of the
/// solution.
fn changed(start: &str, solution: &str) -> (Vec<String>, Vec<String>) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    let diff = TextDiff::from_lines(start, solution);
    for change in diff.iter_all_changes() {
        let line = change.value().to_owned();
        match change.tag() {
            ChangeTag::Delete => old.push(line),
            ChangeTag::Insert => new.push(line),
            ChangeTag::Equal => {}
        }
    }
    (old, new)
}

#[test]
fn a_solution_is_a_small_change() {
    for exercise in selected() {
        for language in exercise.languages() {
            let ending = language.ending();
            let [start, solution] = PROGRAMS.map(|program| {
                read(&exercise.file(&format!("{program}.{ending}"))).unwrap()
            });
            let (old, new) = changed(&start, &solution);
            let title = title(exercise, *language, "solution");
            let count = old.len().max(new.len());
            assert!((1..=LINES).contains(&count), "{title}: {count} lines");
            if *language == Language::Python {
                for line in start.lines().chain(solution.lines()) {
                    assert!(line.chars().count() <= COLUMNS, "{title}: {line}");
                }
            }
        }
    }
}

/// Returns the names in a program: words of letters, digits and `_`.
fn names(program: &str) -> BTreeSet<&str> {
    let words = program.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| word.len() > 3).collect()
}

/// Returns the text between backquotes and in blocks of code.
fn code(text: &str) -> String {
    text.split('`').skip(1).step_by(2).collect::<Vec<_>>().join("\n")
}

/// The task and the first hint do not have a name that only the solution has. In English text, only
/// names with `_` count.
#[test]
fn a_task_gives_nothing_away() {
    let mut wrong = String::new();
    for exercise in selected() {
        let task = read(&exercise.file("task.md")).unwrap();
        let hints = read(&exercise.file("hints.md")).unwrap();
        let question = hints.split("\n## ").next().unwrap();
        for language in exercise.languages() {
            let ending = language.ending();
            let [start, solution] = PROGRAMS.map(|program| {
                read(&exercise.file(&format!("{program}.{ending}"))).unwrap()
            });
            let (_, new) = changed(&start, &solution);
            let new = new.concat();
            let is_new = &names(&new) - &names(&start);
            for (place, text) in [("task.md", &*task), ("the question", question)] {
                let code = code(text);
                // A name with `_` is not a word of English.
                let mut shown = names(text);
                shown.retain(|name| name.contains('_'));
                shown.extend(names(&code));
                for name in is_new.intersection(&shown) {
                    let file = exercise.file(place);
                    let _ = writeln!(wrong, "{file} has `{name}` of the solution");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_task_and_its_hints_have_their_form() {
    let mut wrong = String::new();
    for exercise in selected() {
        let task = read(&exercise.file("task.md")).unwrap();
        let arguments = exercise.arguments();
        let title = task.lines().next().unwrap();
        if !title.starts_with("# ") || title.len() > 50 || title.ends_with('.') {
            let _ = writeln!(wrong, "task {arguments}: {title}");
        }
        let lines = rendered_lines(&task);
        if lines > TASK_LINES {
            let _ = writeln!(wrong, "task {arguments}: {lines} lines");
        }
        let hints = read(&exercise.file("hints.md")).unwrap();
        let mut headings = vec!["Question", "Cause", "Lines (Rust)"];
        if exercise.is_in_python {
            headings.push("Lines (Python)");
        }
        let mut found = Vec::new();
        for hint in hints.strip_prefix("## ").unwrap_or_default().split("\n## ") {
            let (heading, text) = hint.split_once('\n').unwrap_or((hint, ""));
            found.push(heading);
            let has_code = text.contains("\n```");
            let needs_code = heading.starts_with("Lines");
            let lines = rendered_lines(&without_code(text));
            if lines == 0 && !needs_code
                || lines > HINT_LINES
                || has_code != needs_code
            {
                let _ =
                    writeln!(wrong, "hints {arguments}, {heading}: {lines} lines");
            }
            if heading == "Question" && !text.contains('?') {
                let _ = writeln!(
                    wrong,
                    "hints {arguments}: the question does not have a `?`"
                );
            }
        }
        if found != headings {
            let _ = writeln!(wrong, "hints {arguments}: {found:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns the names in the code of the hint with this title. Comments and texts do not count.
fn names_in_hint(hints: &str, title: &str) -> BTreeSet<String> {
    let (_, hint) = hints.split_once(title).unwrap_or_default();
    let hint = hint.split("\n## ").next().unwrap();
    let mut found = BTreeSet::new();
    for block in hint.split("```").skip(1).step_by(2) {
        for line in block.lines().skip(1) {
            let line = line.split("//").next().unwrap();
            let line = line.split("# ").next().unwrap();
            let parts: Vec<_> = line.split('"').step_by(2).collect();
            let code = parts.join(" ");
            let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    found
}

/// Returns what is wrong with a command of a task.
fn mistake(command: &str, exercise: &Exercise, start: &str) -> Option<String> {
    let words: Vec<_> = command.split_whitespace().collect();
    if let ["cargo", "run", "--example", name, ..] = words[..] {
        let manifest = read("Cargo.toml").unwrap();
        let is_listed = manifest.contains(&format!("name = \"{name}\"\n"));
        let is_lesson = top().join(format!("examples/{name}.rs")).is_file();
        if name != exercise.program() && !is_listed && !is_lesson {
            return Some(format!("{name} is not an example"));
        }
    } else if words[0] != "python3" {
        return Some("it does not start with cargo run --example or python3".into());
    }
    let numbers = words.iter().filter_map(|word| word.parse::<u16>().ok());
    let mut ports = numbers.filter(|number| *number > 1023);
    let is_other = |port: &u16| !start.contains(&format!(" u16 = {port};"));
    ports.find(is_other).map(|port| format!("{port} is not the port of the start"))
}

/// A task, its hints and the table belong to the programs of the exercise.
#[test]
fn a_task_and_its_hints_belong_to_the_programs() {
    let mut wrong = String::new();
    for exercise in selected() {
        let mut note = |what: String| {
            let _ = writeln!(wrong, "exercise {}: {what}", exercise.arguments());
        };
        let [task, hints] =
            ["task.md", "hints.md"].map(|name| read(&exercise.file(name)).unwrap());
        for text in [&task, &hints] {
            let prose = without_code(text);
            if text.matches("```").count() % 2 + prose.matches('`').count() % 2 > 0 {
                note("a backquote is missing".into());
            }
        }
        if task.lines().skip(1).all(str::is_empty) {
            note("the task is only a title".into());
        }
        for language in exercise.languages() {
            let ending = language.ending();
            let [start, solution] = PROGRAMS.map(|program| {
                read(&exercise.file(&format!("{program}.{ending}"))).unwrap()
            });
            let title = format!("## Lines ({})\n", language.name());
            for name in names_in_hint(&hints, &title) {
                let mut words =
                    solution.split(|c: char| !c.is_alphanumeric() && c != '_');
                if !words.any(|word| word == name) {
                    note(format!(
                        "solution.{ending} does not have `{name}` of the hint"
                    ));
                }
            }
            let options = exercise.options.split_whitespace();
            for option in options.filter(|option| option.starts_with("--")) {
                if !start.contains(option) {
                    note(format!("start.{ending} does not take {option}"));
                }
            }
            if *language == Language::Rust {
                let usage = format!("Args::new(\"{}", exercise.program());
                if !start.contains(&usage) || !solution.contains(&usage) {
                    note(format!("a program does not have {usage}"));
                }
                for command in
                    task.lines().filter_map(|line| line.strip_prefix("$ "))
                {
                    if let Some(mistake) = mistake(command, exercise, &start) {
                        note(format!("{command}: {mistake}"));
                    }
                }
            }
            if exercise.grade == Grade::Tests {
                let tests = [&start, &solution]
                    .map(|program| program.split_once("#[cfg(test)]"));
                if tests[0].unwrap().1 != tests[1].unwrap().1 {
                    note("the solution has other tests than the start".into());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Returns the text without its blocks of code.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// Returns the number of lines of a text on a terminal.
fn rendered_lines(text: &str) -> usize {
    let mut lines = 0;
    for paragraph in text.split("\n\n") {
        let paragraph = paragraph.trim();
        if paragraph.contains("```") || paragraph.is_empty() {
            lines +=
                paragraph.lines().filter(|line| !line.starts_with("```")).count();
        } else {
            lines += paragraph.replace('\n', " ").chars().count() / 76 + 1;
        }
    }
    lines
}

/// A student's `cargo build` and `cargo test` do not build the exercises.
#[test]
fn the_exercises_are_not_examples_of_the_package() {
    let manifest = read("Cargo.toml").unwrap();
    assert!(manifest.contains("examples/tools/exercise/main.rs"));
    assert!(!manifest.contains("examples/exercises"));
}

#[test]
fn rustfmt_changes_nothing() {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--edition", "2024"]);
    for exercise in selected() {
        for program in PROGRAMS {
            rustfmt.arg(top().join(exercise.file(&format!("{program}.rs"))));
        }
    }
    match rustfmt.output() {
        Ok(output) => assert!(output.status.success(), "{}", text(&output.stdout)),
        Err(err) => skipped(&format!("the format of the exercises: rustfmt: {err}")),
    }
}
