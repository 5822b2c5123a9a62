//! A crowd as a picture (SVG), to stand alone or in a page, on a light ground or a dark one.

use std::time::Duration;

use crate::draw::{Axis, Part};
use crate::log::{Event, What};

/// The width, and where the axis begins and ends.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 736.0;

/// The room above the first part, the title of a part, a line of words, and the legend.
const TOP: f64 = 64.0;
const HEAD: f64 = 26.0;
const WORDS: f64 = 17.0;
const LEGEND: f64 = 44.0;

/// In a page, text has the page's colour; alone, that of the reader's system. The others
/// show on both grounds.
const STYLE: &str = "\
.crowd { font: 12px system-ui, sans-serif; fill: currentColor }
.crowd .title, .crowd .server { font-size: 14px; font-weight: 600 }
.crowd .number { text-anchor: end } .crowd .tick { text-anchor: middle }
.crowd path { fill: none; stroke: currentColor } .crowd .grid { opacity: .2 }
.crowd .door { stroke: #c77700; stroke-dasharray: 2 4 }
.crowd .wait { stroke: #3d85c6 } .crowd .lost { stroke: #d03b3b }
.crowd .answer { stroke: #2e9e5b; stroke-linecap: round }
.crowd:root { color: #1f2328; background: #fff }
@media (prefers-color-scheme: dark) { .crowd:root { color: #e6e6e6; background: #16191d } }";

/// All parts above each other on one time axis.
pub fn picture(parts: &[Part], name: &str) -> String {
    let axis = Axis::new(parts.iter().map(|part| part.log.end()).max());
    let most = parts.iter().map(|part| part.log.0.len()).max().unwrap_or_default();
    let row_height = (640.0 / most as f64).clamp(3.0, 16.0);
    let title = "Clients that come at the same time, and how long each waits";
    let (mut body, mut words) = (text("title", 16.0, 24.0, title), String::new());
    let mut y = TOP;
    for part in parts {
        body += &text("server", 16.0, y + 14.0, &part.title);
        y += HEAD;
        let end = part.log.end();
        for (number, events) in part.log.0.iter().enumerate() {
            let middle = y + row_height / 2.0;
            if row_height > 10.0 || number % 10 == 9 {
                body += &text("number", 48.0, middle + 4.0, number + 1);
            }
            body += &row(events, &axis, middle, row_height, end);
            y += row_height;
        }
        for line in &part.words {
            body += &text("words", LEFT, y + 16.0, line);
            y += WORDS;
        }
        y += WORDS;
        words = words + &part.title + ": " + &part.words.join("; ") + ". ";
    }
    for (share, mark) in axis.marks() {
        let x = LEFT + share * (RIGHT - LEFT);
        body += &path("grid", 1.0, &format!("M{x:.1} 56V{y}"));
        let unit = if share == 0.0 { axis.unit } else { "" };
        body += &text("tick", x, 50.0, format!("{mark} {unit}").trim_end());
    }
    let height = y + LEGEND;
    let words = escaped(&words);
    format!(
        "<svg class=\"crowd\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{name}-title\">{title}</title>\n\
         <desc id=\"{name}-desc\">{words}</desc>\n\
         <style>\n{STYLE}\n</style>\n{body}{}</svg>\n",
        legend(y + LEGEND / 2.0)
    )
}

fn row(events: &[Event], axis: &Axis, y: f64, height: f64, end: Duration) -> String {
    let x = |time| LEFT + axis.share(time) * (RIGHT - LEFT);
    let until = events.iter().skip(1).map(|event| event.at).chain([end]);
    let spans = events.iter().zip(until);
    let spans = spans.map(|(e, until)| span(e.what, x(e.at), x(until), y, height));
    // Answers last, so that they are on top.
    let marks = |is_last| {
        let events =
            events.iter().filter(move |e| (e.what == What::Answered) == is_last);
        events.map(|event| mark(event.what, x(event.at), y, height))
    };
    spans.chain(marks(false)).chain(marks(true)).collect()
}

/// What a client does for a while.
fn span(what: What, from: f64, to: f64, y: f64, height: f64) -> String {
    let (class, width) = match what {
        What::Connecting if to - from > 1.0 => ("door", 2.0),
        What::Asked => ("wait", height / 2.0),
        _ => return String::new(),
    };
    path(class, width, &format!("M{from:.1} {y}H{to:.1}"))
}

/// What happens at a moment.
fn mark(what: What, x: f64, y: f64, height: f64) -> String {
    let (half, height) = (height * 0.4, height * 0.8);
    let (class, width, d) = match what {
        What::Connected | What::Closed => {
            ("mark", 1.5, format!("m0 -{half:.1}v{height:.1}"))
        }
        What::Answered => ("answer", (height * 0.9).max(3.0), "h.01".into()),
        What::Lost(_) => {
            let way = format!("{height:.1}");
            let d =
                format!("m-{half:.1} -{half:.1}l{way} {way}m0 -{way}l-{way} {way}");
            ("lost", 2.5, d)
        }
        What::Connecting | What::Asked => return String::new(),
    };
    path(class, width, &format!("M{x:.1} {y}{d}"))
}

/// What the signs mean.
fn legend(y: f64) -> String {
    let lost = What::Lost(std::io::ErrorKind::TimedOut);
    let signs = [
        (What::Connecting, 60.0, "no connection yet"),
        (What::Asked, 220.0, "no answer yet"),
        (What::Answered, 350.0, "answer"),
        (What::Closed, 440.0, "connected, closed"),
        (lost, 590.0, "lost"),
    ];
    let sign = |(what, x, words)| {
        span(what, x, x + 20.0, y, 16.0)
            + &mark(what, x + 12.0, y, 16.0)
            + &text("words", x + 28.0, y + 4.0, words)
    };
    signs.map(sign).concat()
}

fn path(class: &str, width: f64, d: &str) -> String {
    format!("<path class=\"{class}\" stroke-width=\"{width:.1}\" d=\"{d}\"/>\n")
}

fn text(class: &str, x: f64, y: f64, words: impl std::fmt::Display) -> String {
    let words = escaped(&words.to_string());
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{words}</text>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
