//! What the book shows of real runs: the terminals, the pictures of what went over the
//! wire and of crowds, the diffs from slide to slide, the figures that its prose quotes.
//!
//! [`generate`] plays all of it anew, with the real examples and the real clients. The
//! program of this package writes it to `docs/src/generated`, and its test compares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub mod book;
mod changes;
pub mod crowd;
#[cfg(target_os = "linux")]
mod draw;
#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod scenes;
mod schedule;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod wire;

/// The one command that writes all that is generated.
pub const RENEW: &str = "cargo run -p sockets101-book";

/// What a run has made.
#[derive(Default)]
pub struct Generated {
    /// Texts by their path below `docs/src/generated`.
    pub files: BTreeMap<String, String>,
    /// What could not be made here, a sentence each.
    pub skipped: Vec<String>,
}

/// The top of the project.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap_or_default()
}

/// Where the files of [`Generated`] are committed.
pub fn folder() -> PathBuf {
    top().join("docs/src/generated")
}

/// Runs everything. It takes as long as the slowest slide: half a minute.
///
/// # Errors
///
/// A sentence, when an example does not do what its scene says.
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
    std::thread::scope(|beside| {
        let figures = beside.spawn(figures::measure);
        let crowds = beside.spawn(crowd::draw);
        scenes::generate(all)?;
        let figures =
            figures.join().map_err(|_| "measuring the figures failed")??;
        all.files.insert("figures.txt".to_owned(), figures);
        all.files.extend(crowds.join().map_err(|_| "drawing crowds failed")??);
        Ok(())
    })
}

/// The texts of the system, the count of a backlog and what a trace looks like are
/// Linux's: elsewhere the files would differ in these, and in nothing that the book is about.
#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps)] // As above.
fn runs(all: &mut Generated) -> Result<(), String> {
    all.skipped
        .push("what the programs print and send: the book has it from Linux".into());
    Ok(())
}

/// A file of the project, with line ends as on Unix.
///
/// # Errors
///
/// A sentence, when it cannot be read.
pub fn read(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(top().join(path));
    text.map(|text| text.replace("\r\n", "\n"))
        .map_err(|err| format!("{path}: {err}"))
}
