//! Shows the figures as tables and charts, one for each question.

use std::fmt::Write;
use std::iter::once;

use crate::chart::{Chart, Line};
use crate::{Figures, Group, Scene, Server};

/// Returns the tables, in a form for both a page and a terminal.
pub fn tables([poll, threads, beyond]: &[Group; 3]) -> String {
    let values = |question: &str, group: &Group, part: fn(&Figures) -> f64| {
        table(question, group, names(group), |scene| values(scene, part))
    };
    let ratios = |group: &Group| {
        let [first, second] = references(group);
        let title =
            format!("Requests per second, divided by those of {first} and {second}");
        table(&title, group, ratio_names(group), ratios)
    };
    let fast = "How many requests per second does one thread serve?";
    let slow = "How long does the slowest reply of a hundred take? (p99, in µs)";
    let memory = "How much memory does the server use at most? (MiB)";
    let threaded =
        "How many requests per second are served with one thread per client?";
    let tasks =
        "How many requests per second are served with threads, events and tasks?";
    [
        values(fast, poll, |figures| figures.rate),
        ratios(poll),
        values(slow, poll, |figures| figures.p99),
        values(memory, poll, |figures| figures.memory),
        values(threaded, threads, |figures| figures.rate),
        ratios(threads),
        values(tasks, beyond, |figures| figures.rate),
        ratios(beyond),
        values(&with_tasks(slow), beyond, |figures| figures.p99),
        values(&with_tasks(memory), beyond, |figures| figures.memory),
    ]
    .join("\n")
}

/// Returns the title of the same table for the servers with threads, events and tasks.
fn with_tasks(title: &str) -> String {
    title.replace('?', " with threads, events and tasks?")
}

/// Returns the heads of the columns with the figures of each server.
fn names(group: &Group) -> Vec<String> {
    group.servers.iter().map(Server::in_table).collect()
}

fn values(scene: &Scene, part: fn(&Figures) -> f64) -> Vec<String> {
    scene.figures.iter().map(part).map(rounded).collect()
}

/// Returns the names of the two servers with which the others are compared.
fn references(group: &Group) -> [String; 2] {
    [0, 1].map(|server| group.servers[server].in_ratio())
}

/// Returns the servers that are compared with the first two.
fn compared(group: &Group) -> impl Iterator<Item = &Server> {
    group.servers[2..].iter()
}

/// Returns the heads of the columns that compare the servers with the first two.
fn ratio_names(group: &Group) -> Vec<String> {
    let heads = |server: &Server| {
        references(group).map(|other| format!("{} to {other}", server.in_table()))
    };
    compared(group).flat_map(heads).collect()
}

fn ratios(scene: &Scene) -> Vec<String> {
    let all = scene.figures[2..].iter().flat_map(|figures| figures.rate_ratios);
    all.map(rounded).collect()
}

/// Returns a table with a row for each scene.
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

/// Returns a line of progress: the figures of one scene.
pub fn progress(servers: &[Server], scene: &Scene) -> String {
    let mut line = format!("clients: {};", scene.crowd.in_words());
    for (server, rate) in servers.iter().zip(values(scene, |f| f.rate)) {
        let _ = write!(line, " {}: {rate};", server.name);
    }
    line
}

pub fn charts([poll, threads, beyond]: &[Group; 3]) -> [Chart; 8] {
    // 9,000 and 9,990 would be one point.
    let is_shown =
        |scene: &&Scene| scene.crowd.active == 10 && scene.crowd.idle != 9990;
    let all_ask = "clients, all of them active";
    let ten_ask = "connections, ten of them active";
    let requests = "requests/s";
    [
        Chart {
            name: "active",
            title: "How many requests per second, if all clients are active?",
            x: all_ask,
            y: requests,
            scale: mark,
            lines: lines(poll, |scene| scene.crowd.idle == 0, |f| f.rate),
        },
        Chart {
            name: "idle",
            title: "How much do idle connections slow down the active clients?",
            x: ten_ask,
            y: requests,
            scale: mark,
            lines: lines(poll, is_shown, |f| f.rate),
        },
        Chart {
            name: "latency",
            title: "How long does the slowest reply of a hundred take?",
            x: ten_ask,
            y: "time from request to reply, 99th percentile",
            scale: time,
            lines: lines(poll, is_shown, |f| f.p99),
        },
        Chart {
            name: "memory",
            title: "How much memory do the connections use in the server?",
            x: ten_ask,
            y: "largest amount of memory",
            scale: |mebibytes| mark(mebibytes) + " MiB",
            lines: lines(poll, is_shown, |f| f.memory),
        },
        Chart {
            name: "threads",
            title: "How many requests per second, with one thread per client?",
            x: all_ask,
            y: requests,
            scale: mark,
            lines: lines(threads, |_| true, |f| f.rate),
        },
        Chart {
            name: "tasks",
            title: "How many requests per second, with threads, events and tasks?",
            x: all_ask,
            y: requests,
            scale: mark,
            lines: lines(beyond, |scene| scene.crowd.idle == 0, |f| f.rate),
        },
        Chart {
            name: "tasks_idle",
            title: "How much do idle connections slow down threads, events and tasks?",
            x: ten_ask,
            y: requests,
            scale: mark,
            lines: lines(beyond, is_shown, |f| f.rate),
        },
        Chart {
            name: "tasks_memory",
            title: "How much memory do the connections use with threads, events and tasks?",
            x: ten_ask,
            y: "largest amount of memory",
            scale: |mebibytes| mark(mebibytes) + " MiB",
            lines: lines(beyond, is_shown, |f| f.memory),
        },
    ]
}

/// Returns a line for each server through these scenes.
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

/// Returns a figure with three digits. More would not be significant.
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

/// Returns a value for an axis: 0.5, 2, 2.25, 20, 5,000.
fn mark(value: f64) -> String {
    let small = (value * 100.0).round() / 100.0;
    if value < 10.0 { small.to_string() } else { grouped(value) }
}

/// Returns microseconds for an axis.
fn time(value: f64) -> String {
    if value < 1000.0 { mark(value) + " µs" } else { mark(value / 1000.0) + " ms" }
}

/// Returns a whole number with commas between the thousands.
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
