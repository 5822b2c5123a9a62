//! A crowd as a picture (SVG), to stand alone or in a page, on a light ground or a dark one.

use std::fmt::Write;
use std::time::Duration;

use crate::draw::{Axis, Part};
use crate::log::{Event, What};

const WIDTH: f64 = 760.0;

/// Where the axis begins and ends, and the room above the first part.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 736.0;
const TOP: f64 = 64.0;

/// Around the text of a part.
const HEAD: f64 = 26.0;
const FOOT: f64 = 34.0;

/// In a page, text has the page's colour; alone, that of the reader's system. The others
/// show on both grounds.
const STYLE: &str = "\
.crowd { font: 13px system-ui, sans-serif; fill: currentColor }
.crowd .title { font-size: 16px; font-weight: 600 }
.crowd .server { font-weight: 600 }
.crowd .small { font-size: 11px }
.crowd .grid { stroke: currentColor; opacity: .2 }
.crowd .door { stroke: #c77700; stroke-width: 2; stroke-dasharray: 2 4 }
.crowd .wait { fill: #3d85c6 }
.crowd .answer { fill: #2e9e5b }
.crowd .mark { stroke: currentColor; stroke-width: 1.5 }
.crowd .lost { stroke: #d03b3b; stroke-width: 2.5; fill: none }
.crowd:root { color: #1f2328; background: #fff }
@media (prefers-color-scheme: dark) {
.crowd:root { color: #e6e6e6; background: #16191d }
.crowd .door { stroke: #f0a030 }
.crowd .wait { fill: #5aa2e0 }
.crowd .answer { fill: #4cc47e }
.crowd .lost { stroke: #ff6b6b }
}";

/// All parts above each other on one time axis.
pub fn picture(parts: &[Part], name: &str) -> String {
    let end = parts.iter().map(|part| part.log.end()).max().unwrap_or_default();
    let axis = Axis::new(end);
    let clients = parts.iter().map(|part| part.log.0.len());
    let most = clients.clone().max().unwrap_or_default();
    let height = match most {
        0..=40 => 16.0,
        41..=150 => 7.0,
        _ => 3.0,
    };
    let rows: f64 = clients.map(|count| count as f64 * height).sum();
    let total = TOP + rows + parts.len() as f64 * (HEAD + FOOT) + 34.0;
    let title = format!(
        "{most} client{} at once: who waits, and for how long",
        if most == 1 { "" } else { "s" }
    );
    let mut svg = format!(
        "<svg class=\"crowd\" viewBox=\"0 0 {WIDTH} {total}\" width=\"{WIDTH}\" \
         height=\"{total}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-desc\">"
    );
    for Part { title, log } in parts {
        let _ = write!(svg, "{}: {}. ", escaped(title), log.verdict());
    }
    let _ = write!(
        svg,
        "</desc>\n<style>\n{STYLE}\n</style>\n\
         <text class=\"title\" x=\"16\" y=\"24\">{title}</text>\n"
    );
    let bottom = total - 40.0;
    for (share, text) in axis.marks() {
        let x = LEFT + share * (RIGHT - LEFT);
        let unit =
            if share == 0.0 { format!(" {}", axis.unit) } else { String::new() };
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} 56V{bottom}\"/>\
             <text class=\"small\" x=\"{x:.1}\" y=\"50\" text-anchor=\"middle\">{text}{unit}</text>"
        );
    }
    let mut y = TOP;
    for Part { title, log } in parts {
        let _ = writeln!(
            svg,
            "<text class=\"server\" x=\"16\" y=\"{}\">{}</text>",
            y + 14.0,
            escaped(title)
        );
        y += HEAD;
        for (number, events) in log.0.iter().enumerate() {
            if height > 10.0 || number % 10 == 9 {
                let _ = writeln!(
                    svg,
                    "<text class=\"small\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                    LEFT - 10.0,
                    y + height / 2.0 + 4.0,
                    number + 1
                );
            }
            svg += &row(events, &axis, y, height, log.end());
            y += height;
        }
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"{LEFT}\" y=\"{}\">{}</text>",
            y + 16.0,
            escaped(&log.verdict())
        );
        y += FOOT;
    }
    svg + &legend(total - 16.0) + "</svg>\n"
}

fn row(
    events: &[Event],
    axis: &Axis,
    top: f64,
    height: f64,
    end: Duration,
) -> String {
    let x = |time| LEFT + axis.at(time) * (RIGHT - LEFT);
    let middle = top + height / 2.0;
    let (mut bars, mut marks) = (String::new(), String::new());
    for (place, event) in events.iter().enumerate() {
        let from = x(event.at);
        let to = x(events.get(place + 1).map_or(end, |next| next.at));
        let _ = match event.what {
            What::Connecting if to - from < 1.0 => Ok(()),
            What::Connecting => {
                write!(
                    bars,
                    "<path class=\"door\" d=\"M{from:.1} {middle}H{to:.1}\"/>"
                )
            }
            What::Asked => bar(&mut bars, from, to, middle, height),
            What::Connected | What::Closed => tick(&mut marks, from, middle, height),
            What::Answered => dot(&mut marks, from, middle, height),
            What::Lost(_) => cross(&mut marks, from, middle, height),
        };
    }
    bars + &marks + "\n"
}

fn bar(
    svg: &mut String,
    from: f64,
    to: f64,
    middle: f64,
    row: f64,
) -> std::fmt::Result {
    let (width, height) = ((to - from).max(0.5), row * 0.5);
    let top = middle - height / 2.0;
    write!(
        svg,
        "<rect class=\"wait\" x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>"
    )
}

fn tick(svg: &mut String, x: f64, middle: f64, row: f64) -> std::fmt::Result {
    let half = row * 0.4;
    write!(
        svg,
        "<path class=\"mark\" d=\"M{x:.1} {:.1}v{:.1}\"/>",
        middle - half,
        2.0 * half
    )
}

fn dot(svg: &mut String, x: f64, middle: f64, row: f64) -> std::fmt::Result {
    let radius = (row * 0.34).max(1.5);
    write!(
        svg,
        "<circle class=\"answer\" cx=\"{x:.1}\" cy=\"{middle}\" r=\"{radius:.1}\"/>"
    )
}

fn cross(svg: &mut String, x: f64, middle: f64, row: f64) -> std::fmt::Result {
    let half = row * 0.3;
    write!(
        svg,
        "<path class=\"lost\" d=\"M{:.1} {:.1}l{d:.1} {d:.1}m0 -{d:.1}l-{d:.1} {d:.1}\"/>",
        x - half,
        middle - half,
        d = 2.0 * half
    )
}

/// What the signs mean.
fn legend(y: f64) -> String {
    let mut svg = String::new();
    let (middle, row) = (y - 4.0, 16.0);
    let mut x = LEFT;
    for (text, width) in [
        ("no connection yet", 150.0),
        ("no answer yet", 130.0),
        ("answer", 84.0),
        ("connected, closed", 140.0),
        ("lost", 40.0),
    ] {
        let _ = match text {
            "no connection yet" => {
                write!(svg, "<path class=\"door\" d=\"M{x} {middle}h22\"/>")
            }
            "no answer yet" => bar(&mut svg, x, x + 22.0, middle, row),
            "answer" => dot(&mut svg, x + 14.0, middle, row),
            "lost" => cross(&mut svg, x + 14.0, middle, row),
            _ => tick(&mut svg, x + 14.0, middle, row),
        };
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"{}\" y=\"{y}\">{text}</text>",
            x + 28.0
        );
        x += width;
    }
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
