//! The path of one lesson.

use super::Path;

/// The steps of `thread_pool`.
pub const PATH: Path = Path { lesson: "thread_pool", from: None, short: 3, steps: &[] };
