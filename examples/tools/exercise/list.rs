//! Lists the exercises, and says which are done.

use std::fmt::Write as _;

use sockets101::Failure;

use crate::lessons::SERVERS;
use crate::memory::Memory;
use crate::table::{EXERCISES, Exercise, Kind, Language};
use crate::task::Work;
use crate::text::command;

/// The lessons without a server, and the servers beyond the lecture that have an exercise. The
/// table of the servers does not have their numbers.
const OTHERS: [(usize, &str); 7] = [
    (5, "names_ipv4"),
    (6, "getaddrinfo"),
    (7, "byte_order"),
    (8, "network_errors"),
    (19, "event_server"),
    (20, "async_server"),
    (21, "dual_stack"),
];

/// Returns the number of the lesson with this name or number.
pub fn number(name: &str) -> Option<usize> {
    for exercise in &EXERCISES {
        if exercise.lesson.to_string() == name {
            return Some(exercise.lesson);
        }
    }
    let servers = SERVERS.iter().map(|row| (row.lesson, row.name));
    let mut lessons = servers.chain(OTHERS);
    lessons.find(|(number, lesson)| *lesson == name && *number > 0).map(|(number, _)| number)
}

/// Returns true if a program of the student has passed, in any language.
fn is_done(exercise: &'static Exercise) -> bool {
    let works = exercise.languages().iter().map(|language| Work::new(exercise, *language));
    works.map(|work| Memory::read(&work)).any(|memory| memory.has_passed)
}

/// Returns the title of an exercise.
fn title(exercise: &'static Exercise) -> Result<String, Failure> {
    Work::new(exercise, exercise.languages()[0]).title()
}

/// Returns the list of all exercises.
pub fn list() -> Result<String, Failure> {
    let count = EXERCISES.iter().filter(|exercise| is_done(exercise)).count();
    let Some(first_open) = EXERCISES.iter().find(|exercise| !is_done(exercise)) else {
        return Ok(finished());
    };
    let mut text = String::new();
    // With one more line, the list would not fit on a terminal of 24 lines.
    for first in EXERCISES.iter().filter(|exercise| is_first(exercise)) {
        let state = |kind: Kind, word: &str| {
            let is_it = |other: &&Exercise| other.lesson == first.lesson && other.kind == kind;
            let exercise = EXERCISES.iter().find(is_it);
            exercise.map_or(String::new(), |exercise| format!("{word} {}", state(exercise)))
        };
        let (repair, make) = (state(Kind::Repair, "repair"), state(Kind::Make, "make"));
        let title = title(first)?;
        let _ = writeln!(text, "{:>2}  {repair:<11}  {make:<9}  {title}", first.lesson);
    }
    let next = "To begin the next exercise (for a make task, add make):";
    let _ = writeln!(text, "Done: {count} of {}. {next}", EXERCISES.len());
    Ok(text + &Work::new(first_open, language(first_open)).command(""))
}

/// Returns true for the exercise whose title the list shows.
fn is_first(exercise: &Exercise) -> bool {
    exercise.kind == Kind::Repair || exercise.is_beyond()
}

/// Returns Python if the student has begun exercises only in Python, and if this exercise exists in
/// Python.
fn language(exercise: &Exercise) -> Language {
    let has_file =
        |language| EXERCISES.iter().any(|other| Work::new(other, language).path().exists());
    if exercise.is_in_python && has_file(Language::Python) && !has_file(Language::Rust) {
        return Language::Python;
    }
    Language::Rust
}

fn state(exercise: &'static Exercise) -> &'static str {
    if is_done(exercise) { "done" } else { "open" }
}

/// Returns what a student can do after all exercises, and what to do next.
fn finished() -> String {
    let mut text = String::from("You have finished all exercises. You can now:\n");
    for exercise in EXERCISES.iter().filter(|exercise| exercise.kind == Kind::Repair) {
        let _ = writeln!(text, "{:>2}  {}", exercise.lesson, exercise.skill);
    }
    text += "To write a server from an empty file:\n";
    text += &command("cargo run -q --example live -- tcp_server");
    text += "The page docs/src/beyond.md shows what comes after the lecture.\n";
    text
}

/// Returns what to do after this exercise: the next open exercise in the same language. After the
/// last open exercise in Python, the next exercise is in Rust.
pub fn next(done: &Work) -> Result<String, Failure> {
    let is_this = |other: &Exercise| other.arguments() == done.exercise.arguments();
    let index = EXERCISES.iter().position(is_this).unwrap_or_default();
    let (before, after) = EXERCISES.split_at(index);
    let open: Vec<_> = after.iter().skip(1).chain(before).filter(|other| !is_done(other)).collect();
    let has_language = |other: &&&Exercise| other.languages().contains(&done.language);
    let Some(next) = open.iter().find(has_language).or(open.first()) else {
        return Ok(finished());
    };
    let same = next.languages().contains(&done.language);
    let work = Work::new(next, if same { done.language } else { Language::Rust });
    Ok(format!("Next: \"{}\"\n", work.title()?) + &work.command(""))
}
