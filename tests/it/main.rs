//! The examples, tested as their users meet them: as processes, over loopback.
//!
//! Every server is started on port 0 and talked to when its ready line has come. The table
//! in `table.rs` drives the tests: a new server is a new row.

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
mod one_message;
mod programs;
mod setup;
mod streams;
mod table;
mod timeouts;
