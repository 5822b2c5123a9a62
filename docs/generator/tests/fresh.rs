//! The pages and pictures of the book agree with a new run.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use similar::TextDiff;
use sockets101_book::crowd::is_current;
use sockets101_book::{RENEW, folder, generate, pages, read};

#[test]
fn pages_and_pictures_are_as_a_fresh_run_gives_them() {
    let fresh = generate().unwrap_or_else(|err| panic!("{err}"));
    for sentence in &fresh.skipped {
        skipped(sentence);
    }
    let mut differences = String::new();
    let mut compare = |path: &str, committed: &str, fresh: &str| {
        let diff = TextDiff::from_lines(committed, fresh);
        let diff = diff.unified_diff().header(path, "a fresh run").to_string();
        let _ = writeln!(differences, "{diff}");
    };
    for (path, picture) in &fresh.pictures {
        let committed = fs::read_to_string(folder().join(path)).unwrap_or_default();
        let committed = committed.replace("\r\n", "\n");
        if !is_current(path, &committed, picture) {
            compare(path, &committed, picture);
        }
    }
    for (path, page) in pages(&fresh).unwrap_or_else(|err| panic!("{err}")) {
        let committed = read(&path).unwrap();
        if page != committed {
            compare(&path, &committed, &page);
        }
    }
    // Pictures that the generator does not make any more.
    if fresh.skipped.is_empty() {
        let made: BTreeSet<_> = fresh.pictures.keys().cloned().collect();
        for path in committed(&folder(), "") {
            // sockets101-bench measures these files, and each run differs.
            if !made.contains(&path) && !path.starts_with("bench/") {
                let _ = writeln!(differences, "{path}: nothing makes this file");
            }
        }
    }
    assert!(differences.is_empty(), "{differences}\nrenew them: {RENEW}");
}

/// Prints on stderr that something is not tested here, and why. The test harness would hide the
/// output of `eprintln!`.
fn skipped(sentence: &str) {
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("skipped: {sentence}\n").as_bytes(),
    );
}

/// Returns the paths of all files below a folder.
fn committed(folder: &Path, below: &str) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.extend(committed(&entry.path(), &format!("{path}/")));
        } else {
            files.push(path);
        }
    }
    files
}
