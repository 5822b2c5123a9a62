//! The words and colours of the output that the tools have in common.

use std::io::{self, IsTerminal};
use std::{env, time::Duration};

/// Formats a number with its noun: `1 client`, `2 clients`.
pub fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Formats a time in the unit that suits it.
pub fn readable(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// Returns true if stdout is a terminal that understands escape sequences, and if the user has
/// not set `NO_COLOR`.
pub fn has_colours() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    // An old console of Windows would show the escape sequences themselves.
    let is_old = cfg!(windows) && !is_set("WT_SESSION") && !is_set("TERM");
    io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb && !is_old
}
