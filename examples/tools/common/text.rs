//! Text for a terminal of 80 columns.

use std::io::{self, ErrorKind, Write};

use sockets101::{Failure, log_line};

/// The width of a terminal.
pub const WIDTH: usize = 80;

/// Formats a command that the user can copy, in a line of its own.
pub fn command(command: &str) -> String {
    format!("  {command}\n")
}

/// Formats sentences in lines of at most 80 columns.
pub fn paragraph(text: impl AsRef<str>) -> String {
    wrapped("", text.as_ref())
}

/// Formats a text in lines of at most 80 columns. The first line begins with `first`, and all
/// other lines begin with so many spaces. A line does not end between two backquotes.
pub fn wrapped(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut lines = String::from(first);
    let mut column = indent;
    for word in words(text) {
        let length = word.chars().count();
        if column > indent && column + 1 + length >= WIDTH {
            lines = lines.trim_end().to_owned() + "\n" + &" ".repeat(indent);
            column = indent;
        }
        if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines += &word;
        column += length;
    }
    lines + "\n"
}

/// Splits a text at spaces, but not between two backquotes.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for part in text.split(' ') {
        if let (true, Some(last)) = (is_open, words.last_mut()) {
            *last += " ";
            *last += part;
        } else {
            words.push(part.to_owned());
        }
        is_open ^= part.matches('`').count() % 2 == 1;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Formats a text between backquotes. Cuts it if it is longer than a line should be.
pub fn code(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim_ascii_end();
    let cut: String = line.chars().take(WIDTH / 2).collect();
    if cut == text { format!("`{text}`") } else { format!("`{cut} ...`") }
}

/// Formats two texts between backquotes, so that their first difference is visible.
pub fn two_codes(first: &str, second: &str) -> (String, String) {
    let pairs = first.chars().zip(second.chars());
    let same = pairs.take_while(|(one, other)| one == other).count();
    // A short beginning is not cut.
    if same < WIDTH / 4 {
        return (code(first), code(second));
    }
    let end = |text: &str| text.chars().skip(same - WIDTH / 8).collect::<String>();
    (code(&format!("... {}", end(first))), code(&format!("... {}", end(second))))
}

/// Prints a text. The reader may have closed stdout, for example `head -1`. The program then goes
/// on, because the result counts anyway.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(err) if err.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {err}; free some space").into())
        }
        _ => Ok(()),
    }
}

/// Prints what has changed. If stdout is full, prints it on stderr, because it says where the old
/// file is.
pub fn print_changes(text: &str) {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if written.is_err_and(|err| err.kind() != ErrorKind::BrokenPipe) {
        log_line(text.trim_end());
    }
}
