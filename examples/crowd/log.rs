//! What each client did, and when: what is drawn, counted, and told of.

use std::io::ErrorKind;
use std::time::Duration;

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

impl Event {
    fn why(&self) -> Option<(ErrorKind, Duration)> {
        match self.what {
            What::Lost(why) => Some((why, self.at)),
            _ => None,
        }
    }
}

/// The events of a crowd, a list a client, each in order.
#[derive(Default)]
pub struct Log(pub Vec<Vec<Event>>);

impl Log {
    pub fn note(&mut self, event: Event) {
        let clients = self.0.len().max(event.client + 1);
        self.0.resize_with(clients, Vec::new);
        self.0[event.client].push(event);
    }

    fn events(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().flatten()
    }

    pub fn end(&self) -> Duration {
        self.events().map(|event| event.at).max().unwrap_or_default()
    }

    /// How many clients have come so far, at least.
    pub fn count(&self, what: What) -> usize {
        let has =
            |events: &&Vec<Event>| events.iter().any(|event| event.what == what);
        self.0.iter().filter(has).count()
    }

    /// When this happened to a client, for the first time.
    pub fn time(&self, client: usize, what: What) -> Option<Duration> {
        let events = self.0.get(client)?;
        events.iter().find(|event| event.what == what).map(|event| event.at)
    }

    /// Why a client is lost, and since when.
    pub fn why(&self, client: usize) -> Option<(ErrorKind, Duration)> {
        self.0.get(client)?.iter().find_map(Event::why)
    }

    /// How long each took from one of these to the next of the others.
    fn spans(&self, from: What, to: What) -> Vec<(Duration, Duration)> {
        let pairs = self.0.iter().flat_map(|events| events.windows(2));
        let spans = pairs.filter(|two| two[0].what == from && two[1].what == to);
        spans.map(|two| (two[0].at, two[1].at)).collect()
    }

    /// Who got no answer, and why; the reason is that of the first.
    pub fn lost(&self) -> Option<(usize, ErrorKind)> {
        let first = self.events().find_map(Event::why)?.0;
        let is_lost = |number: &usize| self.why(*number).is_some();
        Some(((0..self.0.len()).filter(is_lost).count(), first))
    }

    /// What it means, in numbers.
    pub fn verdict(&self) -> String {
        let waits = self.spans(What::Asked, What::Answered);
        let mut answers: Vec<_> =
            waits.iter().map(|(_, answered)| *answered).collect();
        answers.sort_unstable();
        let (Some(first), Some(last)) = (answers.first(), answers.last()) else {
            return "no answer at all".into();
        };
        // Who is served at the same time is answered at the same time, or nearly so.
        let shortest =
            waits.iter().map(|(asked, answered)| answered.abs_diff(*asked)).min();
        let near = shortest.unwrap_or_default() / 2;
        let group = |(place, answer): (usize, &Duration)| {
            answers[place..]
                .iter()
                .take_while(|other| other.abs_diff(*answer) < near)
                .count()
        };
        let most = answers.iter().enumerate().map(group).max().unwrap_or_default();
        let together = match most {
            _ if near < Duration::from_millis(20) => "too fast to see who waits",
            1 if answers.len() > 1 => "one at a time",
            _ if most == self.0.len() => "all at once",
            _ => &format!("{most} at once"),
        };
        let door = self.spans(What::Connecting, What::Connected);
        let late = door.iter().map(|(from, to)| to.abs_diff(*from));
        let late: Vec<_> = late.filter(|wait| *wait > SOON).collect();
        let door = match late.iter().max() {
            Some(most) => format!(
                "; {} waited for a connection, up to {}",
                late.len(),
                readable(*most)
            ),
            None => String::new(),
        };
        format!(
            "first answer after {}, last after {}: {together}{door}",
            readable(*first),
            readable(*last)
        )
    }
}

/// A connection that takes longer had to wait.
pub const SOON: Duration = Duration::from_millis(300);

/// A time with three digits.
pub fn readable(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s >= 99.95 => format!("{s:.0} s"),
        s if s >= 9.995 => format!("{s:.1} s"),
        s if s >= 0.9995 => format!("{s:.2} s"),
        s if s >= 0.0995 => format!("{:.0} ms", s * 1e3),
        s => format!("{:.2} ms", s * 1e3),
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
