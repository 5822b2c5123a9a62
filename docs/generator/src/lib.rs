//! Makes what the book shows of real runs: the terminals, the pictures of the network and of
//! crowds, the differences between lessons, and the figures that the pages quote.
//!
//! [`generate`] runs the examples with their clients. The program of this package writes the
//! results to `docs/src/generated`, and its test compares them with a new run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub mod book;
mod changes;
pub mod crowd;
#[cfg(target_os = "linux")]
mod draw;
#[cfg(target_os = "linux")]
mod figures;
pub mod says;
#[cfg(target_os = "linux")]
mod scenes;
mod schedule;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod wire;

/// The command that writes all generated files.
pub const RENEW: &str = "cargo run -p sockets101-book";

/// The results of a run.
#[derive(Default)]
pub struct Generated {
    /// Texts by their path below `docs/src/generated`.
    pub files: BTreeMap<String, String>,
    /// What this machine could not make, one sentence each.
    pub skipped: Vec<String>,
}

/// Returns the top folder of the project.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap_or_default()
}

/// Returns the folder in which the files of [`Generated`] are committed.
pub fn folder() -> PathBuf {
    top().join("docs/src/generated")
}

/// Runs everything. This takes as long as the slowest lesson, about half a minute.
///
/// # Errors
///
/// A sentence, if an example does not do what its scene says.
pub fn generate() -> Result<Generated, String> {
    let mut all = Generated::default();
    changes::generate(&mut all)?;
    schedule::generate(&mut all)?;
    runs(&mut all)?;
    Ok(all)
}

#[cfg(target_os = "linux")]
fn runs(all: &mut Generated) -> Result<(), String> {
    stage::build()?;
    std::thread::scope(|scope| {
        let figures = scope.spawn(figures::measure);
        let crowds = scope.spawn(crowd::draw);
        scenes::generate(all)?;
        let figures =
            figures.join().map_err(|_| "measuring the figures failed")??;
        all.files.insert("figures.txt".to_owned(), figures);
        all.files.extend(crowds.join().map_err(|_| "drawing crowds failed")??);
        Ok(())
    })
}

/// The error messages, the backlog and the traces depend on the operating system. The book shows
/// those of Linux.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps)] // As above.
fn runs(all: &mut Generated) -> Result<(), String> {
    all.skipped
        .push("what the programs print and send: the book has it from Linux".into());
    Ok(())
}

/// Reads a file of the project, and converts its line ends to those of Unix.
///
/// # Errors
///
/// A sentence, if it cannot be read.
pub fn read(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(top().join(path));
    text.map(|text| text.replace("\r\n", "\n"))
        .map_err(|err| format!("{path}: {err}"))
}
