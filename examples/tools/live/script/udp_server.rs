//! The path of one lesson.

use super::Path;

/// The steps of `udp_server`.
pub const PATH: Path = Path { lesson: "udp_server", from: None, short: 2, steps: &[] };
