//! The checks, in the order in which they are made.

use std::sync::{Barrier, mpsc::channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::lessons::Design::{Pool, Sequential, Together};
use crate::lessons::Kind::{Block, Conversation, Datagram, OneMessage};
use crate::lessons::{Kind, Row};
use crate::reasons::why;
use crate::wire::{Because, Ending, Lab, Outcome, Seen, at_once, framed, missed, passed, repeat};

pub struct Check {
    pub name: &'static str,
    /// Describes the check. Also used in the message "the process died of ...".
    pub does: &'static str,
    /// Returns true for the servers that the check is made with.
    pub suits: fn(&Row) -> bool,
    pub run: fn(&Lab) -> Outcome,
}

#[rustfmt::skip]
pub const CHECKS: [Check; 30] = [
    Check { name: "upper_case", does: "a text", suits: |_| true, run: upper_case },
    Check { name: "unicode", does: "a text with ß, ﬁ, ΐ and €", suits: |_| true, run: |lab| lab.ask("straße ﬁn ÿ ΐ é €") },
    Check { name: "any_bytes", does: "a datagram of all 256 bytes", suits: |row| is(row, &[Datagram]) && !decodes(row), run: any_bytes },
    Check { name: "empty_datagram", does: "an empty datagram", suits: |row| is(row, &[Datagram]), run: |lab| lab.ask("").if_silent(why::NO_END) },
    Check { name: "datagram_2048", does: "a datagram of 2048 bytes", suits: |row| is(row, &[Datagram]), run: |lab| lab.ask(&"a".repeat(2048)).because(is_cut, why::SHORT_BUFFER) },
    Check { name: "datagram_2049", does: "a datagram of 2049 bytes", suits: |row| is(row, &[Datagram]), run: datagram_2049 },
    Check { name: "several_messages", does: "one text after another", suits: |row| is(row, &[Datagram, Conversation]), run: several_messages },
    Check { name: "one_message", does: "one text, and no more", suits: |row| is(row, &[OneMessage, Block]), run: one_message },
    Check { name: "kept_apart", does: "several clients at once", suits: |_| true, run: kept_apart },
    Check { name: "byte_by_byte", does: "a text in segments of one byte", suits: Row::is_stream, run: byte_by_byte },
    Check { name: "two_messages", does: "two messages in one segment", suits: Row::is_stream, run: two_messages },
    Check { name: "cut_character", does: "half a character, then the other half", suits: decodes, run: cut_character },
    Check { name: "not_utf8", does: "bytes that are not UTF-8, after good text", suits: decodes, run: not_utf8 },
    Check { name: "empty_block", does: "a block of length 0", suits: |row| is(row, &[Block]), run: |lab| lab.ask("").if_short(why::EMPTY_BLOCK) },
    Check { name: "prefix_in_pieces", does: "a length in four segments", suits: |row| is(row, &[Block]), run: prefix_in_pieces },
    Check { name: "ends_inside", does: "a client that ends inside a block", suits: |row| is(row, &[Block]), run: ends_inside },
    Check { name: "announces_4_gib", does: "a length of 4 GiB, and nothing more", suits: |row| is(row, &[Block]), run: announces_4_gib },
    Check { name: "half_close", does: "a client that asks and ends its own side", suits: Row::is_stream, run: half_close },
    Check { name: "silence", does: "a client that says nothing, beside another", suits: Row::is_stream, run: silence },
    Check { name: "reset", does: "a reset", suits: Row::is_stream, run: reset },
    Check { name: "vanish", does: "a client that leaves before its answer", suits: |_| true, run: vanish },
    Check { name: "never_read", does: "a client that does not read", suits: |row| is(row, &[Conversation]), run: never_read },
    Check { name: "megabyte", does: "a text of 1 MiB", suits: |row| is(row, &[Block, Conversation]), run: megabyte },
    Check { name: "last_word", does: "a client that still sends at the end", suits: Row::closes_gracefully, run: last_word },
    Check { name: "connections_200", does: "200 connections", suits: Row::is_stream, run: connections_200 },
    Check { name: "coming_and_going", does: "ten clients that come and go as fast as they can", suits: |row| row.backlog == 100, run: coming_and_going },
    Check { name: "one_after_another", does: "a second client that asks first", suits: |row| row.is_stream() && row.design == Sequential, run: one_after_another },
    Check { name: "pool_of_four", does: "a fifth client beside four silent ones", suits: |row| row.design == Pool, run: pool_of_four },
    Check { name: "slow_clients", does: "several clients at the same time", suits: Row::is_slow, run: slow_clients },
    Check { name: "idle_end", does: "nobody, but for one silent client", suits: |row| row.options.contains(&"timeout"), run: idle_end },
];

/// The checks that would take minutes with a server that sleeps before each reply.
pub const TOO_LONG_FOR_SLOW: [&str; 4] =
    ["never_read", "megabyte", "connections_200", "coming_and_going"];

fn is(row: &Row, kinds: &[Kind]) -> bool {
    kinds.contains(&row.kind)
}

/// Returns true if the server decodes the bytes as text.
fn decodes(row: &Row) -> bool {
    row.name != "udp_server_bytes" && row.name != "ttl_pong"
}

/// The number of rude clients: more than a pool has threads.
const OFTEN: usize = 8;

/// A time that is long enough for a server to read what was sent before.
const MOMENT: Duration = Duration::from_millis(30);

fn upper_case(lab: &Lab) -> Outcome {
    let mut client = lab.say("hello, world")?;
    let outcome = client.expect_reply("hello, world");
    let silent = outcome.as_ref().is_err_and(|miss| miss.ending == Ending::Silence);
    if silent && lab.row.kind == Conversation {
        client.send("\n");
        if !client.is_silent() {
            return outcome.if_silent(why::WAITS_FOR_A_LINE);
        }
        client.half_close();
        if !client.is_silent() {
            return outcome.if_silent(why::WAITS_FOR_THE_END);
        }
    }
    outcome
}

fn any_bytes(lab: &Lab) -> Outcome {
    let all: Vec<u8> = (0..=255).collect();
    let pong = lab.row.name == "ttl_pong";
    let mut client = lab.send(&all)?;
    client
        .expect(if pong { b"PONG".to_vec() } else { all.to_ascii_uppercase() })
        .if_silent(why::NO_TEXT_ASKED)
}

fn datagram_2049(lab: &Lab) -> Outcome {
    let mut client = lab.send("a".repeat(2049))?;
    let outcome = client.expect_reply(&"a".repeat(2048));
    if cfg!(windows) && outcome.as_ref().is_err_and(|miss| !is_cut(miss)) {
        return lab.next(); // Windows discards such a datagram.
    }
    let longer = |miss: &Seen| miss.talk.came.starts_with(&miss.talk.want);
    outcome.because(is_cut, why::SHORT_BUFFER).because(longer, why::LONG_BUFFER)
}

/// Returns true if only a first part came.
fn is_cut(miss: &Seen) -> bool {
    !miss.talk.came.is_empty() && miss.talk.want.starts_with(&miss.talk.came)
}

fn several_messages(lab: &Lab) -> Outcome {
    let mut client = lab.say("one ")?;
    client.expect_reply("one ")?;
    repeat(2, |number| {
        let text = ["two ", "three"][number];
        client.say(text);
        client.expect_reply(text).if_short(why::OUTSIDE)
    })
}

fn one_message(lab: &Lab) -> Outcome {
    let mut client = lab.say("hello")?;
    client.expect_reply("hello")?;
    client.expect_end().if_silent(why::NOT_CLOSED)
}

fn kept_apart(lab: &Lab) -> Outcome {
    let clients = if lab.row.backlog == 1 { 2 } else { 10 };
    let stays = lab.row.kind == Datagram || lab.row.design == Together;
    let all_here = Barrier::new(clients as usize);
    at_once(clients, |number| {
        let own = format!("CLIENT {number} ");
        let client = lab.connect();
        all_here.wait();
        let outcome = client.and_then(|mut client| {
            client.wait_behind(clients);
            repeat(if stays { 5 } else { 1 }, |turn| {
                let text = format!("client {number} turn {turn} ");
                client.say(&text);
                let other = |miss: &Seen| {
                    let came = String::from_utf8_lossy(&miss.talk.came);
                    came.matches("CLIENT").count() > came.matches(&own).count()
                };
                client.expect_reply(&text).because(other, why::OF_ANOTHER)
            })
        });
        if stays {
            all_here.wait();
        }
        outcome
    })
}

fn byte_by_byte(lab: &Lab) -> Outcome {
    let text = "in né€ß!";
    let mut client = lab.connect()?;
    client.send_in_pieces(framed(lab.row.kind, text.as_bytes()).chunks(1));
    if lab.row.kind == OneMessage {
        let by_design = "what the first read took was the message";
        return client.expect_a_beginning(text).by_design(by_design);
    }
    let outcome = client.expect_reply(text);
    let outcome = outcome.because(|miss| miss.talk.came == b"IN N", why::FIRST_HALF);
    outcome.because(|_| lab.row.kind == Block, why::ONE_RECV)
}

fn two_messages(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    let message = |text: &[u8]| framed(lab.row.kind, text);
    client.send([message(b"one\n"), message(b"two\n")].concat());
    if lab.row.kind == Block {
        client.expect_reply("one\n")?;
        return client.expect_end().by_design("one block a connection");
    }
    client.expect_reply("one\ntwo\n").if_short(why::THROWN_AWAY)
}

fn cut_character(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    if lab.row.kind == Block {
        let block = framed(Block, "café".as_bytes());
        client.send_in_pieces([&block[..8], &block[8..]]);
        return client.expect_reply("café").if_ended(why::FIRST_HALF);
    }
    client.send(b"caf\xc3");
    if lab.row.kind == Datagram {
        client.say("next");
        return client.expect_reply("next").if_other(why::HALF_ANSWERED);
    }
    client.expect("CAF").if_ended(why::FIRST_HALF).if_silent(why::HALF_HELD)?;
    if lab.row.kind == OneMessage {
        let by_design = "half a character is lost: one read is not one message";
        return client.expect_end().if_other(why::SECOND_HALF).by_design(by_design);
    }
    client.send_in_pieces([b"\xa9".as_slice()]);
    let outcome = client.expect("É").if_silent(why::HALF_LOST);
    outcome.if_other(why::SECOND_HALF).if_ended(why::SECOND_HALF)
}

fn not_utf8(lab: &Lab) -> Outcome {
    let seen = repeat(OFTEN, |_| {
        let mut client = lab.send(framed(lab.row.kind, b"good\xff"))?;
        if lab.row.kind == Datagram {
            client.say("next");
            return client.expect_reply("next").if_other(why::FLAW_ANSWERED);
        }
        if lab.row.kind != Block {
            let more = |miss: &Seen| miss.talk.came.starts_with(&miss.talk.want);
            let good = client.expect("GOOD").because(more, why::FLAW_ANSWERED);
            good.if_silent(why::UNTOLD).if_ended(why::GOOD_LOST)?;
        }
        client.expect_end().if_other(why::FLAW_ANSWERED).if_silent(why::UNTOLD)
    })?;
    lab.next().map(|_| seen)
}

fn prefix_in_pieces(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    let block = framed(Block, b"pieces");
    client.send_in_pieces([&block[..1], &block[1..2], &block[2..3], &block[3..]]);
    client.expect_reply("pieces").if_short(why::ONE_RECV_4)
}

fn ends_inside(lab: &Lab) -> Outcome {
    let parts = [b"".as_slice(), b"\0\0", b"\0\0\0\x0a", b"\0\0\0\x0a1234567"];
    let seen = repeat(parts.len(), |number| {
        let mut client = lab.send(parts[number])?;
        client.half_close();
        let end = client.expect_end();
        end.if_other(why::NOBODY_LOOKED).if_silent(why::STILL_WAITS)
    })?;
    lab.next().map(|_| seen)
}

fn announces_4_gib(lab: &Lab) -> Outcome {
    let mut client = lab.send(b"\xff\xff\xff\xff")?;
    let seen = client.expect_end().if_silent(why::BELIEVED)?;
    drop(client);
    lab.next().map(|_| seen)
}

fn half_close(lab: &Lab) -> Outcome {
    repeat(if lab.delay.is_zero() { 20 } else { 1 }, |_| {
        let mut client = lab.say("bye")?;
        client.half_close();
        client.expect_reply("bye").if_ended(why::QUESTIONS_END)?;
        client.expect_end().if_silent(why::NO_OWN_END)
    })
}

fn silence(lab: &Lab) -> Outcome {
    let (silent, reason) = match lab.row.design {
        Sequential => (1, why::SILENCE_BLOCKS),
        Together => (5, why::SILENCE_BLOCKS),
        Pool => (3, why::FEWER),
    };
    let clients = (0..silent).map(|_| lab.connect()).collect::<Result<Vec<_>, _>>()?;
    thread::sleep(MOMENT);
    let mut beside = lab.say("beside")?;
    if lab.row.design == Sequential && beside.is_silent() {
        drop(clients);
        let waits = "the second waits until the first has left";
        let outcome = beside.expect_reply("beside").if_silent(why::STILL_HELD);
        return outcome.by_design(waits);
    }
    beside.expect_reply("beside").if_silent(reason)
}

fn reset(lab: &Lab) -> Outcome {
    repeat(OFTEN, |number| {
        let mut client = lab.connect()?;
        if number % 4 == 1 {
            client.say("stay");
            client.expect_reply("stay")?;
        } else if number % 4 == 3 {
            client.say("and gone");
        }
        thread::sleep(MOMENT);
        client.reset();
        thread::sleep(MOMENT);
        lab.next()
    })
}

fn vanish(lab: &Lab) -> Outcome {
    repeat(OFTEN, |_| {
        // Half a length-prefixed message, half a character, and an invalid datagram.
        drop(lab.send(b"\0\0\0\x0acaf\xc3")?);
        thread::sleep(MOMENT); // The reply arrives at a closed socket.
        lab.next()
    })
}

fn never_read(lab: &Lab) -> Outcome {
    let mut deaf = lab.connect()?;
    let Some(sent) = deaf.stuff() else {
        return missed("an end of what it takes", "none after 64 MiB", why::UNBOUND);
    };
    if lab.row.design == Together {
        repeat(3, |_| lab.ask("beside it").if_silent(why::BLOCKED))?;
    }
    deaf.expect(vec![b'X'; sent]).because(is_lost, why::LOST)
}

/// Returns true if a large first part of a long reply came, and then wrong bytes or none.
fn is_lost(miss: &Seen) -> bool {
    const SEVERAL_READS: usize = 16 * 4096;
    let both = miss.talk.want.iter().zip(&miss.talk.came);
    let good = both.take_while(|(want, came)| want == came).count();
    good > SEVERAL_READS && miss.talk.came.len() < miss.talk.want.len()
}

fn megabyte(lab: &Lab) -> Outcome {
    let line = "wörld, straße, ﬁn, ÿ, ΐ, €, ";
    let text = line.repeat((1 << 20) / line.len() + 1);
    lab.connect()?.say_and_listen(&text).because(is_lost, why::LOST)
}

fn last_word(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    let much = [b'x'; 100_000];
    let outcome = match lab.row.kind {
        OneMessage => {
            client.send(much);
            client.expect_a_beginning(&"x".repeat(much.len()))
        }
        kind => {
            let invalid = if kind == Block { b"\xff\xff\xff\xff" } else { b"goo\xff" };
            client.send([invalid.as_slice(), &much].concat());
            let more = |miss: &Seen| miss.talk.came.starts_with(&miss.talk.want);
            let good = client.expect(if kind == Block { "" } else { "GOO" });
            good.because(more, why::FLAW_ANSWERED)?;
            client.expect_end().if_other(why::FLAW_ANSWERED)
        }
    };
    let outcome = outcome.because(|miss| miss.ending == Ending::Reset, why::UNREAD);
    if lab.row.kind == Block { outcome.if_silent(why::BELIEVED) } else { outcome }
}

fn connections_200(lab: &Lab) -> Outcome {
    let mut open = Vec::new();
    for number in 0..200 {
        let text = format!("client {number}");
        let mut client = lab.say(&text)?;
        client.expect_reply(&text).if_silent(why::NOT_SERVED)?;
        if lab.row.design == Together {
            open.push(client);
        }
    }
    let how = if open.is_empty() { "one after another" } else { "open at once" };
    passed(&format!("200 clients served, {how}"), "200 clients served")
}

fn coming_and_going(lab: &Lab) -> Outcome {
    at_once(10, |number| {
        repeat(20, |turn| {
            let text = format!("client {number} turn {turn}");
            lab.ask(&text).if_short(why::MIXED_UP)
        })
    })
}

fn one_after_another(lab: &Lab) -> Outcome {
    let mut first = lab.connect()?;
    let mut second = lab.say("second")?;
    if !second.is_silent() {
        let early = "its answer, before the first has left";
        return missed("that the second waits", early, why::NOT_SEQUENTIAL);
    }
    first.say("first");
    first.expect_reply("first")?;
    drop(first);
    second.wait_behind(1);
    let outcome = second.expect_reply("second").if_silent(why::STILL_HELD);
    outcome.by_design("the second is answered when the first has left")
}

fn pool_of_four(lab: &Lab) -> Outcome {
    let mut four = (0..4).map(|_| lab.connect()).collect::<Result<Vec<_>, _>>()?;
    thread::sleep(MOMENT);
    let mut fifth = lab.say("fifth")?;
    if !fifth.is_silent() {
        return missed("that the fifth waits", "its answer", why::MORE);
    }
    four.pop();
    let outcome = fifth.expect_reply("fifth").if_silent(why::NOT_RELEASED);
    outcome.by_design("the fifth waits until one of the four has left")
}

fn slow_clients(lab: &Lab) -> Outcome {
    let own = lab.another("--delay=0.4", Duration::from_millis(400))?;
    let Some(quick) = own else { return slow_answers(lab) };
    // On a busy machine, replies come late. The second try is slower.
    slow_answers(&quick).or_else(|_| {
        let slow = lab.another("--delay=1.5", Duration::from_millis(1500))?;
        slow_answers(slow.as_ref().unwrap_or(&quick))
    })
}

fn slow_answers(lab: &Lab) -> Outcome {
    let clients = if lab.row.design == Pool { 8 } else { 4 };
    let (sender, times) = channel();
    let start = Instant::now();
    at_once(clients, |_| {
        let mut client = lab.connect()?;
        client.wait_behind(clients);
        client.say("hi");
        client.half_close();
        let outcome = client.expect_reply("hi");
        let _ = sender.send(start.elapsed());
        outcome
    })?;
    drop(sender);
    let times: Vec<Duration> = times.iter().collect();
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
        _ if rounds.contains(&0) => why::NOT_SLOW,
        Together => why::IN_TURN,
        _ if rounds.iter().all(|round| *round == 1) => why::ALL_AT_ONCE,
        _ => why::NOT_FOUR,
    };
    missed(expected, &came, reason)
}

fn idle_end(lab: &Lab) -> Outcome {
    const LINE: &str = "Socket timed out, exiting thread";
    let expected = "four threads that say so, and exit status 0";
    let Some(own) = lab.another("--timeout=0.5", lab.delay)? else {
        let why = "only a server of our own is waited for";
        return missed(expected, "nothing", why);
    };
    let mut silent = own.connect()?;
    silent.expect_end().if_silent(why::NO_LIMIT)?;
    drop(silent);
    let Some(status) = own.exits_within(lab.timeout * 2) else {
        return missed(expected, "a process that goes on", why::NEVER_ENDS);
    };
    let lines = own.printed();
    let came = format!("{} lines, and {status}", lines.len());
    match lines == [LINE; 4] {
        _ if !status.success() => missed(expected, &came, why::ENDED_BADLY),
        true => passed(expected, &came),
        false => missed(expected, &came, why::NOT_SAID),
    }
}
