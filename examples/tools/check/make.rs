//! The checks of the make tasks: each task adds something to the server of a lesson.

use std::thread;
use std::time::{Duration, Instant};

use crate::blame::{lacks_newline, of_prefix};
use crate::checks::{is_cut, still_reads};
use crate::connection::MOMENT;
use crate::reasons as why;
use crate::wire::{Because, Client, Ending, Lab, Outcome, Seen, missed, passed, repeat};

pub fn line_in_pieces(lab: &Lab) -> Outcome {
    let mut client = lab.connect()?;
    let mut is_early = false;
    for piece in [b"one ".as_slice(), b"two caf\xc3", b"\xa9\n"] {
        is_early = !client.talk.came.is_empty();
        client.send(piece);
        client.is_silent_for(MOMENT);
    }
    let line = client.expect("ONE TWO CAFÉ\n");
    let is_half = |miss: &Seen| miss.talk.came.ends_with(b"CAF");
    let lacks_newline = |miss: &Seen| lacks_newline(&miss.talk.want, &miss.talk.came);
    let line = line.because(is_half, &why::FIRST_HALF).because(lacks_newline, &why::NO_NEWLINE);
    line.because(is_cut, &why::EARLY_REPLY)?;
    let end = client.expect_end().if_silent(&why::NOT_CLOSED)?;
    drop(client); // A sequential server waits for this before it serves the next client.
    if is_early {
        return missed("one reply after the newline", "a first part before it", &why::EARLY_REPLY);
    }
    // The newline is inside the segment. The server may ignore the bytes after it.
    let inside = lab.send("one\ntwo")?.expect_a_beginning("one\ntwo");
    inside.because(Seen::is_silence, &why::NEWLINE_INSIDE)?;
    let long = "x".repeat(10_000);
    lab.say(&long)?.expect_reply(&long).if_short(&why::SHORT_LINE)?;
    let mut last = lab.send("no newline")?;
    last.connection.half_close();
    let reply = last.expect("NO NEWLINE");
    reply.if_silent(&why::STILL_WAITS).if_ended(&why::REQUESTS_END)?;
    last.expect_end().if_silent(&why::NO_OWN_END)?;
    drop(last);
    // Without a newline, the server replies to a first part of at most 64 KiB.
    let much = "x".repeat(100_000);
    let endless = lab.send(&much)?.expect_a_beginning(&much);
    endless.because(Seen::is_silence, &why::ENDLESS_LINE)?;
    Ok(end)
}

pub fn several_blocks(lab: &Lab) -> Outcome {
    let mut client = lab.send([lab.message(b"one"), lab.message(b"two")].concat())?;
    let first = lab.reply("one");
    let is_lost = |miss: &Seen| miss.talk.came == first && miss.ending == Ending::Silence;
    let both = client.expect([first.clone(), lab.reply("two")].concat());
    both.because(is_lost, &why::THROWN_AWAY).because(is_cut, &why::ONE_BLOCK)?;
    client.say("three");
    client.expect_reply("three").if_ended(&why::ONE_BLOCK)?;
    // A server that closes now has a loop, but it does not wait for all bytes.
    let fourth = lab.message(b"four");
    client.send_in_pieces(&[&fourth[..2], &fourth[2..6], &fourth[6..]]);
    let outcome = client.expect_reply("four").if_ended(&why::ONE_RECV_4);
    outcome.because(|miss| of_prefix(miss).is_none(), &why::ONE_RECV)?;
    client.connection.half_close();
    client.expect_end().if_silent(&why::NO_OWN_END)
}

pub fn session_limit(lab: &Lab) -> Outcome {
    const LIMIT: usize = 30;
    let Some(own) = lab.another("--limit", 30.0)? else { return passed("", "") };
    let ascii = "abcdefghij".repeat(3 * LIMIT / 10);
    // Each of these characters has two bytes.
    let other = "éàîöü".repeat(3 * LIMIT / 10);
    let seen = repeat(5, |number| {
        let mut client = own.connect()?;
        let text = if number == 2 { &other } else { &ascii }.as_bytes();
        let reply = own.reply(&String::from_utf8_lossy(&text[..LIMIT]));
        if number == 4 {
            // Exactly the limit. The client sends nothing more, and does not disconnect.
            client.send(&text[..LIMIT]);
        } else if number % 2 == 0 {
            client.send(text);
        } else {
            client.send_in_pieces(&[&text[..12], &text[12..24]]);
            // The third segment is cut. The last one arrives while the server closes.
            client.send(&text[24..36]);
            client.send(&text[36..]);
        }
        let is_reset = |miss: &Seen| miss.ending == Ending::Reset;
        let is_more = |miss: &Seen| miss.talk.came.len() > miss.talk.want.len();
        let limited = |outcome: Outcome| {
            let outcome = outcome.because(is_reset, &why::UNREAD);
            outcome.because(is_more, &why::OVER_LIMIT).if_ended(&why::OVER_LIMIT)
        };
        limited(client.expect(&reply)).because(is_cut, &why::OVER_LIMIT)?;
        limited(client.expect_end()).if_silent(&why::NOT_CLOSED)
    })?;
    own.next().map(|_| seen)
}

pub fn idle_client(lab: &Lab) -> Outcome {
    let seen = with_more_time(lab, one_is_active)?;
    with_more_time(lab, silent_one_by_one)?;
    if lab.row.is_slow() {
        with_more_time(lab, waits_for_its_reply)?;
    }
    Ok(seen)
}

/// Starts a server with a timeout, and calls `session`. On a busy machine, a client or the server
/// can be too late. The second try has more time.
fn with_more_time(lab: &Lab, session: fn(&Lab, Duration) -> Outcome) -> Outcome {
    let with = |timeout: Duration| {
        let Some(own) = lab.another("--timeout", timeout.as_secs_f64())? else {
            return passed("", "");
        };
        session(&own, timeout)
    };
    let is_of_time = |reason| reason == &why::CUT_TOO_EARLY || reason == &why::CUT_TOO_LATE;
    match with(Duration::from_millis(400)) {
        Err(miss) if miss.reason.is_some_and(is_of_time) => with(Duration::from_millis(1500)),
        outcome => outcome,
    }
}

/// One client is silent, and one keeps sending.
fn one_is_active(own: &Lab, timeout: Duration) -> Outcome {
    let expected = "a silent client that is disconnected, and another that stays";
    let mut silent = own.connect()?;
    let start = Instant::now();
    let mut active = own.connect()?;
    let mut is_here = true;
    // The active client asks again in each third of the timeout.
    while is_here || start.elapsed() < timeout * 2 {
        active.say("still here");
        active.expect_reply("still here").if_ended(&why::CUT_TOO_EARLY)?;
        if !is_here {
            thread::sleep(timeout / 3);
        } else if !silent.is_silent_for(timeout / 3) {
            silent.expect_end()?;
            is_here = false;
            if start.elapsed() < timeout / 2 {
                return missed(expected, "an early disconnect", &why::CUT_TOO_EARLY);
            }
        } else if start.elapsed() > timeout + own.timeout {
            return missed(expected, "a silent client that stays", &why::STAYS_IDLE);
        }
    }
    active.say("the end");
    active.expect_reply("the end").if_ended(&why::CUT_TOO_EARLY)
}

/// One client becomes silent, and then another. No other client is left. A server that waits for
/// the whole timeout after each event disconnects the first one too late.
fn silent_one_by_one(own: &Lab, timeout: Duration) -> Outcome {
    let expected = "a silent client that is disconnected in time";
    let stays = |client: &mut Client| client.is_silent_for(timeout + own.timeout);
    let mut first = own.connect()?;
    let start = Instant::now();
    first.say("first");
    first.expect_reply("first")?;
    if !first.is_silent_for(timeout.mul_f64(0.6)) {
        return missed(expected, "an early disconnect", &why::CUT_TOO_EARLY);
    }
    let mut second = own.connect()?;
    second.say("second");
    second.expect_reply("second")?;
    // A whole timeout after the second client's text would be later than this.
    let time = timeout.mul_f64(1.35).saturating_sub(start.elapsed());
    if first.is_silent_for(time.max(MOMENT)) {
        let (what, why) = if stays(&mut first) {
            ("a silent client that stays", &why::STAYS_IDLE)
        } else {
            ("a late disconnect", &why::CUT_TOO_LATE)
        };
        return missed(expected, what, why);
    }
    let seen = first.expect_end()?;
    if stays(&mut second) {
        return missed(expected, "a silent client that stays", &why::STAYS_IDLE);
    }
    second.expect_end().map(|_| seen)
}

/// Checks that the time for a reply does not count as silence. This server needs more time for a
/// reply than a client may be silent.
fn waits_for_its_reply(own: &Lab, timeout: Duration) -> Outcome {
    let delay = timeout.mul_f64(1.5).as_secs_f64();
    let Some(slow) = own.another("--delay", delay)? else { return passed("", "") };
    let mut client = slow.connect()?;
    ask(&mut client, "slow").if_ended(&why::CUT_TOO_EARLY)?;
    ask(&mut client, "again").if_ended(&why::CUT_TOO_EARLY)
}

pub fn too_many_clients(lab: &Lab) -> Outcome {
    let Some(own) = lab.another("--clients", 3.0)? else { return passed("", "") };
    // The limit is for all clients together, also if their address families differ.
    let other = own.other_family();
    let other = other.as_ref().unwrap_or(&own);
    let mut three = Vec::new();
    for from in [&own, other, &own] {
        // The check `both_families` reports a server that refuses a family.
        let mut client = from.connect().or_else(|_| own.connect())?;
        let is_busy = |miss: &Seen| miss.talk.came.starts_with(b"BUSY");
        ask(&mut client, "first").because(is_busy, &why::STAYS_BUSY)?;
        three.push(client);
    }
    // Without a text, and with a text that the server does not read before it closes.
    let long = "fourth ".repeat(10_000);
    repeat(4, |number| expect_busy(&own, if number == 0 { "" } else { &long }))?;
    for client in &mut three {
        ask(client, "still here")?;
    }
    // On a busy machine, the server can be too late. A second try decides.
    if replace_one(&own, &mut three).is_err() {
        while three.len() < 3 {
            three.push(served_within(&own, own.timeout)?);
        }
        replace_one(&own, &mut three)?;
    }
    let seen = expect_busy(&own, "fifth")?;
    for client in &mut three {
        ask(client, "still here")?;
    }
    Ok(seen)
}

fn ask(client: &mut Client, text: &str) -> Outcome {
    client.say(text);
    client.expect_reply(text)
}

/// One client disconnects with an error, and a new one takes its place. Refused clients that stay
/// connected must not make the new one wait.
fn replace_one<'a>(own: &'a Lab, clients: &mut Vec<Client<'a>>) -> Result<(), Seen> {
    let refused = (0..4).map(|_| own.connect()).collect::<Result<Vec<_>, _>>()?;
    let busy = expect_busy(own, "");
    if busy.as_ref().is_err_and(Seen::is_silence) {
        return missed("\"BUSY\"", "nothing", &why::SILENCE_BLOCKS).map(|_| ());
    }
    busy?;
    clients.remove(0).connection.reset();
    // A graceful close of the refused clients can take longer than this.
    clients.push(served_within(own, own.timeout / 4)?);
    drop(refused);
    Ok(())
}

/// Connects clients until one of them is served.
fn served_within(own: &Lab, time: Duration) -> Result<Client<'_>, Seen> {
    let deadline = Instant::now() + time;
    loop {
        let mut client = own.connect()?;
        match ask(&mut client, "new") {
            Ok(_) => return Ok(client),
            Err(miss) if Instant::now() > deadline => {
                return Err(Seen { reason: Some(&why::STAYS_BUSY), ..miss });
            }
            Err(_) => thread::sleep(MOMENT),
        }
    }
}

/// Expects `BUSY`, perhaps with a newline, and then the end of the connection, without a reset. On
/// a busy machine, the client can be later than the server waits, so a second client decides.
fn expect_busy(own: &Lab, text: &str) -> Outcome {
    let outcome = try_busy(own, text);
    let is_reset = outcome.as_ref().is_err_and(|miss| miss.ending == Ending::Reset);
    if is_reset { try_busy(own, text) } else { outcome }
}

/// Makes the check with one client. It sends a text if the text is not empty.
fn try_busy(own: &Lab, text: &str) -> Outcome {
    let mut client = own.connect()?;
    if !text.is_empty() {
        client.say(text);
    }
    let outcome = client.expect_a_beginning("busy\n");
    let is_busy = client.talk.came.trim_ascii_end() == b"BUSY";
    let outcome = outcome.and_then(|seen| still_reads(&client, seen));
    let outcome = outcome.because(|miss| miss.ending == Ending::Reset, &why::UNREAD);
    let outcome = outcome.because(|_| !is_busy, &why::NOT_BUSY).if_silent(&why::NOT_CLOSED);
    outcome.map(|seen| Seen { expected: "\"BUSY\", then the end".into(), ..seen })
}

pub fn crash(lab: &Lab) -> Outcome {
    let crashed = repeat(lab.often(), |_| {
        let mut client = lab.say("crash")?;
        // The first panic of a Rust program takes long if it prints a backtrace.
        if client.is_silent_for(lab.timeout * 3) {
            return missed("a closed connection", "nothing", &why::BUG_ENDS_THREADS);
        }
        match client.expect_end() {
            Err(miss) if miss.ending == Ending::Reset => Ok(miss),
            outcome => outcome.because(|miss| !miss.talk.came.is_empty(), &why::CRASH_ANSWERED),
        }
    });
    let served = crashed.and_then(|_| {
        let silent = (0..3).map(|_| lab.connect()).collect::<Result<Vec<_>, _>>()?;
        thread::sleep(MOMENT);
        let outcome = lab.ask("fourth");
        drop(silent);
        outcome
    });
    served.because(|miss| miss.ending != Ending::Enough, &why::BUG_ENDS_THREADS)
}

pub fn last_worker(lab: &Lab) -> Outcome {
    const TIMEOUT: f64 = 0.3;
    let Some(own) = lab.another("--timeout", TIMEOUT)? else { return passed("", "") };
    own.connect()?.expect_end().if_silent(&why::NO_LIMIT)?;
    repeat(2, |_| {
        thread::sleep(Duration::from_secs_f64(3.0 * TIMEOUT));
        let mut outcome = own.ask("after a pause");
        // On a busy machine, the text can come after the timeout. The client then asks again.
        for _ in 0..4 {
            if outcome.as_ref().is_err_and(|miss| miss.ending == Ending::End) {
                outcome = own.ask("after a pause");
            }
        }
        outcome.because(|miss| miss.ending != Ending::Enough, &why::LAST_EXITS)
    })?;
    // One thread is left, so it serves the second client after it has disconnected the first.
    let mut silent = own.connect()?;
    let seen = own.ask("second").because(|miss| miss.ending != Ending::Enough, &why::LAST_EXITS)?;
    if silent.is_silent_for(MOMENT / 2) {
        return missed("one client at a time", "two at the same time", &why::ALL_STAY);
    }
    Ok(seen)
}
