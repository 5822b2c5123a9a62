//! What several examples of the workbook need and that is not the subject of a slide. The
//! calls that a slide teaches are in the examples themselves, in sight.
//!
//! - Framing, slide 9: [`recvall`], [`put_block`], [`get_block`], [`MAX_BLOCK`].
//! - Text that arrives in pieces: [`Decoder`], [`not_utf8`].
//! - The command line, and the sentence that a program ends with: [`Args`], [`Failure`].
//! - What a program says: [`say`], [`tell`], [`ended`], [`cannot_listen`], [`no_answer`],
//!   [`unresolved`].
//! - How it waits: [`within`], [`while_waiting`], [`accept_within`], [`call_failed`],
//!   [`is_about_one_peer`], [`hang_up`].

mod block;
mod command_line;
mod sentences;
mod text;
mod waiting;

pub use block::{MAX_BLOCK, get_block, put_block, recvall};
pub use command_line::{Args, Failure};
pub use sentences::{cannot_listen, ended, no_answer, say, tell, unresolved};
pub use text::{Decoder, not_utf8};
pub use waiting::{accept_within, call_failed, hang_up, is_about_one_peer};
pub use waiting::{while_waiting, within};
