//! Remembers whether a program has passed, and how many hints a student has seen.
//!
//! Each exercise has a file of its own for each language, for example
//! `examples/my_kept/my_10.rs.txt`. A student can read this file, and can remove it to begin again.

use std::{fs, process};

use sockets101::{Failure, log_line};

use crate::student::{KEPT, cannot, top};
use crate::task::{HINTS, Work};

/// The line that says that the program has passed.
const PASSED: &str = "passed";

/// The beginning of the line that says how many hints the student has seen.
const SEEN: &str = "hints ";

#[derive(Default)]
pub struct Memory {
    pub has_passed: bool,
    /// The number of hints that the student has seen.
    pub hints: usize,
}

impl Memory {
    /// Reads the file. A missing file means that the student has not passed, and has not seen a
    /// hint. Ignores all other lines.
    pub fn read(work: &Work) -> Self {
        let mut memory = Self::default();
        let path = top().join(file(work));
        // A read from a pipe with a name would wait forever.
        let text = if path.is_file() { fs::read_to_string(path) } else { Ok(String::new()) };
        let text = text.unwrap_or_default();
        for line in text.lines() {
            memory.has_passed |= line.trim() == PASSED;
            let seen = line.strip_prefix(SEEN).map(|number| number.trim().parse());
            if let Some(Ok(seen)) = seen {
                memory.hints = HINTS.min(seen);
            }
        }
        memory
    }

    /// Changes what is remembered. If the file cannot be written, the program says so and
    /// continues. The grade does not depend on the file.
    ///
    /// Reads the file immediately before, because another run can have changed it in the meantime.
    pub fn change(work: &Work, change: impl FnOnce(&mut Self)) {
        let mut memory = Self::read(work);
        change(&mut memory);
        if let Err(failure) = memory.write(work) {
            log_line(format!("exercise does not remember this run: {failure:?}"));
        }
    }

    fn write(&self, work: &Work) -> Result<(), Failure> {
        let mut text = format!("{SEEN}{}\n", self.hints);
        if self.has_passed {
            text = text + PASSED + "\n";
        }
        fs::create_dir_all(top().join(KEPT))
            .map_err(|err| cannot("make the folder", KEPT, &err))?;
        // `rename` replaces the file at once, so a program never reads half of it.
        let temporary = top().join(format!("{KEPT}/{}.tmp", process::id()));
        let result = fs::write(&temporary, text);
        let result = result.and_then(|()| fs::rename(&temporary, top().join(file(work))));
        if result.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        Ok(result.map_err(|err| cannot("write", &file(work), &err))?)
    }
}

/// Returns the path of the file, from the folder of the package.
fn file(work: &Work) -> String {
    format!("{KEPT}/{}.{}.txt", work.exercise.program(), work.language.ending())
}
