//! The functions that several examples share.
//!
//! They are not the calls that a lesson teaches (socket, bind, listen, accept,
//! poll). The reader finds those calls in the file of the lesson. There are two
//! exceptions:
//!
//! - Lesson 9 teaches [`recvall`], [`put_block`] and [`get_block`]. They are here,
//!   because a server and a client need them.
//! - Lessons 17 and 18 call [`accept_within`] instead of `accept`, because a Rust
//!   listener does not have a timeout for `accept`.
//!
//! The library has functions for these tasks:
//!
//! - Length-prefixed messages (lesson 9): [`recvall`], [`put_block`], [`get_block`],
//!   [`MAX_BLOCK`].
//! - Text that arrives in pieces (lesson 10): [`Decoder`].
//! - The command line, and the error with which a program exits: [`Args`],
//!   [`Failure`].
//! - Output and log lines: [`print_line`], [`print_or_exit`], [`log_line`],
//!   [`log_event`], [`log_disconnect`].
//! - Error messages: [`cannot_listen`], [`no_reply`], [`lookup_error`].
//! - Waiting: [`accept_within`], [`read_within`], [`receive_within`],
//!   [`show_waiting`].
//! - Errors while a server runs: [`log_and_pause`], [`is_about_one_peer`].
//! - Closing a connection: [`close_gracefully`].

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod command_line;
mod framing;
mod messages;
mod text;
mod waiting;

pub use command_line::{Args, Failure};
pub use framing::{MAX_BLOCK, get_block, put_block, recvall};
pub use messages::{cannot_listen, lookup_error, no_reply};
pub use messages::{log_disconnect, log_event, log_line, print_line, print_or_exit};
pub use text::Decoder;
pub use waiting::{accept_within, read_within, receive_within, show_waiting};
pub use waiting::{close_gracefully, is_about_one_peer, log_and_pause};
