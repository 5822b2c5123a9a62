//! A crowd as a picture (SVG), to stand alone or in a page, on a light ground or a dark one.

use std::fmt::Display;
use std::io::ErrorKind::TimedOut;
use std::path::Path;

use crate::draw::{Axis, Part};
use crate::log::{Log, What};

/// The width, and where the axis begins and ends.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 736.0;

/// The room above the first part, and a line of words.
const TOP: f64 = 64.0;
const LINE: f64 = 17.0;

/// In a page, text has the page's colour; alone, that of the reader's system. The others
/// show on both grounds.
const STYLE: &str = "\
.crowd { font: 12px system-ui, sans-serif; fill: currentColor }
.crowd .title, .crowd .server { font-size: 14px; font-weight: 600 }
.crowd .number { text-anchor: end } .crowd .tick { text-anchor: middle }
.crowd path { fill: none; stroke: currentColor } .crowd .grid { opacity: .2 }
.crowd .door { stroke: #c77700; stroke-dasharray: 2 4 } .crowd .wait { stroke: #3d85c6 }
.crowd .answer { stroke: #2e9e5b; stroke-linecap: round } .crowd .lost { stroke: #d03b3b }
.crowd:root { color: #1f2328; background: #fff }
@media (prefers-color-scheme: dark) { .crowd:root { color: #e6e6e6; background: #16191d } }";

const TITLE: &str = "Clients that come at the same time, and how long each waits";

/// What the signs mean, and where that stands.
const SIGNS: [(What, f64, &str); 5] = [
    (What::Connecting, 60.0, "no connection yet"),
    (What::Asked, 220.0, "no answer yet"),
    (What::Answered, 350.0, "answer"),
    (What::Closed, 440.0, "connected, closed"),
    (What::Lost(TimedOut), 590.0, "lost"),
];

/// All parts above each other on one time axis. The file's name makes those of its parts
/// its own, in a page with several.
pub fn picture(parts: &[Part], file: &Path) -> String {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let axis = Axis::over(parts);
    let x = |share: f64| LEFT + share * (RIGHT - LEFT);
    let most = parts.iter().map(|part| part.log.0.len()).max().unwrap_or_default();
    let size = (640.0 / most as f64).clamp(3.0, 16.0);
    let (mut body, mut words) = (text("title", 16.0, 24.0, TITLE), String::new());
    let mut y = TOP;
    for part in parts {
        body += &text("server", 16.0, y + 14.0, &part.title);
        y += LINE * 1.5;
        for (number, events) in part.log.0.iter().enumerate() {
            let middle = y + size / 2.0;
            if size > 10.0 || number % 10 == 9 {
                body += &text("number", 48.0, middle + 4.0, number + 1);
            }
            for (what, from, until) in Log::spans(events, part.log.end()) {
                let [from, until] = [from, until].map(|time| x(axis.share(time)));
                body += &sign(what, from, until, middle, size);
            }
            y += size;
        }
        for line in &part.words {
            body += &text("words", LEFT, y + 16.0, line);
            y += LINE;
        }
        y += LINE;
        words = words + &part.title + ": " + &part.words.join("; ") + ". ";
    }
    for (share, mark) in axis.marks() {
        body += &path("grid", 1.0, &format!("M{:.1} 56V{y}", x(share)));
        let unit = if share == 0.0 { axis.unit } else { "" };
        body += &text("tick", x(share), 50.0, format!("{mark} {unit}").trim_end());
    }
    for (what, x, words) in SIGNS {
        let middle = y + LINE;
        let from = if what == What::Connecting || what == What::Asked { x } else { x + 12.0 };
        body += &sign(what, from, x + 20.0, middle, 16.0);
        body += &text("words", x + 28.0, middle + 4.0, words);
    }
    let (height, words) = (y + LINE * 2.0, escaped(words));
    format!(
        "<svg class=\"crowd\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{name}-title\">{TITLE}</title>\n\
         <desc id=\"{name}-desc\">{words}</desc>\n\
         <style>\n{STYLE}\n</style>\n{body}</svg>\n"
    )
}

/// What a client does for a while, or what happens at a moment.
fn sign(what: What, from: f64, until: f64, y: f64, size: f64) -> String {
    let (half, size) = (size * 0.4, size * 0.8);
    let along = format!("M{from:.1} {y}H{until:.1}");
    let at = format!("M{from:.1} {y}");
    match what {
        What::Connecting => path("door", 2.0, &along),
        What::Asked => path("wait", size * 0.6, &along),
        What::Connected | What::Closed => {
            path("mark", 1.5, &format!("{at}m0 -{half:.1}v{size:.1}"))
        }
        What::Answered => path("answer", (size * 0.9).max(3.0), &format!("{at}h.01")),
        What::Lost(_) => {
            let cross = format!("l{size:.1} {size:.1}m0 -{size:.1}l-{size:.1} {size:.1}");
            path("lost", 2.5, &format!("{at}m-{half:.1} -{half:.1}{cross}"))
        }
    }
}

fn path(class: &str, width: f64, d: &str) -> String {
    format!("<path class=\"{class}\" stroke-width=\"{width:.1}\" d=\"{d}\"/>\n")
}

fn text(class: &str, x: f64, y: f64, words: impl Display) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{}</text>\n", escaped(words))
}

fn escaped(text: impl Display) -> String {
    text.to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
