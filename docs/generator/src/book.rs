//! The pages of the book, as far as they hang together with the examples.

use crate::read;

/// A slide.
pub struct Slide {
    /// Its example.
    pub name: &'static str,
    /// The example that it grows from.
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

/// Its page is no slide's.
pub const BEYOND: (&str, &str) = ("event_server", "beyond.md");

/// The program in a file: what the book includes of it.
///
/// # Errors
///
/// As for [`part`].
pub fn program(path: &str) -> Result<String, String> {
    part(path, "program")
}

/// What is between the anchors of a file, as mdBook includes it.
///
/// # Errors
///
/// A sentence, when the file cannot be read or has not exactly one such pair.
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

/// The pages that SUMMARY.md lists, in order: title and file.
///
/// # Errors
///
/// A sentence, when it cannot be read.
pub fn pages() -> Result<Vec<(String, String)>, String> {
    let summary = read("docs/src/SUMMARY.md")?;
    let page = |line: &str| {
        let (title, file) =
            line.trim_start_matches("- ").strip_prefix('[')?.split_once("](")?;
        Some((title.to_owned(), file.strip_suffix(')')?.to_owned()))
    };
    Ok(summary.lines().filter_map(page).collect())
}
