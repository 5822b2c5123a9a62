//! Helps you to write a server step by step: it says where you are, what differs, and what comes
//! next.
//!
//! For all lessons with a server. Your program for `tcp_server` is `examples/my_tcp_server.rs`.
//! If it has a typo, you see this:
//!
//! ```text
//! $ cargo run --example live -- tcp_server
//! examples/my_tcp_server.rs is step 5 of 8. It differs from step 5 in 1 place:
//!   line 35: you have `recieve`; step 5 has `read`.
//! The problem of step 5: a client that sends 5,000 bytes can lose its reply.
//!   cargo run --example check -- tcp_server --own my_tcp_server --only last_word
//! Next is step 6 of 8, "close gracefully" (4 new lines).
//! Write this step on your own. Find the function that closes gracefully in
//! `docs/src/helpers.md`. Import the function, and call it after `handle_client`,
//! also after an error.
//! If you want to see the new lines:
//!   cargo run -q --example live -- tcp_server 6 --show
//! Then run:
//!   cargo run --example check -- tcp_server --own my_tcp_server
//! To replace your file with step 6 (`live` keeps your version):
//!   cargo run -q --example live -- tcp_server 6
//! ```
//!
//! Arguments:
//!
//! - `[LESSON]`: the name or the number of a lesson. Without a lesson, `live` lists all of them.
//! - `[STEP]`: the number of a step, or `next`. `live` writes this step to your file. Step 0 is
//!   the file with which the steps begin. `live` first keeps your file in `examples/my_kept/`.
//! - `[--show]`: prints the step, and writes no file. On a terminal, `+` marks the new lines.
//! - `[--back]`: restores the latest of your files that was kept, and keeps the present one. It
//!   leaves out the steps, because `live` can write a step again.
//! - `[--preflight]`: checks this computer before a class, and says what is missing.
//!
//! The exit status is 0 if all went well, and 2 if an argument is wrong. It is 1 if a file cannot
//! be read or written, or if something is missing before a class.
//!
//! What to try:
//!
//! - Write step 3 of lesson 4 with `cargo run -q --example live -- tcp_server 3`. Change one word
//!   in your file, and run `cargo run -q --example live -- tcp_server`.
//! - Format your file with your editor. Spaces, line ends and comments do not count, so `live`
//!   finds the same step.
//! - Print a step with `--show`, and type the lines that have a `+`.

mod align;
#[path = "../common/compare.rs"]
mod compare;
#[allow(dead_code)] // The tests of the book use it.
#[path = "../common/failure.rs"]
mod failure;
mod items;
mod lesson;
#[allow(dead_code)] // Some of it is only for check.
#[path = "../common/lessons.rs"]
mod lessons;
mod place;
mod preflight;
mod report;
#[allow(dead_code)] // The pages and the tests use the rest.
mod script;
#[path = "../common/student.rs"]
mod student;
mod task;
#[allow(dead_code)] // Some of it is only for exercise.
#[path = "../common/text.rs"]
mod text;
mod tokens;
#[allow(dead_code)] // Some of it is only for check.
#[path = "../common/words.rs"]
mod words;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use sockets101::{Args, Failure, print_or_exit};

use lesson::{Lesson, all};
use script::By;
use student::{RELOAD, find_folder, kept};
use text::{command, paragraph, print_changes};

const USAGE: &str = "live [LESSON] [STEP] [--show] [--back] [--preflight]";

/// The value of an argument that the user has not given. It cannot be typed.
const NOT_GIVEN: &str = "\0";

fn main() -> Result<ExitCode, Failure> {
    let mut args = Args::new(USAGE);
    let shows = args.option("--show", false);
    let goes_back = args.option("--back", false);
    let is_preflight = args.option("--preflight", false);
    let name = args.positional(NOT_GIVEN.to_owned());
    let step = args.positional(NOT_GIVEN.to_owned());
    args.finish();
    let has_lesson = name != NOT_GIVEN;
    let has_step = step != NOT_GIVEN;
    if is_preflight {
        if has_lesson || shows || goes_back {
            args.refuse("--preflight does not take other arguments");
        }
        let (text, is_ready) = preflight::preflight();
        print_or_exit(text);
        return Ok(ExitCode::from(u8::from(!is_ready)));
    }
    find_folder("live")?;
    if shows && goes_back {
        args.refuse("give --show or --back, not both");
    }
    if !has_lesson {
        if shows || goes_back {
            let rest = if shows { "next --show" } else { "--back" };
            args.refuse(format!(
                "name the lesson, for example: cargo run --example live -- tcp_server {rest}"
            ));
        }
        print_or_exit(report::list()?);
        return Ok(ExitCode::SUCCESS);
    }
    let lesson = find_lesson(&name).unwrap_or_else(|mistake| args.refuse(mistake));
    if goes_back {
        if has_step {
            args.refuse("--back does not take a step");
        }
        print_changes(&back(&lesson)?);
        return Ok(ExitCode::SUCCESS);
    }
    if !has_step {
        if shows {
            args.refuse(format!(
                "--show needs a step, for example: cargo run --example live -- {name} next --show"
            ));
        }
        match missing(&lesson)? {
            Some(text) => print_or_exit(text),
            None => print_or_exit(report::lesson(&lesson)?),
        }
        return Ok(ExitCode::SUCCESS);
    }
    let number = match find_step(&lesson, &step) {
        Some(number) => number,
        None if step == "next" => next_step(&lesson)?,
        None => {
            let expected = format!("expected a step from 0 to {}, or next", lesson.last());
            args.refuse(format!("{expected}, got '{step}'"));
        }
    };
    if shows {
        print_or_exit(report::show(&lesson, number, io::stdout().is_terminal())?);
    } else {
        print_changes(&write_step(&lesson, number)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the lesson with this name or number, or a sentence that says what is wrong. The name
/// of the student's file, such as `examples/my_tcp_server.rs`, works, too.
fn find_lesson(given: &str) -> Result<Lesson, String> {
    let name = given.rsplit(['/', '\\']).next().unwrap_or(given);
    let name = name.strip_suffix(".rs").unwrap_or(name);
    let name = name.strip_prefix("my_").unwrap_or(name);
    let mut similar = None;
    for lesson in all() {
        if lesson.name() == name || lesson.row.lesson.to_string() == name {
            return Ok(lesson);
        }
        if !name.is_empty() && lesson.name().contains(name) && similar.is_none() {
            similar = Some(lesson);
        }
    }
    if let Some(lesson) = similar {
        return Err(format!("'{given}' is not a lesson; do you mean {}?", lesson.name()));
    }
    Err(format!(
        "'{given}' is not a lesson with steps; run live without arguments to see these lessons"
    ))
}

/// Returns the number of a step that the user has given as a number.
fn find_step(lesson: &Lesson, step: &str) -> Option<usize> {
    let number = step.parse().ok()?;
    if number <= lesson.last() { Some(number) } else { None }
}

/// Returns the number of the step after the student's step.
fn next_step(lesson: &Lesson) -> Result<usize, Failure> {
    let student = lesson.student()?;
    let Some(own) = student.text()? else { return Ok(1) };
    let number = report::place(lesson, own)?.number;
    if number == lesson.last() {
        let check = format!("cargo run --example check -- {0} --own my_{0}", lesson.name());
        let what = format!("{} is step {number}, the last step", student.file);
        return Err(format!("{what}; check it with {check}").into());
    }
    Ok(number + 1)
}

/// Writes a step to the student's file. Returns what to print.
fn write_step(lesson: &Lesson, number: usize) -> Result<String, Failure> {
    let student = lesson.student()?;
    let new = lesson.text(number)?;
    let file = &student.file;
    let step = format!("step {number} of {} ({})", lesson.last(), lesson.title(number));
    if student.bytes.as_deref() == Some(new.as_bytes()) {
        return Ok(paragraph(format!("{file} is already {step}. Nothing changes.")));
    }
    let mut text = kept(student.replace(new.as_bytes())?);
    if !text.is_empty() {
        // A file that cannot be compared, for example a binary file, has only own lines.
        if report::has_own_lines(lesson, &student).unwrap_or(true) {
            text += &paragraph("Your lines are in this file; copy what you want to keep.");
        }
        text += "To get this file back:\n";
        text += &report::live(&format!("{} --back", lesson.name()));
    }
    text += &paragraph(format!("{file} is now {step}."));
    if student.bytes.is_some() {
        text += RELOAD;
    }
    match lesson.step(number) {
        Some(step) => {
            if step.by == By::CatchUp {
                text += "To see the new lines (on a terminal, `+` marks them):\n";
                text += &report::live(&format!("{} {number} --show", lesson.name()));
            }
            text += &report::run(lesson, step);
            text += &paragraph(step.sees);
        }
        None if number > 0 => {
            text += "Then run it:\n";
            text += &command(&format!("cargo run --example my_{}", lesson.name()));
        }
        None => {}
    }
    if number < lesson.last() {
        text += "To see the next step:\n";
        text += &report::live(lesson.name());
    }
    Ok(text)
}

/// Restores the latest kept file. Returns what to print.
fn back(lesson: &Lesson) -> Result<String, Failure> {
    let student = lesson.student()?;
    let mut text = student.restore()?;
    let name = lesson.name();
    let Some(old) = student.bytes.as_deref() else { return Ok(text) };
    if let Some(number) = student.ours(old) {
        text += &paragraph(format!("To return to step {number}:"));
        return Ok(text + &report::live(&format!("{name} {number}")));
    }
    text += "To return to the file that you had before:\n";
    Ok(text + &report::live(&format!("{name} --back")))
}

/// Returns what to print if the student's file is missing, and an older file is kept. That happens
/// if `live` is killed before it has written the new file.
fn missing(lesson: &Lesson) -> Result<Option<String>, Failure> {
    let student = lesson.student()?;
    let (None, Ok((kept, _))) = (&student.bytes, student.latest_kept()) else { return Ok(None) };
    let mut text = paragraph(format!("{} is missing, but {kept} is kept.", student.file));
    text += "To restore the kept file:\n";
    text += &report::live(&format!("{} --back", lesson.name()));
    text += &paragraph(format!("To begin with step 0, {}:", lesson.title(0)));
    Ok(Some(text + &report::live(&format!("{} 0", lesson.name()))))
}
