//! Records what each client did and when. The program makes the drawings, the counts and the
//! sentences from this log.

use std::io::ErrorKind;
use std::time::Duration;

use crate::words::{counted, readable};
use Action::{Connected, Connecting, Failed, Replied, Sent};

/// A client that connects within this time did not have to wait.
pub const SOON: Duration = Duration::from_millis(300);

/// What can happen to a client. If two actions overlap in a drawing, it shows the later action of
/// this list on top.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The client asks for a connection, and waits for it.
    Connecting,
    /// The client sends a message, and waits for the reply.
    Sent,
    Connected,
    Closed,
    Replied,
    /// The client does not get a reply, for this reason.
    Failed(ErrorKind),
}

/// Something that happened to a client. The time counts from the start of the run.
#[derive(Clone, Copy)]
pub struct Event {
    pub client: usize,
    pub action: Action,
    pub at: Duration,
}

/// The events of one run: a list for each client, each in the order of time.
#[derive(Default)]
pub struct Log(pub Vec<Vec<Event>>);

impl Log {
    pub fn add(&mut self, event: Event) {
        self.0.resize_with(self.0.len().max(event.client + 1), Vec::new);
        self.0[event.client].push(event);
    }

    /// Returns the time of the last event.
    pub fn end(&self) -> Duration {
        self.0.iter().flatten().map(|event| event.at).max().unwrap_or_default()
    }

    /// Returns the time of the first such action of a client.
    pub fn time(&self, client: usize, action: Action) -> Option<Duration> {
        let events = self.0.get(client)?;
        events.iter().find(|event| event.action == action).map(|event| event.at)
    }

    /// Returns the number of clients with such an action.
    pub fn count(&self, action: Action) -> usize {
        (0..self.0.len()).filter(|client| self.time(*client, action).is_some()).count()
    }

    /// Returns the clients that did not get a reply: number, reason, and time.
    pub fn failures(&self) -> impl Iterator<Item = (usize, ErrorKind, Duration)> {
        self.0.iter().flatten().filter_map(|event| match event.action {
            Failed(why) => Some((event.client, why, event.at)),
            _ => None,
        })
    }

    /// Returns the actions of a client, each with its start and its end. The order is that of the
    /// drawing. The last action ends `now`.
    pub fn spans(events: &[Event], now: Duration) -> Vec<(Action, Duration, Duration)> {
        let ends = events.iter().skip(1).map(|event| event.at).chain([now]);
        let spans = events.iter().zip(ends);
        let mut spans: Vec<_> = spans.map(|(e, end)| (e.action, e.at, end)).collect();
        spans.sort_unstable();
        spans
    }

    /// Returns the duration and the end of each `action` that was followed by `next`.
    fn waits(clients: &[Vec<Event>], action: Action, next: Action) -> Vec<(Duration, Duration)> {
        let pairs = clients.iter().flat_map(|events| events.windows(2));
        let waits = pairs.filter(|two| two[0].action == action && two[1].action == next);
        waits.map(|two| (two[1].at.saturating_sub(two[0].at), two[1].at)).collect()
    }

    /// Summarizes the run in words. `silent` is the number of clients that were silent at the start.
    /// If there are any, the summary says how many other clients got a reply meanwhile.
    pub fn summary(&self, silent: usize) -> Vec<String> {
        let mut words = Vec::new();
        let mut late = Self::waits(&self.0, Connecting, Connected);
        late.retain(|(wait, _)| *wait > SOON);
        if let Some((longest, _)) = late.iter().max() {
            let (clients, longest) = (counted(late.len(), "client"), readable(*longest));
            words.push(format!("{clients} waited for a connection, up to {longest}"));
        }
        if let Some((_, why, _)) = self.failures().next() {
            let clients = counted(self.failures().count(), "client");
            words.push(format!("{clients} got no reply: {}", phrase(why)));
        }
        let waits = Self::waits(&self.0, Sent, Replied);
        let ends = waits.iter().map(|(_, end)| *end);
        if silent > 0 {
            words.push(self.meanwhile(silent));
        } else if let (Some(first), Some(last)) = (ends.clone().min(), ends.max()) {
            let (first, last, how) = (readable(first), readable(last), self.at_once(&waits));
            words.push(format!("first reply after {first}, last after {last}; {how}"));
        }
        words
    }

    /// Says how many of the other clients got a reply before the first silent client sent a message
    /// or failed.
    fn meanwhile(&self, silent: usize) -> String {
        let (these, others) = self.0.split_at(silent);
        let ends = |event: &&Event| matches!(event.action, Sent | Failed(_));
        let end = these.iter().flatten().filter(ends).map(|event| event.at).min();
        let is_early = |event: &Event| event.action == Replied && Some(event.at) < end;
        let early = others.iter().filter(|events| events.iter().any(is_early)).count();
        let (clients, others) = (counted(silent, "silent client"), others.len());
        format!("{clients}; others that got a reply meanwhile: {early} of {others}")
    }

    /// Says how many clients the server served at a time. These clients get their replies at almost
    /// the same time.
    fn at_once(&self, waits: &[(Duration, Duration)]) -> String {
        let near = waits.iter().map(|(wait, _)| *wait / 2).min().unwrap_or_default();
        let group = |start: Duration| {
            waits.iter().filter(|(_, end)| *end >= start && *end < start + near).count()
        };
        match waits.iter().map(|(_, end)| group(*end)).max() {
            _ if near < Duration::from_millis(10) => "too fast to see which clients wait".into(),
            Some(1) if waits.len() > 1 => "one at a time".into(),
            Some(most) if most < self.0.len() => format!("{most} at once"),
            _ => "all at once".into(),
        }
    }
}

/// Formats the reason of a failure.
pub fn phrase(why: ErrorKind) -> String {
    match why {
        ErrorKind::UnexpectedEof => "the server closed the connection first".into(),
        ErrorKind::InvalidData => "the reply had wrong bytes".into(),
        ErrorKind::TimedOut => "nothing came in time".into(),
        why => why.to_string(),
    }
}
