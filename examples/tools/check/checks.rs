//! The checks, in the order in which they are made.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::beyond;
use crate::blame::of_prefix;
use crate::connection::{Connection, MOMENT, framed, shown};
use crate::lessons::Design::{Pool, Sequential, Together};
use crate::lessons::Kind::{self, Block, Conversation, Datagram, OneMessage};
use crate::lessons::Row;
use crate::make;
use crate::reasons as why;
use crate::server::status_words;
use crate::wire::{Because, Client, Ending, Lab, Outcome, Seen, at_once, missed, passed, repeat};

pub struct Check {
    pub name: &'static str,
    /// Describes what the client does.
    pub does: &'static str,
    /// The check needs only one client. It is made even if the next client is not served.
    pub one_client: bool,
    /// Returns true for the servers that the check is made with.
    pub suits: fn(&Row) -> bool,
    pub run: fn(&Lab) -> Outcome,
}

#[rustfmt::skip]
pub const CHECKS: [Check; 40] = [
    Check { name: "first_client", does: "one client asks, gets its reply, and disconnects; then the next one is served", one_client: false, suits: |_| true, run: first_client },
    Check { name: "unicode", does: "a text with ß, ﬁ, ΐ and €", one_client: true, suits: |_| true, run: unicode },
    Check { name: "any_bytes", does: "a datagram of all 256 bytes", one_client: true, suits: |row| is(row, &[Datagram]) && !decodes(row), run: any_bytes },
    Check { name: "nul_bytes", does: "a text with NUL bytes", one_client: true, suits: |row| row.name != "ttl_pong", run: nul_bytes },
    Check { name: "empty_datagram", does: "an empty datagram", one_client: true, suits: |row| is(row, &[Datagram]), run: |lab| lab.ask("").if_silent(&why::NO_END_OF_ANYTHING) },
    Check { name: "datagram_2048", does: "a datagram of 2048 bytes", one_client: true, suits: |row| is(row, &[Datagram]), run: |lab| lab.ask(&"a".repeat(2048)).because(is_cut, &why::SHORT_BUFFER) },
    Check { name: "datagram_2049", does: "a datagram of 2049 bytes", one_client: true, suits: |row| is(row, &[Datagram]), run: datagram_2049 },
    Check { name: "several_messages", does: "one text after another", one_client: true, suits: |row| is(row, &[Datagram, Conversation]), run: several_messages },
    Check { name: "one_message", does: "one text, then the server closes the connection", one_client: true, suits: |row| is(row, &[OneMessage, Block]) && !row.reads_blocks(), run: one_message },
    Check { name: "kept_apart", does: "several clients at the same time", one_client: false, suits: |_| true, run: kept_apart },
    Check { name: "byte_by_byte", does: "a text in segments of one byte", one_client: true, suits: Row::is_stream, run: byte_by_byte },
    Check { name: "two_messages", does: "two messages in one segment", one_client: true, suits: |row| row.is_stream() && !row.reads_blocks(), run: two_messages },
    Check { name: "cut_character", does: "half a character, then the other half", one_client: false, suits: |row| decodes(row) && !row.reads_lines(), run: cut_character },
    Check { name: "not_utf8", does: "bytes that are invalid UTF-8, after valid text", one_client: false, suits: decodes, run: not_utf8 },
    Check { name: "empty_block", does: "a length-prefixed message of length 0", one_client: true, suits: |row| is(row, &[Block]), run: |lab| lab.ask("").if_short(&why::EMPTY_BLOCK) },
    Check { name: "prefix_in_pieces", does: "a length in four segments", one_client: true, suits: |row| is(row, &[Block]), run: prefix_in_pieces },
    Check { name: "ends_inside", does: "a client that half-closes in the middle of a message", one_client: false, suits: |row| is(row, &[Block]), run: ends_inside },
    Check { name: "announces_4_gib", does: "a length of 4 GiB or of 64 MiB, then nothing", one_client: false, suits: |row| is(row, &[Block]), run: announces_4_gib },
    Check { name: "half_close", does: "a client that sends a text and half-closes", one_client: false, suits: Row::is_stream, run: half_close },
    Check { name: "silence", does: "a silent client, and another one that asks", one_client: false, suits: Row::is_stream, run: silence },
    Check { name: "reset", does: "a client that resets its connection", one_client: false, suits: Row::is_stream, run: reset },
    Check { name: "vanish", does: "a client that disconnects before its reply", one_client: false, suits: |_| true, run: vanish },
    Check { name: "never_read", does: "a client that sends and does not read", one_client: false, suits: |row| is(row, &[Conversation]), run: never_read },
    Check { name: "megabyte", does: "a text of 1 MiB", one_client: true, suits: |row| is(row, &[Block, Conversation]), run: megabyte },
    Check { name: "last_word", does: "a client that still sends while the server closes", one_client: false, suits: |row| row.closes_gracefully() && !row.reads_lines(), run: last_word },
    Check { name: "connections_200", does: "200 connections", one_client: false, suits: Row::is_stream, run: connections_200 },
    Check { name: "coming_and_going", does: "ten clients that connect and disconnect as fast as they can", one_client: false, suits: |row| row.backlog == 100, run: coming_and_going },
    Check { name: "one_after_another", does: "a second client that asks first", one_client: false, suits: |row| row.is_stream() && row.design == Sequential, run: one_after_another },
    Check { name: "pool_of_four", does: "four silent clients, and a fifth one that asks", one_client: false, suits: |row| row.design == Pool, run: pool_of_four },
    Check { name: "slow_clients", does: "several clients of a slow server at the same time", one_client: false, suits: Row::is_slow, run: slow_clients },
    Check { name: "idle_end", does: "four silent clients and a fifth one, then none, until the timeout", one_client: false, suits: |row| row.options.contains(&"timeout") && row.make.is_empty(), run: idle_end },
    Check { name: "both_families", does: "a client that connects over IPv4, and another client over IPv6", one_client: false, suits: |row| row.name == "dual_stack", run: beyond::both_families },
    Check { name: "stops", does: "the line quit on the standard input while a client is connected", one_client: false, suits: stops, run: beyond::stops },
    Check { name: "line_in_pieces", does: "a line in three segments, a long line, and texts without a newline at the end", one_client: false, suits: Row::reads_lines, run: make::line_in_pieces },
    Check { name: "several_blocks", does: "several length-prefixed messages on one connection", one_client: true, suits: Row::reads_blocks, run: make::several_blocks },
    Check { name: "session_limit", does: "three times as many bytes as --limit allows", one_client: false, suits: |row| row.make == "session_limit", run: make::session_limit },
    Check { name: "idle_client", does: "a silent client and one that keeps sending, until --timeout has passed twice", one_client: false, suits: |row| row.make == "idle_client", run: make::idle_client },
    Check { name: "too_many_clients", does: "more clients than --clients allows", one_client: false, suits: |row| row.make == "too_many_clients", run: make::too_many_clients },
    Check { name: "crash", does: "clients that send the text crash, then four clients at the same time", one_client: false, suits: |row| row.make == "crash", run: make::crash },
    Check { name: "last_worker", does: "one client, after longer than --timeout without a client", one_client: false, suits: |row| row.make == "last_worker", run: make::last_worker },
];

/// The checks that would take minutes with a server that sleeps before each reply.
pub const TOO_LONG_FOR_SLOW: [&str; 4] =
    ["never_read", "megabyte", "connections_200", "coming_and_going"];

/// The checks in which a server that waits for a newline would wait, rightly.
pub const WITHOUT_NEWLINE: [&str; 3] = ["cut_character", "last_word", "session_limit"];

/// The checks that start a second server with an option.
pub const OPTIONS: [(&str, &str); 6] = [
    ("idle_end", "--timeout"),
    ("stops", "--grace"),
    ("session_limit", "--limit"),
    ("idle_client", "--timeout"),
    ("too_many_clients", "--clients"),
    ("last_worker", "--timeout"),
];

/// Returns true if the server stops at the line `quit`.
pub fn stops(row: &Row) -> bool {
    row.name == "stop_server" || row.make == "stops"
}

fn is(row: &Row, kinds: &[Kind]) -> bool {
    kinds.contains(&row.kind)
}

/// Returns true if the server decodes the bytes as text.
fn decodes(row: &Row) -> bool {
    row.name != "udp_server_bytes" && row.name != "ttl_pong"
}

fn first_client(lab: &Lab) -> Outcome {
    let mut first = lab.connect()?;
    if lab.row.is_stream() && !first.is_silent_for(MOMENT) && !first.talk.came.is_empty() {
        let came = shown(Conversation, &first.talk.came);
        return missed("nothing before the client sends", &came, &why::GREETS);
    }
    let start = Instant::now();
    first.say("hello, world");
    let outcome = first.expect_reply("hello, world");
    if outcome.as_ref().is_err_and(Seen::is_silence) {
        first_reply_missing(lab, first, start)?;
    } else if let Err(miss) = outcome {
        drop(first);
        return Err(because_of_the_form(lab, miss));
    } else {
        let _ = lab.first_reply.set(start.elapsed());
        first.leave();
        drop(first);
    }
    let next = lab.ask("next");
    if lab.row.kind == Datagram {
        return next.if_silent(&why::ONE_PEER);
    }
    let has_ended =
        |_: &Seen| lab.is_gone() && lab.exits_within(MOMENT).is_none_or(|exit| exit.success());
    next.because(has_ended, &why::ACCEPTS_ONCE).if_silent(&why::NO_END_SEEN)
}

/// Finds out what a server waits for that has not replied to its first client. A slow server
/// replies after all.
fn first_reply_missing(lab: &Lab, mut client: Client, start: Instant) -> Outcome {
    let may_be_line = matches!(lab.row.kind, OneMessage | Conversation);
    let is_stream = lab.row.is_stream();
    let mut reason = &why::WAITS_FOR_A_LINE;
    if may_be_line {
        client.send("\n");
    }
    let mut outcome = client.expect("");
    let mut is_over = false;
    if is_stream && outcome.as_ref().is_err_and(|miss| miss.ending == Ending::Silence) {
        is_over = true;
        reason = &why::WAITS_FOR_THE_END;
        client.connection.half_close();
        outcome = client.expect("");
    }
    let time = start.elapsed();
    if client.talk.came.is_empty() {
        drop(client);
        // A server that closes after the half-close did not reply either.
        let silent = |miss| Seen { ending: Ending::Silence, ..miss };
        return outcome.map_err(|miss| because_of_the_form(lab, silent(miss)));
    }
    if !may_be_line && !is_over {
        let _ = lab.first_reply.set(time);
        return outcome;
    }
    drop(client.connection);
    let mut second = lab.send(lab.message(b"hello, world\n"))?;
    second.connection.half_close();
    if !second.is_silent_for(lab.timeout) {
        // The second client got its reply at once, so the server is not slow. If a third one
        // without a newline gets its reply, too, only the machine was busy.
        drop(second);
        let mut third = lab.say("hello, world")?;
        if !third.is_silent_for(lab.timeout) {
            return third.expect_reply("hello, world");
        }
        let talk = Box::new(client.talk);
        return missed("a reply", "nothing", reason).map_err(|miss| Seen { talk, ..miss });
    }
    let _ = lab.first_reply.set(time);
    // The next client waits until the server has replied to the newline and to the second.
    second.replies_before += 2;
    let _ = second.expect_end();
    outcome
}

/// Adds the reason if the server expects messages of another form than the lesson's.
fn because_of_the_form(lab: &Lab, miss: Seen) -> Seen {
    if !miss.talk.came.is_empty() || miss.ending == Ending::Refused {
        return miss;
    }
    let takes_little_endian = || {
        let sent = lab.send(b"\x0c\0\0\0hello, world");
        sent.is_ok_and(|mut other| !other.is_silent() && !other.talk.came.is_empty())
    };
    let takes_tcp = || Connection::open(lab.address, Conversation, lab.timeout).is_ok();
    let reason = match lab.row.kind {
        Datagram if lab.replies_from_another_port().unwrap_or(false) => &why::OTHER_PORT,
        Datagram if takes_tcp() => &why::TCP_SERVER_THERE,
        Block if takes_little_endian() => &why::WRONG_ORDER,
        _ => return miss,
    };
    Seen { reason: Some(reason), ..miss }
}

fn unicode(lab: &Lab) -> Outcome {
    const TEXT: &str = "straße ﬁn ÿ ΐ é €";
    lab.ask(TEXT).or_else(|miss| {
        let came = match lab.row.kind {
            Block if of_prefix(&miss).is_some() => return Err(miss),
            Block => miss.talk.came.get(4..).unwrap_or_default(),
            _ => &miss.talk.came,
        };
        let end = lab.line_end.as_deref().unwrap_or_default();
        let mut upper =
            String::from_utf8_lossy(came.strip_suffix(end).unwrap_or(came)).into_owned();
        // The upper case of these characters has several characters.
        for character in ['ß', 'ﬁ', 'ΐ'] {
            upper = upper.replace(character, &character.to_uppercase().to_string());
        }
        let simple = "this language's upper case maps each character to one character";
        if upper == TEXT.to_uppercase() { Ok(miss).by_design(simple) } else { Err(miss) }
    })
}

fn any_bytes(lab: &Lab) -> Outcome {
    let all: Vec<u8> = (0..=255).collect();
    let is_pong = lab.row.name == "ttl_pong";
    let expected = if is_pong { b"PONG".to_vec() } else { all.to_ascii_uppercase() };
    lab.send(&all)?.expect(expected).if_silent(&why::NO_TEXT_ASKED)
}

fn nul_bytes(lab: &Lab) -> Outcome {
    let is_cut_there = |miss: &Seen| miss.talk.came.ends_with(b"ONE");
    lab.ask("one\0two\0").because(is_cut_there, &why::NUL_ENDS)
}

fn datagram_2049(lab: &Lab) -> Outcome {
    let outcome = lab.send("a".repeat(2049))?.expect_reply(&"a".repeat(2048));
    if cfg!(windows) && outcome.as_ref().is_err_and(|miss| !is_cut(miss)) {
        return lab.next(); // Windows discards such a datagram.
    }
    let longer = |miss: &Seen| miss.talk.came == b"A".repeat(2049);
    outcome.because(is_cut, &why::SHORT_BUFFER).because(longer, &why::LONG_BUFFER)
}

/// Returns true if only a first part came.
pub fn is_cut(miss: &Seen) -> bool {
    !miss.talk.came.is_empty() && miss.talk.want.starts_with(&miss.talk.came)
}

fn several_messages(lab: &Lab) -> Outcome {
    let mut client = lab.say("one ")?;
    client.expect_reply("one ")?;
    repeat(2, |number| {
        let text = ["two ", "three"][number];
        client.say(text);
        let twice = |miss: &Seen| miss.talk.came[miss.talk.same()..].trim_ascii_end() == b"ONE TWO";
        client.expect_reply(text).because(twice, &why::ACCUMULATES).if_short(&why::OUTSIDE)
    })
}

fn one_message(lab: &Lab) -> Outcome {
    let mut client = lab.say("hello")?;
    client.expect_reply("hello")?;
    client.expect_end().if_silent(&why::NOT_CLOSED)
}

fn kept_apart(lab: &Lab) -> Outcome {
    let clients = if lab.row.backlog == 1 { 2 } else { 10 };
    let stays = lab.row.kind == Datagram || lab.row.design == Together;
    let all_here = Barrier::new(clients as usize);
    let one_by_one = Mutex::new(());
    at_once(clients, |number| {
        let own = format!("CLIENT {number} ");
        // If all connect in the same moment, Linux can complete more connections than the backlog
        // allows. A server that accepts only one client has to show that its backlog is enough.
        let turn = if lab.row.design == Sequential { one_by_one.lock().ok() } else { None };
        let client = lab.connect();
        drop(turn);
        all_here.wait();
        let outcome = client.and_then(|mut client| {
            client.replies_before += clients;
            let outcome = repeat(if stays { 5 } else { 1 }, |turn| {
                let text = format!("client {number} turn {turn} ");
                client.say(&text);
                let other = |miss: &Seen| is_for_another(miss, &own);
                client.expect_reply(&text).because(other, &why::OF_ANOTHER)
            });
            client.leave();
            because_of_one_event(lab, client, outcome)
        });
        if stays {
            all_here.wait();
        }
        outcome
    })
}

/// Returns true if the reply has the text of another client.
fn is_for_another(miss: &Seen, own: &str) -> bool {
    let came = String::from_utf8_lossy(&miss.talk.came);
    came.matches("CLIENT").count() > came.matches(own).count()
}

/// Sets the reason if a client of a burst is served only when one more client connects.
fn because_of_one_event(lab: &Lab, mut client: Client, outcome: Outcome) -> Outcome {
    let is_event_loop = lab.row.design == Together && lab.row.is_stream();
    if is_event_loop && outcome.as_ref().is_err_and(Seen::is_silence) {
        // With a pause after each connection, each of them is an event.
        let connect = |_| lab.connect().inspect(|_| thread::sleep(MOMENT / 4));
        let _more: Vec<_> = (0..12).map(connect).collect();
        if !client.is_silent() {
            return outcome.because(|_| true, &why::ONE_EVENT);
        }
    }
    outcome
}

fn byte_by_byte(lab: &Lab) -> Outcome {
    let text = "in né€!";
    let message = lab.message(text.as_bytes());
    let pieces: Vec<&[u8]> = message.chunks(1).collect();
    let mut client = lab.connect()?;
    client.send_in_pieces(&pieces);
    if lab.row.kind == OneMessage && !lab.row.reads_lines() {
        let first = client.expect_a_beginning(text);
        return first.by_design("what the first read returned was the message");
    }
    let outcome = client.expect_reply(text);
    let is_cut = |miss: &Seen| [&b"IN N"[..], "IN NÉ".as_bytes()].contains(&&*miss.talk.came);
    let outcome = outcome.because(is_cut, &why::FIRST_HALF);
    let outcome = outcome.because(|miss| miss.talk.came == [0; 4], &why::ONE_RECV_4);
    outcome.because(|miss| lab.row.kind == Block && of_prefix(miss).is_none(), &why::ONE_RECV)
}

fn two_messages(lab: &Lab) -> Outcome {
    let (one, two) = if lab.line_end.is_some() { ("one", "two") } else { ("one\n", "two\n") };
    let both = [lab.message(one.as_bytes()), lab.message(two.as_bytes())].concat();
    let mut client = lab.send(both)?;
    if lab.row.kind == Block {
        client.expect_reply(one)?;
        return client.expect_end().by_design("one length-prefixed message on each connection");
    } else if lab.row.kind == OneMessage && lab.line_end.is_some() {
        let lines = client.expect_a_beginning(&format!("{one}\n{two}"));
        return lines.by_design("the server closes the connection after its first reply");
    }
    let first = lab.reply(one);
    let outcome = client.expect([first.clone(), lab.reply(two)].concat());
    outcome.because(|miss| miss.talk.came == first, &why::THROWN_AWAY)
}

fn cut_character(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    if lab.row.kind == Block {
        let message = framed(Block, "café".as_bytes());
        client.send_in_pieces(&[&message[..8], &message[8..]]);
        let outcome = client.expect_reply("café").because(|_| reads_once(lab), &why::ONE_RECV);
        return outcome.if_ended(&why::FIRST_HALF);
    }
    client.send(b"caf\xc3");
    if lab.row.kind == Datagram {
        client.say("next");
        return client.expect_reply("next").if_other(&why::HALF_ANSWERED);
    }
    let is_once = lab.row.kind == OneMessage;
    let if_ended = if is_once { &why::GOOD_LOST } else { &why::FIRST_HALF };
    client.expect("CAF").if_ended(if_ended).if_silent(&why::HALF_HELD)?;
    if lab.row.design == Together {
        lab.ask("other").if_silent(&why::ONE_AT_A_TIME).because(|_| true, &why::SHARED_HALF)?;
    }
    if is_once {
        let by_design = "the second half of a character is lost, because the server reads once";
        return client.expect_end().if_other(&why::SECOND_HALF).by_design(by_design);
    }
    let is_open = client.is_silent_for(MOMENT);
    client.send_in_pieces(&[b"\xa9"]);
    let outcome = client.expect("É").if_silent(&why::HALF_LOST);
    let has_closed = |miss: &Seen| !is_open && miss.talk.came == b"CAF";
    let closes_always = || {
        lab.say("cafe").is_ok_and(|mut other| {
            other.expect_reply("cafe").is_ok() && !other.is_silent_for(MOMENT)
        })
    };
    let outcome = outcome.because(|miss| has_closed(miss) && closes_always(), &why::OUTSIDE);
    let outcome = outcome.because(has_closed, &why::FIRST_HALF);
    let second = |miss: &Seen| {
        let end = miss.talk.came.get(3..).unwrap_or_default();
        end.starts_with(b"\xa9") || end.starts_with("\u{fffd}".as_bytes())
    };
    outcome.because(second, &why::SECOND_HALF).if_ended(&why::SECOND_HALF)
}

fn not_utf8(lab: &Lab) -> Outcome {
    let seen = repeat(lab.often(), |_| {
        let mut client = lab.send(lab.message(b"good\xff"))?;
        if lab.row.kind == Datagram {
            client.say("next");
            return client.expect_reply("next").if_other(&why::INVALID_ANSWERED);
        }
        let is_line = lab.row.reads_lines();
        // A server that reads whole lines may also refuse the whole line.
        if is_line && client.expect_end().is_ok() {
            return passed("the end", "the end");
        }
        if lab.row.kind != Block && (lab.line_end.is_none() || is_line) {
            let good = client.expect("GOOD").because(is_more, &why::INVALID_ANSWERED);
            good.if_silent(&why::UNTOLD).if_ended(&why::GOOD_LOST)?;
        }
        client.expect_end().if_other(&why::INVALID_ANSWERED).if_silent(&why::UNTOLD)
    })?;
    lab.next().map(|_| seen)
}

/// Returns true if a server for length-prefixed messages does not wait for the second piece of
/// a message.
fn reads_once(lab: &Lab) -> bool {
    let message = framed(Block, b"pieces");
    lab.row.kind == Block
        && lab.ask("pieces").is_ok()
        && lab.connect().is_ok_and(|mut client| {
            client.send_in_pieces(&[&message[..6], &message[6..]]);
            client.expect_reply("pieces").is_err()
        })
}

fn prefix_in_pieces(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    let message = framed(Block, b"pieces");
    client.send_in_pieces(&[&message[..1], &message[1..2], &message[2..3], &message[3..]]);
    client.expect_reply("pieces").because(|miss| of_prefix(miss).is_none(), &why::ONE_RECV_4)
}

fn ends_inside(lab: &Lab) -> Outcome {
    let parts = [b"".as_slice(), b"\0\0", b"\0\0\0\x0a", b"\0\0\0\x0a1234567"];
    let seen = repeat(parts.len(), |number| {
        let mut client = lab.send(parts[number])?;
        client.connection.half_close();
        client.expect_end().if_other(&why::CUT_ANSWERED).if_silent(&why::STILL_WAITS)
    })?;
    lab.next().map(|_| seen)
}

fn announces_4_gib(lab: &Lab) -> Outcome {
    // The limit of the lesson is 16 MiB, and 64 MiB are also more.
    let lengths = [b"\xff\xff\xff\xff", b"\x04\0\0\0"];
    let seen = repeat(lengths.len(), |number| {
        let mut client = lab.send(lengths[number])?;
        let end = because_it_replied(lab, client.expect_end(), &why::CUT_ANSWERED);
        end.if_silent(&why::BELIEVED)
    })?;
    lab.next().map(|_| seen)
}

/// Sets the reason if a reply came, but the server should have closed the connection.
fn because_it_replied(lab: &Lab, end: Outcome, reason: &'static why::Reason) -> Outcome {
    let is_part = |miss: &Seen| !miss.talk.came.is_empty() && reads_once(lab);
    let end = end.because(|miss| miss.talk.came == [0; 4], &why::NEGATIVE);
    end.because(is_part, &why::ONE_RECV).if_other(reason)
}

fn half_close(lab: &Lab) -> Outcome {
    repeat(if lab.delay.is_zero() { 20 } else { 1 }, |number| {
        let text = format!("bye {number}");
        let mut client = lab.say(&text)?;
        client.connection.half_close();
        let is_cut = |miss: &Seen| matches!(miss.ending, Ending::End | Ending::Reset);
        let is_unanswered = |miss: &Seen| miss.talk.came.is_empty() && is_cut(miss);
        client.expect_reply(&text).because(is_unanswered, &why::REQUESTS_END)?;
        client.expect_end().if_silent(&why::NO_OWN_END)
    })
}

fn silence(lab: &Lab) -> Outcome {
    let (silent, reason) = match lab.row.design {
        Sequential => (1, &why::SILENCE_BLOCKS),
        Together => (5, &why::SILENCE_BLOCKS),
        Pool => (3, &why::FEWER),
    };
    let clients = (0..silent).map(|_| lab.connect()).collect::<Result<Vec<_>, _>>()?;
    thread::sleep(MOMENT);
    let mut other = lab.say("other")?;
    if lab.row.design == Sequential && other.is_silent() {
        drop(clients);
        let waits = "the second client waits until the first has disconnected";
        return other.expect_reply("other").if_silent(&why::STILL_HELD).by_design(waits);
    }
    let outcome = other.expect_reply("other");
    let outcome = because_of_one_event(lab, other, outcome);
    drop(clients);
    because_of_turns(lab, outcome).if_silent(reason)
}

/// Sets the reason if the server serves one client after another.
fn because_of_turns(lab: &Lab, outcome: Outcome) -> Outcome {
    let such = |miss: &Seen| miss.is_silence() && serves_in_turn(lab);
    outcome.because(such, &why::ONE_AT_A_TIME)
}

/// Returns true if a server for many clients serves the second one only after the first one has
/// disconnected.
fn serves_in_turn(lab: &Lab) -> bool {
    let Ok(mut first) = lab.connect() else { return false };
    lab.row.design == Together
        && first.ask("first").is_ok()
        && lab.say("second").is_ok_and(|mut second| second.is_silent())
}

fn reset(lab: &Lab) -> Outcome {
    repeat(lab.often(), |number| {
        let mut client = lab.connect()?;
        if number % 4 == 1 {
            client.say("stay");
            client.expect_reply("stay")?;
        } else if number % 4 == 3 {
            client.say("and gone");
        }
        thread::sleep(MOMENT);
        client.connection.reset();
        lab.next()
    })
}

fn vanish(lab: &Lab) -> Outcome {
    repeat(lab.often(), |number| {
        let is_long = number % 2 == 1 && lab.row.kind == Conversation && lab.delay.is_zero();
        // Half a length-prefixed message, half a character, and an invalid datagram. Or a long
        // text, because the server then sends several replies, also after the client has gone.
        let short = b"\0\0\0\x0acaf\xc3";
        drop(lab.send(if is_long { [b'x'; 100_000].as_slice() } else { short })?);
        thread::sleep(MOMENT); // The reply arrives at a closed socket.
        lab.next()
    })
}

fn never_read(lab: &Lab) -> Outcome {
    const LINE: usize = 1024;
    let last = if lab.line_end.is_some() { b'\n' } else { b'x' };
    let chunk = [vec![b'x'; LINE - 1], vec![last]].concat().repeat(64);
    let mut client = lab.connect()?;
    let Some(sent) = client.stuff(&chunk) else {
        let never = "a server that stops reading, because its replies are not read";
        return missed(never, "a server that has read 64 MiB", &why::UNBOUND);
    };
    if lab.row.design == Together {
        let others = repeat(3, |_| lab.ask("another"));
        if others.is_err() {
            drop(client);
            return because_of_turns(lab, others).if_silent(&why::BLOCKED);
        }
    }
    let reply = match &lab.line_end {
        Some(end) => [vec![b'X'; LINE - 1], end.clone()].concat().repeat(sent / LINE),
        None => vec![b'X'; sent],
    };
    client.expect(reply).because(is_lost, &why::LOST)
}

/// Returns true if a large first part of a long reply came, and then wrong bytes or none.
fn is_lost(miss: &Seen) -> bool {
    const SEVERAL_READS: usize = 16 * 4096;
    miss.talk.same() > SEVERAL_READS && miss.talk.came.len() < miss.talk.want.len()
}

fn megabyte(lab: &Lab) -> Outcome {
    let words = "wörld, naïve, é, ÿ, €, ";
    let times = (1 << 20) / words.len() + 1;
    let listen = |words: &str, times| lab.connect()?.say_and_listen(&words.repeat(times));
    let outcome = listen(words, times);
    let is_short = |miss: &Seen| miss.talk.came.len() == miss.talk.same();
    // Without é, but not fewer bytes, because the server may have a limit.
    let without = |_: &Seen| listen("world, naive, e, y, E, ", 2 * times).is_ok();
    if outcome.as_ref().is_err_and(|miss| is_short(miss) && without(miss)) {
        return outcome.because(|_| true, &why::FIRST_HALF);
    }
    outcome.because(is_lost, &why::LOST).because(|_| reads_once(lab), &why::ONE_RECV)
}

fn last_word(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    let seen = ask_too_much(lab, &mut client)?;
    // On a busy machine, a server that waits for a second can reply too late, so two clients ask.
    if lab.row.design == Sequential && is_held(lab, &client) && is_held(lab, &client) {
        return missed("a reply to the next client", "nothing", &why::ENDLESS_DRAIN);
    }
    drop(client); // A sequential server waits for this before it serves the next client.
    if is(&lab.row, &[OneMessage]) && lab.row.design == Sequential {
        return is_reset_later(lab);
    }
    Ok(seen)
}

/// Returns true if the next client gets no reply, because the server still waits for this one. This
/// client has its reply, stays connected, and sends a byte from time to time.
fn is_held(lab: &Lab, client: &Client) -> bool {
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(MOMENT * 2) == Err(RecvTimeoutError::Timeout) {
                // The server may have closed the connection.
                let _ = client.connection.send(b"x");
            }
        });
        let outcome = lab.ask("next");
        drop(done);
        outcome.is_err_and(|miss| miss.is_silence())
    })
}

/// Sends more than the server reads, and stays connected until the server has closed the connection.
/// A server that only sleeps before it closes then sends a reset.
fn is_reset_later(lab: &Lab) -> Outcome {
    let much = "x".repeat(100_000);
    let mut client = lab.say(&much)?;
    let seen = client.expect_a_beginning(&much)?;
    thread::sleep(Duration::from_millis(1300));
    if matches!(client.connection.socket.take_error(), Ok(None)) {
        return Ok(seen);
    }
    missed("the end of the connection", "a reset", &why::UNREAD)
}

/// Sends more than the server reads before it closes the connection.
fn ask_too_much(lab: &Lab, client: &mut Client) -> Outcome {
    let much = [b'x'; 100_000];
    let is_reset = |miss: &Seen| miss.ending == Ending::Reset;
    if lab.row.kind == OneMessage {
        client.send(much);
        let outcome = client.expect_a_beginning(&"x".repeat(much.len()));
        return outcome.and_then(|seen| still_reads(client, seen)).because(is_reset, &why::UNREAD);
    }
    let (invalid, good, answered) = match lab.row.kind {
        Block => (b"\xff\xff\xff\xff", "", &why::CUT_ANSWERED),
        _ => (b"goo\xff", "GOO", &why::INVALID_ANSWERED),
    };
    client.send([invalid.as_slice(), &much].concat());
    let is_lost = |miss: &Seen| {
        // A reset can destroy the reply. Without the unread bytes, a reply would come.
        let alone = || lab.send(b"goo\xff").is_ok_and(|mut client| client.expect("GOO").is_ok());
        lab.row.kind != Block && (miss.ending == Ending::End || (is_reset(miss) && !alone()))
    };
    let good = client.expect(good).because(is_more, answered).because(is_lost, &why::GOOD_LOST);
    let end = good.and_then(|_| because_it_replied(lab, client.expect_end(), answered));
    let end = end.because(is_reset, &why::UNREAD);
    end.if_silent(if lab.row.kind == Block { &why::BELIEVED } else { &why::UNTOLD })
}

/// Sends one more byte after the end of the reply. A server that closes gracefully reads it, and
/// others reset the connection.
pub fn still_reads(client: &Client, seen: Seen) -> Outcome {
    let is_sent = client.connection.send(b"x").is_ok();
    thread::sleep(MOMENT);
    if is_sent && matches!(client.connection.socket.take_error(), Ok(None)) {
        return Ok(seen);
    }
    let came = format!("{}, then a reset", seen.came);
    Err(Seen { came, ending: Ending::Reset, ..seen })
}

/// Returns true if more bytes came than expected.
fn is_more(miss: &Seen) -> bool {
    miss.talk.came.starts_with(&miss.talk.want)
}

fn connections_200(lab: &Lab) -> Outcome {
    // A server that serves slowly, one client after another, would need minutes.
    const TIME: Duration = Duration::from_secs(20);
    let start = Instant::now();
    let mut open = Vec::new();
    for number in 0..200 {
        if start.elapsed() > TIME {
            let came = format!("{number} clients served in {} s", TIME.as_secs());
            return passed("200 clients served", &came);
        }
        let text = format!("client {number}");
        let mut client = lab.say(&text)?;
        let outcome = client.expect_reply(&text);
        if outcome.is_err() && !open.is_empty() {
            open.clear();
            drop(client);
            if lab.is_gone() {
                let is_end = lab.exits_within(MOMENT).is_some_and(|status| status.success());
                return outcome.because(|_| !is_end, &why::FEW_DESCRIPTORS);
            }
            let serves_again = (0..3).all(|_| lab.ask("next").is_ok());
            let few = if number == 1 { &why::ONE_AT_A_TIME } else { &why::ONLY_N };
            let why = if serves_again { few } else { &why::NOT_SERVED };
            return outcome.because(|_| true, why);
        }
        outcome.if_silent(&why::NOT_SERVED)?;
        client.leave();
        if lab.row.design == Together {
            open.push(client);
        }
    }
    let how = if open.is_empty() { "one after another" } else { "open at the same time" };
    passed(&format!("200 clients served, {how}"), "200 clients served")
}

fn coming_and_going(lab: &Lab) -> Outcome {
    at_once(10, |number| {
        repeat(20, |turn| {
            let text = format!("client {number} turn {turn}");
            let own = format!("CLIENT {number} ");
            let other = |miss: &Seen| is_for_another(miss, &own);
            let mut client = lab.connect()?;
            let outcome = client.ask(&text).because(other, &why::OF_ANOTHER);
            because_of_one_event(lab, client, outcome).if_short(&why::MIXED_UP)
        })
    })
}

fn one_after_another(lab: &Lab) -> Outcome {
    let mut first = lab.connect()?;
    let mut second = lab.say("second")?;
    if !second.is_silent() {
        let early = "its reply, before the first has disconnected";
        return missed("a second client that waits", early, &why::NOT_SEQUENTIAL);
    }
    first.say("first");
    first.expect_reply("first")?;
    drop(first);
    second.replies_before += 1;
    let outcome = second.expect_reply("second").if_silent(&why::STILL_HELD);
    outcome.by_design("the second client gets its reply when the first has disconnected")
}

fn pool_of_four(lab: &Lab) -> Outcome {
    let mut four = (0..4).map(|_| lab.connect()).collect::<Result<Vec<_>, _>>()?;
    thread::sleep(MOMENT);
    let mut fifth = lab.say("fifth")?;
    if !fifth.is_silent() {
        return missed("a fifth client that waits", "its reply", &why::MORE_THAN_FOUR);
    }
    four.pop();
    let outcome = fifth.expect_reply("fifth").or_else(|miss| {
        // The three others leave. If this helps, they were not served at the same time.
        four.clear();
        let why = if fifth.is_silent() { &why::NOT_RELEASED } else { &why::FEWER };
        Err(miss).if_silent(why)
    });
    outcome.by_design("the fifth client waits until one of the four has disconnected")
}

fn slow_clients(lab: &Lab) -> Outcome {
    let Some(quick) = lab.another("--delay", 0.4)? else { return slow_answers(lab) };
    // On a busy machine, replies come late. The second try is slower.
    slow_answers(&quick).or_else(|_| {
        let slow = lab.another("--delay", 1.5)?;
        slow_answers(slow.as_ref().unwrap_or(&quick))
    })
}

fn slow_answers(lab: &Lab) -> Outcome {
    let clients = if lab.row.design == Pool { 8 } else { 4 };
    let (sender, times) = channel();
    if !lab.has_been_seen() {
        lab.connect()?;
    }
    let start = Instant::now();
    at_once(clients, |_| {
        let mut client = lab.connect()?;
        client.replies_before += clients;
        client.say("hi");
        client.connection.half_close();
        let outcome = client.expect_reply("hi");
        let _ = sender.send(start.elapsed());
        outcome
    })?;
    let times: Vec<Duration> = times.try_iter().collect();
    let came: Vec<_> = times.iter().map(|time| format!("{:.1} s", time.as_secs_f64())).collect();
    let came = came.join(", ");
    let round = |time: &Duration| time.as_nanos() / lab.delay.as_nanos();
    let rounds: Vec<_> = times.iter().map(round).collect();
    let (expected, fits) = match lab.row.design {
        Sequential => ("each after the one before", (1..).zip(&rounds).all(|(n, r)| *r >= n)),
        Together => ("all at the same time", rounds == [1; 4]),
        Pool => ("four, and then four", rounds == [1, 1, 1, 1, 2, 2, 2, 2]),
    };
    let reason = match lab.row.design {
        _ if fits => return passed(expected, &came),
        _ if rounds.contains(&0) => &why::NOT_SLOW,
        Together => &why::IN_TURN,
        _ if rounds.iter().all(|round| *round == 1) => &why::ALL_AT_ONCE,
        _ => &why::NOT_FOUR,
    };
    missed(expected, &came, reason)
}

fn idle_end(lab: &Lab) -> Outcome {
    match threads_exit(lab) {
        // On a busy machine, the client can be late. A second try decides.
        Err(miss) if miss.reason == Some(&why::OTHER_TIME) => threads_exit(lab),
        outcome => outcome,
    }
}

fn threads_exit(lab: &Lab) -> Outcome {
    const LINE: &str = "Socket timed out, exiting thread";
    let expected = "this line from each of the four threads, and exit status 0";
    let Some(own) = lab.another("--timeout", 1.3)? else { return passed(expected, "") };
    let mut silent = (0..4).map(|_| own.connect()).collect::<Result<Vec<_>, _>>()?;
    // The fifth client waits until a thread has disconnected a silent client.
    let mut fifth = own.say("fifth")?;
    if !silent[3].is_silent_for(Duration::from_millis(1150)) {
        return missed("a client that may be silent for 1.3 s", "the end", &why::OTHER_TIME);
    }
    for mut client in silent {
        client.expect_end().if_silent(&why::NO_LIMIT)?;
    }
    fifth
        .expect_reply("fifth")
        .because(|miss| miss.ending != Ending::Enough, &why::THREADS_GONE)?;
    drop(fifth);
    let Some(status) = own.exits_within(lab.timeout * 2) else {
        return missed(expected, "a process that goes on", &why::NEVER_ENDS);
    };
    let lines = own.server().map(|server| server.printed()).unwrap_or_default();
    let came = format!("{} lines, and {}", lines.len(), status_words(status));
    if status.success() && lines == [LINE; 4] {
        return passed(expected, &came);
    }
    missed(expected, &came, if status.success() { &why::NOT_SAID } else { &why::ENDED_BADLY })
}
