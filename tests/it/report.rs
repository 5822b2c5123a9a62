//! Reads what `check` prints. The tests of the programs in short use this file, too.

use std::collections::BTreeMap;

use super::reasons::{REASONS, Reason};

/// The width of the column with the mark.
const INDENT: usize = 10;

const MARKS: [&str; 5] = ["passed", "by design", "skipped", "not made", "FAILED"];

/// Returns the rows of a report, each with its mark. Joins the lines of a row, but leaves out
/// the bytes and the program's output below it.
pub fn rows(said: &str) -> Vec<(&str, String)> {
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut is_inside = false;
    let lines: Vec<_> = said.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let (mark, text) = line.split_at_checked(INDENT).unwrap_or((line, ""));
        let next = lines.get(number + 1).unwrap_or(&"").trim_start();
        // `got` is in its own column, below `expected`.
        let is_below = text.starts_with("| ")
            || text.starts_with("got      ")
            || (text.starts_with("expected ") && next.starts_with("got      "));
        if MARKS.contains(&mark.trim_end()) {
            rows.push((mark.trim_end(), text.to_owned()));
            is_inside = true;
        } else if !mark.trim_end().is_empty() || is_below {
            is_inside = false;
        } else if is_inside {
            let row = &mut rows.last_mut().unwrap().1;
            *row = format!("{row} {text}");
        }
    }
    rows
}

/// Returns the checks with this mark, each with its text. A passed check has no text.
pub fn checks_with(mark: &str, said: &str) -> BTreeMap<String, String> {
    let mut checks = BTreeMap::new();
    for (found, row) in rows(said) {
        let (names, text) = row.split_once(": ").unwrap_or((&row, ""));
        if found == mark {
            let names = names.split(", ").map(str::to_owned);
            checks.extend(names.map(|name| (name, text.to_owned())));
        }
    }
    checks
}

/// Returns the names of the reasons whose sentences these are, in the words of Python or of Rust.
/// The exit status of the process can follow them.
#[track_caller]
pub fn reasons_of(text: &str) -> String {
    let mut rest = text;
    let mut names = Vec::new();
    while let Some((name, after)) = REASONS
        .iter()
        .find_map(|(name, reason)| Some((*name, rest_after(rest, reason)?)))
    {
        names.push(name);
        rest = after;
    }
    let is_status = rest.starts_with('(') && rest.ends_with(')');
    assert!(rest.is_empty() || is_status, "this is not a reason: {rest:?}");
    names.join(" ")
}

/// Returns the text after the sentence of this reason, or `None` if it starts differently.
fn rest_after<'a>(text: &'a str, reason: &Reason) -> Option<&'a str> {
    let in_rust = reason.says_in_rust();
    let rest =
        text.strip_prefix(reason.says).or_else(|| text.strip_prefix(&in_rust));
    rest.map(str::trim_start)
}
