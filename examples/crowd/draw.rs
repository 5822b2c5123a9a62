//! A crowd in the terminal: a row a client.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};
use std::{env, fmt::Display};

use sockets101::say;

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
    pub fn new(end: Option<Duration>) -> Self {
        let seconds = end.unwrap_or_default().as_secs_f64().max(1e-6);
        let (unit, factor) = if seconds < 1.0 { ("ms", 1e3) } else { ("s", 1.0) };
        let end = seconds * factor;
        let power = 10_f64.powf((end / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0].map(|step| step * power);
        let enough = |step: &f64| end / step <= 5.5;
        let step = steps.into_iter().find(enough).unwrap_or(10.0 * power);
        Self { end, step, unit, factor }
    }

    /// The same with an end that need not move for a while, for a drawing that is alive.
    pub fn roomy(now: Duration) -> Self {
        let axis = Self::new(Some(now.max(Duration::from_secs(1))));
        let end = (axis.end / axis.step).ceil() * axis.step / axis.factor;
        Self::new(Some(Duration::from_secs_f64(end)))
    }

    pub fn share(&self, time: Duration) -> f64 {
        time.as_secs_f64() * self.factor / self.end
    }

    fn number(&self, time: Duration) -> String {
        format!("{:.2}", time.as_secs_f64() * self.factor)
    }

    /// The marks: where, and what stands there.
    pub fn marks(&self) -> impl Iterator<Item = (f64, String)> {
        let marks = (0_u32..).map(|n| f64::from(n) * self.step);
        let marks = marks.take_while(|mark| *mark <= self.end * 1.0001);
        marks
            .map(|mark| (mark / self.end, format!("{}", (mark * 1e6).round() / 1e6)))
    }
}

/// The column of a share of the axis.
fn column(share: f64) -> usize {
    ((share * (WIDTH - 1) as f64).round() as usize).min(WIDTH - 1)
}

/// What is above the rows: what the signs mean, the columns, and the axis.
fn heading(axis: &Axis) -> [String; 2] {
    let mut marks = format!("{} {:WIDTH$}", "client connected answered  closed", "");
    for (share, text) in axis.marks() {
        let start = column(share) + 34;
        if start + text.len() + 3 < 34 + WIDTH {
            marks.replace_range(start..start + text.len(), &text);
        }
    }
    marks.truncate(79 - axis.unit.len());
    [LEGEND.to_owned(), marks + axis.unit]
}

/// A client. `now` is where what goes on has come to.
fn row(
    number: usize,
    events: &[Event],
    axis: &Axis,
    now: Duration,
    colour: bool,
) -> String {
    let mut cells = [(' ', 0); WIDTH];
    for (place, event) in events.iter().enumerate() {
        let until = events.get(place + 1).map_or(now, |next| next.at);
        let fill = match event.what {
            What::Connecting => ('·', 33),
            What::Asked => ('━', 36),
            _ => continue,
        };
        cells[column(axis.share(event.at))..=column(axis.share(until))].fill(fill);
    }
    // Where several fall in one column, the last of these is seen.
    let mark = |event: &Event| match event.what {
        What::Connected => Some((0, event.at, '├', 0)),
        What::Closed => Some((1, event.at, '┤', 0)),
        What::Answered => Some((2, event.at, '●', 32)),
        What::Lost(_) => Some((3, event.at, '×', 31)),
        What::Connecting | What::Asked => None,
    };
    let mut marks: Vec<_> = events.iter().filter_map(mark).collect();
    marks.sort_unstable();
    for (_, at, sign, paint) in marks {
        cells[column(axis.share(at))] = (sign, paint);
    }
    let mut row = format!("{number:>6}");
    for (what, width) in
        [(What::Connected, 10), (What::Answered, 9), (What::Closed, 8)]
    {
        let last = events.iter().rev().find(|event| event.what == what);
        let time = last.map_or(String::new(), |event| axis.number(event.at));
        row += &format!("{time:>width$}");
    }
    row.push(' ');
    let mut last = 0;
    for (sign, paint) in cells {
        if colour && paint != last {
            row += &format!("\x1b[{paint}m");
            last = paint;
        }
        row.push(sign);
    }
    let row = row.trim_end().to_owned();
    if last == 0 { row } else { row + "\x1b[0m" }
}

/// All on one axis, above each other; the last line of each says what it means.
pub fn drawing(parts: &[Part], colour: bool) -> Vec<String> {
    let axis = Axis::new(parts.iter().map(|part| part.log.end()).max());
    let mut lines = heading(&axis).to_vec();
    for Part { title, log, words } in parts {
        lines.push(title.clone());
        let each = log.0.len().div_ceil(MOST_ROWS).max(1);
        for (number, events) in log.0.iter().enumerate().step_by(each) {
            lines.push(row(number + 1, events, &axis, log.end(), colour));
        }
        if each > 1 {
            lines.push(format!("(a row for each {each} clients)"));
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
    told: Instant,
}

impl Screen {
    pub fn new() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        // An old console of Windows would show the escape sequences themselves.
        let old = cfg!(windows) && !set("WT_SESSION") && !set("TERM");
        let is_live =
            io::stdout().is_terminal() && !set("NO_COLOR") && !dumb && !old;
        Self { is_live, lines: 0, told: Instant::now() }
    }

    /// In place of what is alive. A line never takes two: the terminal may be narrow.
    fn alive(&mut self, lines: &[String]) {
        let mut text = match self.lines {
            0 if lines.is_empty() => return,
            0 => String::new(),
            up => format!("\x1b[{up}A"),
        };
        for line in lines {
            text += &format!("\r\x1b[2K\x1b[?7l{line}\x1b[?7h\n");
        }
        text += "\x1b[J";
        self.lines = lines.len();
        let _ = io::stdout().write_all(text.as_bytes());
    }

    /// Takes what is alive away.
    pub fn clear(&mut self) {
        self.alive(&[]);
    }

    /// How far it is: alive, or a line on stderr now and then.
    pub fn progress(&mut self, line: &str) {
        if self.is_live {
            self.alive(&[line.to_owned()]);
        } else if self.told.elapsed() > Duration::from_secs(5) {
            self.told = Instant::now();
            say(line);
        }
    }

    /// A crowd, as it is now.
    pub fn crowd(&mut self, title: &str, log: &Log, now: Duration) {
        let [connected, answered, closed] =
            [What::Connected, What::Answered, What::Closed]
                .map(|what| log.count(what));
        let (seconds, all) = (now.as_secs_f64(), log.0.len());
        let progress = format!(
            "{seconds:.1} s: {connected} connected, {answered} answered, {closed} closed, of {all}"
        );
        if !self.is_live || log.0.len() > MOST_LIVE {
            return self.progress(&format!("{title}; {progress}"));
        }
        let axis = Axis::roomy(now);
        let mut lines = heading(&axis).to_vec();
        lines.push(title.to_owned());
        let rows = log.0.iter().enumerate();
        lines.extend(rows.map(|(n, events)| row(n + 1, events, &axis, now, true)));
        lines.push(progress);
        self.alive(&lines);
    }
}

/// A line to stdout. When nobody reads it any more, the program still goes on, and ends
/// what it has started.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
