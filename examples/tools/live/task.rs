//! Keeps the solution of a step that the students write on their own.

use sockets101::Failure;

use crate::compare::new_lines;
use crate::lesson::Lesson;
use crate::place::{Kind, Place};
use crate::script::By;

/// A step of the students on which a student works.
pub struct Task {
    /// The number of the step.
    pub step: usize,
    /// The number of new lines of our solution.
    pub lines: usize,
    /// The number of these lines that the student has.
    pub found: usize,
}

/// Returns the task on which the student works, and removes the mistakes that would show our
/// solution. Small typos stay. Returns `None` if the student does not work on a task, or has
/// written the same lines as we have.
pub fn take_task(lesson: &Lesson, place: &mut Place) -> Result<Option<Task>, Failure> {
    let target = place.target;
    // A first attempt can be more like the step after the task.
    for step in target.saturating_sub(1).max(1)..=target {
        if lesson.step(step).is_none_or(|step| step.by != By::Room) {
            continue;
        }
        let text = lesson.text(target)?;
        let is_new = new_lines(&lesson.text(step - 1)?, &text);
        let is_later = new_lines(&lesson.text(step)?, &text);
        let mut is_ours = Vec::new();
        let mut task = Task { step, lines: 0, found: 0 };
        for index in 0..is_new.len() {
            let is_line = is_new[index] && !is_later[index];
            is_ours.push(is_line);
            task.lines += usize::from(is_line);
            task.found += usize::from(is_line && place.has_line[index]);
        }
        if step < target && 4 * task.found >= 3 * task.lines {
            continue;
        }
        let before = place.mistakes.len();
        place.mistakes.retain(|mistake| {
            let shows_ours = mistake.step_lines.clone().any(|line| is_ours[line - 1]);
            // Another solution may not need a line of the step before.
            let is_line_gone = target == step && mistake.kind == Kind::MissingLines;
            mistake.is_small || !shows_ours && !is_line_gone
        });
        if place.mistakes.len() < before || place.begun > 0 && step == target {
            return Ok(Some(task));
        }
    }
    Ok(None)
}
