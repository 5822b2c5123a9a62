//! Draws the idea of each lesson and the first page, by hand-set coordinates and in one style.
//!
//! A drawing has boxes, arrows and texts. All coordinates are in pixels. The title of a drawing
//! says what it shows. It is also the text alternative of the picture on the page.

use std::fmt::Write;

use crate::svg::{escaped, opening};

mod accept;
mod backlog;
mod beyond;
mod datagrams;
mod events;
mod listeners;
mod messages;
mod names;
mod overview;
mod stream;
mod threads;
mod timeouts;

/// The drawing of a lesson, or of the first page.
pub struct Idea {
    /// The name of the page.
    pub page: &'static str,
    /// What the drawing shows, in one sentence without a full stop.
    pub title: &'static str,
    size: (usize, usize),
    draw: fn(&mut Canvas),
}

/// Returns all drawings.
pub fn ideas() -> impl Iterator<Item = &'static Idea> {
    let chapters = [
        &overview::IDEAS[..],
        &datagrams::IDEAS,
        &stream::IDEAS,
        &names::IDEAS,
        &messages::IDEAS,
        &backlog::IDEAS,
        &events::IDEAS,
        &threads::IDEAS,
        &timeouts::IDEAS,
        &beyond::IDEAS,
        &accept::IDEAS,
        &listeners::IDEAS,
    ];
    chapters.into_iter().flatten()
}

/// Returns all pictures with their paths.
pub(crate) fn draw() -> Vec<(String, String)> {
    ideas().map(|idea| (format!("{}/idea.svg", idea.page), idea.picture())).collect()
}

impl Idea {
    /// Returns the picture.
    fn picture(&self) -> String {
        let (width, height) = self.size;
        let name = format!("{}-idea", self.page);
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

    /// Draws a box for each text. All boxes have the size of the first. `step` is the distance
    /// from one box to the next, to the right and down.
    fn parts(&mut self, first: Place, step: Point, texts: &[&str]) {
        let (x, y, width, height) = first;
        for (number, text) in texts.iter().enumerate() {
            let (x, y) = (x + step.0 * number, y + step.1 * number);
            self.part((x, y, width, height), text);
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
