//! Runs the examples, draws the pictures, and writes between the marks of the pages what the
//! pages show.

use std::env;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use sockets101_book::crowd::is_current;
use sockets101_book::{Generated, folder, generate, pages, read, top, without_runs};

/// With this argument, only what needs no run is written again: the programs, their differences,
/// the drawings of the ideas, and the schedules.
const NO_RUN: &str = "--no-run";

fn main() -> ExitCode {
    match write_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("Error: {err}");
            ExitCode::FAILURE
        }
    }
}

fn write_all() -> Result<(), String> {
    let all = if env::args().any(|argument| argument == NO_RUN) {
        let skipped = vec![format!("everything that needs a run: {NO_RUN}")];
        Generated { skipped, ..without_runs()? }
    } else {
        generate()?
    };
    for (name, picture) in &all.pictures {
        let path = folder().join(name);
        let old = fs::read_to_string(&path).unwrap_or_default();
        if !is_current(name, &old, picture) {
            write(&path, picture)?;
        }
    }
    for (path, page) in pages(&all)? {
        write_if_new(&path, &page)?;
    }
    for sentence in &all.skipped {
        println!("skipped: {sentence}");
    }
    Ok(())
}

/// Writes a page if it has changed.
fn write_if_new(path: &str, page: &str) -> Result<(), String> {
    if page == read(path)? { Ok(()) } else { write(&top().join(path), page) }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(path, text)).map_err(|err| err.to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}
