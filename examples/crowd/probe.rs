//! How many connections wait for a server that is busy, and how it is for the next ones.

use std::env::consts::OS;
use std::{thread, time::Duration};

use sockets101::{Failure, no_answer};

use crate::clients::Crowd;
use crate::draw::{Part, Screen};
use crate::log::{Log, SOON, What, phrase, readable};
use crate::{Target, watch};

/// How many come too late, and how long the server then stays busy.
const LATE: usize = 3;
const BUSY: Duration = Duration::from_millis(2500);

/// Keeps the server busy with one client, opens connections until no more complete, then
/// lets the server go on.
pub fn run(
    target: &Target,
    most: usize,
    patience: Duration,
    screen: &mut Screen,
) -> Result<Part, Failure> {
    let mut busy = Crowd::new(target);
    busy.asking = false; // A silent client keeps it busy: the server waits for its message.
    busy.enter();
    let mut log = Log::default();
    watch(&mut busy, &mut log, patience, |_, _| {})?;
    if let Some((_, why, _)) = log.lost().next() {
        return Err(no_answer(target.address, &why.into()));
    }
    thread::sleep(SOON);

    let mut crowd = Crowd::new(target);
    let (mut log, mut late) = (Log::default(), Vec::new());
    while late.len() < LATE && crowd.len() < most {
        let (number, start) = (crowd.len(), crowd.now());
        crowd.enter();
        while log.time(number, What::Connected).is_none() {
            if crowd.now() > start + SOON {
                late.push(number);
                break;
            }
            crowd.turn(SOON / 10)?;
            log.note(&mut crowd.events);
        }
        screen.progress(&format!("{} connections", crowd.len()));
    }
    let full = crowd.now();
    while crowd.now() < full + BUSY {
        crowd.turn(SOON / 3)?;
        log.note(&mut crowd.events);
        screen.crowd(&target.name, &log, crowd.now());
    }
    if log.count(What::Answered) > 0 {
        let advice = "it is not busy with one; probe one that is sequential";
        return Err(format!("{} answers several: {advice}", target.name).into());
    }
    drop(busy);
    let free = crowd.now();
    let show = |log: &Log, now| screen.crowd(&target.name, log, now);
    watch(&mut crowd, &mut log, patience, show)?;
    screen.clear();
    let words = in_words(&log, &late, free, target.backlog);
    Ok(Part { title: target.name.clone(), log, words })
}

fn in_words(
    log: &Log,
    late: &[usize],
    free: Duration,
    n: Option<u16>,
) -> Vec<String> {
    let queued = log.0.len() - late.len();
    let told = "connected at once, and waited in the queue; none of them could tell";
    let mut words = vec![format!("{queued} {told}")];
    if late.is_empty() {
        words.push("nobody was left outside: take more --clients".into());
    }
    // One by one, since they need not all feel the same.
    for number in late {
        let came = log.time(*number, What::Connecting).unwrap_or_default();
        let since = |at: Duration| readable(at.saturating_sub(came));
        let mut felt = format!("client {}: nothing", number + 1);
        if let Some(at) = log.time(*number, What::Connected) {
            let after = readable(at.saturating_sub(free));
            felt += &format!(" for {}, then connected, {after}", since(at));
            felt += " after the server was free";
        }
        if let Some((_, why, at)) = log.lost().find(|lost| lost.0 == *number) {
            felt += &format!("; after {}: {}", since(at), phrase(why));
        }
        words.push(felt);
    }
    let keeps = n.map(|n| format!(": listen({n}) lets {queued} wait"));
    words.push(format!("seen on {OS}{}", keeps.unwrap_or_default()));
    words
}
