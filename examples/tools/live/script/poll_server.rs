//! The path of one lesson.

use super::Path;

/// The steps of `poll_server`.
pub const PATH: Path = Path { lesson: "poll_server", from: None, short: 3, steps: &[] };
