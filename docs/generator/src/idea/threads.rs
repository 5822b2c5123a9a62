//! The ideas of the lessons with threads.

use super::Idea;

pub(super) const IDEAS: [Idea; 0] = [];
