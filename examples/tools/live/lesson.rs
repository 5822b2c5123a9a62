//! The lessons that have steps, and the files of the steps.

use std::fs;

use sockets101::Failure;

use crate::lessons::{Row, SERVERS};
use crate::place::START;
use crate::script::{ONLY_SHORT, PATHS, Step};
use crate::student::{Owner, Student, top};

/// A lesson with its steps.
pub struct Lesson {
    pub row: Row,
    /// The lesson and the step with which the path begins. `None` means [`START`].
    from: Option<(&'static str, usize)>,
    /// What the table says about the steps. It is empty if the lesson only has a program in
    /// short. Then this program is step 1, and the lesson itself is step 2.
    steps: &'static [Step],
}

/// Returns all lessons that have steps, in their order.
pub fn all() -> Vec<Lesson> {
    let mut all = Vec::new();
    for row in SERVERS {
        for path in PATHS {
            if path.lesson == row.name && !path.steps.is_empty() {
                all.push(Lesson { row, from: path.from, steps: path.steps });
            }
        }
        if ONLY_SHORT.iter().any(|(lesson, _)| *lesson == row.name) {
            all.push(Lesson { row, from: None, steps: &[] });
        }
    }
    all
}

impl Lesson {
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// Returns the number of the last step, which is the lesson itself.
    pub fn last(&self) -> usize {
        if self.steps.is_empty() { 2 } else { self.steps.len() }
    }

    /// Returns what the table says about a step. It says nothing about step 0.
    pub fn step(&self, number: usize) -> Option<&'static Step> {
        self.steps.get(number.checked_sub(1)?)
    }

    /// Returns true if the path begins with a program of another lesson.
    pub fn begins_with_a_program(&self) -> bool {
        self.from.is_some()
    }

    pub fn title(&self, number: usize) -> String {
        match (self.step(number), self.from) {
            (Some(step), _) => step.title.to_owned(),
            (None, Some((lesson, from))) if number == 0 => format!("step {from} of {lesson}"),
            (None, None) if number == 0 => "an empty main".to_owned(),
            _ if number == 1 => "the program in short".to_owned(),
            _ => "the whole lesson".to_owned(),
        }
    }

    /// Returns the path of the file of a step, from the folder of the package. Returns `None` if
    /// the step is [`START`].
    pub fn file(&self, number: usize) -> Option<String> {
        let name = self.name();
        if number == self.last() {
            return Some(format!("examples/{name}.rs"));
        }
        if number > 0 {
            return Some(format!("examples/steps/{name}/{number}.rs"));
        }
        let (lesson, number) = self.from?;
        all().iter().find(|other| other.name() == lesson)?.file(number)
    }

    /// Returns the text of a step.
    pub fn text(&self, number: usize) -> Result<String, Failure> {
        let Some(file) = self.file(number) else { return Ok(START.to_owned()) };
        match fs::read_to_string(top().join(&file)) {
            Ok(text) => Ok(text),
            Err(err) => {
                let advice = "get the file again from the workbook, for example with git";
                Err(format!("cannot read {file}: {err}; {advice}").into())
            }
        }
    }

    /// Returns the texts of all steps, from step 0 on.
    pub fn texts(&self) -> Result<Vec<String>, Failure> {
        (0..=self.last()).map(|number| self.text(number)).collect()
    }

    /// Reads the student's program for the lesson. A step that cannot be read does not count.
    pub fn student(&self) -> Result<Student, Failure> {
        let steps = 0..=self.last();
        Student::read(Owner {
            command: "live",
            name: self.name().to_owned(),
            ending: ".rs",
            ours: steps.map(|number| self.text(number).unwrap_or_default()).collect(),
        })
    }
}
