//! What a page shows of the programs and of the tables of `check` is current. This test needs
//! no run, so it works on every operating system.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use similar::TextDiff;
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
