//! Sets up an exercise, grades your program, gives hints, and shows the solution.
//!
//! For all lessons. The first time, `exercise` prints your task, and writes a program that does not
//! work yet. Change the program. Then use the same command again, and you see this:
//!
//! ```text
//! $ cargo run --example exercise -- 1
//! $ cargo run -q --example check -- udp_server_bytes --own my_1
//! my_1, checked as udp_server_bytes
//! passed    first_client, unicode, any_bytes, nul_bytes, empty_datagram,
//!           datagram_2048, datagram_2049, several_messages, kept_apart, vanish
//! 10 of 10 checks passed
//!
//! Exercise 1 is done. You can now keep a server running when a datagram is empty.
//! ```
//!
//! Arguments:
//!
//! - `[LESSON]`: the number or the name of a lesson. The servers beyond the lecture have the numbers
//!   19, 20 and 21. Without a lesson, `exercise` lists all exercises, done or open.
//! - `[make]` or `[--make]`: the make task of the lesson, in which you add something to a program.
//! - `[--python]`: the exercise in Python. The file is `examples/my_10.py` instead of
//!   `examples/my_10.rs`.
//! - `[--rust]`: the exercise in Rust, if you have begun it in Python.
//! - `[--task]`: prints the task again.
//! - `[--hint]`: prints the next of three hints: a question, then the cause, then the lines.
//! - `[--solution]`: shows the solution if your program has passed. On a terminal, it shows only
//!   the lines that change.
//! - `[--anyway]`: with `--solution`, shows the solution before your program has passed.
//! - `[--again]`: writes the starting program to your file again. `exercise` first moves your file
//!   to `examples/my_kept/`.
//! - `[--back]`: restores the latest of your kept files, and keeps the present file.
//!
//! The exit status is 0 if all went well, and 1 if your program has not passed. It is 2 if an
//! argument is wrong, or if your program cannot be graded. It is also 2 if a file cannot be read or
//! written.
//!
//! What to try:
//!
//! - Grade a program that you have not changed yet. The failed checks name the problem.
//! - Use `check` with `--watch` while you work. It grades the program each time you save it.
//! - Solve an exercise in Python first, and then with `--rust`.

#[allow(dead_code)] // Some of it is only for live.
#[path = "../common/compare.rs"]
mod compare;
#[allow(dead_code)] // The tests of the book use it.
#[path = "../common/failure.rs"]
mod failure;
mod grade;
#[allow(dead_code)] // Some of it is only for check.
#[path = "../common/guard.rs"]
mod guard;
#[allow(dead_code)] // Some of it is only for check.
#[path = "../common/lessons.rs"]
mod lessons;
mod list;
mod memory;
#[allow(dead_code)] // Some of it is only for live.
#[path = "../common/student.rs"]
mod student;
#[allow(dead_code)] // The tests of the book use the rest.
mod table;
mod task;
mod tests;
#[allow(dead_code)] // Some of it is only for live.
#[path = "../common/text.rs"]
mod text;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use sockets101::{Args, Failure, log_line};

use grade::grade;
use memory::Memory;
use student::{RELOAD, find_folder, kept};
use table::{EXERCISES, Exercise, Grade, Kind, Language};
use task::{HINTS, Work};
use text::{paragraph, print, print_changes};

const USAGE: &str = "exercise [LESSON] [make] [--make] [--python] [--rust] [--task] [--hint] \
    [--solution] [--anyway] [--again] [--back]";

/// The value of an argument that the user has not given. A user cannot type this value.
const NOT_GIVEN: &str = "\0";

/// The sentence that names what `check` cannot grade.
const ONLY_CLIENTS: &str = "`check` sees only what clients see. If the task asks for more, for \
    example for log lines or CPU time, test this yourself.";

fn main() -> ExitCode {
    guard::guard_if_asked();
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            log_line(format!("Error: {failure:?}"));
            ExitCode::from(2)
        }
    }
}

/// Returns false if the program of the student has not passed.
fn run() -> Result<bool, Failure> {
    let mut args = Args::new(USAGE);
    let [is_python, is_rust] = ["--python", "--rust"].map(|name| args.option(name, false));
    let names = ["--task", "--hint", "--solution", "--again", "--back"];
    let wants = names.map(|name| args.option(name, false));
    let [wants_task, wants_hint, wants_solution, begins_again, goes_back] = wants;
    let anyway = args.option("--anyway", false);
    // The option of `check` for a make task has this name.
    let mut is_make = args.option("--make", false);
    let lesson = args.positional(NOT_GIVEN.to_owned());
    let make = args.positional(NOT_GIVEN.to_owned());
    args.finish();
    let count = wants.into_iter().filter(|is_given| *is_given).count();
    if count > 1 {
        args.refuse("give only one of --task, --hint, --solution, --again and --back");
    }
    if is_python && is_rust {
        args.refuse("give --python or --rust, not both");
    }
    if anyway && !wants_solution {
        args.refuse("--anyway needs --solution");
    }
    find_folder("exercise")?;
    if lesson == NOT_GIVEN {
        if count > 0 || is_python || is_rust || is_make {
            args.refuse(
                "name the lesson, for example: cargo run -q --example exercise -- 10 --hint",
            );
        }
        print(&list::list()?)?;
        return Ok(true);
    }
    if lesson == "make" {
        args.refuse(
            "name the lesson before make, for example: cargo run -q --example exercise -- 10 make",
        );
    }
    is_make |= make == "make";
    if make != NOT_GIVEN && make != "make" {
        args.refuse(format!("expected 'make' or an option after the lesson, got '{make}'"));
    }
    let exercise = find(&lesson, is_make).unwrap_or_else(|mistake| args.refuse(mistake));
    let wanted = if is_rust || lesson.strip_suffix(".rs").is_some() {
        Some(Language::Rust)
    } else if is_python || lesson.strip_suffix(".py").is_some() {
        Some(Language::Python)
    } else {
        None
    };
    let language = language(exercise, wanted).unwrap_or_else(|mistake| args.refuse(mistake));
    let work = Work::new(exercise, language);
    if exercise.special().is_some_and(|special| !special.is_on) {
        let wanted = names.iter().zip(wants).find(|(_, is_given)| *is_given);
        let command = work.command(wanted.map_or("", |(name, _)| name));
        let number = exercise.arguments();
        return Err(format!("exercise {number} needs a feature: {}", command.trim()).into());
    }
    if wants_task {
        print(&work.task()?)?;
        return Ok(true);
    }
    if goes_back {
        print_changes(&work.student()?.restore()?);
        return Ok(true);
    }
    let student = work.student()?;
    let is_missing = student.bytes.is_none();
    if is_missing && !wants_hint && !wants_solution && !begins_again {
        if let Ok((kept, _)) = student.latest_kept() {
            print(&missing(&work, &kept))?;
            return Ok(true);
        }
    }
    if begins_again || (is_missing && !wants_hint && !wants_solution) {
        print_changes(&set_up(&work)?);
        return Ok(true);
    }
    let memory = Memory::read(&work);
    if wants_hint {
        print(&hint(&work, &memory)?)?;
        Memory::change(&work, |memory| memory.hints += 1);
        return Ok(true);
    }
    if wants_solution {
        let may_see = memory.has_passed || anyway;
        let is_terminal = io::stdout().is_terminal();
        print(&if may_see { work.solution(is_terminal)? } else { not_yet(&work) })?;
        return Ok(may_see);
    }
    grade_program(&work)
}

/// Returns the exercise of a lesson, or a sentence that says what is wrong. The name of the
/// student's file, such as `examples/my_10.rs`, works, too.
fn find(given: &str, is_make: bool) -> Result<&'static Exercise, String> {
    let name = given.rsplit(['/', '\\']).next().unwrap_or(given);
    let name = name.strip_suffix(".rs").or(name.strip_suffix(".py")).unwrap_or(name);
    let name = name.strip_prefix("my_").unwrap_or(name);
    // In quotes, `"10 make"` is one argument.
    let make = name.strip_suffix("_make").or(name.strip_suffix(" make"));
    let is_make = is_make || make.is_some();
    let name = make.unwrap_or(name);
    let number = list::number(name);
    let Some(number) = number else {
        return Err(format!(
            "'{given}' is not a lesson; expected a number from 1 to 21, or a name"
        ));
    };
    let kind = if is_make { Kind::Make } else { Kind::Repair };
    // A server beyond the lecture has only one exercise, so the word make is not necessary.
    let has_kind = |exercise: &Exercise| exercise.kind == kind || exercise.is_beyond();
    let is_it = |exercise: &&Exercise| exercise.lesson == number && has_kind(exercise);
    EXERCISES.iter().find(is_it).ok_or_else(|| {
        let is_make = |exercise: &&Exercise| exercise.kind == Kind::Make && !exercise.is_beyond();
        let makes = EXERCISES.iter().filter(is_make);
        let numbers: Vec<_> = makes.map(|exercise| exercise.lesson.to_string()).collect();
        let others = numbers.join(", ");
        format!("lesson {number} does not have a make task; these lessons have one: {others}")
    })
}

/// Returns the language of a student's program. If the student does not name a language, it is
/// Python only if the student has begun in Python, and has not begun in Rust.
fn language(exercise: &'static Exercise, wanted: Option<Language>) -> Result<Language, String> {
    if wanted == Some(Language::Python) && !exercise.is_in_python {
        let number = exercise.arguments();
        return Err(format!("exercise {number} is only in Rust; leave out --python"));
    }
    let has_file = |language| Work::new(exercise, language).path().exists();
    let begun = match (has_file(Language::Rust), has_file(Language::Python)) {
        (false, true) => Language::Python,
        _ => Language::Rust,
    };
    Ok(wanted.unwrap_or(begun))
}

/// Returns what to print if the student's file is missing, and an older file is kept. That happens
/// if the student has removed the file, or if an earlier run was stopped.
fn missing(work: &Work, kept: &str) -> String {
    let mut text = paragraph(format!("{} is missing, but {kept} is kept.", work.file()));
    text += "To restore the kept file:\n";
    text += &work.command("--back");
    text += "To begin with the starting program:\n";
    text + &work.command("--again")
}

/// Writes the start of an exercise to the student's file. Returns what to print.
fn set_up(work: &Work) -> Result<String, Failure> {
    let student = work.student()?;
    let start = work.text("start")?;
    if student.bytes.as_deref() == Some(start.as_bytes()) {
        let file = &student.file;
        return Ok(paragraph(format!("{file} is already the starting program. Nothing changes.")));
    }
    // If the task cannot be read, `exercise` reports this here, before anything changes.
    let task = work.task()?;
    let mut text = kept(student.replace(start.as_bytes())?);
    if student.bytes.is_some() {
        text += &paragraph(format!("{} is now the starting program again.", student.file));
        return Ok(text + RELOAD);
    }
    Ok(text + &task + "\n" + &work.commands())
}

/// Returns the next hint. If the student has seen all hints, returns all of them again.
fn hint(work: &Work, memory: &Memory) -> Result<String, Failure> {
    let hints = work.hints()?;
    if memory.hints >= HINTS {
        let mut text = String::from("You have seen all hints. Here they are again.\n");
        for hint in &hints {
            text += "\n";
            text += hint;
        }
        text += "\nTo see the solution:\n";
        let anyway = if memory.has_passed { "--solution" } else { "--solution --anyway" };
        return Ok(text + &work.command(anyway));
    }
    let mut text = hints[memory.hints].clone();
    if memory.hints + 1 < HINTS {
        text += "\nTo see the next hint:\n";
        text += &work.command("--hint");
    } else {
        text += "\nTo grade the program:\n";
        text += &work.command("");
    }
    Ok(text)
}

/// Returns what to print instead of the solution.
fn not_yet(work: &Work) -> String {
    let mut text = paragraph(format!("{} has not passed yet. For a hint:", work.file()));
    text += &work.command("--hint");
    text += "To see the solution anyway:\n";
    text + &work.command("--solution --anyway")
}

/// Grades the student's program, and prints the result. Returns true if it has passed.
fn grade_program(work: &Work) -> Result<bool, Failure> {
    let number = work.exercise.arguments();
    if grade(work)? {
        Memory::change(work, |memory| memory.has_passed = true);
        let skill = work.exercise.skill;
        let done = format!("Exercise {number} is done. You can now {skill}.");
        let mut text = "\n".to_owned() + &paragraph(done);
        if work.exercise.grade != Grade::Tests {
            text += &paragraph(ONLY_CLIENTS);
        }
        text += "To compare your program with our solution:\n";
        text += &work.command("--solution");
        print(&(text + &list::next(work)?))?;
        return Ok(true);
    }
    let memory = Memory::read(work);
    let mut text = if memory.has_passed {
        let file = work.file();
        let what =
            format!("{file} has not passed this time. Exercise {number} still counts as done.");
        "\n".to_owned() + &paragraph(what)
    } else {
        format!("\nExercise {number} is still open.\n")
    };
    if memory.hints < HINTS {
        text += "For a hint:\n";
        text += &work.command("--hint");
    }
    if let Some(command) = grade::watch(work) {
        text += &paragraph("The page docs/src/check_says.md explains what `check` says.");
        text += "To grade the program each time you save it:\n";
        text += &text::command(&command);
        text += "When your program passes there, grade it once more with `exercise`.\n";
    }
    print(&text)?;
    Ok(false)
}
