//! How fast a server is: each client asks as soon as it has its answer.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use sockets101::{Failure, no_answer};

use crate::Target;
use crate::clients::Crowd;
use crate::draw::{FRAME, Screen, line};
use crate::log::{Event, What, phrase};

/// Into how many turns the time of each is cut, where there are several servers.
const ROUNDS: u32 = 5;

/// How many connections are asked for at a time: a queue of 100 is not to overflow.
const AT_THE_DOOR: usize = 50;

/// How long nobody gets in, before the others no longer wait for that. A system that was
/// not heard asks again after one second, and after three.
const STUCK: Duration = Duration::from_secs(4);

/// How much longer the latencies of a place in the table are than those of the one before,
/// and how many places there are: up to a quarter of an hour.
const STEP: f64 = 1.01;
const PLACES: usize = 2800;

/// The events of a crowd that is asking, counted instead of kept.
#[derive(Default, Clone)]
struct Tally {
    /// How long a round is.
    time: Duration,
    /// When each has asked; whether it had an answer yet.
    clients: Vec<(Duration, bool)>,
    /// How often each latency came.
    latencies: Vec<u64>,
    longest: Duration,
    answers: u64,
    connections: u64,
    errors: u64,
    /// Those who are connected and silent.
    idle: usize,
    why: Option<ErrorKind>,
    /// Requests a second, of each round.
    rates: Vec<f64>,
}

impl Tally {
    fn note(&mut self, events: &mut Vec<Event>) {
        for Event { client, what, at } in events.drain(..) {
            match what {
                What::Asked => self.clients[client].0 = at,
                What::Answered => {
                    let latency = at.saturating_sub(self.clients[client].0);
                    let place = (latency.as_nanos() as f64).max(1.0).log(STEP);
                    self.latencies[(place as usize).min(PLACES - 1)] += 1;
                    self.longest = self.longest.max(latency);
                    self.clients[client].1 = true;
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
    }

    /// Those who have come ask until the time is over, or nobody is left.
    fn round(&mut self, mut crowd: Crowd, mut show: impl FnMut(u64, f64)) -> io::Result<()> {
        let (before, start, mut shown) = (self.answers, Instant::now(), Duration::ZERO);
        crowd.speak();
        while start.elapsed() < self.time && crowd.turn(FRAME.min(self.time))? {
            self.note(&mut crowd.events);
            if start.elapsed() > shown + FRAME {
                shown = start.elapsed();
                show(self.answers, shown.as_secs_f64() / self.time.as_secs_f64());
            }
        }
        self.rates.push((self.answers - before) as f64 / start.elapsed().as_secs_f64());
        Ok(())
    }

    /// The latency that so many of a hundred answers did not exceed, in microseconds.
    fn percentile(&self, percent: u64) -> f64 {
        let mut left = (self.answers * percent).div_ceil(100);
        let place = self.latencies.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        let nanos = STEP.powf(place.unwrap_or_default() as f64 + 1.0);
        (nanos / 1e3).min(self.longest.as_secs_f64() * 1e6)
    }

    /// Requests a second, and their ratio to those of another in the same rounds: the one in
    /// the middle, since a round may have been disturbed.
    fn rates(&self, other: &Self) -> (f64, f64) {
        let rounds = self.rates.iter().zip(&other.rates);
        let mut ratios: Vec<_> = rounds.map(|(one, two)| one / two).collect();
        ratios.sort_by(f64::total_cmp);
        let rounds = self.rates.len();
        (self.rates.iter().sum::<f64>() / rounds as f64, ratios[rounds / 2])
    }
}

/// Loads each server for the given time; several of them in turns, so that a machine that
/// is busy with something else for a while is so for all.
pub fn run(targets: &[Target], time: Duration, clients: usize, idle: usize) -> Result<(), Failure> {
    let rounds = if targets.len() > 1 { ROUNDS } else { 1 };
    let (time, clients) = (time / rounds, vec![(Duration::ZERO, false); clients]);
    let tally = Tally { time, clients, latencies: vec![0; PLACES], ..Tally::default() };
    let mut tallies = vec![tally; targets.len()];
    let mut screen = Screen::new();
    for round in 0..rounds {
        for (target, tally) in targets.iter().zip(&mut tallies) {
            let mut silent = Crowd::new(target, 0, usize::MAX);
            gather(&mut silent, idle)?;
            tally.idle = idle - silent.connecting();
            let mut crowd = Crowd::new(target, usize::MAX, usize::MAX);
            gather(&mut crowd, tally.clients.len())?;
            tally.note(&mut crowd.events);
            if tally.connections == 0 {
                let why = tally.why.unwrap_or(ErrorKind::TimedOut);
                return Err(no_answer(target.address, &why.into()));
            }
            tally.round(crowd, |answers, share| {
                let done = (f64::from(round) + share) / f64::from(rounds);
                let marks = "#".repeat((done * 30.0) as usize);
                let name = &target.name;
                screen.progress(format!("[{marks:<30}] {name}: {answers} answers"));
            })?;
        }
    }
    screen.clear();
    report(targets, &tallies);
    let why = tallies.iter().find_map(|tally| tally.why);
    why.map_or(Ok(()), |why| Err(format!("there were errors, one: {}", phrase(why)).into()))
}

/// Connects so many clients, if they get in. Where nothing moves, the others wait before
/// the door.
fn gather(crowd: &mut Crowd, clients: usize) -> io::Result<()> {
    let mut moved = Instant::now();
    while crowd.len() < clients || crowd.connecting() > 0 {
        let (waiting, is_stuck) = (crowd.connecting(), moved.elapsed() > STUCK);
        if crowd.len() < clients && (waiting < AT_THE_DOOR || is_stuck) {
            crowd.enter()?;
        } else if is_stuck || !crowd.turn(FRAME)? {
            break;
        }
        moved = if crowd.connecting() < waiting { Instant::now() } else { moved };
    }
    Ok(())
}

/// A row for each, and what the row has no room for.
fn report(targets: &[Target], tallies: &[Tally]) {
    let columns = "requests/s  ratio      p50      p90      p99      max";
    line(format_args!("{:<24}{columns}", "(latencies in µs)"));
    for (target, tally) in targets.iter().zip(tallies) {
        let name = target.name.split(' ').next().unwrap_or_default();
        let (rate, ratio) = tally.rates(&tallies[0]);
        let ratio = if ratio.is_finite() { format!("{ratio:.2}") } else { "-".into() };
        let times = [50, 90, 99, 100].map(|percent| tally.percentile(percent));
        let times = times.map(|time| format!("{time:>9.0}")).concat();
        line(format_args!("{name:<24}{rate:>10.0}{ratio:>7}{times}"));
        let Tally { clients, answers, connections, errors, idle, .. } = tally;
        let served = clients.iter().filter(|(_, served)| *served).count();
        let (all, bytes) = (clients.len(), answers * 2 * target.texts[0].0.len() as u64);
        line(format_args!(
            "  {served} of {all} served beside {idle} idle, by {connections} connections"
        ));
        line(format_args!("  {answers} requests, {bytes} bytes, {errors} errors"));
    }
    if cfg!(debug_assertions) {
        line("A debug build: for speeds that count, add --release after `run`.");
    }
}
