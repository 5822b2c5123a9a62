//! Grades a program each time that its file is saved.

use std::fs;
use std::path::PathBuf;
use std::slice;
use std::thread;
use std::time::{Duration, SystemTime};

use sockets101::Failure;

use crate::Task;
use crate::grade::{Entry, Mark, grade};
use crate::lessons::SERVERS;
use crate::report::{FEW, FEWER, Output, WIDTH, has_passed, rows, summary, wrapped};
use crate::server::{Launch, Program, build_quietly, source_path};
use crate::words::has_colours;

/// The time between two looks at the file.
const PAUSE: Duration = Duration::from_millis(200);

/// The number of lines of a screen, without the line of the cursor.
const SCREEN: usize = 23;

/// The number of lines of the compiler that are shown.
const COMPILER: usize = 16;

/// Grades the program of a task again and again. Returns only if stdout is closed.
pub fn watch(task: &Task, output: &mut Output) -> Result<bool, Failure> {
    let files = files(task)?;
    let mut before: Option<Vec<Entry>> = None;
    while output.error.is_none() {
        let saved = times(&files);
        clear(output);
        output.line(&format!("{}: building and checking", task.title));
        match grade_once(task, output) {
            Ok(entries) => {
                print_news(task, output, before.as_deref(), &entries);
                before = Some(entries);
            }
            Err(sentence) => output.line(&sentence),
        }
        output.line("Waiting until you save the file. Ctrl-C stops.");
        while times(&files) == saved && output.error.is_none() {
            thread::sleep(PAUSE);
        }
    }
    Ok(true)
}

/// Builds and grades the program. Prints the first failure at once.
fn grade_once(task: &Task, output: &mut Output) -> Result<Vec<Entry>, String> {
    if let Some(Launch { program: Program::Own(name), .. }) = &task.launch {
        build_quietly([name.as_str()]).map_err(|words| {
            let lines: Vec<_> = words.lines().take(COMPILER).collect();
            let rest = format!("To see all errors: cargo build --example {name}");
            format!("The program does not compile:\n{}\n{rest}", lines.join("\n"))
        })?;
    }
    let mut has_failed = false;
    grade(task, |entry| {
        if entry.mark == Mark::Failed && !has_failed {
            has_failed = true;
            let row = rows(slice::from_ref(entry), Mark::Failed, FEW);
            output.line(&format!("The first failure:\n{}", row.join("")));
        }
    })
    .map_err(|failure| format!("Error: {failure:?}"))
}

/// Prints what is new, then as many failures as fit, and the number of passed checks.
fn print_news(task: &Task, output: &mut Output, before: Option<&[Entry]>, now: &[Entry]) {
    let before = before.unwrap_or(now);
    let mut text = news("passed now", before, now, &[Mark::Passed, Mark::ByDesign]);
    text.extend(news("failed now", before, now, &[Mark::Failed]));
    clear(output);
    output.line(&task.title);
    let mut free = SCREEN - 4 - text.len();
    let mut failures = rows(now, Mark::Failed, FEWER);
    failures.extend(rows(now, Mark::Skipped, 0));
    let mut others = failures.len();
    for failure in failures {
        let lines = failure.lines().count();
        if lines > free {
            text.push(format!("{others} more below these; correct those above first"));
            break;
        }
        free -= lines;
        others -= 1;
        text.push(failure);
    }
    output.lines(&text);
    output.line(&summary(now));
    if has_passed(now) {
        let next = match SERVERS.iter().skip_while(|row| row.name != task.row.name).nth(1) {
            Some(next) => &format!("The next lesson with a server: {}", next.name),
            None => "This was the last lesson with a server.",
        };
        output.line(&format!("All checks passed. {next}"));
    }
}

/// Returns lines with the names of the checks that have one of these marks now, but had another
/// before.
fn news(what: &str, before: &[Entry], now: &[Entry], marks: &[Mark]) -> Vec<String> {
    let both = before.iter().zip(now);
    let is_new =
        |(old, new): &(&Entry, &Entry)| !marks.contains(&old.mark) && marks.contains(&new.mark);
    let names: Vec<_> = both.filter(is_new).map(|(_, new)| new.check.name).collect();
    if names.is_empty() {
        return Vec::new();
    }
    wrapped(&format!("{what}: {}", names.join(", ")), WIDTH)
}

/// Clears the screen of a terminal.
fn clear(output: &mut Output) {
    if has_colours() {
        output.line("\x1b[2J\x1b[H");
    }
}

/// Returns the files whose time says that the program was saved.
fn files(task: &Task) -> Result<Vec<PathBuf>, Failure> {
    let files: Vec<PathBuf> = match task.launch.as_ref().map(|launch| &launch.program) {
        Some(Program::Example(name) | Program::Own(name)) => vec![source_path(name)],
        Some(Program::Command(line)) => {
            let words = line.split(|c: char| c.is_whitespace() || "\"';&|()".contains(c));
            words.map(PathBuf::from).filter(|path| path.is_file()).collect()
        }
        None => Vec::new(),
    };
    if files.is_empty() {
        return Err("--watch finds none of the files; correct the path in the command".into());
    }
    Ok(files)
}

/// Returns the times at which the files were saved. An editor can remove a file for a moment.
fn times(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    let time = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
    files.iter().map(time).collect()
}
