//! Draws a crowd as a picture (SVG), for a page or alone, with a light or a dark background.

use std::fmt::Display;
use std::io::ErrorKind::TimedOut;
use std::path::Path;

use crate::draw::{Axis, Part};
use crate::log::{Action, Log};

/// The width, and the start and the end of the time axis.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 736.0;

/// The height of the title, and of a line of text.
const TOP: f64 = 40.0;
const LINE: f64 = 17.0;

/// The style of the picture. The text and the background have the colours that the reader prefers,
/// light or dark. The other colours are visible on both backgrounds.
const STYLE: &str = "\
.crowd { font: 12px system-ui, sans-serif; fill: currentColor }
.crowd .title, .crowd .server { font-size: 14px; font-weight: 600 }
.crowd .number { text-anchor: end } .crowd .tick { text-anchor: middle }
.crowd path { fill: none; stroke: currentColor } .crowd .grid { opacity: .2 }
.crowd .connecting { stroke: #c77700; stroke-dasharray: 2 4 }
.crowd .waiting { stroke: #3d85c6 }
.crowd .reply { stroke: #2e9e5b; stroke-linecap: round } .crowd .failed { stroke: #d03b3b }
.crowd:root { color: #1f2328; background: #fff }
@media (prefers-color-scheme: dark) { .crowd:root { color: #e6e6e6; background: #161923 } }";

const TITLE: &str = "How long each client waits";

/// The legend: each sign, its place, and its meaning.
const SIGNS: [(Action, f64, &str); 5] = [
    (Action::Connecting, 60.0, "connecting"),
    (Action::Sent, 170.0, "waiting for a reply"),
    (Action::Replied, 330.0, "reply"),
    (Action::Closed, 410.0, "connected, closed"),
    (Action::Failed(TimedOut), 570.0, "failed"),
];

/// Draws all runs below each other on one time axis. The ids contain the name of the file,
/// because a page can have several pictures.
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
        y += LINE * 2.5;
        // The lines of the axis end above the words, so that they do not cross a letter.
        let bottom = y + size * part.log.0.len() as f64;
        for (share, label) in axis.marks() {
            body += &path("grid", 1.0, &format!("M{:.1} {:.1}V{bottom:.1}", x(share), y - 4.0));
            body += &text("tick", x(share), y - 8.0, label);
        }
        for (number, events) in part.log.0.iter().enumerate() {
            let middle = y + size / 2.0;
            if size > 10.0 || number % 10 == 9 {
                body += &text("number", 48.0, middle + 4.0, number + 1);
            }
            for (action, from, until) in Log::spans(events, part.log.end()) {
                let [from, until] = [from, until].map(|time| x(axis.share(time)));
                body += &sign(action, from, until, middle, size);
            }
            y += size;
        }
        for line in &part.words {
            body += &text("words", LEFT, y + 18.0, line);
            y += LINE;
        }
        y += LINE;
        words = words + &part.title + ": " + &part.words.join("; ") + ". ";
    }
    for (action, x, words) in SIGNS {
        let middle = y + LINE;
        let is_line = action == Action::Connecting || action == Action::Sent;
        let from = if is_line { x } else { x + 12.0 };
        body += &sign(action, from, x + 20.0, middle, 16.0);
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

/// Draws what a client does from one time to another, or what happens to it at one time.
fn sign(action: Action, from: f64, until: f64, y: f64, size: f64) -> String {
    let (half, size) = (size * 0.4, size * 0.8);
    let along = format!("M{from:.1} {y}H{until:.1}");
    let at = format!("M{from:.1} {y}");
    match action {
        Action::Connecting => path("connecting", 2.0, &along),
        Action::Sent => path("waiting", size * 0.6, &along),
        Action::Connected | Action::Closed => {
            path("mark", 1.5, &format!("{at}m0 -{half:.1}v{size:.1}"))
        }
        Action::Replied => path("reply", (size * 0.9).max(3.0), &format!("{at}h.01")),
        Action::Failed(_) => {
            let cross = format!("l{size:.1} {size:.1}m0 -{size:.1}l-{size:.1} {size:.1}");
            path("failed", 2.5, &format!("{at}m-{half:.1} -{half:.1}{cross}"))
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
