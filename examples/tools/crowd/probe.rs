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
pub fn run(target: &Target, most: u16, screen: &mut Screen) -> Result<Part, Failure> {
    // A silent client keeps it busy: the server waits for its message.
    let mut busy = Crowd::new(target, 1, usize::MAX);
    busy.enter()?;
    watch(&mut busy, |_| {})?;
    if let Some((_, why, _)) = busy.log.lost().next() {
        return Err(no_answer(target.address, &why.into()));
    }
    thread::sleep(SOON);

    let mut crowd = Crowd::new(target, 1, 0);
    // Who is refused at once, as some systems do, comes too late as well.
    while crowd.len() - crowd.log.count(What::Connected) < LATE && crowd.len() < most.into() {
        let start = crowd.now();
        crowd.enter()?;
        let outside = crowd.connecting();
        while crowd.connecting() == outside && crowd.now() < start + SOON {
            crowd.turn(SOON / 10)?;
        }
        crowd.note();
    }
    let (queued, full) = (crowd.log.count(What::Connected), crowd.now());
    while crowd.now() < full + BUSY {
        crowd.turn(SOON / 3)?;
        crowd.note();
        screen.crowd(&target.name, &crowd);
    }
    if crowd.log.count(What::Answered) > 0 {
        let advice = "it is not busy with one; probe one that is sequential";
        return Err(format!("{} answers several: {advice}", target.name).into());
    }
    drop(busy);
    let free = crowd.now();
    watch(&mut crowd, |crowd| screen.crowd(&target.name, crowd))?;
    screen.clear();
    let told = "connected at once, and waited in the queue; none of them could tell";
    let mut words = vec![format!("{queued} {told}")];
    if queued == crowd.len() {
        words.push("nobody was left outside: take more --clients".into());
    }
    words.extend((queued..crowd.len()).map(|number| felt(&crowd.log, number, free)));
    words.push(format!("seen on {OS}"));
    Ok(Part { title: target.name.clone(), log: crowd.log, words })
}

/// What a client felt that came when the queue was full. They need not all feel the same.
fn felt(log: &Log, number: usize, free: Duration) -> String {
    let came = log.time(number, What::Connecting).unwrap_or_default();
    let since = |at: Duration, then| readable(at.saturating_sub(then));
    let mut felt = format!("client {}: nothing", number + 1);
    if let Some(at) = log.time(number, What::Connected) {
        let (wait, after) = (since(at, came), since(at, free));
        felt += &format!(" for {wait}, then connected, {after} after the server was free");
    }
    if let Some((_, why, at)) = log.lost().find(|lost| lost.0 == number) {
        felt += &format!("; after {}: {}", since(at, came), phrase(why));
    }
    felt
}
