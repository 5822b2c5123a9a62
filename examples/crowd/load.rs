//! How fast a server is: each client asks as soon as it has its answer.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use sockets101::{Failure, no_answer};

use crate::Target;
use crate::clients::{Crowd, Text, texts};
use crate::draw::{Screen, line};
use crate::log::{Event, SOON, What, phrase, readable};

/// Into how many turns the time of each is cut, where there are several servers.
const ROUNDS: u32 = 5;

/// How many connections are asked for at a time: a queue of 100 is not to overflow.
const AT_THE_DOOR: usize = 50;

/// The steps of a power of two, in the table of latencies: each is 1.6 % of the value.
const STEPS: usize = 64;

pub struct Load {
    pub time: Duration,
    pub clients: usize,
    pub size: usize,
    pub idle: usize,
}

/// The events of a crowd that is asking, counted instead of kept.
struct Tally {
    /// When each has asked; whether it had an answer yet.
    asked: Vec<Duration>,
    served: Vec<bool>,
    /// How often each latency came, in nanoseconds and steps of 1.6 %.
    latencies: Vec<u64>,
    longest: Duration,
    answers: u64,
    connections: u64,
    errors: u64,
    why: Option<ErrorKind>,
    /// Requests a second, of each round.
    rates: Vec<f64>,
}

impl Tally {
    fn new(clients: usize) -> Self {
        Self {
            asked: vec![Duration::ZERO; clients],
            served: vec![false; clients],
            latencies: vec![0; STEPS * 64],
            longest: Duration::ZERO,
            answers: 0,
            connections: 0,
            errors: 0,
            why: None,
            rates: Vec::new(),
        }
    }

    fn note(&mut self, Event { client, what, at }: Event) {
        match what {
            What::Asked => self.asked[client] = at,
            What::Answered => {
                let latency = at.saturating_sub(self.asked[client]);
                self.latencies[place(latency)] += 1;
                self.longest = self.longest.max(latency);
                self.served[client] = true;
                self.answers += 1;
            }
            What::Connected => self.connections += 1,
            What::Lost(why) => {
                self.errors += 1;
                self.why.get_or_insert(why);
            }
            What::Connecting | What::Closed => {}
        }
    }

    /// The latency that so many of a hundred answers did not exceed.
    fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.answers * percent).div_ceil(100);
        let mut seen = 0;
        let reached = |count: &u64| {
            seen += count;
            seen >= rank
        };
        let place = self.latencies.iter().position(reached).unwrap_or_default();
        value(place).min(self.longest)
    }

    fn rate(&self) -> f64 {
        self.rates.iter().sum::<f64>() / self.rates.len().max(1) as f64
    }
}

/// The place of a latency in the table: each power of two has as many steps.
fn place(latency: Duration) -> usize {
    let nanos = usize::try_from(latency.as_nanos()).unwrap_or(usize::MAX);
    let shift = (nanos / STEPS).checked_ilog2().map_or(0, |log| log + 1) as usize;
    (shift * STEPS / 2 + (nanos >> shift)).min(STEPS * 64 - 1)
}

/// The longest latency of a place.
fn value(place: usize) -> Duration {
    let shift = (place * 2 / STEPS).saturating_sub(1);
    let step = place - shift * STEPS / 2;
    Duration::from_nanos((((step as u64) + 1) << shift) - 1)
}

/// Loads each server for the given time; several of them in turns, so that a machine that
/// is busy with something else for a while is so for all.
pub fn run(
    targets: &[Target],
    load: &Load,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let rounds = if targets.len() > 1 { ROUNDS } else { 1 };
    let messages = targets.iter().map(|target| texts(load.size, target.blocks));
    let messages = messages.collect::<io::Result<Vec<_>>>()?;
    let mut tallies: Vec<_> =
        targets.iter().map(|_| Tally::new(load.clients)).collect();
    for round in 0..rounds {
        for ((target, tally), texts) in
            targets.iter().zip(&mut tallies).zip(&messages)
        {
            let before = load.time * round / rounds;
            one_round(target, load, texts, tally, rounds, |part, answers| {
                let done = before + part;
                let share = done.as_secs_f64() / load.time.as_secs_f64();
                let rate = thousands(answers as f64 / part.as_secs_f64());
                screen.progress(&bar(share, &target.title, &rate));
            })?;
        }
    }
    screen.clear();
    report(targets, load, &messages, &tallies);
    let errors: u64 = tallies.iter().map(|tally| tally.errors).sum();
    match tallies.iter().find_map(|tally| tally.why) {
        Some(why) => {
            Err(format!("{errors} errors, the first: {}", phrase(why)).into())
        }
        None => Ok(()),
    }
}

fn one_round(
    target: &Target,
    load: &Load,
    texts: &[Text],
    tally: &mut Tally,
    rounds: u32,
    mut progress: impl FnMut(Duration, u64),
) -> Result<(), Failure> {
    let mut idle = Crowd::new(target.address, target.one_message, texts);
    gather(&mut idle, load.idle, &mut |_| {})?;
    let mut crowd = Crowd::new(target.address, target.one_message, texts);
    crowd.messages = usize::MAX;
    gather(&mut crowd, load.clients, &mut |event| tally.note(event))?;
    if tally.connections == 0 {
        let why = tally.why.unwrap_or(ErrorKind::TimedOut);
        return Err(no_answer(target.address, &why.into()));
    }
    let (before, time) = (tally.answers, load.time / rounds);
    let (start, mut told) = (Instant::now(), Duration::ZERO);
    crowd.begin(&mut |event| tally.note(event));
    loop {
        let gone = start.elapsed();
        let wait = time.saturating_sub(gone).min(Duration::from_millis(100));
        if wait.is_zero() {
            break;
        }
        if !crowd.turn(wait, &mut |event| tally.note(event))? {
            break; // Nobody is left.
        }
        if gone > told + Duration::from_millis(100) {
            told = gone;
            progress(gone, tally.answers - before);
        }
    }
    tally
        .rates
        .push((tally.answers - before) as f64 / start.elapsed().as_secs_f64());
    Ok(())
}

/// Connects so many clients, if they get in. Where nothing moves for a second, the others
/// wait before the door.
fn gather(
    crowd: &mut Crowd,
    clients: usize,
    log: &mut impl FnMut(Event),
) -> io::Result<()> {
    crowd.asking = false;
    let mut moved = Instant::now();
    while crowd.len() < clients || crowd.connecting() > 0 {
        let waiting = crowd.connecting();
        if crowd.len() < clients && waiting < AT_THE_DOOR {
            crowd.enter(log);
            continue;
        }
        crowd.turn(SOON / 10, log)?;
        if crowd.connecting() < waiting {
            moved = Instant::now();
        } else if moved.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    while crowd.len() < clients {
        crowd.enter(log);
    }
    Ok(())
}

fn bar(share: f64, name: &str, rate: &str) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 30
    let done = (share * 30.0).clamp(0.0, 30.0) as usize;
    let percent = share.min(1.0) * 100.0;
    format!("[{:<30}] {percent:3.0} %  {name}: {rate}/s", "#".repeat(done))
}

/// A row for each, and what the row has no room for.
fn report(
    targets: &[Target],
    load: &Load,
    messages: &[Vec<Text>],
    tallies: &[Tally],
) {
    line(format_args!(
        "{:<25}{:>10}{:>7}{:>9}{:>9}{:>9}{:>9}",
        "", "requests/s", "ratio", "p50", "p90", "p99", "max"
    ));
    for (target, tally) in targets.iter().zip(tallies) {
        let [p50, p90, p99] = [50, 90, 99].map(|percent| {
            if tally.answers == 0 {
                "-".into()
            } else {
                readable(tally.percentile(percent))
            }
        });
        let longest = readable(tally.longest);
        line(format_args!(
            "{:<25}{:>10}{:>7.2}{p50:>9}{p90:>9}{p99:>9}{longest:>9}",
            target.name,
            thousands(tally.rate()),
            tally.rate() / tallies[0].rate(),
        ));
    }
    for ((target, tally), texts) in targets.iter().zip(tallies).zip(messages) {
        let bytes = (texts[0].ask.len() + texts[0].answer.len()) as f64;
        let served = tally.served.iter().filter(|served| **served).count();
        line(format_args!(
            "{}: {} requests, {} bytes, {} errors, {} connections, {served} of {} \
             clients served{}",
            target.name,
            thousands(tally.answers as f64),
            thousands(tally.answers as f64 * bytes),
            tally.errors,
            thousands(tally.connections as f64),
            load.clients,
            spread(&tally.rates, &tallies[0].rates),
        ));
    }
    if cfg!(debug_assertions) {
        line("debug build: for speeds that mean something, `cargo run --release`");
    }
}

/// The ratios of the single rounds, where there are several.
fn spread(rates: &[f64], first: &[f64]) -> String {
    let ratios = || rates.iter().zip(first).map(|(rate, first)| rate / first);
    let (least, most) =
        (ratios().fold(f64::MAX, f64::min), ratios().fold(0.0, f64::max));
    if std::ptr::eq(rates, first) || rates.len() < 2 {
        return String::new();
    }
    format!(", ratio {least:.2} to {most:.2} in {} rounds", rates.len())
}

/// A whole number, with commas.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
