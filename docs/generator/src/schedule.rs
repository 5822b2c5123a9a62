//! Makes the schedules of a workshop from the minutes that the pages state.

use std::fmt::Write;

use crate::book::{SLIDES, pages};
use crate::{Generated, read};

/// The lessons for half a day.
const HALF_DAY: [&str; 8] = [
    "udp_server",
    "tcp_server",
    "recvall_server",
    "sequential_server",
    "slow_sequential_server",
    "poll_server",
    "thread_per_client",
    "thread_pool",
];

/// A break comes after this number of minutes of work.
const BREAK_AFTER: usize = 75;
const BREAK: usize = 15;

/// The length of the lunch of a full day, and the most minutes of work before it.
const LUNCH: usize = 60;
const LUNCH_AFTER: usize = 150;

/// The first part: all participants run the first two commands.
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

/// Returns a table with a row for each lesson, and with breaks.
fn table(slides: Vec<&str>, start: usize, lunch: bool) -> Result<String, String> {
    let titles = pages()?;
    let mut rows = String::from("| from | what | minutes |\n|---|---|---|\n");
    let mut now = start;
    let mut row = |minutes: usize, what: &str| {
        let _ = writeln!(rows, "| {} | {what} | {minutes} |", clock(now));
        now += minutes;
    };
    row(
        START,
        "[How to use this workbook](using.md): both commands run, in two terminals",
    );
    let mut work = START;
    let mut since_break = START;
    let mut lunch_after = if lunch { LUNCH_AFTER } else { usize::MAX };
    for name in slides {
        let length = minutes(name)?;
        if work + length > lunch_after {
            row(LUNCH, "*lunch*");
            lunch_after = usize::MAX;
            since_break = 0;
        } else if since_break + length > BREAK_AFTER {
            row(BREAK, "*break*");
            since_break = 0;
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
    let end = clock(now);
    let _ = writeln!(
        rows,
        "| {end} | the end | |\n\n{work} minutes of work, {} in all.",
        now - start
    );
    Ok(rows)
}

fn clock(minutes: usize) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
