//! How many connections wait for a server that is busy, and how it is for the next ones.

use std::env::consts::OS;
use std::{thread, time::Duration};

use sockets101::{Failure, no_answer};

use crate::clients::{Crowd, Text, texts};
use crate::draw::{Part, Screen};
use crate::log::{Log, SOON, What, phrase, readable};
use crate::{Target, watch};

/// How many come too late, and how long the server then stays busy.
const LATE: usize = 3;
const BUSY: Duration = Duration::from_millis(2500);

/// Keeps the server busy with one client, opens connections until no more complete, then
/// lets the server go on. Returns what happened, and what it means.
pub fn run(
    target: &Target,
    most: usize,
    patience: Duration,
    screen: &mut Screen,
) -> Result<(Part, Vec<String>), Failure> {
    let texts = texts(16, target.blocks)?;
    let busy = first_client(target, &texts, patience)?;
    let mut crowd = Crowd::new(target.address, target.one_message, &texts);
    let mut log = Log::default();
    let mut late = Vec::new();
    while late.len() < LATE && crowd.len() < most {
        let (number, start) = (crowd.len(), crowd.now());
        crowd.enter(&mut |event| log.note(event));
        while log.time(number, What::Connected).is_none() {
            if crowd.now() > start + SOON {
                late.push(number);
                break;
            }
            crowd.turn(SOON / 10, &mut |event| log.note(event))?;
        }
        screen.progress(&format!("{} connections", crowd.len()));
    }
    let full = crowd.now();
    while crowd.now() < full + BUSY {
        crowd.turn(SOON / 3, &mut |event| log.note(event))?;
        screen.crowd(&target.title, &log, crowd.now());
    }
    if log.count(What::Answered) > 0 {
        let advice = "it is not busy with one; probe one that is sequential";
        return Err(format!("{} answers several: {advice}", target.title).into());
    }
    let free = crowd.now();
    drop(busy);
    watch(&mut crowd, &mut log, patience, |log, now| {
        screen.crowd(&target.title, log, now);
    })?;
    screen.clear();
    let words = in_words(&log, &late, free, target.backlog);
    Ok((Part { title: target.title.clone(), log }, words))
}

/// A client that the server has answered, so that it is busy with it until this goes.
fn first_client<'a>(
    target: &Target,
    texts: &'a [Text],
    patience: Duration,
) -> Result<Crowd<'a>, Failure> {
    let mut crowd = Crowd::new(target.address, target.one_message, texts);
    crowd.staying = true;
    // Where the server would close after an answer, it is silence that keeps it busy.
    crowd.asking = !target.one_message;
    let mut log = Log::default();
    crowd.enter(&mut |event| log.note(event));
    watch(&mut crowd, &mut log, patience, |_, _| {})?;
    thread::sleep(SOON);
    match log.lost() {
        Some((_, why)) => Err(no_answer(target.address, &why.into())),
        None => Ok(crowd),
    }
}

fn in_words(
    log: &Log,
    late: &[usize],
    free: Duration,
    backlog: Option<u16>,
) -> Vec<String> {
    let queued = log.0.len() - late.len();
    let mut words = vec![format!(
        "{queued} connected at once: they wait in the queue, and cannot tell; \
         what they send is taken"
    )];
    let time = |number: &usize, what| log.time(*number, what);
    if late.is_empty() {
        words.push(
            "all that came: the queue is longer; ask with more --clients".into(),
        );
    }
    // One at a time, since on some systems they feel different things.
    for number in late {
        let came = time(number, What::Connecting).unwrap_or_default();
        let since = |at: Duration| readable(at.saturating_sub(came));
        let connected = time(number, What::Connected);
        let mut felt = match (connected, log.why(*number)) {
            (Some(at), _) if at < free => format!("connected after {}", since(at)),
            (Some(at), _) => format!(
                "nothing for {}, then connected, {} after the server was free",
                since(at),
                readable(at.saturating_sub(free))
            ),
            (None, Some((why, at))) => {
                format!("{} after {}", phrase(why), since(at))
            }
            (None, None) => "nothing".into(),
        };
        if let (Some(_), Some((why, at))) = (connected, log.why(*number)) {
            felt = format!("{felt}; {} after {}", phrase(why), since(at));
        }
        words.push(format!("client {}: {felt}", number + 1));
    }
    let dropped =
        |number: &usize| time(number, What::Connected).is_some_and(|at| at > free);
    if late.iter().any(dropped) {
        words.push("dropped without a word: TCP asks again, later and later".into());
    }
    words.push(match (backlog, late) {
        (Some(n), [_, ..]) if queued > usize::from(n) => {
            format!(
                "seen on {OS}: listen({n}) keeps {n} + {}",
                queued - usize::from(n)
            )
        }
        (Some(n), [_, ..]) => format!("seen on {OS}: listen({n}) keeps {queued}"),
        _ => format!("seen on {OS}"),
    });
    words
}
