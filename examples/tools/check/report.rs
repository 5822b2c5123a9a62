//! Prints the results. No line that this program writes is longer than 80 columns.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::mem;
use std::time::Duration;

use crate::blame::side_by_side;
use crate::grade::{Entry, Mark};
use crate::server::excerpt;
use crate::words::{counted, has_colours, readable};

pub const WIDTH: usize = 80;

/// The width of the column with the mark.
const INDENT: usize = 10;

/// The standard output. If it is closed or full, the program stops its servers and exits.
#[derive(Default)]
pub struct Output {
    pub error: Option<io::Error>,
    /// The length of the line that is not complete yet.
    column: usize,
}

impl Output {
    /// Prints a text without a newline, unless an earlier text could not be printed.
    fn print(&mut self, text: &str) {
        if self.error.is_none() {
            let mut stdout = io::stdout();
            self.error = write!(stdout, "{text}").and_then(|()| stdout.flush()).err();
        }
    }

    /// Prints a text of one or more lines.
    pub fn line(&mut self, text: &str) {
        self.end_line();
        self.print(&format!("{text}\n"));
    }

    pub fn lines(&mut self, texts: &[String]) {
        for text in texts {
            self.line(text);
        }
    }

    /// Prints the name of a check that has passed, in one paragraph with the names before it.
    pub fn name(&mut self, name: &str) {
        if self.column == 0 {
            self.print(&marked(Mark::Passed));
            self.column = INDENT;
        } else if self.column + ", ".len() + name.len() >= WIDTH {
            self.print(&format!(",\n{:INDENT$}", ""));
            self.column = INDENT;
        } else {
            self.print(", ");
            self.column += 2;
        }
        self.print(name);
        self.column += name.len();
    }

    /// Ends the paragraph of names.
    pub fn end_line(&mut self) {
        if self.column > 0 {
            self.print("\n");
            self.column = 0;
        }
    }
}

/// Formats a mark as a column. The word alone says everything. The cross and colours only help.
fn marked(mark: Mark) -> String {
    let (word, colour) = match mark {
        Mark::Passed => ("passed", 32),
        Mark::ByDesign => ("by design", 36),
        Mark::Skipped => ("skipped", 33),
        Mark::NotMade => ("not made", 33),
        Mark::Failed if io::stdout().is_terminal() => ("✗ FAILED", 31),
        Mark::Failed => ("FAILED", 31),
    };
    let word = format!("{word:<INDENT$}");
    if has_colours() { format!("\x1b[{colour}m{word}\x1b[0m") } else { word }
}

/// Breaks a text into lines of at most this width.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(mem::take(&mut line));
        }
        line += if line.is_empty() { "" } else { " " };
        line += word;
    }
    lines.push(line);
    lines
}

/// Breaks a text into lines, and indents all but the first, because that is behind the mark.
fn indented(text: &str) -> String {
    wrapped(text, WIDTH - INDENT).join(&format!("\n{:INDENT$}", ""))
}

/// Returns the rows of all checks with this mark. Checks with the same reason share a row.
pub fn rows(entries: &[Entry], mark: Mark, lines_of_output: usize) -> Vec<String> {
    let mut groups: Vec<(String, &Entry)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.mark == mark) {
        match groups.iter_mut().find(|(_, first)| first.text == entry.text) {
            Some((names, _)) => names.extend([", ", entry.check.name]),
            None => groups.push((entry.check.name.into(), entry)),
        }
    }
    let row = |(names, first): (String, &Entry)| {
        let text = indented(&format!("{names}: {}", first.text));
        marked(mark) + &text + &below(first, lines_of_output)
    };
    groups.into_iter().map(row).collect()
}

/// Returns the lines below a row: the bytes, and what the program wrote.
fn below(entry: &Entry, lines_of_output: usize) -> String {
    let mut lines = side_by_side(&entry.seen, &entry.reasons);
    for line in excerpt(&entry.output, lines_of_output) {
        // A long line takes two rows, because the end of an error often says the cause.
        let parts = wrapped(line, WIDTH - INDENT - 2).into_iter().take(2);
        lines.extend(parts.map(|part| format!("| {part}")));
    }
    let mut text = String::new();
    for line in lines {
        let line: String = line.chars().take(WIDTH - INDENT).collect();
        let _ = write!(text, "\n{:INDENT$}{line}", "");
    }
    text
}

/// Returns the row of a check with what was expected and what came.
pub fn long_row(entry: &Entry) -> String {
    let Entry { check, mark, seen, text: why, .. } = entry;
    let time = readable(entry.time);
    let came = if seen.expected.is_empty() {
        format!("{} ({time})", check.does)
    } else {
        format!("{}: expected {}, came {} ({time})", check.does, seen.expected, seen.came)
    };
    let text = match mark {
        Mark::Skipped | Mark::NotMade => why,
        Mark::ByDesign => &format!("{came}: {why}"),
        Mark::Passed | Mark::Failed => &came,
    };
    let row = marked(*mark) + &indented(&format!("{}: {text}", check.name));
    if *mark != Mark::Failed {
        return row;
    }
    format!("{row}\n{:INDENT$}{}{}", "", indented(why), below(entry, FEW))
}

/// The largest number of lines of a program below the only failure, and below one of several.
pub const FEW: usize = 5;
pub const FEWER: usize = 2;

/// Returns the last line: how many checks passed, and why others were not made.
pub fn summary(entries: &[Entry]) -> String {
    let number = |mark| entries.iter().filter(|entry| entry.mark == mark).count();
    let passed = number(Mark::Passed) + number(Mark::ByDesign);
    let made = passed + number(Mark::Failed);
    let mut text = format!("{passed} of {} passed", counted(made, "check"));
    if number(Mark::Skipped) > 0 {
        let _ = write!(text, ", {} skipped", number(Mark::Skipped));
    }
    if let Some(entry) = entries.iter().find(|entry| entry.mark == Mark::NotMade) {
        let _ = write!(text, ", {} not made: {}", number(Mark::NotMade), entry.text);
    }
    text
}

/// Prints a row for one of several lessons, and its failures.
pub fn print_lesson(output: &mut Output, name: &str, entries: &[Entry], time: Duration) {
    let mark = if has_passed(entries) { Mark::Passed } else { Mark::Failed };
    output.line(&format!("{}{name:<26}{} ({})", marked(mark), summary(entries), readable(time)));
    output.lines(&rows(entries, Mark::Failed, FEWER));
}

/// Prints all rows but those of the checks that passed.
pub fn print_rows(output: &mut Output, entries: &[Entry]) {
    let failed = entries.iter().filter(|entry| entry.mark == Mark::Failed).count();
    let lines = if failed > 1 { FEWER } else { FEW };
    for mark in [Mark::ByDesign, Mark::Skipped, Mark::NotMade, Mark::Failed] {
        output.lines(&rows(entries, mark, lines));
    }
}

/// Returns true if no check failed, and all were made.
pub fn has_passed(entries: &[Entry]) -> bool {
    !entries.iter().any(|entry| matches!(entry.mark, Mark::Failed | Mark::NotMade))
}
