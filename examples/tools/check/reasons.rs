//! Finds the most likely reason of a failure.

use crate::checks::Check;
use crate::wire::{Ending, Lab, Seen, Talk};

/// Returns the reason of a failure. A server that has exited comes first, then the reason that
/// the check itself knows, then the general rules.
pub fn reason(check: &Check, lab: &Lab, miss: &Seen) -> String {
    if lab.is_gone() {
        return format!("the process died of {}", check.does);
    }
    miss.remark.unwrap_or_else(|| general(miss.ending, &miss.talk)).into()
}

fn general(ending: Ending, Talk { sent, want, came }: &Talk) -> &'static str {
    let nothing = came.is_empty();
    let replaced = |three: &[u8]| three == "\u{fffd}".as_bytes();
    match ending {
        _ if !nothing && want != came && want.trim_ascii_end() == came => why::STRIPPED,
        _ if !nothing && want != came && want.starts_with(came) => why::ONE_RECV,
        Ending::Unable => "this machine could not make the connection",
        Ending::Unconnected => why::NO_CONNECTION,
        Ending::Reset if came == want && !nothing => why::UNREAD,
        Ending::Reset => why::RESET,
        Ending::Silence if came == want => why::NOT_CLOSED,
        Ending::Silence if nothing => why::NO_ANSWER,
        Ending::End | Ending::Refused if nothing => why::AN_ERROR,
        _ if came.windows(3).any(replaced) => why::REPLACED,
        _ if sent.starts_with(came) => why::SAME_BYTES,
        _ if !sent.is_ascii() && sent.to_ascii_uppercase().starts_with(came) => why::NOT_DECODED,
        _ if came.starts_with(want) => "more came than was asked for",
        _ => "other bytes came than those of the answer",
    }
}

/// The reasons. They name Python's functions, because most readers know Python.
#[rustfmt::skip]
pub mod why {
    pub const ONE_RECV: &str = "only a first part was answered: one recv was taken for one message";
    pub const NO_CONNECTION: &str = "no connection: the queue is full, and nobody calls accept";
    pub const RESET: &str = "the connection was reset: its thread died, or left bytes unread";
    pub const NOT_CLOSED: &str = "all came that should, and the connection stays open: nobody closes it";
    pub const NO_ANSWER: &str = "no answer: the server waits for more, serves another, or lost its thread";
    pub const AN_ERROR: &str = "no answer, but an end: an error in the server's code ended this visit";
    pub const SAME_BYTES: &str = "the bytes came back as they were sent: nobody made them upper case";
    pub const NOT_DECODED: &str = "upper case of bytes knows 26 letters: decode the bytes to text first";
    pub const REPLACED: &str = "what a recv cut became \u{fffd}: one recv is not one character";

    pub const STRIPPED: &str = "white space at the end was taken away: strip changes the message";
    pub const WAITS_FOR_THE_END: &str = "it answers only when the client has ended: to read until b'' is to read all messages as one";
    pub const WAITS_FOR_A_LINE: &str = "the server waits for a newline: a stream has no lines, answer what recv returns";
    pub const OUTSIDE: &str = "only the first message is answered: recv stands outside the loop";
    pub const OF_ANOTHER: &str = "an answer meant for another client came: what belongs to one is shared by all";
    pub const THROWN_AWAY: &str = "what followed the first message in the segment was thrown away";

    pub const NO_TEXT_ASKED: &str = "a datagram that is no text was not answered: nobody asked for text here";
    pub const NO_END: &str = "an empty datagram was not answered: it is a datagram, and no end of anything";
    pub const SHORT_BUFFER: &str = "the buffer is shorter than 2048 bytes: what does not fit into it is gone";
    pub const LONG_BUFFER: &str = "more than 2048 bytes were taken: the buffer is longer than the slide's";
    pub const HALF_ANSWERED: &str = "half a character was answered: a datagram that is not UTF-8 is no text";

    pub const FIRST_HALF: &str = "the first half of é was taken for bad UTF-8: one recv is not one character";
    pub const HALF_HELD: &str = "the text before half of é was not answered: one recv is not one character";
    pub const SECOND_HALF: &str = "the second half of é was taken for a whole message: one recv is not one character";
    pub const HALF_LOST: &str = "the first half of é was thrown away, and the second means nothing alone";
    pub const UNTOLD: &str = "nobody told the client: its connection stays open, and nobody serves it";
    pub const FLAW_ANSWERED: &str = "bytes that are not UTF-8 were answered: they are no text";
    pub const GOOD_LOST: &str = "the good text before the flaw was not answered";

    pub const EMPTY_BLOCK: &str = "a length of 0 was taken for an end: it is a block with nothing in it";
    pub const ONE_RECV_4: &str = "one recv(4) was taken for the whole length: it may return one byte";
    pub const NOBODY_LOOKED: &str = "a block that ended early was answered: recv gave b'' and nobody looked";
    pub const STILL_WAITS: &str = "a client that ended inside a block is waited for: b'' means that no more will come";
    pub const BELIEVED: &str = "the announced length was believed: the server waits for 4 GiB";

    pub const QUESTIONS_END: &str = "a client that had ended its own side got no answer: b'' ends its questions, not the answers";
    pub const NO_OWN_END: &str = "the client has ended its side, and the server does not end its own after b''";
    pub const STILL_HELD: &str = "the first client has gone, and the next one still waits";
    pub const SILENCE_BLOCKS: &str = "silent clients keep the others waiting: recv blocks the thread of all";
    pub const FEWER: &str = "three silent clients stop the pool: it has fewer than four threads, or lost some";
    pub const NEXT_WAITS: &str = "the next client is not served: the server waits for one that has gone";
    pub const THREADS_GONE: &str = "the next client waits: each such client cost a thread of the pool";
    pub const BLOCKED: &str = "a client that does not read blocks the others: the send is blocking, or the socket was left blocking";
    pub const UNBOUND: &str = "who does not read is still read from: its answers take memory without a bound, or are lost";
    pub const LOST: &str = "bytes were lost: a send may take fewer than it was given, and the rest must be sent later";
    pub const UNREAD: &str = "closed with bytes still unread: the system sends a reset, and the answer can be lost";
    pub const NOT_SERVED: &str = "some connections are not served: those before were not closed, or took their threads along";
    pub const MIXED_UP: &str = "an answer was lost while clients came and went: what was kept of one that left was taken for the next";

    pub const NOT_SEQUENTIAL: &str = "this server serves several clients at once: it is not sequential";
    pub const NOT_RELEASED: &str = "one of the four has left, and its thread did not come back to accept";
    pub const MORE: &str = "five clients are served at once: there are more than four threads";
    pub const NOT_SLOW: &str = "the answers came too soon: nothing here takes its time, or its --delay is another";
    pub const IN_TURN: &str = "slow clients wait for each other: the slow work is in the thread that accepts";
    pub const ALL_AT_ONCE: &str = "all clients were served at the same time: they have a thread each";
    pub const NOT_FOUR: &str = "fewer than four clients were served at once: there are not four threads";
    pub const NO_LIMIT: &str = "the time limit of accept is none for recv: who stays silent holds its thread for ever";
    pub const NEVER_ENDS: &str = "nobody came for longer than the time limit, and the program still waits";
    pub const ENDED_BADLY: &str = "a thread whose time was over failed: it may have had no client to close";
    pub const NOT_SAID: &str = "each of the four threads says once that its time is over, and nothing else";
    pub const DIED: &str = "the process ended right after this";
}
