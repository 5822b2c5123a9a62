//! The rows of an exchange as a picture (SVG), and in words.

use std::fmt::Write;

use crate::wire::{Exchange, Row, To, What};

/// Measures of the picture, in its own units: a character of its text is 7.25 wide.
const ROW: usize = 23;
const TOP: usize = 44;
const CHARACTER: usize = 29; // In quarters.

/// The exchange in words, a line each.
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

/// Who stands where.
struct Columns {
    order: Vec<To>,
    /// The room for notes left of the first column; right of the last.
    margins: (usize, usize),
    gap: usize,
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
            // In the middle of two; at the left of many.
            Some(server) => {
                let place = usize::from(order.len() <= 2);
                order.insert(place, To::Party(server));
            }
        }
        // As wide as the longest note beside a column.
        let notes = |who: To| {
            let notes = rows.iter().filter(|row| To::Party(row.party) == who);
            let lengths = notes.map(|row| match &row.what {
                What::Note(note) => text_width(note) + 20,
                _ => 0,
            });
            lengths.max().unwrap_or_default()
        };
        let labels = rows.iter().map(|row| match &row.what {
            What::Note(_) => 0,
            What::Arrow { label, .. } | What::FromOutside(label) => {
                text_width(label) + 40
            }
        });
        let gap = match &order[..] {
            [_, middle, _] => notes(*middle).max(labels.max().unwrap_or_default()),
            [_, _] => labels.max().unwrap_or_default().max(290),
            // A label begins at its sender, and goes across other columns.
            _ => 150,
        };
        let margin = |who: Option<&To>| who.map_or(0, |who| notes(*who)).max(60);
        let margins = (margin(order.first()), margin(order.last()));
        Self { order, margins, gap }
    }

    fn name(exchange: &Exchange, who: To) -> String {
        match who {
            To::Party(party) => exchange.parties[party].name.clone(),
            To::Outside => exchange.outside.clone().unwrap_or_default(),
            To::Router(number) => format!("router {number}"),
        }
    }

    fn x(&self, who: To) -> usize {
        let column =
            self.order.iter().position(|other| *other == who).unwrap_or_default();
        self.margins.0 + column * self.gap
    }

    fn width(&self) -> usize {
        self.margins.0 + (self.order.len() - 1) * self.gap + self.margins.1
    }
}

/// The picture.
pub fn picture(
    exchange: &Exchange,
    rows: &[Row],
    name: &str,
    title: &str,
) -> String {
    let columns = Columns::new(exchange, rows);
    let (width, height) = (columns.width(), TOP + rows.len() * ROW + 16);
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
                // Beside the line, and outside of the picture's middle where that can be.
                let left = own == columns.margins.0 && columns.order.len() > 1;
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
                svg += &arrow(own, columns.x(*to), y, class, label, *lost);
            }
            What::FromOutside(label) => {
                svg += &arrow(columns.x(To::Outside), own, y, "reply", label, false);
            }
        }
    }
    svg + "</svg>\n"
}

/// A line with a head, and what it stands for above it, near where it starts.
fn arrow(
    from: usize,
    to: usize,
    y: usize,
    class: &str,
    label: &str,
    lost: bool,
) -> String {
    let right = to > from;
    let tip = |back: usize| if right { to - back } else { to + back };
    let length = text_width(label);
    let middle = from.midpoint(to);
    // Centred where it fits; where it does not, it begins at the sender.
    let (x, anchor) = match (length + 16 < from.abs_diff(to), right) {
        (true, _) => (middle, "middle"),
        (false, true) => (from + 10, "start"),
        (false, false) => (from - 10, "end"),
    };
    let head = if lost {
        format!("M{} {}l8 8m0 -8l-8 8", to - 4, y)
    } else {
        format!("M{} {}L{to} {}L{} {}", tip(8), y, y + 4, tip(8), y + 8)
    };
    format!(
        "<g class=\"{class}{}\"><path d=\"M{from} {}H{to}{head}\" fill=\"none\" stroke=\"currentColor\"/>\
         <text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text></g>\n",
        if lost { " lost" } else { "" },
        y + 4,
        escaped(label)
    )
}

/// Bytes in their order on the wire: what made them, and each in a box of its own.
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

/// The element, with its title. The colours are the page's; `name` makes its id one of this page.
fn opening(width: usize, height: usize, name: &str, title: &str) -> String {
    format!(
        "<svg class=\"exchange\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"{name}-title\" xmlns=\"http://www.w3.org/2000/svg\" \
         font-family=\"monospace\" font-size=\"12\" fill=\"currentColor\">\n\
         <title id=\"{name}-title\">{}</title>\n",
        escaped(title)
    )
}

fn text_width(text: &str) -> usize {
    text.chars().count() * CHARACTER / 4
}

/// Text as XML wants it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
