//! A crowd in the terminal: a row a client.

use std::io::{self, IsTerminal, Write};
use std::{env, fmt::Display, time::Duration};

use crate::clients::Crowd;
use crate::log::{Event, Log, What};

/// How many columns the axis has: with the times before it that makes 79.
const WIDTH: usize = 45;

/// A larger crowd is shown in a sample.
const MOST_ROWS: usize = 40;

/// How many rows are drawn live, in a terminal of 24 lines.
const MOST_LIVE: usize = 18;

/// How often a drawing that is alive is renewed.
pub const FRAME: Duration = Duration::from_millis(100);

const LEGEND: &str = "·· no connection yet  ├ connected  ━━ no answer yet  ● answer  \
                      ┤ closed  × lost";

/// The crowd of one server, and what is said of it.
pub struct Part {
    pub title: String,
    pub log: Log,
    pub words: Vec<String>,
}

/// A span of time on so many columns, or units of a picture.
pub struct Axis {
    end: f64,
    step: f64,
    /// `s` or `ms`, and how many of it are a second.
    pub unit: &'static str,
    factor: f64,
}

impl Axis {
    /// Up to this moment.
    pub fn to(end: Duration) -> Self {
        let seconds = end.as_secs_f64().max(1e-6);
        let (unit, factor) = if seconds < 1.0 { ("ms", 1e3) } else { ("s", 1.0) };
        let end = seconds * factor;
        let power = 10_f64.powf((end / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0].map(|step| step * power);
        let enough = |step: &f64| end / step <= 5.5;
        let step = steps.into_iter().find(enough).unwrap_or(10.0 * power);
        Self { end, step, unit, factor }
    }

    /// For all of these crowds.
    pub fn over(parts: &[Part]) -> Self {
        Self::to(parts.iter().map(|part| part.log.end()).max().unwrap_or_default())
    }

    pub fn share(&self, time: Duration) -> f64 {
        time.as_secs_f64() * self.factor / self.end
    }

    /// The marks: where, and what stands there.
    pub fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        let marks = (0_u32..).map(|n| f64::from(n) * self.step);
        let marks = marks.take_while(|mark| *mark <= self.end * 1.0001);
        marks.map(|mark| (mark / self.end, format!("{}", (mark * 1e6).round() / 1e6)))
    }
}

/// The column of a share of the axis.
fn column(share: f64) -> usize {
    ((share * (WIDTH - 1) as f64).round() as usize).min(WIDTH - 1)
}

/// What is above the rows: what the signs mean, the columns, and the axis.
fn heading(axis: &Axis) -> Vec<String> {
    let mut marks = format!("{} {:WIDTH$}", "client connected answered  closed", "");
    for (share, text) in axis.marks() {
        let start = column(share) + 34;
        if start + text.len() + 3 < marks.len() {
            marks.replace_range(start..start + text.len(), &text);
        }
    }
    marks.truncate(79 - axis.unit.len());
    vec![LEGEND.to_owned(), marks + axis.unit]
}

/// A client. `now` is where what goes on has come to.
fn row(number: usize, events: &[Event], axis: &Axis, now: Duration, colour: bool) -> String {
    let mut row = format!("{:>6}", number + 1);
    for (what, width) in [(What::Connected, 10), (What::Answered, 9), (What::Closed, 8)] {
        let last = events.iter().rev().find(|event| event.what == what);
        let time = last.map(|event| event.at.as_secs_f64() * axis.factor);
        let time = time.map_or(String::new(), |time| format!("{time:.2}"));
        row += &format!("{time:>width$}");
    }
    let mut cells = [(' ', 0); WIDTH];
    let column = |time| column(axis.share(time));
    for (what, from, until) in Log::spans(events, now) {
        let (sign, paint, until) = match what {
            What::Connecting => ('·', 33, until),
            What::Asked => ('━', 36, until),
            What::Connected => ('├', 0, from),
            What::Closed => ('┤', 0, from),
            What::Answered => ('●', 32, from),
            What::Lost(_) => ('×', 31, from),
        };
        cells[column(from)..=column(until)].fill((sign, paint));
    }
    row.push(' ');
    for (sign, paint) in cells {
        let painted = colour && paint > 0;
        row += &if painted { format!("\x1b[{paint}m{sign}\x1b[0m") } else { sign.to_string() };
    }
    row.trim_end().to_owned()
}

/// All on one axis, above each other; the last line of each says what it means.
pub fn drawing(parts: &[Part], colour: bool) -> Vec<String> {
    let axis = Axis::over(parts);
    let mut lines = heading(&axis);
    for Part { title, log, words } in parts {
        lines.push(title.clone());
        let each = log.0.len().div_ceil(MOST_ROWS).max(1);
        for (number, events) in log.0.iter().enumerate().step_by(each) {
            lines.push(row(number, events, &axis, log.end(), colour));
        }
        lines.extend(words.iter().cloned());
    }
    lines
}

/// Standard output, some lines of which can be alive.
pub struct Screen {
    /// Whether it is a terminal that takes colours, and lines that change.
    pub is_live: bool,
    lines: usize,
}

impl Screen {
    pub fn new() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        // An old console of Windows would show the escape sequences themselves.
        let old = cfg!(windows) && !set("WT_SESSION") && !set("TERM");
        let is_live = io::stdout().is_terminal() && !set("NO_COLOR") && !dumb && !old;
        Self { is_live, lines: 0 }
    }

    /// In place of what is alive. A line never takes two: the terminal may be narrow.
    fn alive(&mut self, lines: &[String]) {
        let up = self.lines;
        let mut text = if up > 0 { format!("\x1b[{up}A\x1b[J") } else { String::new() };
        for line in lines {
            text += &format!("\x1b[?7l{line}\x1b[?7h\n");
        }
        self.lines = lines.len();
        let _ = io::stdout().write_all(text.as_bytes());
    }

    /// Takes what is alive away.
    pub fn clear(&mut self) {
        self.alive(&[]);
    }

    /// How far it is, if somebody is looking.
    pub fn progress(&mut self, line: String) {
        if self.is_live {
            self.alive(&[line]);
        }
    }

    /// A crowd, as it is now.
    pub fn crowd(&mut self, title: &str, crowd: &Crowd) {
        let (log, now, all) = (&crowd.log, crowd.now(), crowd.len());
        let [connected, answered] = [What::Connected, What::Answered].map(|what| log.count(what));
        let seconds = now.as_secs_f64();
        let progress =
            format!("{seconds:.1} s: {connected} of {all} connected, {answered} answered");
        if !self.is_live || all > MOST_LIVE {
            return self.progress(format!("{title}; {progress}"));
        }
        // The end of the axis need not move all the time.
        let axis = Axis::to(now.max(Duration::from_secs(1)));
        let axis = Axis { end: (axis.end / axis.step).ceil() * axis.step, ..axis };
        let mut lines = heading(&axis);
        lines.push(title.to_owned());
        let rows = log.0.iter().enumerate();
        lines.extend(rows.map(|(n, events)| row(n, events, &axis, now, true)));
        lines.push(progress);
        self.alive(&lines);
    }
}

/// A line to stdout. When nobody reads it any more, the program still goes on, and ends
/// what it has started.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
