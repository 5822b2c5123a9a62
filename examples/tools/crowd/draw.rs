//! Draws a crowd in the terminal: one row for each client.

use std::io::{self, Write};
use std::time::Duration;

use crate::clients::Crowd;
use crate::log::{Action, Event, Log};
use crate::words::has_colours;

/// The number of columns of a line.
const LINE: usize = 79;

/// The number of columns of the time axis. The times of a client need the other columns.
const WIDTH: usize = 45;

/// The largest number of rows. If there are more clients, the drawing shows only some of them.
const MOST_ROWS: usize = 40;

/// The largest number of rows of a live drawing. A terminal has 24 lines.
const MOST_LIVE: usize = 18;

/// The time between two live drawings.
pub const FRAME: Duration = Duration::from_millis(100);

const LEGEND: &str = "·· connecting  ├ connected  ━━ waiting for a reply  ● reply  \
                      ┤ closed  × failed";

const COLUMNS: &str = "client connected  replied  closed";

/// The run of one server, and what it means.
pub struct Part {
    pub title: String,
    pub log: Log,
    pub words: Vec<String>,
}

impl Part {
    /// Returns the name of the server, without its options.
    fn name(&self) -> &str {
        self.title.split(' ').next().unwrap_or_default().trim_end_matches(':')
    }
}

/// A time axis, in seconds or in milliseconds.
pub struct Axis {
    end: f64,
    step: f64,
    unit: &'static str,
    units_per_second: f64,
}

impl Axis {
    /// Returns an axis from 0 to `end`, with at most five steps.
    pub fn to(end: Duration) -> Self {
        let seconds = end.as_secs_f64().max(1e-6);
        let (unit, units_per_second) = if seconds < 1.0 { ("ms", 1e3) } else { ("s", 1.0) };
        let end = seconds * units_per_second;
        let power = 10_f64.powf((end / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0].map(|step| step * power);
        let is_enough = |step: &f64| end / step <= 5.5;
        let step = steps.into_iter().find(is_enough).unwrap_or(10.0 * power);
        Self { end, step, unit, units_per_second }
    }

    /// Returns one axis for all runs.
    pub fn over(parts: &[Part]) -> Self {
        Self::to(parts.iter().map(|part| part.log.end()).max().unwrap_or_default())
    }

    /// Returns the place of a time on the axis: 0.0 is the start, 1.0 is the end.
    pub fn share(&self, time: Duration) -> f64 {
        time.as_secs_f64() * self.units_per_second / self.end
    }

    /// Returns the marks: place and label. The first label has the unit.
    pub fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        let marks = (0_u32..).map(|n| f64::from(n) * self.step);
        let marks = marks.take_while(|mark| *mark <= self.end * 1.0001);
        marks.map(|mark| {
            let unit = if mark == 0.0 { format!(" {}", self.unit) } else { String::new() };
            (mark / self.end, format!("{}{unit}", (mark * 1e6).round() / 1e6))
        })
    }

    /// Returns the column of a time on an axis of `width` columns.
    fn column(&self, time: Duration, width: usize) -> usize {
        column(self.share(time), width)
    }

    /// Returns the labels of the marks in `width` columns. Omits a label that does not fit.
    fn labels(&self, width: usize) -> String {
        let (mut labels, mut free) = (" ".repeat(width), 0);
        for (share, label) in self.marks() {
            let (start, end) = (column(share, width), column(share, width) + label.len());
            if start >= free && end <= width {
                labels.replace_range(start..end, &label);
                free = end + 1;
            }
        }
        labels
    }
}

fn column(share: f64, width: usize) -> usize {
    ((share * (width - 1) as f64).round() as usize).min(width - 1)
}

/// Returns the two lines above the rows.
fn heading(axis: &Axis) -> Vec<String> {
    let labels = axis.labels(WIDTH);
    vec![LEGEND.to_owned(), format!("{COLUMNS} {}", labels.trim_end())]
}

/// Returns the row of a client. The last action has lasted until `now`.
fn row(number: usize, events: &[Event], axis: &Axis, now: Duration, colour: bool) -> String {
    let mut row = format!("{:>6}", number + 1);
    for (action, width) in [(Action::Connected, 10), (Action::Replied, 9), (Action::Closed, 8)] {
        let last = events.iter().rev().find(|event| event.action == action);
        let time = last.map(|event| event.at.as_secs_f64() * axis.units_per_second);
        let time = time.map_or(String::new(), |time| format!("{time:.2}"));
        row += &format!("{time:>width$}");
    }
    row + " " + line_of(events, axis, now, WIDTH, colour).trim_end()
}

/// Returns the line of a client on an axis of `width` columns.
fn line_of(events: &[Event], axis: &Axis, now: Duration, width: usize, colour: bool) -> String {
    let mut cells = vec![(' ', 0); width];
    for (action, from, until) in Log::spans(events, now) {
        let (sign, paint, until) = match action {
            Action::Connecting => ('·', 33, until),
            Action::Sent => ('━', 36, until),
            Action::Connected => ('├', 0, from),
            Action::Closed => ('┤', 0, from),
            Action::Replied => ('●', 32, from),
            Action::Failed(_) => ('×', 31, from),
        };
        cells[axis.column(from, width)..=axis.column(until, width)].fill((sign, paint));
    }
    let mut line = String::new();
    for (sign, paint) in cells {
        let is_painted = colour && paint > 0;
        line += &if is_painted { format!("\x1b[{paint}m{sign}\x1b[0m") } else { sign.to_string() };
    }
    line
}

/// Draws all runs on one time axis. The last lines say what each of them means.
pub fn drawing(parts: &[Part], colour: bool) -> Vec<String> {
    let axis = Axis::over(parts);
    let [Part { title, log, words }] = parts else {
        return side_by_side(parts, &axis, colour);
    };
    let mut lines = heading(&axis);
    lines.push(title.clone());
    for (number, events) in log.0.iter().enumerate().step_by(step(log.0.len())) {
        lines.push(row(number, events, &axis, log.end(), colour));
    }
    lines.extend(words.iter().cloned());
    lines
}

/// Returns 1 if each client has a row. Returns 2 if only every second client has a row, and so on.
fn step(clients: usize) -> usize {
    clients.div_ceil(MOST_ROWS).max(1)
}

/// Draws several runs next to each other, so that they fit into a terminal of 24 lines.
fn side_by_side(parts: &[Part], axis: &Axis, colour: bool) -> Vec<String> {
    let width = ((LINE - 3) / parts.len()).max(4) - 1;
    let (mut names, mut labels) = ("   ".to_owned(), "   ".to_owned());
    for part in parts {
        names += &format!(" {:<width$.width$}", part.name());
        labels += &format!(" {}", axis.labels(width));
    }
    let mut lines = vec![LEGEND.to_owned(), names, labels];
    let rows = parts.iter().map(|part| part.log.0.len()).max().unwrap_or_default();
    for number in (0..rows).step_by(step(rows)) {
        let mut row = format!("{:>3}", number + 1);
        for Part { log, .. } in parts {
            let events = log.0.get(number).map_or(&[][..], Vec::as_slice);
            row += &format!(" {}", line_of(events, axis, log.end(), width, colour));
        }
        lines.push(row);
    }
    for Part { title, words, .. } in parts {
        lines.push(title.clone());
        lines.extend(words.iter().cloned());
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The standard output. In a terminal, its last lines can change.
pub struct Screen {
    /// True if the output is a terminal with colours and lines that can change.
    pub is_live: bool,
    lines: usize,
}

impl Screen {
    pub fn new() -> Self {
        Self { is_live: has_colours(), lines: 0 }
    }

    /// Replaces the lines that can change. Cuts long lines, because the terminal may be narrow.
    fn replace(&mut self, lines: &[String]) {
        let up = self.lines;
        let mut text = if up > 0 { format!("\x1b[{up}A\x1b[J") } else { String::new() };
        for line in lines {
            text += &format!("\x1b[?7l{line}\x1b[?7h\n");
        }
        self.lines = lines.len();
        // If the terminal is closed, the program continues, because it must still stop the servers.
        let _ = io::stdout().write_all(text.as_bytes());
    }

    /// Removes the lines that can change.
    pub fn clear(&mut self) {
        self.replace(&[]);
    }

    /// Shows the progress, if the output is a terminal.
    pub fn progress(&mut self, line: String) {
        if self.is_live {
            self.replace(&[line]);
        }
    }

    /// Shows a crowd as it is now.
    pub fn crowd(&mut self, title: &str, crowd: &Crowd) {
        let (log, now, all) = (&crowd.log, crowd.now(), crowd.len());
        let [connected, replied] =
            [Action::Connected, Action::Replied].map(|action| log.count(action));
        let seconds = now.as_secs_f64();
        let progress = format!("{seconds:.1} s: {connected} of {all} connected, {replied} replied");
        if !self.is_live || all > MOST_LIVE {
            return self.progress(format!("{title}; {progress}"));
        }
        // The axis grows by whole steps, so that the drawing does not change all the time.
        let axis = Axis::to(now.max(Duration::from_secs(1)));
        let axis = Axis { end: (axis.end / axis.step).ceil() * axis.step, ..axis };
        let mut lines = heading(&axis);
        lines.push(title.to_owned());
        let rows = log.0.iter().enumerate();
        lines.extend(rows.map(|(number, events)| row(number, events, &axis, now, true)));
        lines.push(progress);
        self.replace(&lines);
    }
}
