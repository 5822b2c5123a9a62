//! Reads the programs of the exercises.

use crate::table::{EXERCISES, Exercise};
use crate::{read, top};

/// The programs of an exercise: what a student begins with, and what passes.
pub const PROGRAMS: [&str; 2] = ["start", "solution"];

/// Returns the Rust programs of all exercises, by the names of their binaries. Leaves out those
/// that are missing, because another test reports them.
///
/// # Errors
///
/// A sentence, if a file cannot be read.
pub fn sources() -> Result<Vec<(String, String)>, String> {
    let mut sources = Vec::new();
    for exercise in &EXERCISES {
        for program in PROGRAMS {
            let file = exercise.file(&format!("{program}.rs"));
            if top().join(&file).is_file() {
                sources.push((binary(exercise, program), read(&file)?));
            }
        }
    }
    Ok(sources)
}

/// Returns the name of the binary of a program of an exercise.
#[must_use]
pub fn binary(exercise: &Exercise, program: &str) -> String {
    format!("{}_{program}", exercise.program())
}
