//! The program `exercise`, as a student uses it.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use sockets101_book::steps::{cargo, example};
use sockets101_book::table::{EXERCISES, Exercise, Grade, Kind};
use sockets101_book::top;

#[allow(dead_code)] // Each test uses a part of it.
mod programs;

use programs::{FEATURES, has_python, text};

/// The size of a terminal, without the line of the cursor.
const ROWS: usize = 23;
const COLUMNS: usize = 80;

/// Builds `exercise` with all features. Returns the path of a program without features, as a
/// student builds it first.
fn build() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = |features: &[&str]| {
            let mut build = cargo();
            build.args(["build", "--quiet", "--locked", "--example", "exercise"]);
            let output = build.args(features).current_dir(top()).output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
        };
        build(&[]);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without_features");
        fs::create_dir_all(&folder).unwrap();
        let original = example("exercise");
        let plain = folder.join(original.file_name().unwrap());
        fs::copy(&original, &plain).unwrap();
        build(&FEATURES);
        plain
    })
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

    fn command(&self, arguments: &str) -> Command {
        let mut exercise = Command::new(example("exercise"));
        // In a folder for several copies, cargo could take the program `my_5` of another copy for
        // the one of this copy.
        exercise
            .env("CARGO_MANIFEST_DIR", &self.0)
            .env("CARGO_TARGET_DIR", self.0.join("target"))
            .args(arguments.split_whitespace())
            .stdin(Stdio::null());
        exercise
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
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
    // The file is missing, for example because an earlier run was stopped.
    fs::remove_file(workbook.0.join("examples/my_10.rs")).unwrap();
    let said = workbook.said("10 --rust", 0);
    assert!(said.starts_with("examples/my_10.rs is missing, but "), "{said}");
    assert_eq!(workbook.read("examples/my_10.rs"), "");
    workbook.said("10 --rust --back", 0);
    assert_eq!(workbook.read("examples/my_10.rs"), own);
}

/// A student can do an exercise in one language, and then in the other one.
#[test]
fn each_language_has_its_own_file() {
    let workbook = Workbook::new("languages");
    workbook.said("10 --python", 0);
    let list = workbook.said("", 0);
    assert!(list.contains("exercise -- 1 --python\n"), "{list}");
    workbook.said("10 --rust", 0);
    let start =
        |ending| workbook.read(&format!("examples/exercises/10/start.{ending}"));
    assert_eq!(workbook.read("examples/my_10.rs"), start("rs"));
    assert_eq!(workbook.read("examples/my_10.py"), start("py"));
    workbook.said("9 --python", 0);
    workbook.said("my_9.rs", 0);
    assert!(workbook.0.join("examples/my_9.rs").exists());
}

/// On Windows, Git can end each line of the text files with two bytes.
#[test]
fn line_ends_of_windows_do_not_matter() {
    let workbook = Workbook::new("line_ends");
    for name in ["task.md", "hints.md", "start.rs", "solution.rs"] {
        let file = format!("examples/exercises/10/{name}");
        workbook.write(&file, &workbook.read(&file).replace('\n', "\r\n"));
    }
    let said = workbook.said("10", 0);
    assert!(said.starts_with("Exercise 10: ") && !said.contains('\r'), "{said}");
    assert!(workbook.said("10 --hint", 0).starts_with("Hint 1 of 3, "));
    assert!(!workbook.said("10 --solution --anyway", 0).contains('\r'));
}

#[test]
fn the_list_says_what_is_done() {
    let workbook = Workbook::new("list");
    let rows =
        |said: &str| said.lines().filter(|line| line.contains("open")).count();
    let said = workbook.said("", 0);
    assert_eq!(rows(&said), 21, "{said}");
    assert!(said.contains(&format!("Done: 0 of {}.", EXERCISES.len())), "{said}");
    for exercise in &EXERCISES {
        workbook.pass(exercise);
        fits(&workbook.said("", 0));
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
        ("22", "'22' is not a lesson; expected a number from 1 to 21, or a name"),
        ("tcp", "'tcp' is not a lesson; expected a number from 1 to 21, or a name"),
        ("stop_server", "'stop_server' is not a lesson; expected a number "),
        ("1 make", "lesson 1 does not have a make task; these lessons have one: "),
        ("10 mke", "expected 'make' or an option after the lesson, got 'mke'"),
        ("5 --python", "exercise 5 is only in Rust; leave out --python"),
        ("19 make --python", "exercise 19 make is only in Rust; leave out --python"),
        ("--hint", "name the lesson, for example: "),
        ("10 --hint --solution", "give only one of --task, --hint, "),
        ("10 --anyway", "--anyway needs --solution"),
        ("10 --python --rust", "give --python or --rust, not both"),
        ("10 make now", "unexpected argument 'now'"),
        ("make 10", "name the lesson before make, for example: "),
        ("--make", "name the lesson, for example: "),
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
    // A server beyond the lecture has only a make task.
    for given in ["19 make", "19", "event_server", "event_server make", "my_19_make"]
    {
        let said = workbook.said(&format!("{given} --task"), 0);
        assert!(said.starts_with("Exercise 19 make: "), "{given}: {said}");
    }
    // In quotes, it is one argument.
    let mut quoted = workbook.command("--task");
    let said = quoted.arg("10 make").output().unwrap();
    assert!(said.stdout.starts_with(b"Exercise 10 make: "), "{said:?}");
}

/// The first `exercise` of a student does not have a feature. It then says which command to use.
#[test]
fn an_exercise_that_needs_a_feature_says_so() {
    let workbook = Workbook::new("features");
    let run = |arguments: &str| {
        let mut exercise = Command::new(build());
        exercise.env("CARGO_MANIFEST_DIR", &workbook.0).stdin(Stdio::null());
        exercise.args(arguments.split(' ')).output().unwrap()
    };
    for exercise in EXERCISES.iter().filter(|exercise| exercise.special().is_some())
    {
        for option in ["", " --hint", " --solution", " --again"] {
            let arguments = exercise.arguments() + option;
            let output = run(&arguments);
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            let command =
                format!("cargo run -q {}--example exercise", exercise.features());
            let sentence = format!("needs a feature: {command} -- {arguments}\n");
            assert!(stderr.contains(&sentence), "{stderr}");
        }
        let own = format!("examples/{}.rs", exercise.program());
        assert_eq!(workbook.read(&own), "");
        // With the feature, each command has it.
        let said = workbook.said(&exercise.arguments(), 0);
        let features = exercise.features();
        let (_, commands) = said.split_once("To run the program:\n").unwrap();
        let is_command = |line: &&str| line.starts_with("  cargo run ");
        let commands: Vec<_> = commands.lines().filter(is_command).collect();
        assert_eq!(commands.len(), 3, "{said}");
        assert!(
            commands.iter().all(|command| command.contains(&features)),
            "{said}"
        );
        let sentence = format!("add `{}` to `cargo test`", features.trim());
        assert!(said.contains(&sentence), "{said}");
    }
    let output = run("21 make");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// `check` would skip the checks that need the option, and the program could pass without them.
#[test]
fn a_program_without_an_option_of_the_start_is_not_graded() {
    let workbook = Workbook::new("options");
    for (arguments, option) in [
        ("10 make", "--limit"),
        ("12", "--delay"),
        ("13 make", "--timeout"),
        ("14 make", "--clients"),
        ("15", "--delay"),
        ("17", "--timeout"),
        ("17 make", "--timeout"),
        ("18", "--delay"),
        ("18", "--timeout"),
        ("19 make", "--grace"),
        ("20 make", "--delay"),
        ("20 make", "--timeout"),
        ("21 make", "--clients"),
    ] {
        workbook.said(&format!("{arguments} --again"), 0);
        let own = format!("examples/my_{}.rs", arguments.replace(' ', "_"));
        let start = workbook.read(&own);
        workbook.write(&own, &start.replace(option, "--other"));
        let said = workbook.refused(arguments);
        let sentence = format!("{own} does not take the option {option}, so check");
        assert!(said.contains(&sentence), "{said}");
    }
}

#[test]
fn a_program_is_not_graded_if_cargo_fails() {
    let workbook = Workbook::new("cargo_fails");
    workbook.write("Cargo.toml", "[[example");
    for arguments in ["10", "5"] {
        workbook.said(arguments, 0);
        let output = workbook.run(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(" could not be graded; the lines "), "{stderr}");
        let mut exercise = workbook.command(arguments);
        let output = exercise.env("CARGO", "no-such-cargo").output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("Error: cannot start cargo: "), "{stderr}");
    }
}

#[test]
fn a_hint_that_is_not_printed_or_not_remembered_comes_again() {
    let workbook = Workbook::new("hint");
    if let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut exercise = workbook.command("10 --hint");
        let output = exercise.stdout(full).output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("Error: cannot write to stdout: "), "{stderr}");
    }
    workbook.write("examples/my_kept", "This is not a folder.");
    for _ in 0..2 {
        let output = workbook.run("10 --hint");
        assert!(output.stdout.starts_with(b"Hint 1 of 3, "), "{output:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains("rename the file that has this name\n"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
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
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&said).contains(exercise.skill), "{said}");
    let shown = workbook.said(&format!("{arguments} --solution"), 0);
    assert_eq!(shown, solution);
    // The exercise stays done, even if the program fails later.
    let start = workbook.read(&exercise.file(&format!("start.{ending}")));
    workbook.write(&own, &start);
    workbook.said(&arguments, 1);
    let list = workbook.said("", 0);
    let start = format!("{:>2}  ", exercise.lesson);
    let row = list.lines().find(|row| row.starts_with(&start)).unwrap();
    let kind = if exercise.kind == Kind::Make { "make" } else { "repair" };
    assert!(row.contains(&format!("{kind} done")), "{row}");
}

#[test]
fn a_student_solves_an_exercise() {
    let workbook = Workbook::whole("solve");
    let checked = first(|exercise| exercise.grade != Grade::Tests);
    let tested = first(|exercise| exercise.grade == Grade::Tests);
    solve(&workbook, checked, "rs");
    solve(&workbook, tested, "rs");
    let special = EXERCISES.iter().find(|exercise| exercise.special().is_some());
    solve(&workbook, special.unwrap(), "rs");
    if has_python("an exercise in Python") {
        let other = first(|exercise| exercise.lesson > 1 && exercise.is_in_python);
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

/// Writes the solution of exercise 5 with these lines at the beginning of `addresses`, and grades
/// it. Returns what `exercise` prints on stdout.
#[track_caller]
fn said_with(workbook: &Workbook, lines: &str, status: i32) -> String {
    let begin = "fn addresses(entries: &[AddrInfo]) -> Vec<IpAddr> {\n";
    let solution = workbook.read("examples/exercises/5/solution.rs");
    assert!(solution.contains(begin), "{solution}");
    let lines =
        format!("{begin}#![allow(unreachable_code, unused_variables)]\n{lines}");
    let own = solution.replace(begin, &lines);
    workbook.write("examples/my_5.rs", &own);
    let said = workbook.said("5", status);
    fits(&said);
    let memory = workbook.0.join("examples/my_kept/my_5.rs.txt");
    let is_done = fs::read_to_string(&memory).unwrap_or_default().contains("passed");
    assert_eq!(is_done, status == 0, "{said}");
    let _ = fs::remove_file(memory);
    said
}

#[test]
fn a_rude_program_is_graded_by_the_tests_in_its_file() {
    let workbook = Workbook::whole("rude");
    // What a program prints can be in the same line as the result of a test.
    said_with(&workbook, "print_or_exit(\"A line without an end: \");", 0);
    said_with(&workbook, "print!(\"{}\", \"My line.\\n\".repeat(1_000_000));", 0);
    for (lines, message) in [
        ("std::process::exit(0);", "because the program exited."),
        ("addresses(entries);", "because the program exited."),
        ("if entries.len() == 4 { loop {} }", "No result after 30 seconds."),
        ("panic!(\"{}\", \"long \".repeat(1_000_000));", "long ..."),
    ] {
        let said = said_with(&workbook, lines, 1);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(message), "{said}");
        assert!(said.contains("Exercise 5 is still open."), "{said}");
        // The other tests have a result.
        assert!(!lines.contains("loop") || said.contains("4 of 5"), "{said}");
    }
    // The programs that a test leaves behind are stopped, although they are in other sessions.
    if cfg!(target_os = "linux") {
        let three = "setsid sleep 300 & setsid sleep 300 & setsid sleep 300 &";
        let lines = format!(
            "std::process::Command::new(\"sh\").args([\"-c\", \"{three}\"]).status().unwrap();"
        );
        said_with(&workbook, &lines, 0);
    }
    let solution = workbook.read("examples/exercises/5/solution.rs");
    let own = |program: String| workbook.write("examples/my_5.rs", &program);
    // A function after the tests does not change the tests.
    own(solution.clone() + "\n#[allow(dead_code)]\nfn helper() {}\n");
    workbook.said("5", 0);
    let mut quiet = workbook.command("5");
    let output = quiet.env("CARGO_TERM_QUIET", "true").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    own(solution.replacen("#[test]", "#[ignore]\n#[test]", 1));
    let said = workbook.said("5", 1);
    assert!(said.contains("Remove `#[ignore]`."), "{said}");
    assert!(said.contains("differ from those of the exercise."), "{said}");
    // Other tests cannot pass for those of the exercise.
    let others: Vec<_> =
        (0..9).map(|i| format!("#[test] fn other_{i}() {{}}")).collect();
    own(solution.replace("#[cfg(test)]", "/*\n#[cfg(test)]")
        + "*/\n"
        + &others.concat());
    let said = workbook.said("5", 1);
    assert!(said.contains("0 of 5 tests passed"), "{said}");
    // A test that catches a panic of the program says more than this panic.
    own(workbook.read("examples/exercises/5/start.rs"));
    let said = workbook.said("5", 1);
    assert!(said.contains("`report` panicked when the lookup"), "{said}");
    assert!(!said.contains("LookupError"), "{said}");
    // Cargo compares only the times of files. A copy can have the time of an older file.
    let hour_ago = SystemTime::now() - Duration::from_secs(60 * 60);
    for (program, status) in [("solution", 0), ("start", 1)] {
        own(workbook.read(&format!("examples/exercises/5/{program}.rs")));
        let path = workbook.0.join("examples/my_5.rs");
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(hour_ago).unwrap();
        workbook.said("5", status);
    }
    // The reader of stdout is gone. The result counts anyway.
    for (program, status) in [("start", 1), ("solution", 0)] {
        own(workbook.read(&format!("examples/exercises/5/{program}.rs")));
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut exercise = workbook.command("5");
        let output = exercise.stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{output:?}");
    }
}
