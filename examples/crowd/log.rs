//! What each client did, and when: what is drawn, counted, and told of.

use std::io::ErrorKind;
use std::time::Duration;

/// A connection that takes longer had to wait.
pub const SOON: Duration = Duration::from_millis(300);

/// What can happen to a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It asks for a connection, and waits for it.
    Connecting,
    Connected,
    /// It sends a message, and waits for the answer.
    Asked,
    Answered,
    Closed,
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
    pub fn note(&mut self, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            self.0.resize_with(self.0.len().max(event.client + 1), Vec::new);
            self.0[event.client].push(event);
        }
    }

    pub fn end(&self) -> Duration {
        let last = self.0.iter().filter_map(|events| events.last());
        last.map(|event| event.at).max().unwrap_or_default()
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
            What::Lost(why) => Some((event.client, why, event.at)),
            _ => None,
        })
    }

    /// From when to when a client waited, for each time that one did.
    fn waits(&self, from: What, to: What) -> Vec<(Duration, Duration)> {
        let pairs = self.0.iter().flat_map(|events| events.windows(2));
        let waits = pairs.filter(|two| two[0].what == from && two[1].what == to);
        waits.map(|two| (two[0].at, two[1].at)).collect()
    }

    /// What it means, in numbers.
    pub fn verdict(&self) -> Vec<String> {
        let mut waits = self.waits(What::Asked, What::Answered);
        waits.sort_unstable_by_key(|(_, answered)| *answered);
        let [(_, first), ..] = waits[..] else { return vec!["no answer".into()] };
        let last = waits[waits.len() - 1].1;
        // Who is served at the same time is answered at the same time, or nearly so.
        let times = waits.iter().map(|(asked, answered)| answered.abs_diff(*asked));
        let near = times.min().unwrap_or_default() / 2;
        let group = |start: usize| {
            let is_near =
                |wait: &&(_, Duration)| wait.1.abs_diff(waits[start].1) < near;
            waits[start..].iter().take_while(is_near).count()
        };
        let most = (0..waits.len()).map(group).max().unwrap_or_default();
        let together = match most {
            _ if near < Duration::from_millis(10) => "too fast to see who waits",
            1 if waits.len() > 1 => "one at a time",
            _ if most == self.0.len() => "all at once",
            _ => &format!("{most} at once"),
        };
        let mut words = Vec::new();
        let waits = self.waits(What::Connecting, What::Connected);
        let waits = waits.iter().map(|(from, to)| to.abs_diff(*from));
        let late: Vec<_> = waits.filter(|wait| *wait > SOON).collect();
        if let Some(most) = late.iter().max() {
            let (late, most) = (late.len(), readable(*most));
            words.push(format!("{late} connections had to wait, up to {most}"));
        }
        if let Some((_, why, _)) = self.lost().next() {
            words.push(format!(
                "{} clients lost: {}",
                self.lost().count(),
                phrase(why)
            ));
        }
        let (first, last) = (readable(first), readable(last));
        words.push(format!(
            "first answer after {first}, last after {last}: {together}"
        ));
        words
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
        ErrorKind::UnexpectedEof => "the server closed too early".into(),
        ErrorKind::InvalidData => "other bytes came than those of the answer".into(),
        ErrorKind::TimedOut => "nothing came".into(),
        why => why.to_string(),
    }
}
