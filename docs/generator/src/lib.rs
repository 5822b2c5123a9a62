//! Makes what the book shows of real runs: the terminals, the pictures of the network and of
//! crowds, the differences between lessons, and the figures that the pages quote.
//!
//! [`generate`] runs the examples with their clients. The program of this package writes the
//! pictures to `docs/src/generated` and the texts into the pages, between marks (see [`marks`]).
//! Its test compares them with a new run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub mod accept;
pub mod book;
mod changes;
pub mod crowd;
#[cfg(target_os = "linux")]
mod draw;
pub mod exercises;
#[cfg(target_os = "linux")]
mod figures;
pub mod idea;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(target_os = "linux")]
mod lines;
pub mod live;
pub mod marks;
pub mod parts;
pub mod puzzle;
#[cfg(target_os = "linux")]
mod python;
#[cfg(target_os = "linux")]
mod replay;
#[cfg(target_os = "linux")]
mod rooms;
pub mod says;
#[cfg(target_os = "linux")]
mod scenes;
mod schedule;
#[cfg(target_os = "linux")]
mod sentences;
#[cfg(target_os = "linux")]
mod stage;
pub mod steps;
mod svg;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod wire;

// The tables of the tools, and how `live` compares programs. The skips are for rustfmt, which
// would format the files with the settings of this folder.
#[rustfmt::skip]
#[path = "../../../examples/tools/common/failure.rs"]
pub mod failure;
#[allow(missing_docs, unexpected_cfgs)] // This package does not have the feature `event`.
#[rustfmt::skip]
#[path = "../../../examples/tools/common/lessons.rs"]
pub mod lessons;
#[allow(missing_docs)] // The fields of a reason explain it.
#[rustfmt::skip]
#[path = "../../../examples/tools/common/reasons.rs"]
pub mod reasons;
#[rustfmt::skip]
#[path = "../../../examples/tools/common/compare.rs"]
pub mod compare;
#[rustfmt::skip]
#[path = "../../../examples/tools/live/script.rs"]
pub mod script;
#[rustfmt::skip]
#[path = "../../../examples/tools/exercise/table.rs"]
pub mod table;

/// The command that writes everything that is generated.
pub const RENEW: &str = "cargo run -p sockets101-book";

/// The results of a run.
#[derive(Default)]
pub struct Generated {
    /// Pictures (SVG) by their path below `docs/src/generated`.
    pub pictures: BTreeMap<String, String>,
    /// Texts by the names that the marks in the pages use.
    pub texts: BTreeMap<String, String>,
    /// What this machine could not make, one sentence each.
    pub skipped: Vec<String>,
}

impl Generated {
    /// Adds results by their paths. The ending `.svg` means a picture.
    fn add(&mut self, results: impl IntoIterator<Item = (String, String)>) {
        for (path, text) in results {
            match path.rsplit_once('.') {
                Some((_, "svg")) => self.pictures.insert(path, text),
                Some((name, _)) => self.texts.insert(name.to_owned(), text),
                None => self.texts.insert(path, text),
            };
        }
    }
}

/// Returns the top folder of the project.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap_or_default()
}

/// Returns the folder in which the pictures are committed.
pub fn folder() -> PathBuf {
    top().join("docs/src/generated")
}

/// Makes only what needs no run: the drawings of the ideas and the schedules.
///
/// # Errors
///
/// A sentence, if a page cannot be read.
pub fn without_runs() -> Result<Generated, String> {
    let mut all = Generated::default();
    all.add(idea::draw());
    schedule::generate(&mut all)?;
    Ok(all)
}

/// Runs everything. This takes as long as the slowest lesson, about half a minute.
///
/// # Errors
///
/// A sentence, if an example does not do what its scene says.
pub fn generate() -> Result<Generated, String> {
    let mut all = without_runs()?;
    runs(&mut all)?;
    Ok(all)
}

#[cfg(target_os = "linux")]
fn runs(all: &mut Generated) -> Result<(), String> {
    stage::build()?;
    std::thread::scope(|scope| {
        let figures = scope.spawn(figures::measure);
        let crowds = scope.spawn(crowd::draw);
        let rooms = scope.spawn(rooms::record);
        scenes::generate(all)?;
        let figures =
            figures.join().map_err(|_| "measuring the figures failed")??;
        all.add(figures);
        let (crowds, skipped) =
            crowds.join().map_err(|_| "drawing crowds failed")??;
        all.add(crowds);
        all.skipped.extend(skipped);
        all.add(rooms.join().map_err(|_| "running the steps failed")??);
        Ok::<_, String>(())
    })?;
    // This measures CPU time, so nothing else runs at the same time.
    let (results, skipped) = accept::measure()?;
    all.add(results);
    all.skipped.extend(skipped);
    Ok(())
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

/// Returns each page of the book with what belongs between its marks, by its path.
///
/// # Errors
///
/// A sentence, if a page cannot be read, or if it has a mark that means nothing.
pub fn pages(all: &Generated) -> Result<BTreeMap<String, String>, String> {
    let mut pages = BTreeMap::new();
    for (_, file) in book::pages()? {
        let path = format!("docs/src/{file}");
        let rewritten = marks::rewrite(&read(&path)?, |mark, old| {
            let new = marks::content(mark, all)?;
            // Each run measures other times.
            let is_current = |new: &String| {
                let (old, new) = (old.trim(), new.trim());
                crowd::is_current(mark, old, new)
                    || accept::is_current(mark, old, new)
            };
            Ok(new.filter(|new| !is_current(new)))
        });
        let rewritten = rewritten.map_err(|err| format!("{path}: {err}"))?;
        pages.insert(path, rewritten);
    }
    Ok(pages)
}
