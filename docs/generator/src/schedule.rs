//! Makes the schedules of a workshop from the minutes that the pages state.

use std::fmt::Write;

use crate::book::{SLIDES, pages};
use crate::{Generated, read};

/// The lessons for half a day. The first lesson explains what all others need.
const HALF_DAY: [&str; 8] = [
    "udp_server_bytes",
    "udp_server",
    "tcp_server",
    "recvall_server",
    "sequential_server",
    "slow_sequential_server",
    "poll_server",
    "thread_per_client",
];

/// A break comes after at most this number of minutes of work.
const BREAK_AFTER: usize = 75;
const BREAK: usize = 15;

/// The reserve before each break and at the end, in percent of the minutes of work before it.
/// Typing lessons 4, 9, 10 and 13 from an empty file took 115 minutes, when their notes stated
/// 100 minutes.
const RESERVE: usize = 15;

/// The length of the lunch of a full day, and the most minutes of work before it.
const LUNCH: usize = 60;
const LUNCH_AFTER: usize = 150;

/// The first part: all students run the first two commands.
const START: usize = 15;

pub fn generate(all: &mut Generated) -> Result<(), String> {
    let half =
        SLIDES.iter().map(|slide| slide.name).filter(|name| HALF_DAY.contains(name));
    let full = SLIDES.iter().map(|slide| slide.name);
    all.add([
        ("half_day.md".to_owned(), table(half.collect(), 9 * 60, false)?),
        ("full_day.md".to_owned(), table(full.collect(), 9 * 60, true)?),
    ]);
    Ok(())
}

/// Returns the minutes that the instructor's notes of a page state.
fn minutes(name: &str) -> Result<usize, String> {
    let page = read(&format!("docs/src/{name}.md"))?;
    let stated = page
        .split_once("<summary>Notes: ")
        .and_then(|(_, rest)| rest.split_once(" minutes"));
    let stated = stated.and_then(|(minutes, _)| minutes.parse().ok());
    stated.ok_or_else(|| format!("docs/src/{name}.md does not state its minutes"))
}

/// Returns the reserve after some minutes of work, rounded to five minutes.
fn reserve(work: usize) -> usize {
    (work * RESERVE / 100 + 2) / 5 * 5
}

/// Returns a table with a row for each lesson, and with breaks.
fn table(slides: Vec<&str>, start: usize, lunch: bool) -> Result<String, String> {
    let titles = pages()?;
    let mut rows = String::from("| time | what | minutes |\n|---|---|---|\n");
    let mut now = start;
    let mut row = |minutes: usize, what: &str| {
        let _ = writeln!(rows, "| {} | {what} | {minutes} |", clock(now));
        now += minutes;
    };
    row(
        START,
        "[How to use this workbook](using.md): all students run the server and the client",
    );
    let mut work = START;
    let mut reserved = 0;
    let mut since_break = START;
    let mut lunch_after = if lunch { LUNCH_AFTER } else { usize::MAX };
    for name in slides {
        let length = minutes(name)?;
        let is_lunch = work + length > lunch_after;
        if is_lunch || since_break + length > BREAK_AFTER {
            row(reserve(since_break), "*reserve*");
            reserved += reserve(since_break);
            since_break = 0;
        }
        if is_lunch {
            row(LUNCH, "*lunch*");
            lunch_after = usize::MAX;
        } else if since_break == 0 {
            row(BREAK, "*break*");
        }
        let file = format!("{name}.md");
        let title = titles
            .iter()
            .find(|(_, page)| *page == file)
            .map_or(name, |(title, _)| title);
        let number =
            SLIDES.iter().position(|slide| slide.name == name).unwrap_or_default()
                + 1;
        row(length, &format!("[{number}. {title}]({file})"));
        since_break += length;
        work += length;
    }
    row(reserve(since_break), "*reserve*");
    reserved += reserve(since_break);
    let end = clock(now);
    let _ = writeln!(
        rows,
        "| {end} | the end | |\n\n{work} minutes of work and {reserved} minutes of reserve, {} minutes in all.",
        now - start
    );
    Ok(rows)
}

fn clock(minutes: usize) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
