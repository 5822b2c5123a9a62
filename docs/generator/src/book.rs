//! The lessons and their pages.

use crate::read;

/// A lesson, which is named after its slide.
pub struct Slide {
    /// The name of its example.
    pub name: &'static str,
    /// The name of the example that it is based on.
    pub from: Option<&'static str>,
}

const fn slide(name: &'static str) -> Slide {
    Slide { name, from: None }
}

const fn grown(name: &'static str, from: &'static str) -> Slide {
    Slide { name, from: Some(from) }
}

/// In the order of the lecture.
pub const SLIDES: [Slide; 18] = [
    slide("udp_server_bytes"),
    grown("udp_server", "udp_server_bytes"),
    grown("ttl_pong", "udp_server_bytes"),
    slide("tcp_server"),
    slide("names_ipv4"),
    slide("getaddrinfo"),
    slide("byte_order"),
    slide("network_errors"),
    grown("recvall_server", "tcp_server"),
    grown("sequential_server", "tcp_server"),
    grown("listen_backlog", "sequential_server"),
    grown("slow_sequential_server", "sequential_server"),
    slide("poll_server"),
    grown("thread_per_client", "sequential_server"),
    grown("slow_thread_per_client", "thread_per_client"),
    grown("thread_pool", "tcp_server"),
    grown("thread_pool_timeout", "thread_pool"),
    grown("slow_thread_pool_timeout", "thread_pool_timeout"),
];

/// The server beyond the lecture, and its page.
pub const BEYOND: (&str, &str) = ("event_server", "beyond.md");

/// Returns the part of a program that the book includes.
///
/// # Errors
///
/// As for [`part`].
pub fn program(path: &str) -> Result<String, String> {
    part(path, "program")
}

/// Returns the text between two anchors of a file, as mdBook includes it.
///
/// # Errors
///
/// A sentence, if the file cannot be read, or if it does not have exactly one such pair.
pub fn part(path: &str, anchor: &str) -> Result<String, String> {
    let text = read(path)?;
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let places = |mark: String| -> Vec<usize> {
        let is_mark =
            |line: &str| line.trim().trim_start_matches(['/', '#', ' ']) == mark;
        (0..lines.len()).filter(|place| is_mark(lines[*place])).collect()
    };
    let start = places(format!("ANCHOR: {anchor}"));
    match (&start[..], &places(format!("ANCHOR_END: {anchor}"))[..]) {
        ([start], [end]) if start < end => Ok(lines[start + 1..*end].concat()),
        _ => Err(format!("{path}: not one pair of anchors {anchor}")),
    }
}

/// Returns the title and the file of each page that SUMMARY.md lists, in order.
///
/// # Errors
///
/// A sentence, if it cannot be read.
pub fn pages() -> Result<Vec<(String, String)>, String> {
    let summary = read("docs/src/SUMMARY.md")?;
    let page = |line: &str| {
        let (title, file) =
            line.trim_start_matches("- ").strip_prefix('[')?.split_once("](")?;
        Some((title.to_owned(), file.strip_suffix(')')?.to_owned()))
    };
    Ok(summary.lines().filter_map(page).collect())
}
