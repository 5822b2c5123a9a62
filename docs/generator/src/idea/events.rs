//! The ideas of the lesson on poll.

use super::Idea;

pub(super) const IDEAS: [Idea; 0] = [];
