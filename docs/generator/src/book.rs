//! The lessons and their pages.

use crate::read;
use crate::steps::shorts;

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

/// The servers beyond the lecture, and their pages.
pub const BEYOND: [(&str, &str); 4] = [
    ("event_server", "beyond.md"),
    ("async_server", "async_server.md"),
    ("stop_server", "stop_server.md"),
    ("dual_stack", "dual_stack.md"),
];

/// Returns the page of a server beyond the lecture.
#[must_use]
pub fn beyond_page(name: &str) -> Option<&'static str> {
    BEYOND.iter().find(|(server, _)| *server == name).map(|(_, page)| *page)
}

/// Returns the paths of a program, in Python and in Rust.
#[must_use]
pub fn files(lesson: &str) -> (String, String) {
    let rust = match beyond_page(lesson) {
        Some(_) => "examples/beyond",
        None => "examples",
    };
    (format!("docs/python/{lesson}.py"), format!("{rust}/{lesson}.rs"))
}

/// Returns the paths of the program in short of a lesson, in Python and in Rust.
///
/// # Errors
///
/// A sentence, if the lesson has no such program.
pub fn short_program(lesson: &str) -> Result<(String, String), String> {
    let short = shorts().into_iter().find(|short| short.row.name == lesson);
    let short = short.ok_or_else(|| format!("{lesson} has no program in short"))?;
    Ok((
        format!("docs/python/short/{lesson}.py"),
        format!("examples/steps/{lesson}/{}.rs", short.number),
    ))
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

/// Returns the number and the title of a lesson.
///
/// # Errors
///
/// A sentence, if the lesson has no page.
pub fn lesson_title(name: &str) -> Result<(usize, String), String> {
    let position = SLIDES.iter().position(|slide| slide.name == name);
    let file = format!("{name}.md");
    let page = pages()?.into_iter().find(|(_, page)| *page == file);
    let (Some(position), Some((title, _))) = (position, page) else {
        return Err(format!("{name} has no page"));
    };
    Ok((position + 1, title))
}

/// Returns the id that mdBook gives to a heading.
#[must_use]
pub fn anchor(heading: &str) -> String {
    let is_kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let id: String = heading.to_lowercase().chars().filter(is_kept).collect();
    id.replace(' ', "-")
}
