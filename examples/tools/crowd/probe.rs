//! Counts the connections that wait for a busy server, and shows what the next clients see.

use std::env::consts::OS;
use std::{thread, time::Duration};

use sockets101::{Failure, no_reply};

use crate::clients::Crowd;
use crate::draw::{Part, Screen};
use crate::log::{Action, Log, SOON, phrase};
use crate::words::{counted, readable};
use crate::{Target, watch};

/// The number of clients that connect when the queue is full.
const LATE: usize = 3;

/// The time for which the server stays busy after the queue is full.
const BUSY: Duration = Duration::from_millis(2500);

/// Measures the queue of a server. Keeps the server busy with one client, and opens connections
/// until the queue is full. Then lets the server continue.
pub fn run(target: &Target, most: u16, screen: &mut Screen) -> Result<Part, Failure> {
    // The server waits for the message of a silent client.
    let mut busy = Crowd::new(target, 1, usize::MAX);
    busy.add_client()?;
    watch(&mut busy, |_| {})?;
    if let Some((_, why, _)) = busy.log.failures().next() {
        return Err(no_reply(target.address, &why.into()));
    }
    thread::sleep(SOON);

    let mut crowd = Crowd::new(target, 1, 0);
    // If the queue is full, some kernels refuse a connection. The program counts such a client as
    // late, too.
    while crowd.len() - crowd.log.count(Action::Connected) < LATE && crowd.len() < most.into() {
        let start = crowd.now();
        crowd.add_client()?;
        let before = crowd.connecting();
        while crowd.connecting() == before && crowd.now() < start + SOON {
            crowd.step(SOON / 10)?;
        }
        crowd.record_events();
    }
    let (queued, full) = (crowd.log.count(Action::Connected), crowd.now());
    while crowd.now() < full + BUSY {
        crowd.step(SOON / 3)?;
        crowd.record_events();
        screen.crowd(&target.name, &crowd);
    }
    if crowd.log.count(Action::Replied) > 0 {
        let advice = "--backlog-probe needs a sequential server";
        return Err(format!("{} serves several clients at a time; {advice}", target.name).into());
    }
    drop(busy);
    let free = crowd.now();
    watch(&mut crowd, |crowd| screen.crowd(&target.name, crowd))?;
    screen.clear();
    let queued_connections = counted(queued, "connection");
    let mut words =
        vec![format!("{queued_connections} completed immediately and waited in the queue")];
    if queued == crowd.len() {
        words.push("the queue never filled up; try more --clients".into());
    }
    words.extend((queued..crowd.len()).map(|number| experience(&crowd.log, number, free)));
    words.push(format!("measured on {OS}"));
    Ok(Part { title: target.name.clone(), log: crowd.log, words })
}

/// Describes what happened to a client that connected when the queue was full. The results of two
/// such clients can differ.
fn experience(log: &Log, number: usize, free: Duration) -> String {
    let start = log.time(number, Action::Connecting).unwrap_or_default();
    let since = |at: Duration, earlier| readable(at.saturating_sub(earlier));
    let mut words = format!("client {}", number + 1);
    if let Some(at) = log.time(number, Action::Connected) {
        let (wait, after) = (since(at, start), since(at, free));
        words += &format!(" waited {wait}, then connected, {after} after the server was free");
    }
    if let Some((_, why, at)) = log.failures().find(|failure| failure.0 == number) {
        words += &format!(" failed after {}: {}", since(at, start), phrase(why));
    }
    words
}
