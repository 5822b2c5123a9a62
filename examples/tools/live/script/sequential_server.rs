//! The path of one lesson.

use super::Path;

/// The steps of `sequential_server`.
pub const PATH: Path = Path { lesson: "sequential_server", from: None, short: 2, steps: &[] };
