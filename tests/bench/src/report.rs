//! What was measured, as tables and as charts, one for each question.

use std::fmt::Write;
use std::iter::once;

use crate::chart::{Chart, Line};
use crate::{Figures, Group, Scene, Server};

/// The tables, for a page and for a terminal.
pub fn tables([poll, threads]: &[Group; 2]) -> String {
    let values = |question: &str, group: &Group, part: fn(&Figures) -> f64| {
        table(question, group, names(group), |scene| values(scene, part))
    };
    let ratios = |group: &Group| {
        let title = "Times as fast as C, and as Python";
        table(title, group, ratio_names(group), |scene| ratios(group, scene))
    };
    let fast = "How many requests a second, by one thread?";
    let slow = "How long does the slowest answer in a hundred take? (p99, in µs)";
    let memory = "How much memory was in use, at most? (MiB)";
    let threaded = "How many requests a second, by a thread for each client?";
    [
        values(fast, poll, |figures| figures.rate),
        ratios(poll),
        values(slow, poll, |figures| figures.p99),
        values(memory, poll, |figures| figures.memory),
        values(threaded, threads, |figures| figures.rate),
        ratios(threads),
    ]
    .join("\n")
}

/// The heads of columns with a figure of each server.
fn names(group: &Group) -> Vec<String> {
    group.servers.iter().map(Server::in_table).collect()
}

fn values(scene: &Scene, part: fn(&Figures) -> f64) -> Vec<String> {
    scene.figures.iter().map(part).map(rounded).collect()
}

/// The heads of columns in which our servers are compared with the others.
fn ratio_names(group: &Group) -> Vec<String> {
    let ours = group.servers.iter().filter(|server| server.is_ours());
    let heads = |server: &Server| {
        ["C", "Python"].map(|other| format!("{} to {other}", server.in_table()))
    };
    ours.flat_map(heads).collect()
}

fn ratios(group: &Group, scene: &Scene) -> Vec<String> {
    let all = group.servers.iter().zip(&scene.figures);
    let ours = all.filter(|(server, _)| server.is_ours());
    ours.flat_map(|(_, f)| [f.to_c, f.to_python]).map(rounded).collect()
}

/// A table with a row for each scene.
fn table(
    title: &str,
    group: &Group,
    heads: Vec<String>,
    cells: impl Fn(&Scene) -> Vec<String>,
) -> String {
    let head = once("active clients".to_owned()).chain(heads).collect();
    let rows = group.scenes.iter().map(|scene| {
        once(scene.crowd.in_words()).chain(cells(scene)).collect::<Vec<_>>()
    });
    let rows: Vec<Vec<String>> = once(head).chain(rows).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
        .collect();
    let mut text = format!("**{title}**\n\n");
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(text, "| {cell:width$} |"),
                _ => write!(text, " {cell:>width$} |"),
            };
        }
        text.push('\n');
        if number == 0 {
            text.push('|');
            for (column, width) in widths.iter().enumerate() {
                text += &"-".repeat(width + 1);
                text += if column == 0 { "-|" } else { ":|" };
            }
            text.push('\n');
        }
    }
    text
}

/// What a scene gave, while the others are still measured.
pub fn progress(servers: &[Server], scene: &Scene) -> String {
    let mut line = format!("clients: {};", scene.crowd.in_words());
    for (server, rate) in servers.iter().zip(values(scene, |f| f.rate)) {
        let _ = write!(line, " {}: {rate};", server.name);
    }
    line
}

pub fn charts([poll, threads]: &[Group; 2]) -> [Chart; 5] {
    // 9,000 and 9,990 would be one point.
    let is_shown =
        |scene: &&Scene| scene.crowd.active == 10 && scene.crowd.idle != 9990;
    let all_ask = "clients, all of them active";
    let ten_ask = "connections, ten of them active";
    let requests = "requests/s";
    [
        Chart {
            name: "active",
            title: "How many requests a second, when everybody asks at once?",
            x: all_ask,
            y: requests,
            scale: mark,
            lines: lines(poll, |scene| scene.crowd.idle == 0, |f| f.rate),
        },
        Chart {
            name: "idle",
            title: "What do connections that say nothing cost those that ask?",
            x: ten_ask,
            y: requests,
            scale: mark,
            lines: lines(poll, is_shown, |f| f.rate),
        },
        Chart {
            name: "latency",
            title: "How long does the slowest answer in a hundred take?",
            x: ten_ask,
            y: "time from request to answer, 99th percentile",
            scale: time,
            lines: lines(poll, is_shown, |f| f.p99),
        },
        Chart {
            name: "memory",
            title: "How much memory do connections take in the server?",
            x: ten_ask,
            y: "most memory in use",
            scale: |mebibytes| mark(mebibytes) + " MiB",
            lines: lines(poll, is_shown, |f| f.memory),
        },
        Chart {
            name: "threads",
            title: "How many requests a second, with a thread for each client?",
            x: all_ask,
            y: requests,
            scale: mark,
            lines: lines(threads, |_| true, |f| f.rate),
        },
    ]
}

/// A line for each server through those scenes.
fn lines(
    group: &Group,
    scenes: impl Fn(&&Scene) -> bool,
    part: fn(&Figures) -> f64,
) -> Vec<Line> {
    let servers = group.servers.iter().enumerate();
    let line = servers.map(|(number, server)| Line {
        name: server.name,
        style: server.style,
        points: (group.scenes.iter().filter(&scenes))
            .map(|s| (f64::from(s.crowd.connections()), part(&s.figures[number])))
            .collect(),
    });
    line.collect()
}

/// Three digits, which is more than a figure is worth.
fn rounded(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => {
            let unit = 10_f64.powf(value.log10().floor() - 2.0);
            grouped((value / unit).round() * unit)
        }
    }
}

/// A value at an axis, or in words: 0.5, 2, 2.25, 20, 5,000.
fn mark(value: f64) -> String {
    let small = (value * 100.0).round() / 100.0;
    if value < 10.0 { small.to_string() } else { grouped(value) }
}

/// Microseconds at an axis.
fn time(value: f64) -> String {
    if value < 1000.0 { mark(value) + " µs" } else { mark(value / 1000.0) + " ms" }
}

/// A whole number with its thousands apart.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
