//! The path of one lesson.

use super::Path;

/// The steps of `recvall_server`.
pub const PATH: Path = Path { lesson: "recvall_server", from: None, short: 3, steps: &[] };
