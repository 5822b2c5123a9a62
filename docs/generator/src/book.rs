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

/// The program in a file: what is between its anchors, as the book includes it.
///
/// # Errors
///
/// A sentence, when the file cannot be read or has not exactly one such pair.
pub fn program(path: &str) -> Result<String, String> {
    let text = read(path)?;
    let parts: Vec<_> = text.split_inclusive('\n').collect();
    let places = |mark: &str| -> Vec<usize> {
        let line = |(_, line): &(usize, &&str)| {
            line.trim().trim_start_matches(['/', '#', ' ']) == mark
        };
        parts.iter().enumerate().filter(line).map(|(place, _)| place).collect()
    };
    match (&places("ANCHOR: program")[..], &places("ANCHOR_END: program")[..]) {
        ([start], [end]) if start < end => Ok(parts[start + 1..*end].concat()),
        _ => Err(format!("{path}: not one pair of anchors")),
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
