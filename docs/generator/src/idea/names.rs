//! The ideas of the lessons on names, byte order and errors.

use super::Idea;

pub(super) const IDEAS: [Idea; 0] = [];
