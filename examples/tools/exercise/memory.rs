//! Remembers whether a program has passed, and how many hints a student has seen.
//!
//! Each exercise has a file of its own for each language, for example
//! `examples/my_kept/my_10.rs.txt`. A student can read this file, and can remove it to begin again.

use std::path::PathBuf;
use std::{fs, io, process};

use sockets101::log_line;

use crate::student::{KEPT, top};
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
        let text = fs::read_to_string(path(work)).unwrap_or_default();
        for line in text.lines() {
            memory.has_passed |= line.trim() == PASSED;
            let seen = line.strip_prefix(SEEN).map(|number| number.trim().parse());
            if let Some(Ok(seen)) = seen {
                memory.hints = HINTS.min(seen);
            }
        }
        memory
    }

    /// Writes the file. If this fails, prints a line and continues, because the student needs the
    /// result or the hint anyway.
    pub fn write(&self, work: &Work) {
        if let Err(err) = self.try_write(work) {
            let advice = "check the permissions of this folder";
            log_line(format!("cannot remember the result in {KEPT}: {err}; {advice}"));
        }
    }

    fn try_write(&self, work: &Work) -> io::Result<()> {
        let mut text = format!("{SEEN}{}\n", self.hints);
        if self.has_passed {
            text = text + PASSED + "\n";
        }
        fs::create_dir_all(top().join(KEPT))?;
        // `rename` replaces the file at once, so a program never reads half of it.
        let temporary = top().join(format!("{KEPT}/{}.tmp", process::id()));
        fs::write(&temporary, text)?;
        let result = fs::rename(&temporary, path(work));
        if result.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        result
    }
}

fn path(work: &Work) -> PathBuf {
    let (program, ending) = (work.exercise.program(), work.language.ending());
    top().join(format!("{KEPT}/{program}.{ending}.txt"))
}
