//! The ideas of the lessons on UDP.

use super::Idea;

pub(super) const IDEAS: [Idea; 0] = [];
