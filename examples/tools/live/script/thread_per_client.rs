//! The path of one lesson.

use super::Path;

/// The steps of `thread_per_client`.
pub const PATH: Path = Path { lesson: "thread_per_client", from: None, short: 2, steps: &[] };
