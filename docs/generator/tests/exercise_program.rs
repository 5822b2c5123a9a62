//! The program `exercise`, as a student uses it.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use sockets101_book::steps::{cargo, example};
use sockets101_book::table::{EXERCISES, Exercise, Grade, Kind};
use sockets101_book::top;

#[allow(dead_code)] // Each test uses a part of it.
mod programs;

use programs::{has_python, text};

/// The size of a terminal, without the line of the cursor.
const ROWS: usize = 23;
const COLUMNS: usize = 80;

/// Builds `exercise`.
fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = cargo();
        build.args(["build", "--quiet", "--locked", "--example", "exercise"]);
        let output = build.current_dir(top()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    });
}

/// A copy of the workbook. Tests must not touch a student's own files.
struct Workbook(PathBuf);

impl Workbook {
    /// Copies only what `exercise` reads.
    fn new(name: &str) -> Self {
        build();
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("exercise").join(name);
        let _ = fs::remove_dir_all(&folder);
        copy(&top().join("examples/exercises"), &folder.join("examples/exercises"));
        Self(folder)
    }

    /// Copies all files that cargo needs to build the workbook.
    fn whole(name: &str) -> Self {
        let workbook = Self::new(name);
        for part in ["src", "examples", "tests", "docs/generator", "Cargo.toml"] {
            copy(&top().join(part), &workbook.0.join(part));
        }
        copy(&top().join("Cargo.lock"), &workbook.0.join("Cargo.lock"));
        copy(&top().join("README.md"), &workbook.0.join("README.md"));
        workbook
    }

    fn run(&self, arguments: &str) -> Output {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exercise_target");
        let mut exercise = Command::new(example("exercise"));
        exercise
            .env("CARGO_MANIFEST_DIR", &self.0)
            // The copy must not write over the examples of this workbook.
            .env("CARGO_TARGET_DIR", target)
            .args(arguments.split_whitespace());
        exercise.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs `exercise`, which must exit with this status. Returns what it prints on stdout.
    #[track_caller]
    fn said(&self, arguments: &str, status: i32) -> String {
        let output = self.run(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments}: {stdout}{stderr}"
        );
        stdout.replace("\r\n", "\n")
    }

    /// Runs `exercise`, which must refuse its arguments. Returns the sentence on stderr.
    #[track_caller]
    fn refused(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{arguments}");
        stderr.lines().next().unwrap_or_default().to_owned()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }

    fn write(&self, file: &str, content: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes the file in which `exercise` remembers that a program has passed.
    fn pass(&self, exercise: &Exercise) {
        let file = format!("examples/my_kept/{}.rs.txt", exercise.program());
        self.write(&file, "hints 0\npassed\n");
    }
}

/// Copies a file or a folder, without a student's own files.
fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.starts_with("my_") {
            copy(&entry.path(), &to.join(name));
        }
    }
}

/// The text fits on a terminal. Only a command or a line of code may be longer than a row.
#[track_caller]
fn fits(said: &str) {
    let mut rows = 0;
    for line in said.lines() {
        let length = line.chars().count();
        assert!(length < COLUMNS || line.starts_with("  "), "{line}");
        rows += length.div_ceil(COLUMNS).max(1);
    }
    assert!(rows <= ROWS, "{rows} rows:\n{said}");
}

#[test]
fn each_exercise_can_be_set_up_and_fits_on_a_terminal() {
    let workbook = Workbook::new("set_up");
    fits(&workbook.said("", 0));
    for exercise in &EXERCISES {
        for language in exercise.languages() {
            let ending = language.ending();
            let python = if ending == "py" { " --python" } else { "" };
            let arguments = exercise.arguments() + python;
            let said = workbook.said(&arguments, 0);
            fits(&said);
            let own = format!("examples/{}.{ending}", exercise.program());
            let start = workbook.read(&exercise.file(&format!("start.{ending}")));
            assert!(!start.is_empty());
            assert_eq!(workbook.read(&own), start, "{own}");
            let task = workbook.read(&exercise.file("task.md"));
            let title = task.lines().next().unwrap().replace("# ", "");
            assert!(said.starts_with(&format!(
                "Exercise {}: {title}\n",
                exercise.arguments()
            )));
            assert!(said.contains(&format!("exercise -- {arguments}\n")), "{said}");
            assert!(!said.contains("```") && !said.contains('#'), "{said}");
            for number in 1..=3 {
                let hint = workbook.said(&format!("{arguments} --hint"), 0);
                fits(&hint);
                assert!(
                    hint.starts_with(&format!("Hint {number} of 3, ")),
                    "{hint}"
                );
            }
            let again = workbook.said(&format!("{arguments} --hint"), 0);
            assert!(again.starts_with("You have seen all hints."), "{again}");
            let refused = workbook.said(&format!("{arguments} --solution"), 1);
            assert!(refused.contains("--solution --anyway\n"), "{refused}");
            fits(&refused);
            let solution =
                workbook.read(&exercise.file(&format!("solution.{ending}")));
            let shown =
                workbook.said(&format!("{arguments} --solution --anyway"), 0);
            assert_eq!(shown, solution);
        }
    }
}

#[test]
fn no_line_of_a_student_is_lost() {
    let workbook = Workbook::new("keep");
    workbook.said("10", 0);
    let start = workbook.read("examples/my_10.rs");
    let own = start.clone() + "// My line.\n";
    workbook.write("examples/my_10.rs", &own);
    let said = workbook.said("10 --again", 0);
    assert!(said.starts_with("Your file is kept in examples/my_kept/10.1.rs.\n"));
    assert_eq!(workbook.read("examples/my_10.rs"), start);
    assert_eq!(workbook.read("examples/my_kept/10.1.rs"), own);
    workbook.said("10 --back", 0);
    assert_eq!(workbook.read("examples/my_10.rs"), own);
    // The make task and the other language have their own files.
    workbook.said("10 make", 0);
    workbook.said("10 --python", 0);
    assert_eq!(workbook.read("examples/my_10.rs"), own);
    let failed = workbook.refused("10 --python --back");
    assert!(failed.contains("does not have an older file"), "{failed}");
}

#[test]
fn the_list_says_what_is_done() {
    let workbook = Workbook::new("list");
    let rows =
        |said: &str| said.lines().filter(|line| line.contains("open")).count();
    let said = workbook.said("", 0);
    assert_eq!(rows(&said), 18, "{said}");
    assert!(said.contains(&format!("Done: 0 of {}.", EXERCISES.len())), "{said}");
    for exercise in &EXERCISES {
        workbook.pass(exercise);
        let said = workbook.said("", 0);
        if exercise.kind == Kind::Make || exercise.lesson < 18 {
            fits(&said);
        }
    }
    let said = workbook.said("", 0);
    fits(&said);
    assert!(said.starts_with("You have finished all exercises. You can now:\n"));
    assert!(said.contains("docs/src/beyond.md"), "{said}");
}

#[test]
fn bad_arguments_are_refused_with_a_sentence() {
    let workbook = Workbook::new("arguments");
    for (arguments, sentence) in [
        ("19", "'19' is not a lesson; expected a number from 1 to 18, or a name"),
        ("tcp", "'tcp' is not a lesson; expected a number from 1 to 18, or a name"),
        ("1 make", "lesson 1 does not have a make task; these lessons have one: "),
        ("10 mke", "expected 'make' or an option after the lesson, got 'mke'"),
        ("5 --python", "exercise 5 is only in Rust; leave out --python"),
        ("--hint", "name the lesson, for example: "),
        ("10 --hint --solution", "give only one of --task, --hint, "),
        ("10 --anyway", "--anyway needs --solution"),
        ("10 make now", "unexpected argument 'now'"),
    ] {
        let said = workbook.refused(arguments);
        assert!(said.contains(sentence), "{arguments}: {said}");
    }
    assert!(!workbook.0.join("examples/my_10.rs").exists());
    // The names of the student's files work, too.
    for given in ["sequential_server", "my_10.rs", "examples/my_10.py"] {
        let said = workbook.said(&format!("{given} --task"), 0);
        assert!(said.starts_with("Exercise 10: "), "{given}: {said}");
    }
    let said = workbook.said("my_10_make --task", 0);
    assert!(said.starts_with("Exercise 10 make: "), "{said}");
}

/// Returns the first repair task for which `is_graded_so` returns true.
fn first(is_graded_so: impl Fn(&Exercise) -> bool) -> &'static Exercise {
    let is_it = |exercise: &&Exercise| {
        exercise.kind == Kind::Repair && is_graded_so(exercise)
    };
    EXERCISES.iter().find(is_it).unwrap()
}

/// Sets up an exercise. Its start must fail, and its solution must pass.
fn solve(workbook: &Workbook, exercise: &Exercise, ending: &str) {
    let arguments = exercise.arguments();
    let python = if ending == "py" { " --python" } else { "" };
    workbook.said(&(arguments.clone() + python), 0);
    // The file exists now, so the same command grades it.
    let said = workbook.said(&arguments, 1);
    assert!(
        said.contains(&format!("\nExercise {arguments} is still open.\n")),
        "{said}"
    );
    let solution = workbook.read(&exercise.file(&format!("solution.{ending}")));
    let own = format!("examples/{}.{ending}", exercise.program());
    workbook.write(&own, &solution);
    let said = workbook.said(&arguments, 0);
    assert!(said.contains(&format!("\nExercise {arguments} is done. ")), "{said}");
    assert!(said.contains(exercise.skill.split(' ').next().unwrap()), "{said}");
    let shown = workbook.said(&format!("{arguments} --solution"), 0);
    assert_eq!(shown, solution);
    // The exercise stays done, even if the program fails later.
    let start = workbook.read(&exercise.file(&format!("start.{ending}")));
    workbook.write(&own, &start);
    workbook.said(&arguments, 1);
    let row = format!("{:>2}  done", exercise.lesson);
    assert!(workbook.said("", 0).contains(&row));
}

#[test]
fn a_student_solves_an_exercise() {
    let workbook = Workbook::whole("solve");
    let checked = first(|exercise| exercise.grade != Grade::Tests);
    let tested = first(|exercise| exercise.grade == Grade::Tests);
    solve(&workbook, checked, "rs");
    solve(&workbook, tested, "rs");
    if has_python("an exercise in Python") {
        let other =
            first(|exercise| exercise.lesson > 1 && exercise.python.is_some());
        solve(&workbook, other, "py");
    }
    // `exercise` does not grade a program that cannot be compiled.
    for exercise in [checked, tested] {
        let own = format!("examples/{}.rs", exercise.program());
        workbook.write(&own, "fn main() { let }\n");
        let output = workbook.run(&exercise.arguments());
        assert_eq!(output.status.code(), Some(2));
        let stderr = text(&output.stderr);
        assert!(stderr.contains(&format!("{own} could not be graded")), "{stderr}");
        assert!(stderr.contains("error"), "{stderr}");
    }
}
