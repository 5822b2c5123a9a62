//! The page "What `check` says" agrees with the tables of `check`.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use similar::TextDiff;
use sockets101_book::says::{PAGE, page};
use sockets101_book::{RENEW, read};

#[test]
fn the_page_has_each_check_and_each_reason() {
    let fresh = page().unwrap_or_else(|err| panic!("{err}"));
    let committed = read(PAGE).unwrap();
    let diff = TextDiff::from_lines(&committed, &fresh);
    let diff = diff.unified_diff().header(PAGE, "the tables of check").to_string();
    assert!(diff.is_empty(), "{diff}\nrenew it: {RENEW}");
}
