//! How fast a server is: each client asks as soon as it has its answer.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use sockets101::{Failure, no_answer};

use crate::Target;
use crate::clients::Crowd;
use crate::draw::{FRAME, Screen, line};
use crate::log::{Event, What, phrase, readable};

/// Into how many turns the time of each is cut, where there are several servers.
const ROUNDS: u32 = 5;

/// How many connections are asked for at a time: a queue of 100 is not to overflow.
const AT_THE_DOOR: usize = 50;

/// How long nobody gets in, before the others no longer wait for that.
const STUCK: Duration = Duration::from_secs(1);

/// The steps of a power of two, in the table of latencies: each is 1.6 % of the value.
const STEPS: usize = 64;

/// The events of a crowd that is asking, counted instead of kept.
struct Tally<'a> {
    target: &'a Target,
    /// When each has asked; whether it had an answer yet.
    clients: Vec<(Duration, bool)>,
    /// How often each latency came.
    latencies: Vec<u64>,
    longest: Duration,
    answers: u64,
    connections: u64,
    errors: u64,
    why: Option<ErrorKind>,
    /// Requests a second, of each round.
    rates: Vec<f64>,
}

impl<'a> Tally<'a> {
    #[rustfmt::skip] // A list of nothings.
    fn new(target: &'a Target, clients: usize) -> Self {
        let (clients, latencies) = (vec![(Duration::ZERO, false); clients], vec![0; STEPS * 64]);
        let (longest, answers, connections, errors, why, rates) = (Duration::ZERO, 0, 0, 0, None, vec![]);
        Self { target, clients, latencies, longest, answers, connections, errors, why, rates }
    }

    fn note(&mut self, events: &mut Vec<Event>) {
        for Event { client, what, at } in events.drain(..) {
            match what {
                What::Asked => self.clients[client].0 = at,
                What::Answered => {
                    let latency = at.saturating_sub(self.clients[client].0);
                    self.latencies[place(latency)] += 1;
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

    /// The latency that so many of a hundred answers did not exceed.
    fn percentile(&self, percent: u64) -> String {
        if self.answers == 0 {
            return "-".into();
        }
        let mut left = (self.answers * percent).div_ceil(100);
        let place = self.latencies.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        readable(value(place.unwrap_or_default()).min(self.longest))
    }

    fn rate(&self) -> f64 {
        self.rates.iter().sum::<f64>() / self.rates.len().max(1) as f64
    }
}

/// The place of a latency, in nanoseconds: each power of two has as many.
fn place(latency: Duration) -> usize {
    let nanos = latency.as_nanos() as usize;
    let shift = (nanos / STEPS).checked_ilog2().map_or(0, |log| log as usize + 1);
    shift * STEPS / 2 + (nanos >> shift)
}

/// The longest latency of a place.
fn value(place: usize) -> Duration {
    let shift = (place * 2 / STEPS).saturating_sub(1);
    let step = place - shift * STEPS / 2;
    Duration::from_nanos(((step as u64 + 1) << shift) - 1)
}

/// Loads each server for the given time; several of them in turns, so that a machine that
/// is busy with something else for a while is so for all.
pub fn run(
    targets: &[Target],
    time: Duration,
    (clients, idle): (usize, usize),
    screen: &mut Screen,
) -> Result<(), Failure> {
    let rounds = if targets.len() > 1 { ROUNDS } else { 1 };
    let tallies = targets.iter().map(|target| Tally::new(target, clients));
    let mut tallies: Vec<_> = tallies.collect();
    for round in 0..rounds {
        for tally in &mut tallies {
            one_round(tally, time / rounds, idle, |tally, share| {
                let done = (f64::from(round) + share) / f64::from(rounds);
                let marks = "#".repeat((done * 30.0) as usize);
                let Tally { target, answers, .. } = tally;
                let name = &target.name;
                screen.progress(&format!("[{marks:<30}] {name}: {answers} answers"));
            })?;
        }
    }
    screen.clear();
    report(&tallies);
    let errors: u64 = tallies.iter().map(|tally| tally.errors).sum();
    match tallies.iter().find_map(|tally| tally.why) {
        Some(why) => Err(format!("{errors} errors; one: {}", phrase(why)).into()),
        None => Ok(()),
    }
}

fn one_round(
    tally: &mut Tally,
    time: Duration,
    idle: usize,
    mut show: impl FnMut(&Tally, f64),
) -> Result<(), Failure> {
    let mut silent = Crowd::new(tally.target);
    gather(&mut silent, idle)?;
    let mut crowd = Crowd::new(tally.target);
    crowd.messages = usize::MAX;
    gather(&mut crowd, tally.clients.len())?;
    tally.note(&mut crowd.events);
    if tally.connections == 0 {
        let why = tally.why.unwrap_or(ErrorKind::TimedOut);
        return Err(no_answer(tally.target.address, &why.into()));
    }
    let (before, start) = (tally.answers, Instant::now());
    let mut shown = Duration::ZERO;
    crowd.begin();
    // Until the time is over, or nobody is left.
    while start.elapsed() < time && crowd.turn(FRAME.min(time))? {
        tally.note(&mut crowd.events);
        if start.elapsed() > shown + FRAME {
            shown = start.elapsed();
            show(tally, shown.as_secs_f64() / time.as_secs_f64());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    tally.rates.push((tally.answers - before) as f64 / seconds);
    Ok(())
}

/// Connects so many clients, if they get in. Where nothing moves, the others wait before
/// the door.
fn gather(crowd: &mut Crowd, clients: usize) -> io::Result<()> {
    crowd.asking = false;
    let mut moved = Instant::now();
    while crowd.len() < clients || crowd.connecting() > 0 {
        let waiting = crowd.connecting();
        let is_stuck = moved.elapsed() > STUCK;
        if crowd.len() < clients && (waiting < AT_THE_DOOR || is_stuck) {
            crowd.enter();
        } else if is_stuck {
            break;
        } else {
            crowd.turn(FRAME)?;
        }
        if crowd.connecting() < waiting {
            moved = Instant::now();
        }
    }
    Ok(())
}

fn ratio(one: f64, first: f64) -> String {
    if first > 0.0 { format!("{:.2}", one / first) } else { "-".into() }
}

/// A row for each, and what the row has no room for.
fn report(tallies: &[Tally]) {
    let row = |name: &str, cells: [&str; 6]| {
        let [rate, ratio, p50, p90, p99, max] = cells;
        let times = format!("{p50:>9}{p90:>9}{p99:>9}{max:>9}");
        line(format_args!("{name:<25}{rate:>10}{ratio:>7}{times}"));
    };
    row("", ["requests/s", "ratio", "p50", "p90", "p99", "max"]);
    for tally in tallies {
        let [p50, p90, p99, max] = [50, 90, 99, 100].map(|p| tally.percentile(p));
        let ratio = ratio(tally.rate(), tallies[0].rate());
        let rate = format!("{:.0}", tally.rate());
        let name = tally.target.name.split(' ').next().unwrap_or_default();
        row(name, [&rate, &ratio, &p50, &p90, &p99, &max]);
    }
    for Tally { target, clients, answers, connections, errors, rates, .. } in tallies
    {
        let served = clients.iter().filter(|(_, served)| *served).count();
        let bytes = answers * 2 * target.texts[0].ask.len() as u64;
        line(format_args!(
            "{}: {served} of {} clients served\n  {answers} requests, \
             {connections} connections, {bytes} bytes, {errors} errors",
            target.name,
            clients.len()
        ));
        if tallies.len() > 1 {
            let ratios = rates.iter().zip(&tallies[0].rates);
            let ratios = ratios.map(|(one, first)| ratio(*one, *first));
            let ratios = ratios.collect::<Vec<_>>().join(" ");
            line(format_args!("  ratio in each of its rounds: {ratios}"));
        }
    }
    if cfg!(debug_assertions) {
        line("A debug build: for speeds that count, add --release after `run`.");
    }
}
