//! Draws the idea of each lesson, by hand-set coordinates and in one style.
//!
//! A drawing has boxes, arrows and texts. All coordinates are in pixels. The title of a drawing
//! says what it shows. It is also the text alternative of the picture on the page.

use std::fmt::Write;

use crate::svg::{escaped, opening};

/// The drawing of a lesson.
pub struct Idea {
    /// The name of the lesson.
    pub lesson: &'static str,
    /// What the drawing shows, in one sentence without a full stop.
    pub title: &'static str,
    size: (usize, usize),
    draw: fn(&mut Canvas),
}

/// All drawings, in the order of the lessons.
pub const IDEAS: [Idea; 1] = [Idea {
    lesson: "tcp_server",
    title: "The kernel puts each new connection into the queue of the listening socket, and accept takes it out and returns a second socket",
    size: (720, 300),
    draw: tcp_server,
}];

/// Returns all drawings with their paths.
pub(crate) fn draw() -> Vec<(String, String)> {
    let drawn = IDEAS
        .iter()
        .map(|idea| (format!("{}/idea.svg", idea.lesson), idea.picture()));
    drawn.collect()
}

impl Idea {
    /// Returns the picture.
    fn picture(&self) -> String {
        let (width, height) = self.size;
        let name = format!("{}-idea", self.lesson);
        let mut canvas = Canvas { svg: opening(width, height, &name, self.title) };
        canvas.svg += "<g font-family=\"system-ui, sans-serif\" font-size=\"14\">\n";
        (self.draw)(&mut canvas);
        canvas.svg + "</g>\n</svg>\n"
    }
}

/// Where a box is: its left upper corner, its width and its height.
type Place = (usize, usize, usize, usize);

type Point = (usize, usize);

struct Canvas {
    svg: String,
}

impl Canvas {
    /// Draws a box with a text in its middle. `\n` begins a new line.
    fn part(&mut self, (x, y, width, height): Place, text: &str) {
        self.frame((x, y, width, height));
        let lines: Vec<_> = text.lines().collect();
        let first = y + height / 2 + 5 - 9 * (lines.len().max(1) - 1);
        for (number, line) in lines.iter().enumerate() {
            self.text((x + width / 2, first + 18 * number), "middle", line);
        }
    }

    /// Draws a box with its name at the top, around other boxes.
    fn group(&mut self, (x, y, width, height): Place, name: &str) {
        self.frame((x, y, width, height));
        let _ = writeln!(
            self.svg,
            "<text class=\"who\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x + width / 2,
            y + 20,
            escaped(name)
        );
    }

    fn frame(&mut self, (x, y, width, height): Place) {
        let _ = writeln!(
            self.svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"none\" stroke=\"currentColor\"/>"
        );
    }

    /// Writes a text. `anchor` is `start`, `middle` or `end`.
    fn text(&mut self, (x, y): Point, anchor: &str, text: &str) {
        let _ = writeln!(
            self.svg,
            "<text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(text)
        );
    }

    /// Draws an arrow through these points. `class` is `send` (from a client), `reply` (from a
    /// server), `lost`, or empty.
    fn arrow(&mut self, class: &str, points: &[Point]) {
        self.path(class, points, &[points.len() - 1]);
    }

    /// Draws an arrow with a head at both ends.
    fn both_ways(&mut self, class: &str, points: &[Point]) {
        self.path(class, points, &[0, points.len() - 1]);
    }

    /// Draws a line through the points, with heads at some of them.
    fn path(&mut self, class: &str, points: &[Point], heads: &[usize]) {
        let line: Vec<_> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        let mut d = format!("M{}", line.join("L"));
        for head in heads {
            let before = if *head == 0 { 1 } else { head - 1 };
            d += &tip(points[before], points[*head]);
        }
        let _ = writeln!(
            self.svg,
            "<path class=\"{class}\" d=\"{d}\" style=\"fill: none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>"
        );
    }
}

/// Returns the head of an arrow that points from one point to another.
fn tip(from: Point, to: Point) -> String {
    let number =
        |pixels: usize| f64::from(u16::try_from(pixels).unwrap_or(u16::MAX));
    let (x, y) = (number(to.0), number(to.1));
    let (across, down) = (x - number(from.0), y - number(from.1));
    let length = across.hypot(down);
    let (across, down) = (across / length, down / length);
    // Each side of the head is 8 pixels back and 4 pixels aside.
    let [left, right] = [4.0, -4.0].map(|aside| {
        (x - 8.0 * across + aside * down, y - 8.0 * down - aside * across)
    });
    format!("M{:.1} {:.1}L{x} {y}L{:.1} {:.1}", left.0, left.1, right.0, right.1)
}

fn tcp_server(canvas: &mut Canvas) {
    canvas.part((10, 60, 110, 40), "client A");
    canvas.part((10, 190, 110, 40), "client B");
    canvas.group((330, 10, 380, 280), "the server's machine");
    canvas.part((360, 40, 150, 70), "socket for A\ncarries A's bytes");
    canvas.part((360, 175, 150, 70), "listening socket\ncarries no bytes");
    canvas.part((570, 175, 120, 70), "queue\nB");
    canvas.both_ways("send", &[(124, 80), (356, 80)]);
    canvas.text((240, 70), "middle", "bytes in both directions");
    canvas.arrow("send", &[(124, 196), (356, 196)]);
    canvas.text((240, 188), "middle", "SYN");
    canvas.arrow("reply", &[(356, 212), (124, 212)]);
    canvas.text((180, 229), "middle", "SYN-ACK");
    canvas.arrow("send", &[(124, 240), (356, 240)]);
    canvas.text((300, 234), "middle", "ACK");
    canvas.arrow("", &[(514, 210), (566, 210)]);
    canvas.arrow("", &[(630, 171), (630, 140), (435, 140), (435, 114)]);
    canvas.text((532, 134), "middle", "accept: a second socket");
}
