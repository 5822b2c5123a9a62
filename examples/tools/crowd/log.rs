//! What each client did, and when: what is drawn, counted, and told of.

use std::io::ErrorKind;
use std::time::Duration;

use What::{Answered, Asked, Connected, Connecting, Lost};

/// A connection that takes longer had to wait.
pub const SOON: Duration = Duration::from_millis(300);

/// What can happen to a client. In a drawing, the later in this list are on top.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It asks for a connection, and waits for it.
    Connecting,
    /// It sends a message, and waits for the answer.
    Asked,
    Connected,
    Closed,
    Answered,
    /// It gets no answer, and this is why.
    Lost(ErrorKind),
}

/// Something that happened to a client; the time counts from the start of its crowd.
#[derive(Clone, Copy)]
pub struct Event {
    pub client: usize,
    pub what: What,
    pub at: Duration,
}

/// The events of a crowd, a list a client, each in order.
#[derive(Default)]
pub struct Log(pub Vec<Vec<Event>>);

impl Log {
    pub fn note(&mut self, event: Event) {
        self.0.resize_with(self.0.len().max(event.client + 1), Vec::new);
        self.0[event.client].push(event);
    }

    pub fn end(&self) -> Duration {
        self.0.iter().flatten().map(|event| event.at).max().unwrap_or_default()
    }

    /// When this first happened to a client.
    pub fn time(&self, client: usize, what: What) -> Option<Duration> {
        let events = self.0.get(client)?;
        events.iter().find(|event| event.what == what).map(|event| event.at)
    }

    /// How many clients have come so far.
    pub fn count(&self, what: What) -> usize {
        (0..self.0.len()).filter(|client| self.time(*client, what).is_some()).count()
    }

    /// The clients that got no answer, why, and when they knew.
    pub fn lost(&self) -> impl Iterator<Item = (usize, ErrorKind, Duration)> {
        self.0.iter().flatten().filter_map(|event| match event.what {
            Lost(why) => Some((event.client, why, event.at)),
            _ => None,
        })
    }

    /// What a client did, from when to when, in the order of drawing; what goes on lasts
    /// until `now`.
    pub fn spans(events: &[Event], now: Duration) -> Vec<(What, Duration, Duration)> {
        let until = events.iter().skip(1).map(|event| event.at).chain([now]);
        let spans = events.iter().zip(until);
        let mut spans: Vec<_> = spans.map(|(e, until)| (e.what, e.at, until)).collect();
        spans.sort_unstable();
        spans
    }

    /// How long a client did this, and until when, if `then` came after it.
    fn waits(clients: &[Vec<Event>], what: What, then: What) -> Vec<(Duration, Duration)> {
        let pairs = clients.iter().flat_map(|events| events.windows(2));
        let waits = pairs.filter(|two| two[0].what == what && two[1].what == then);
        waits.map(|two| (two[1].at.saturating_sub(two[0].at), two[1].at)).collect()
    }

    /// What it means, in numbers. So many, the first, were silent for a while: it is what the
    /// others felt.
    pub fn verdict(&self, silent: usize) -> Vec<String> {
        let mut words = Vec::new();
        let mut late = Self::waits(&self.0, Connecting, Connected);
        late.retain(|(wait, _)| *wait > SOON);
        if let Some((most, _)) = late.iter().max() {
            let (number, most) = (late.len(), readable(*most));
            words.push(format!("{number} waited for a connection, up to {most}"));
        }
        if let Some((_, why, _)) = self.lost().next() {
            words.push(format!("{} lost: {}", self.lost().count(), phrase(why)));
        }
        let waits = Self::waits(&self.0[silent..], Asked, Answered);
        let ends = waits.iter().map(|(_, end)| *end);
        let readable = |end: Option<Duration>| readable(end.unwrap_or_default());
        let (first, last) = (readable(ends.clone().min()), readable(ends.max()));
        let meaning = if silent > 0 { self.beside(silent) } else { self.together(&waits) };
        words.push(format!("first answer after {first}, last after {last}: {meaning}"));
        words
    }

    /// How many of the others were answered before the first of these spoke, or was lost.
    fn beside(&self, silent: usize) -> String {
        let (these, others) = self.0.split_at(silent);
        let ends = |event: &&Event| matches!(event.what, Asked | Lost(_));
        let end = these.iter().flatten().filter(ends).map(|event| event.at).min();
        let is_early = |event: &Event| event.what == Answered && Some(event.at) < end;
        let early = others.iter().filter(|events| events.iter().any(is_early)).count();
        format!("{silent} silent, {early} of {} served meanwhile", others.len())
    }

    /// How many were served at once. They are answered at the same time, or nearly so.
    fn together(&self, waits: &[(Duration, Duration)]) -> String {
        let near = waits.iter().map(|(wait, _)| *wait / 2).min().unwrap_or_default();
        let group = |start: Duration| {
            waits.iter().filter(|(_, end)| *end >= start && *end < start + near).count()
        };
        match waits.iter().map(|(_, end)| group(*end)).max() {
            None => "nobody was answered".into(),
            _ if near < Duration::from_millis(10) => "too fast to see who waits".into(),
            Some(1) if waits.len() > 1 => "one at a time".into(),
            Some(most) if most < self.0.len() => format!("{most} at once"),
            _ => "all at once".into(),
        }
    }
}

/// A time in the unit that suits it.
pub fn readable(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.1} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}

/// The reason, as a phrase.
pub fn phrase(why: ErrorKind) -> String {
    match why {
        ErrorKind::UnexpectedEof => "the server closed before it answered".into(),
        ErrorKind::InvalidData => "other bytes came than those of the answer".into(),
        ErrorKind::TimedOut => "nothing came".into(),
        why => why.to_string(),
    }
}
