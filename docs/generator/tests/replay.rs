//! The recordings in the pages agree with the programs, the pictures and the terminals of the pages,
//! and with themselves.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use sockets101_book::book::{self, files, short_program};
use sockets101_book::marks::marks;
use sockets101_book::{folder, read};

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"<script type="application/json" data-language="(\w+)">(.*)</script>"#)
});
static LINE: LazyLock<Regex> = LazyLock::new(|| regex(r" \(line (\d+)\)"));
static WAITS: LazyLock<Regex> = LazyLock::new(|| regex("waits in `([a-z_]+)`"));
static CODE: LazyLock<Regex> = LazyLock::new(|| regex("`[^`]*`"));
static BYTES: LazyLock<Regex> = LazyLock::new(|| {
    regex(r" (sends|receives) (?:the datagram )?`.*` \((\d+) bytes?\)")
});

/// A recording, and what its page shows of the same run.
#[derive(Clone)]
struct Recording {
    /// The page, the program and the language.
    name: String,
    json: Value,
    /// The lines of each program, without its header as the page shows it.
    programs: Vec<Vec<String>>,
    /// The number of rows of the picture.
    rows: u64,
    /// The page, in which each terminal must be. Empty if the page shows other terminals.
    page: String,
}

/// Returns all recordings of the book.
fn recordings() -> Vec<Recording> {
    let mut all = Vec::new();
    for (_, file) in book::pages().unwrap() {
        let page = read(&format!("docs/src/{file}")).unwrap();
        for (mark, text) in marks(&page) {
            let Some(name) = mark.strip_prefix("replay ") else { continue };
            for found in SCRIPT.captures_iter(text) {
                all.push(recording(name, &found[1], &found[2], &page));
            }
        }
    }
    all
}

fn recording(name: &str, language: &str, json: &str, page: &str) -> Recording {
    let json: Value = serde_json::from_str(json).unwrap();
    let lesson = name.trim_end_matches("/short");
    let is_short = name != lesson;
    let (python, rust) =
        if is_short { short_program(lesson).unwrap() } else { files(lesson) };
    let of_page = if language == "rust" { rust } else { python };
    let mut programs = Vec::new();
    for program in json["programs"].as_array().unwrap() {
        let text = match program["code"].as_str() {
            Some(code) => code.to_owned(),
            None => sockets101_book::parts::program(&of_page).unwrap(),
        };
        programs.push(text.lines().map(str::to_owned).collect());
    }
    let path =
        json["picture"]["src"].as_str().unwrap().trim_start_matches("generated/");
    let picture = std::fs::read_to_string(folder().join(path)).unwrap();
    // A row is an arrow or a dot.
    let rows =
        picture.matches("<path ").count() + picture.matches("<circle ").count();
    // The pages about the others show no terminal of this run.
    let is_in_page = language == "rust" && !is_short && lesson != "event_server";
    Recording {
        name: format!("{name}, {language}"),
        json,
        programs,
        rows: rows.try_into().unwrap(),
        page: if is_in_page { trimmed(page.lines()) } else { String::new() },
    }
}

/// Joins lines without their indentation, because a terminal can be in a list.
fn trimmed<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold(String::new(), |all, line| all + line.trim() + "\n")
}

/// The state of a recording at one step.
#[derive(Clone, Default)]
struct State {
    rows: u64,
    lines: BTreeMap<usize, usize>,
    /// For each thread, its line and what it does.
    threads: BTreeMap<usize, (usize, String)>,
    kernel: BTreeMap<String, Value>,
}

impl State {
    fn next(&self, step: &Value) -> Self {
        let mut next = self.clone();
        next.rows += u64::from(step["x"].is_array());
        let changes = |key: &str| step[key].as_object().cloned().unwrap_or_default();
        for (terminal, count) in changes("lines") {
            next.lines.insert(terminal.parse().unwrap(), number(&count));
        }
        for (thread, at) in changes("threads") {
            let state = at[1].as_str().unwrap().to_owned();
            next.threads.insert(thread.parse().unwrap(), (number(&at[0]), state));
        }
        next.kernel.extend(changes("kernel"));
        next
    }

    /// Returns how many bytes the kernel holds, in both directions of all connections.
    fn bytes(&self) -> usize {
        let links = self.kernel.values().filter_map(|link| link["bytes"].as_array());
        links.flatten().map(number).sum()
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

impl Recording {
    /// Returns what is wrong, one sentence each.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut before = State::default();
        for (index, step) in
            self.json["steps"].as_array().unwrap().iter().enumerate()
        {
            let now = before.next(step);
            let sentence = step["say"].as_str().unwrap();
            let mut add = |what: String| {
                problems.push(format!(
                    "{}, step {}: {what}: {sentence}",
                    self.name,
                    index + 1
                ));
            };
            self.line_problems(sentence, step, &now).into_iter().for_each(&mut add);
            byte_problems(sentence, &before, &now).into_iter().for_each(&mut add);
            Self::sentence_problems(sentence).into_iter().for_each(&mut add);
            before = now;
        }
        problems.extend(
            self.end_problems(&before)
                .into_iter()
                .map(|problem| format!("{}: {problem}", self.name)),
        );
        problems
    }

    /// Returns the text of a line of a program.
    fn line(&self, thread: usize, line: usize) -> Option<&str> {
        let program = number(&self.json["threads"][thread]["program"]);
        let first = number(&self.json["programs"][program]["first"]);
        let lines = &self.programs[program];
        line.checked_sub(first)
            .and_then(|index| lines.get(index))
            .map(String::as_str)
    }

    /// The line of a sentence is the line of a thread, and a thread waits in a line with the call.
    fn line_problems(
        &self,
        sentence: &str,
        step: &Value,
        now: &State,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let said = LINE.captures(sentence);
        if let Some(line) = said.map(|found| found[1].parse::<usize>().unwrap()) {
            if !now.threads.values().any(|(at, _)| *at == line) {
                problems.push(format!("no thread is at line {line}"));
            }
        }
        let changed = step["threads"].as_object().cloned().unwrap_or_default();
        for (thread, at) in changed {
            let thread = thread.parse().unwrap();
            let line = number(&at[0]);
            let Some(text) = self.line(thread, line) else {
                problems.push(format!("line {line} does not exist"));
                continue;
            };
            let waits = at[1] == "waits";
            if waits
                != (sentence.contains(" waits in `")
                    || sentence.contains(" and waits. "))
            {
                problems.push(
                    "the sentence and the state of the thread differ".to_owned(),
                );
            }
            if let Some(call) = WAITS.captures(sentence).filter(|_| waits) {
                if !text.contains(&format!("{}(", &call[1])) {
                    problems.push(format!(
                        "line {line} does not call {}: {text}",
                        &call[1]
                    ));
                }
            }
            if text.trim().is_empty() {
                problems.push(format!("line {line} is empty"));
            }
        }
        problems
    }

    fn sentence_problems(sentence: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if !sentence.starts_with(char::is_uppercase) || !sentence.ends_with('.') {
            problems.push("this is not a whole sentence".to_owned());
        }
        for part in sentence.split_inclusive(". ") {
            // What a program prints counts as one word.
            let words = CODE.replace_all(part, "code").split_whitespace().count();
            if words > 20 {
                problems.push(format!("{words} words"));
            }
        }
        problems
    }

    /// At the end, everything is shown, and the kernel holds nothing for a client that was accepted.
    fn end_problems(&self, end: &State) -> Vec<String> {
        let mut problems = Vec::new();
        if end.rows != self.rows {
            problems.push(format!(
                "the picture has {} rows, and {} are shown",
                self.rows, end.rows
            ));
        }
        for (number, terminal) in
            self.json["terminals"].as_array().unwrap().iter().enumerate()
        {
            let lines = terminal["lines"].as_array().unwrap();
            if end.lines.get(&number) != Some(&lines.len()) {
                problems.push(format!(
                    "{} does not show all its lines",
                    terminal["name"]
                ));
            }
            let text = trimmed(lines.iter().map(|line| line.as_str().unwrap()));
            if !self.page.is_empty() && !self.page.contains(&text) {
                problems
                    .push(format!("the page does not show this terminal: {text}"));
            }
        }
        let waiting = end
            .kernel
            .get("listener")
            .and_then(|listener| listener["waiting"].as_array());
        let mut left = end.clone();
        left.kernel.retain(|name, _| {
            !waiting.is_some_and(|waiting| waiting.iter().any(|other| other == name))
        });
        if left.bytes() != 0 {
            problems.push(format!("{} bytes are left", left.bytes()));
        }
        problems
    }
}

/// The bytes in the kernel change as the sentence says.
fn byte_problems(sentence: &str, before: &State, now: &State) -> Vec<String> {
    let knows_bytes = now.kernel.values().any(|link| link["bytes"].is_array());
    let expected = match BYTES.captures(sentence).filter(|_| knows_bytes) {
        Some(found) => {
            let count: usize = found[2].parse().unwrap();
            if &found[1] == "sends" {
                before.bytes() + count
            } else {
                before.bytes().wrapping_sub(count)
            }
        }
        // A reset drops what the kernel held.
        None if sentence.contains("RST") => now.bytes(),
        None => before.bytes(),
    };
    if now.bytes() == expected {
        return Vec::new();
    }
    vec![format!("the kernel holds {} bytes instead of {expected}", now.bytes())]
}

#[test]
fn all_recordings_agree_with_their_pages() {
    let all = recordings();
    // 14 servers, event_server, two programs without a server, five in Python, and three programs in
    // short in both languages.
    assert_eq!(all.len(), 14 + 1 + 2 + 5 + 3 * 2);
    let problems: Vec<_> = all.iter().flat_map(Recording::problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Breaks a recording, and expects that at least one problem contains these words.
fn broken(name: &str, expected: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut found =
        recordings().into_iter().find(|found| found.name == name).unwrap();
    let Value::Array(steps) = &mut found.json["steps"] else { panic!("no steps") };
    change(steps);
    let problems = found.problems();
    assert!(
        problems.iter().any(|problem| problem.contains(expected)),
        "{problems:?}"
    );
}

/// Returns the step whose sentence contains these words.
fn step<'a>(steps: &'a mut [Value], words: &str) -> &'a mut Value {
    let found =
        steps.iter_mut().find(|step| step["say"].as_str().unwrap().contains(words));
    found.unwrap()
}

#[test]
fn a_line_that_is_off_by_one_is_noticed() {
    for name in ["tcp_server, rust", "tcp_server, python", "thread_pool, rust"] {
        broken(name, "does not call accept", |steps| {
            let step = step(steps, "waits in `accept`");
            let threads = step["threads"].as_object_mut().unwrap();
            for at in threads.values_mut() {
                at[0] = (number(&at[0]) + 1).into();
            }
        });
    }
}

#[test]
fn an_event_that_is_left_out_is_noticed() {
    broken("tcp_server, rust", "rows, and", |steps| {
        let place = steps.iter().position(|step| step["x"].is_array()).unwrap();
        steps.remove(place);
    });
    broken("tcp_server, rust", "does not show all its lines", |steps| {
        steps.retain(|step| !step["say"].as_str().unwrap().contains("STRASSE"));
    });
}

#[test]
fn bytes_that_do_not_add_up_are_noticed() {
    broken("poll_server, rust", "the kernel holds", |steps| {
        let step = step(steps, "(8 bytes) to B");
        step["kernel"]["B"]["bytes"][1] = 7.into();
    });
    broken("poll_server, rust", "bytes are left", |steps| {
        let last =
            steps.iter_mut().rfind(|step| step["kernel"]["B"].is_object()).unwrap();
        last["kernel"]["B"]["bytes"][1] = 1.into();
    });
}
