//! The pages of the paths, the card and the schedules agree with each other, and a broken step is
//! noticed.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use sockets101_book::live::sums;
use sockets101_book::read;
use sockets101_book::script::{By, PATHS, Path};
use sockets101_book::steps::{Scratch, source};

/// Returns the lines of a page that begin with `start`, without it.
fn lines(file: &str, start: &str) -> Vec<String> {
    let page = read(&format!("docs/src/{file}.md")).unwrap();
    let lines = page.lines().filter_map(|line| line.strip_prefix(start));
    lines.map(str::to_owned).collect()
}

/// Returns the number at the beginning of a text.
fn number(text: &str) -> usize {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap_or_else(|_| panic!("no number: {text}"))
}

/// Returns the minutes of typing, of the students and of catching up, as the page of a path
/// states them at its steps.
fn sums_of_page(path: &Path) -> [usize; 3] {
    let mut sums = [0; 3];
    for line in lines(&format!("live/{}", path.lesson), "<summary>Step ") {
        let Some((_, line)) = line.split_once(": ") else { panic!("{line}") };
        let kinds = ["you type", "the students write", "live writes"];
        let kind = kinds.iter().position(|kind| line.contains(kind)).unwrap();
        sums[kind] += number(line);
    }
    sums
}

/// The schedules, the card and the pages of the steps state the same minutes.
#[test]
fn the_minutes_add_up() {
    let schedule = read("docs/src/schedule.md").unwrap();
    let card = read("docs/src/live/card.md").unwrap();
    for path in PATHS {
        let lesson = path.lesson;
        let [typing, students, behind] = sums_of_page(path);
        assert_eq!(sums(path), [typing, students, behind], "{lesson}");
        let stated = format!(
            "](live/{lesson}.md): {typing} to type, {students} for the students, {behind} for `live` | {} |",
            typing + students + behind
        );
        assert!(schedule.contains(&stated), "schedule.md does not have {stated}");
        let stated =
            format!("(`{lesson}`): {typing} + {students} + {behind} minutes,\n");
        assert!(card.contains(&stated), "card.md does not have {stated}");
    }
}

/// The rows of each schedule take as long as the sentence below it says. Half a day is not longer
/// than four and a half hours, and a day is not longer than nine hours.
#[test]
fn the_schedules_add_up() {
    let schedule = read("docs/src/schedule.md").unwrap();
    let mut found = 0;
    for part in schedule.split("| time | what | minutes |\n").skip(1) {
        let (rows, after) = part.split_once("\n\n").unwrap();
        let (mut work, mut reserve, mut breaks) = (0, 0, 0);
        for row in rows.lines().skip(1) {
            let cells: Vec<_> = row.split(" | ").collect();
            let [_, what, minutes] = cells[..] else { panic!("{row}") };
            match what {
                "*reserve*" => reserve += number(minutes),
                "*break*" | "*lunch*" => breaks += number(minutes),
                "the end" => {}
                _ => work += number(minutes),
            }
        }
        let all = work + reserve + breaks;
        let stated = format!(
            "{work} minutes of work and {reserve} minutes of reserve, {all} minutes in all."
        );
        assert!(after.starts_with(&stated), "{after:.90} instead of {stated}");
        let is_half = work < 250;
        assert!(all <= if is_half { 270 } else { 540 }, "{stated}");
        found += 1;
    }
    assert_eq!(found, 4);
}

/// The students work on their own in each path, and no step takes more than ten minutes.
#[test]
fn the_students_work_too() {
    for path in PATHS {
        let [typing, students, behind] = sums(path);
        assert!(typing > 0 && students >= 5 && behind > 0, "{}", path.lesson);
        for step in path.steps {
            assert!(
                (1..=10).contains(&step.minutes),
                "{}: {}",
                path.lesson,
                step.title
            );
        }
        assert!(path.steps.last().unwrap().by == By::CatchUp, "{}", path.lesson);
    }
}

/// A warning in a step fails the build, and the message names the step.
#[test]
fn a_warning_is_noticed() {
    let text = source(PATHS[1], 3).unwrap();
    let broken =
        text.replace("let mut buffer", "let unused = 1;\n    let mut buffer");
    assert_ne!(text, broken);
    let programs = [("broken_step".to_owned(), broken)];
    let message = Scratch::build("broken", &programs).err().unwrap();
    assert!(
        message.contains("unused") && message.contains("broken_step"),
        "{message}"
    );
}
