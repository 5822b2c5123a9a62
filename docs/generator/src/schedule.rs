//! Makes the schedules of a workshop from the minutes that the pages state.

use std::fmt::Write;

use crate::book::{SLIDES, lesson_title};
use crate::script::PATHS;
use crate::{Generated, live, read};

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

/// The workshop begins at 9:00. All times are in minutes after midnight.
const BEGIN: usize = 9 * 60;

/// A break comes after at most this number of minutes of work.
const BREAK_AFTER: usize = 80;
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

/// The lessons for half a day of typing, in this order. The longest path is the last one.
const LIVE_HALF_DAY: [&str; 6] = [
    "tcp_server",
    "sequential_server",
    "slow_sequential_server",
    "thread_per_client",
    "thread_pool",
    "poll_server",
];

/// The lessons that a day of typing leaves out.
const LEFT_OUT: [&str; 3] = ["ttl_pong", "getaddrinfo", "network_errors"];

/// The first part of a day of typing: all students run the first two commands, `live`, and
/// `check` with a program of their own.
const LIVE_START: usize = 20;

/// On half a day of typing, lesson 12 is only a picture of a crowd.
const CROWD: (&str, usize) = ("slow_sequential_server", 8);
const CROWD_COMMAND: &str =
    "`cargo run --example crowd -- slow_sequential_server --delay 1`";

/// The last part: the charts of the three slow servers.
const PICTURES: usize = 10;

/// A row of a schedule: what, and how many minutes.
type Item = (String, usize);

pub fn generate(all: &mut Generated) -> Result<(), String> {
    let (mut full, mut live_full) = (vec![start()], vec![live_start()]);
    let (mut half, mut live_half) = (vec![start()], vec![live_start()]);
    for slide in SLIDES {
        let name = slide.name;
        full.push(shown(name)?);
        if HALF_DAY.contains(&name) {
            half.push(shown(name)?);
        }
        if !LEFT_OUT.contains(&name) {
            live_full.push(typed(name)?);
        }
    }
    for name in LIVE_HALF_DAY {
        live_half.push(match CROWD {
            (lesson, minutes) if lesson == name => (
                format!("{}: only the crowd, {CROWD_COMMAND}", shown(name)?.0),
                minutes,
            ),
            _ => typed(name)?,
        });
    }
    for items in [&mut live_half, &mut live_full] {
        items.push((
            "the charts of the [slow servers](slow_thread_pool_timeout.md)"
                .to_owned(),
            PICTURES,
        ));
    }
    all.add([
        ("half_day.md".to_owned(), table(&half, false)),
        ("full_day.md".to_owned(), table(&full, true)),
        ("live_half_day.md".to_owned(), table(&live_half, false)),
        ("live_full_day.md".to_owned(), table(&live_full, true)),
    ]);
    Ok(())
}

fn start() -> Item {
    let link = "[How to use this workbook](using.md)";
    (format!("{link}: all students run the server and the client"), START)
}

fn live_start() -> Item {
    let link = "[How to use this workbook](using.md)";
    let what = "the commands of the server and the client, `live`, and `check` with a program of your own";
    (format!("{link}: {what}"), LIVE_START)
}

/// Returns the row of a lesson that the instructor shows.
fn shown(name: &str) -> Result<Item, String> {
    let (number, title) = lesson_title(name)?;
    Ok((format!("[{number}. {title}]({name}.md)"), minutes(name)?))
}

/// Returns the row of a lesson on a day of typing. Only some lessons have a path.
fn typed(name: &str) -> Result<Item, String> {
    let Some(path) = PATHS.into_iter().find(|path| path.lesson == name) else {
        return shown(name);
    };
    let (number, title) = lesson_title(name)?;
    let what = live::sums_in_words(name)?;
    let item = format!("[{number}. {title}](live/{name}.md): {what}");
    Ok((item, live::sums(path).into_iter().sum()))
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
    (work * RESERVE + 250) / 500 * 5
}

/// Returns a table with these rows, and with breaks.
fn table(items: &[Item], lunch: bool) -> String {
    let mut rows = String::from("| time | what | minutes |\n|---|---|---|\n");
    let mut now = BEGIN;
    let mut row = |minutes: usize, what: &str| {
        let _ = writeln!(rows, "| {} | {what} | {minutes} |", clock(now));
        now += minutes;
    };
    let (mut work, mut reserved, mut since_break) = (0, 0, 0);
    let mut lunch_after = if lunch { LUNCH_AFTER } else { usize::MAX };
    for (what, length) in items {
        let is_lunch = work + length > lunch_after;
        if is_lunch || since_break + length > BREAK_AFTER {
            row(reserve(since_break), "*reserve*");
            reserved += reserve(since_break);
            since_break = 0;
        }
        if is_lunch {
            row(LUNCH, "*lunch*");
            lunch_after = usize::MAX;
        } else if since_break == 0 && work > 0 {
            row(BREAK, "*break*");
        }
        row(*length, what);
        since_break += length;
        work += length;
    }
    row(reserve(since_break), "*reserve*");
    reserved += reserve(since_break);
    let end = clock(now);
    let _ = writeln!(
        rows,
        "| {end} | the end | |\n\n{work} minutes of work and {reserved} minutes of reserve, {} minutes in all.",
        now - BEGIN
    );
    rows
}

fn clock(minutes: usize) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
