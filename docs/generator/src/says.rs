//! Makes the page "What `check` says" from the tables of `check`, so that the page always has
//! each check and each reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use regex::Regex;

use crate::book::{SLIDES, anchor, beyond_page, pages};
use crate::read;
use crate::reasons::{REASONS, Reason};

/// The file with the table of checks and the functions of the checks.
const CHECKS: &str = "examples/tools/check/checks.rs";

/// The file with the functions of the checks of the servers beyond the lecture.
const BEYOND: &str = "examples/tools/check/beyond.rs";

/// The file with the functions of the checks that need `--make`.
const MAKE: &str = "examples/tools/check/make.rs";

/// Words that a reader may search for, and the reasons that explain them.
#[rustfmt::skip]
const INDEX: &[(&str, &[&str])] = &[
    ("Connection reset by peer, `ConnectionResetError`, errno 104, forcibly closed by the remote host", &["UNREAD"]),
    ("`recv` returns `b''` forever, 100 % CPU, busy loop", &["NO_END_SEEN", "STILL_WAITS"]),
    ("Connection refused, the server has exited", &["ACCEPTS_ONCE", "DIES_AT_FIRST", "DIED", "EXITED"]),
    ("Broken pipe, `BrokenPipeError`, SIGPIPE, `MSG_NOSIGNAL`", &["SIGPIPE"]),
    ("traceback, uncaught exception", &["DIES_AT_FIRST", "AN_ERROR", "DIED"]),
    ("timed out, backlog, `listen(1)`", &["NO_CONNECTION", "NO_ANSWER"]),
    ("newline, `readline`, `\\n`", &["WAITS_FOR_A_LINE", "ADDS_NEWLINE", "NO_NEWLINE", "CRLF"]),
    ("half-close, `shutdown`, read until the end", &["WAITS_FOR_THE_END", "REQUESTS_END", "NO_OWN_END"]),
    ("message boundaries, one `recv` is not one message", &["ONE_RECV", "THROWN_AWAY", "OUTSIDE"]),
    ("`B'HELLO'`, `str(data)`", &["BYTES_REPR"]),
    ("NUL bytes, `\\x00`, bytes of an older message", &["WHOLE_BUFFER", "NUL_ENDS", "NUL_SENT"]),
    ("`strip`, `trim`, white space", &["STRIPPED"]),
    ("`UnicodeDecodeError`, can't decode byte, unexpected end of data", &["FIRST_HALF", "HALF_HELD", "UNTOLD"]),
    ("question marks, `Ã©`, U+FFFD, encoding", &["QUESTION_MARKS", "LATIN_1", "REPLACED"]),
    ("`capitalize`, `title`, `swapcase`", &["LOWER_OR_TITLE"]),
    ("truncated datagram, `recvfrom(1024)`", &["SHORT_BUFFER", "CUT_REPLY"]),
    ("`struct.error`, unpack requires a buffer of 4 bytes", &["ONE_RECV_4", "CUT_ANSWERED"]),
    ("byte order, little-endian, `struct.pack`", &["WRONG_ORDER"]),
    ("`MemoryError`, too much memory", &["BELIEVED", "UNBOUND"]),
    ("`send` and `sendall`, partial write, `BlockingIOError`", &["LOST", "BLOCKED"]),
    ("Too many open files, EMFILE, errno 24", &["FEW_DESCRIPTORS", "COUNT"]),
    ("`epoll`, edge-triggered", &["ONE_EVENT"]),
    ("threads, pool, `ThreadPoolExecutor`", &["FEWER", "THREADS_GONE", "MORE_THAN_FOUR", "ONE_AT_A_TIME"]),
    ("`settimeout`, `TimeoutError`", &["NO_LIMIT", "NEVER_ENDS", "STAYS_IDLE", "CUT_TOO_LATE", "LAST_EXITS"]),
    ("`panic!`, `catch_unwind`", &["BUG_ENDS_THREADS"]),
];

/// The first reason of the make tasks.
const MAKE_TASKS: &str = "EARLY_REPLY";

/// The parts of the table of reasons: the first reason of each, and its heading.
const GROUPS: &[(&str, &str)] = &[
    ("ACCEPTS_ONCE", "Reasons: the first client"),
    ("SAME_BYTES", "Reasons: the bytes of a reply"),
    ("OUTSIDE", "Reasons: several messages, several clients"),
    ("NO_TEXT_ASKED", "Reasons: datagrams"),
    ("EMPTY_BLOCK", "Reasons: length-prefixed messages"),
    ("NOT_SEQUENTIAL", "Reasons: how many clients at the same time"),
    ("ONE_FAMILY", "Reasons: the servers beyond the lecture"),
    (MAKE_TASKS, "Reasons: the make tasks"),
];

/// The conditions in the table of checks, and the servers that they stand for.
#[rustfmt::skip]
const SUITS: &[(&str, &str)] = &[
    ("|_| true", "all lessons with a server"),
    ("|row| row.name != \"ttl_pong\"", "all lessons with a server, except 3"),
    ("decodes", "all lessons with a server, except 1 and 3"),
    ("|row| decodes(row) && !row.reads_lines()", "all lessons with a server, except 1 and 3, and except 4 with `--make`"),
    ("Row::is_stream", "lessons 4 and 9 to 18"),
    ("Row::is_slow", "the slow servers (lessons 12, 15 and 18)"),
    ("|row| row.is_stream() && !row.reads_blocks()", "lessons 4 and 9 to 18, except 9 with `--make`"),
    ("|row| row.closes_gracefully() && !row.reads_lines()", "lessons 4 and 9 to 18, except 13, and except 4 with `--make`"),
    ("|row| is(row, &[Datagram])", "lessons 1 to 3"),
    ("|row| is(row, &[Datagram]) && !decodes(row)", "lessons 1 and 3"),
    ("|row| is(row, &[Datagram, Conversation])", "lessons 1 to 3 and 10 to 15"),
    ("|row| is(row, &[OneMessage, Block]) && !row.reads_blocks()", "lessons 4, 9 and 16 to 18, except 9 with `--make`"),
    ("|row| is(row, &[Block])", "lesson 9"),
    ("|row| is(row, &[Conversation])", "lessons 10 to 15"),
    ("|row| is(row, &[Block, Conversation])", "lessons 9 to 15"),
    ("|row| row.backlog == 100", "lessons 11 to 18"),
    ("|row| row.is_stream() && row.design == Sequential", "lessons 4 and 9 to 12"),
    ("|row| row.design == Pool", "lessons 16 to 18"),
    ("|row| row.options.contains(&\"timeout\") && row.make.is_empty()", "lessons 17 and 18, except 17 with `--make`"),
    ("Row::reads_lines", "lesson 4 with `--make`"),
    ("Row::reads_blocks", "lesson 9 with `--make`"),
    ("|row| row.name == \"dual_stack\"", "the server `dual_stack`"),
    ("stops", "the server `stop_server`, and `event_server` with `--make`"),
    ("|row| row.make == \"session_limit\"", "lesson 10 with `--make`"),
    ("|row| row.make == \"idle_client\"", "lesson 13 and the server `async_server`, with `--make`"),
    ("|row| row.make == \"too_many_clients\"", "lesson 14 and the server `dual_stack`, with `--make`"),
    ("|row| row.make == \"crash\"", "lesson 16 with `--make`"),
    ("|row| row.make == \"last_worker\"", "lesson 17 with `--make`"),
];

/// A check, as its source describes it.
struct Check {
    name: String,
    does: String,
    suits: &'static str,
    reasons: BTreeSet<&'static str>,
}

/// Returns the tables and the sections of the page.
///
/// # Errors
///
/// A sentence, if the source of `check` lacks something.
pub fn tables() -> Result<String, String> {
    let checks = checks(&(read(CHECKS)? + &read(BEYOND)? + &read(MAKE)?))?;
    let titles = titles();
    let mut tables = String::new();
    write_index(&mut tables, &titles)?;
    write_checks(&mut tables, &checks, &titles)?;
    write_reasons(&mut tables, &checks, &titles)?;
    Ok(tables)
}

/// The headings of the reasons, by their names.
type Titles = BTreeMap<&'static str, String>;

/// Returns the headings. A heading is the fact at the beginning of what `check` says. If two
/// reasons begin with the same fact, it is the whole first sentence.
fn titles() -> Titles {
    let beginnings: Vec<_> =
        REASONS.iter().map(|(_, reason)| beginning(reason.says)).collect();
    let mut titles = Titles::new();
    for (name, reason) in REASONS {
        let mut title = beginning(reason.says);
        if beginnings.iter().filter(|other| **other == title).count() > 1 {
            title = first_sentence(reason.says);
        }
        titles.insert(name, prose(title));
    }
    titles
}

/// Returns the fact without its cause.
fn beginning(says: &'static str) -> &'static str {
    let mut beginning = first_sentence(says);
    for cause in [": ", ", because ", ", so "] {
        beginning = beginning.split(cause).next().unwrap_or(beginning);
    }
    beginning
}

/// Returns the text up to the end of the first sentence, without its full stop.
fn first_sentence(says: &'static str) -> &'static str {
    let first = says.split(". ").next().unwrap_or(says);
    first.trim_end_matches('.')
}

/// Returns a text as Markdown. Bytes as Python prints them, such as `b''`, and options become
/// code, because the book changes quotation marks and `--` in other text.
fn prose(text: &str) -> String {
    let Ok(bytes) = Regex::new("[bB]'[^']*'|--[a-z]+") else {
        return text.to_owned();
    };
    let mut prose = String::new();
    for (number, piece) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(prose, "`{piece}`");
            continue;
        }
        let marked = bytes.replace_all(piece, "`$0`");
        let mut is_code = false;
        for c in marked.chars() {
            is_code ^= c == '`';
            if !is_code && "*_<[\\".contains(c) {
                prose.push('\\');
            }
            prose.push(c);
        }
    }
    prose
}

/// Returns a link to a heading, as mdBook names it.
fn link(title: &str) -> String {
    format!("[{title}](#{})", anchor(title))
}

/// Returns the checks from the source of `check`. Each is one line of the table.
fn checks(source: &str) -> Result<Vec<Check>, String> {
    let mut checks = Vec::new();
    for line in source.lines() {
        let Some(line) = line.trim().strip_prefix("Check { name: ") else {
            continue;
        };
        let field = |name: &str, end: &str| -> Option<String> {
            let (_, rest) = line.split_once(name)?;
            Some(rest.split_once(end)?.0.to_owned())
        };
        let name = line.split('"').nth(1).unwrap_or_default().to_owned();
        let does = field("does: \"", "\",");
        let suits = field("suits: ", ", run: ");
        let run = field("run: ", " },");
        let (Some(does), Some(suits), Some(run)) = (does, suits, run) else {
            return Err(format!("{CHECKS}: says.rs does not understand: {line}"));
        };
        let Some((_, suits)) = SUITS.iter().find(|(code, _)| *code == suits) else {
            return Err(format!("says.rs has no words for the condition {suits}"));
        };
        let mut reasons = BTreeSet::new();
        find_reasons(source, &run, &mut BTreeSet::new(), &mut reasons);
        checks.push(Check { name, does, suits, reasons });
    }
    if checks.is_empty() {
        return Err(format!("{CHECKS} has no line with a check"));
    }
    Ok(checks)
}

/// Finds the names of reasons in this code, and in the functions of the file that it calls.
fn find_reasons(
    source: &str,
    code: &str,
    searched: &mut BTreeSet<String>,
    found: &mut BTreeSet<&'static str>,
) {
    let is_part = |c: char| c.is_alphanumeric() || ".:_".contains(c);
    for path in code.split(|c| !is_part(c)) {
        // The reason is the last part of `why::UNREAD`. A method, `.unread`, is not in this file.
        let word = path.rsplit(':').next().unwrap_or(path);
        if let Some((name, _)) = REASONS.iter().find(|(name, _)| *name == word) {
            found.insert(name);
        }
        let start = format!("fn {word}(");
        if let Some((_, rest)) = source.split_once(&start) {
            if searched.insert(word.to_owned()) {
                let body = rest.split("\n}").next().unwrap_or(rest);
                find_reasons(source, body, searched, found);
            }
        }
    }
}

/// Returns links to these reasons, separated by semicolons.
fn links<'a>(
    names: impl Iterator<Item = &'a &'a str>,
    titles: &Titles,
) -> Result<String, String> {
    let mut links = Vec::new();
    for name in names {
        let title = titles.get(name);
        links.push(link(
            title.ok_or_else(|| format!("the reason {name} is unknown"))?,
        ));
    }
    Ok(links.join("; "))
}

fn write_index(part: &mut String, titles: &Titles) -> Result<(), String> {
    part.push_str("## Find it by a word\n\n");
    part.push_str("| what you see | what `check` may say |\n|---|---|\n");
    for (words, names) in INDEX {
        let _ = writeln!(part, "| {words} | {} |", links(names.iter(), titles)?);
    }
    Ok(())
}

fn write_checks(
    part: &mut String,
    checks: &[Check],
    titles: &Titles,
) -> Result<(), String> {
    part.push_str("\n## The checks\n\n");
    part.push_str("`check` makes them in this order. ");
    part.push_str("In most make tasks, you extend the server of a lesson. ");
    part.push_str("The checks for make tasks need the option `--make`.\n");
    for Check { name, does, suits, reasons } in checks {
        let _ = write!(part, "\n### {name}\n\n");
        let _ = writeln!(part, "- What the client does: {}.", prose(does));
        let _ = writeln!(part, "- Made for: {suits}.");
        if !reasons.is_empty() {
            let links = links(reasons.iter(), titles)?;
            let _ = writeln!(part, "- If it fails: {links}.");
        }
    }
    Ok(())
}

fn write_reasons(
    part: &mut String,
    checks: &[Check],
    titles: &Titles,
) -> Result<(), String> {
    let mut about_lesson = "A program that is right";
    for (name, reason) in REASONS {
        if *name == MAKE_TASKS {
            // The program of the lesson does not have the extension.
            about_lesson = "The make task of";
        }
        if let Some((_, heading)) = GROUPS.iter().find(|(first, _)| first == name) {
            let _ = write!(part, "\n## {heading}\n");
        }
        let Reason { says, means, python, change, lesson } = reason;
        let says = prose(says);
        let _ = write!(part, "\n### {}\n\n", titles[name]);
        let _ = write!(part, "> {says}\n\n{}\n\n", prose(means));
        if !python.is_empty() {
            let _ = write!(part, "```python\n{python}\n```\n\n");
        }
        let _ = writeln!(part, "- What to change: {}", prose(change));
        let _ = writeln!(part, "- {about_lesson}: {}", lesson_link(lesson)?);
        let by: Vec<_> = checks
            .iter()
            .filter(|check| check.reasons.contains(name))
            .map(|check| link(&check.name))
            .collect();
        if !by.is_empty() {
            let _ = writeln!(part, "- Checks that say so: {}", by.join(", "));
        }
    }
    Ok(())
}

/// Returns a link to the page of a lesson, or of a server beyond the lecture.
fn lesson_link(lesson: &str) -> Result<String, String> {
    if let Some(page) = beyond_page(lesson) {
        return Ok(format!("the page of [`{lesson}`]({page})"));
    }
    let file = format!("{lesson}.md");
    let number = SLIDES.iter().position(|slide| slide.name == lesson);
    let page = pages()?.into_iter().find(|(_, page)| *page == file);
    match (number, page) {
        (Some(number), Some((title, _))) => {
            Ok(format!("lesson [{}, {title}]({file})", number + 1))
        }
        _ => Err(format!("the lesson {lesson} is unknown")),
    }
}
