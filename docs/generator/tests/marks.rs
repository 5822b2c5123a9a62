//! What a page shows of the programs and of the tables of `check` is current. This test needs
//! no run, so it works on every operating system.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use similar::TextDiff;
use sockets101_book::marks::marks;
use sockets101_book::{Generated, RENEW, pages, read};

#[test]
fn what_needs_no_run_is_current() {
    let skipped = vec!["the runs".to_owned()];
    let all = Generated { skipped, ..Generated::default() };
    for (path, fresh) in pages(&all).unwrap_or_else(|err| panic!("{err}")) {
        let committed = read(&path).unwrap();
        let diff = TextDiff::from_lines(&committed, &fresh);
        let diff = diff.unified_diff().header(&path, "the sources").to_string();
        assert!(diff.is_empty(), "{diff}\nrenew it: {RENEW}");
    }
}

/// Each run of `crowd` measures other times. The page keeps those of an earlier run.
#[test]
fn other_times_of_a_crowd_do_not_change_the_page() {
    const PAGE: &str = "docs/src/using.md";
    const NAME: &str = "using/crowd";
    let committed = read(PAGE).unwrap();
    let marks = marks(&committed);
    let (_, shown) = marks.iter().find(|(mark, _)| mark.ends_with(NAME)).unwrap();
    let shown = shown.trim().trim_start_matches("```console\n");
    let shown = shown.trim_end_matches("\n```");
    let with = |text: String| {
        let mut all = Generated::default();
        all.skipped.push("the other runs".to_owned());
        all.texts.insert(NAME.to_owned(), text);
        pages(&all).unwrap().remove(PAGE).unwrap()
    };
    assert_eq!(with(shown.replace("1.00", "1.01")), committed);
    assert_ne!(with(shown.replace("4 at once", "3 at once")), committed);
}
