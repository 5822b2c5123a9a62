//! Draws the rows of an exchange as a picture (SVG), and writes them in words.

use std::fmt::Write;

use crate::svg::{escaped, opening};
use crate::wire::{Exchange, Row, To, What};

/// The measures of the picture, in its own units. A character of its text is 7.25 wide.
const ROW: usize = 23;
const TOP: usize = 44;
const CHARACTER: usize = 29; // In quarters.

/// Returns the rows in words, one line for each.
pub fn in_words(exchange: &Exchange, rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let who = &exchange.parties[row.party].name;
        let _ = match &row.what {
            What::Note(note) => writeln!(text, "{who}: {note}"),
            What::Arrow { to, label, lost } => {
                let lost = if *lost { ", which drops it" } else { "" };
                writeln!(
                    text,
                    "{who} -> {}: {label}{lost}",
                    Columns::name(exchange, *to)
                )
            }
            What::FromOutside(label) => {
                writeln!(
                    text,
                    "{} -> {who}: {label}",
                    Columns::name(exchange, To::Outside)
                )
            }
        };
    }
    text
}

/// The columns of the picture, from left to right.
struct Columns {
    order: Vec<To>,
    /// The x coordinate of each column.
    places: Vec<usize>,
    /// The width of the picture.
    width: usize,
}

impl Columns {
    fn new(exchange: &Exchange, rows: &[Row]) -> Self {
        let server = exchange.parties.iter().position(|party| party.is_server);
        let clients =
            (0..exchange.parties.len()).filter(|party| Some(*party) != server);
        let mut order: Vec<_> = clients.map(To::Party).collect();
        order.extend((1..=exchange.routers).map(To::Router));
        match server {
            None => order.push(To::Outside),
            // Between two clients, or to the left of many.
            Some(server) => {
                let place = usize::from(order.len() <= 2);
                order.insert(place, To::Party(server));
            }
        }
        let at = |who: To| order.iter().position(|other| *other == who);
        // Notes stand to the left of the first column, and to the right of the others.
        let mut room = vec![60; order.len() + 1];
        // A gap between two columns.
        let least = if order.len() == 2 { 290 } else { 150 };
        room[1..order.len()].fill(least);
        let mut need = |gap: usize, width: usize| room[gap] = width.max(room[gap]);
        for row in rows {
            let own = at(To::Party(row.party)).unwrap_or_default();
            let (from, to, label) = match &row.what {
                What::Note(note) => {
                    let gap = if own == 0 { 0 } else { own + 1 };
                    need(gap, text_width(note) + 20);
                    continue;
                }
                What::Arrow { to, label, .. } => (own, at(*to), label),
                What::FromOutside(label) => {
                    (at(To::Outside).unwrap_or_default(), Some(own), label)
                }
            };
            // A label stands in the gap next to its sender.
            let gap = if to.unwrap_or_default() > from { from + 1 } else { from };
            need(gap, text_width(label) + 40);
        }
        let mut places = Vec::new();
        let mut width = 0;
        for gap in &room {
            width += gap;
            places.push(width);
        }
        places.pop();
        Self { order, places, width }
    }

    fn name(exchange: &Exchange, who: To) -> String {
        match who {
            To::Party(party) => exchange.parties[party].name.clone(),
            To::Outside => exchange.outside.clone().unwrap_or_default(),
            To::Router(number) => format!("router {number}"),
        }
    }

    /// Returns the x coordinate of a column.
    fn x(&self, who: To) -> usize {
        let column = self.order.iter().position(|other| *other == who);
        self.places[column.unwrap_or_default()]
    }

    /// Returns the x coordinate of the column next to `from`, in the direction of `to`.
    fn next(&self, from: usize, to: usize) -> usize {
        let mut places = self.places.iter().copied();
        let next = if to > from {
            places.find(|place| *place > from)
        } else {
            places.rfind(|place| *place < from)
        };
        next.unwrap_or(to)
    }
}

/// Returns for each row the column at which it begins, and the end of its arrow or its text.
pub fn columns(exchange: &Exchange, rows: &[Row]) -> Vec<[usize; 2]> {
    let columns = Columns::new(exchange, rows);
    let of_row = |row: &Row| {
        let own = columns.x(To::Party(row.party));
        match &row.what {
            What::Note(note) if own == columns.places[0] => {
                [own, own.saturating_sub(text_width(note) + 10)]
            }
            What::Note(note) => [own, own + text_width(note) + 10],
            What::Arrow { to, .. } => [own, columns.x(*to)],
            What::FromOutside(_) => [columns.x(To::Outside), own],
        }
    };
    rows.iter().map(of_row).collect()
}

/// Returns the picture.
pub fn picture(
    exchange: &Exchange,
    rows: &[Row],
    name: &str,
    title: &str,
) -> String {
    let columns = Columns::new(exchange, rows);
    let (width, height) = (columns.width, TOP + rows.len() * ROW + 16);
    let mut svg = opening(width, height, name, title);
    for who in &columns.order {
        let x = columns.x(*who);
        let _ = write!(
            svg,
            "<text class=\"who\" x=\"{x}\" y=\"20\" text-anchor=\"middle\">{}</text>\n\
             <line class=\"life\" stroke=\"currentColor\" x1=\"{x}\" y1=\"30\" x2=\"{x}\" y2=\"{}\"/>\n",
            escaped(&Columns::name(exchange, *who)),
            height - 8
        );
    }
    for (number, row) in rows.iter().enumerate() {
        let y = TOP + number * ROW + ROW / 2;
        let own = columns.x(To::Party(row.party));
        let is_server = exchange.parties[row.party].is_server;
        match &row.what {
            What::Note(note) => {
                // Notes of the first column stand to its left, at the edge of the picture.
                let left = own == columns.places[0];
                let (x, anchor) =
                    if left { (own - 10, "end") } else { (own + 10, "start") };
                let _ = writeln!(
                    svg,
                    "<circle class=\"dot\" cx=\"{own}\" cy=\"{y}\" r=\"3\"/>\n\
                     <text class=\"note\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                    y + 4,
                    escaped(note)
                );
            }
            What::Arrow { to, label, lost } => {
                let class = if is_server { "reply" } else { "send" };
                let to = columns.x(*to);
                let place = own.midpoint(columns.next(own, to));
                svg += &arrow((own, to, y), class, (label, place), *lost);
            }
            What::FromOutside(label) => {
                let from = columns.x(To::Outside);
                let place = from.midpoint(columns.next(from, own));
                svg += &arrow((from, own, y), "reply", (label, place), false);
            }
        }
    }
    svg + "</svg>\n"
}

/// Draws an arrow, and its label above it. The label is centred at `place`, next to
/// its sender, so that it does not cross the line of another program.
fn arrow(
    (from, to, y): (usize, usize, usize),
    class: &str,
    (label, place): (&str, usize),
    lost: bool,
) -> String {
    let right = to > from;
    let tip = |back: usize| if right { to - back } else { to + back };
    let head = if lost {
        format!("M{} {}l8 8m0 -8l-8 8", to - 4, y)
    } else {
        format!("M{} {}L{to} {}L{} {}", tip(8), y, y + 4, tip(8), y + 8)
    };
    format!(
        "<g class=\"{class}{}\"><path d=\"M{from} {}H{to}{head}\" fill=\"none\" stroke=\"currentColor\"/>\
         <text class=\"label\" x=\"{place}\" y=\"{y}\" text-anchor=\"middle\">{}</text></g>\n",
        if lost { " lost" } else { "" },
        y + 4,
        escaped(label)
    )
}

/// Draws bytes in the order in which they are sent, each in a box, after the call that made
/// them.
pub fn bytes(packed: &[(&str, &str)], name: &str, title: &str) -> String {
    let (width, height) = (560, TOP + packed.len() * 48);
    let mut svg = opening(width, height, name, title);
    for (place, title) in ["first", "", "", "last"].iter().enumerate() {
        let _ = writeln!(
            svg,
            "<text class=\"who\" x=\"{}\" y=\"20\" text-anchor=\"middle\">{title}</text>",
            240 + place * 80 + 30
        );
    }
    for (row, (call, bytes)) in packed.iter().enumerate() {
        let y = TOP - 8 + row * 48;
        let _ = writeln!(
            svg,
            "<text class=\"note\" x=\"10\" y=\"{}\">{}</text>",
            y + 22,
            escaped(call)
        );
        for (place, byte) in bytes.split_whitespace().enumerate() {
            let x = 240 + place * 80;
            let _ = writeln!(
                svg,
                "<rect class=\"byte\" x=\"{x}\" y=\"{y}\" width=\"60\" height=\"34\" rx=\"4\" fill=\"none\" stroke=\"currentColor\"/>\n\
                 <text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{byte}</text>",
                x + 30,
                y + 22
            );
        }
    }
    svg + "</svg>\n"
}

fn text_width(text: &str) -> usize {
    text.chars().count() * CHARACTER / 4
}
