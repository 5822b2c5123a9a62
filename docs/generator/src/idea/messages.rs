//! The ideas of the lessons on messages, conversations and the backlog.

use super::Idea;

pub(super) const IDEAS: [Idea; 0] = [];
