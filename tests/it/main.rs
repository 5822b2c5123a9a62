//! The tests of the examples. They start each example as a process, as a user does, and talk
//! to it over the loopback interface.
//!
//! Every server listens on port 0. A test waits for the ready line and then connects. Most
//! tests are made for all servers of the table that `table.rs` includes.

#![allow(clippy::unwrap_used, clippy::expect_used)] // In a test, a panic is the report.

mod blocks;
mod check;
mod clients;
mod conversations;
mod crowd;
mod datagrams;
mod decoder;
mod designs;
mod documents;
mod harness;
mod limits;
mod live;
mod live_keep;
mod one_message;
mod output;
mod plain_words;
mod programs;
#[allow(dead_code)] // The tests need only the names and the sentences.
#[path = "../../examples/tools/common/reasons.rs"]
mod reasons;
mod report;
mod rude;
mod setup;
mod stopping;
mod streams;
mod table;
mod timeouts;
