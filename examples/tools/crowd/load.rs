//! Measures how fast a server is: each client sends its next message as soon as it has a reply.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use sockets101::{Failure, no_reply, print_or_exit};

use crate::Target;
use crate::clients::Crowd;
use crate::draw::{FRAME, Screen};
use crate::log::{Action, Event, phrase};

/// The number of rounds, if there are several servers. The servers take turns in each round.
const ROUNDS: u32 = 5;

/// The largest number of clients that wait for a connection at the same time. The queue of each
/// server has room for 100 pending connections. It must not overflow.
const MOST_CONNECTING: usize = 50;

/// The time without a new connection after which the program stops waiting for one.
///
/// If a kernel does not receive a reply to its SYN, it retransmits the SYN. Linux 6.5 and later
/// does this after 1, 2, 3 and 4 s, older kernels after 1 and 3 s. After 4 s, each of these kernels
/// has retransmitted the SYN at least twice.
const STUCK: Duration = Duration::from_secs(4);

/// The ratio of the latencies of two neighbouring slots in the table of latencies.
const SLOT_RATIO: f64 = 1.01;

/// The number of slots in the table. The last slot is for a latency of a quarter of an hour.
const SLOTS: usize = 2800;

/// The numbers of one server. The program counts the events, because they are too many to keep.
#[derive(Default, Clone)]
struct Tally {
    /// The length of one round.
    round_time: Duration,
    /// For each client, the time of its last message, and true if the client has received a reply.
    clients: Vec<(Duration, bool)>,
    /// For each slot, the number of replies with that latency.
    latencies: Vec<u64>,
    longest: Duration,
    replies: u64,
    connections: u64,
    errors: u64,
    /// The number of connected clients that are silent.
    idle: usize,
    /// The reason of the first error.
    why: Option<ErrorKind>,
    /// The duration of all rounds.
    elapsed: Duration,
}

impl Tally {
    fn count(&mut self, events: &mut Vec<Event>) {
        for Event { client, action, at } in events.drain(..) {
            match action {
                Action::Sent => self.clients[client].0 = at,
                Action::Replied => {
                    let latency = at.saturating_sub(self.clients[client].0);
                    let slot = (latency.as_nanos() as f64).max(1.0).log(SLOT_RATIO);
                    self.latencies[(slot as usize).min(SLOTS - 1)] += 1;
                    self.longest = self.longest.max(latency);
                    self.clients[client].1 = true;
                    self.replies += 1;
                }
                Action::Connected => self.connections += 1,
                Action::Failed(why) => {
                    self.errors += 1;
                    self.why.get_or_insert(why);
                }
                Action::Connecting | Action::Closed => {}
            }
        }
    }

    /// Lets the connected clients send until the round is over, or until no client is connected.
    fn round(&mut self, mut crowd: Crowd, mut show: impl FnMut(u64, f64)) -> io::Result<()> {
        let (start, mut shown) = (Instant::now(), Duration::ZERO);
        crowd.end_silence();
        while start.elapsed() < self.round_time && crowd.step(FRAME.min(self.round_time))? {
            self.count(&mut crowd.events);
            if start.elapsed() > shown + FRAME {
                shown = start.elapsed();
                show(self.replies, shown.as_secs_f64() / self.round_time.as_secs_f64());
            }
        }
        self.elapsed += start.elapsed();
        Ok(())
    }

    /// Returns the requests per second, as the report prints them.
    fn rate(&self) -> f64 {
        (self.replies as f64 / self.elapsed.as_secs_f64()).round()
    }

    /// Returns a latency in microseconds. Of 100 replies, `percent` did not take longer.
    fn percentile(&self, percent: u64) -> f64 {
        let mut left = (self.replies * percent).div_ceil(100);
        let slot = self.latencies.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        let nanos = SLOT_RATIO.powf(slot.unwrap_or_default() as f64 + 1.0);
        (nanos / 1e3).min(self.longest.as_secs_f64() * 1e6)
    }
}

/// Measures the speed of each server for the given time. Several servers take turns in short
/// rounds. If the machine is busy with another program for a while, this then slows down all
/// servers.
pub fn run(
    targets: Vec<Target>,
    time: Duration,
    clients: usize,
    idle: usize,
) -> Result<(), Failure> {
    let rounds = if targets.len() > 1 { ROUNDS } else { 1 };
    let (round_time, clients) = (time / rounds, vec![(Duration::ZERO, false); clients]);
    let tally = Tally { round_time, clients, latencies: vec![0; SLOTS], ..Tally::default() };
    let mut tallies = vec![tally; targets.len()];
    let mut screen = Screen::new();
    for round in 0..rounds {
        for (target, tally) in targets.iter().zip(&mut tallies) {
            let mut silent = Crowd::new(target, 0, usize::MAX);
            connect_clients(&mut silent, idle)?;
            tally.idle = idle - silent.connecting();
            let mut crowd = Crowd::new(target, usize::MAX, usize::MAX);
            connect_clients(&mut crowd, tally.clients.len())?;
            tally.count(&mut crowd.events);
            if tally.connections == 0 {
                let why = tally.why.unwrap_or(ErrorKind::TimedOut);
                return Err(no_reply(target.address, &why.into()));
            }
            tally.round(crowd, |replies, share| {
                let done = (f64::from(round) + share) / f64::from(rounds);
                let marks = "#".repeat((done * 30.0) as usize);
                let name = &target.name;
                screen.progress(format!("[{marks:<30}] {name}: {replies} replies"));
            })?;
        }
    }
    screen.clear();
    let report = report(&targets, &tallies);
    drop(targets); // Stops the servers, because the program can exit in the next call.
    print_or_exit(report);
    match tallies.iter().find_map(|tally| tally.why) {
        Some(why) => Err(format!("some requests failed; for example: {}", phrase(why)).into()),
        None => Ok(()),
    }
}

/// Connects up to `clients` clients. Stops when no connection has completed for a while.
fn connect_clients(crowd: &mut Crowd, clients: usize) -> io::Result<()> {
    let mut last = Instant::now();
    while crowd.len() < clients || crowd.connecting() > 0 {
        let (connecting, is_stuck) = (crowd.connecting(), last.elapsed() > STUCK);
        if crowd.len() < clients && (connecting < MOST_CONNECTING || is_stuck) {
            crowd.add_client()?;
        } else if is_stuck || !crowd.step(FRAME)? {
            break;
        }
        last = if crowd.connecting() < connecting { Instant::now() } else { last };
    }
    Ok(())
}

/// Returns a row for each server. The lines below it have the numbers that do not fit into the row.
fn report(targets: &[Target], tallies: &[Tally]) -> String {
    let columns = "requests/s  ratio      p50      p90      p99      max";
    let mut text = format!("{:<24}{columns}\n", "(latencies in µs)");
    for (target, tally) in targets.iter().zip(tallies) {
        let name = target.name.split(' ').next().unwrap_or_default();
        let (rate, ratio) = (tally.rate(), tally.rate() / tallies[0].rate());
        let ratio = if ratio.is_finite() { format!("{ratio:.2}") } else { "-".into() };
        let times = [50, 90, 99, 100].map(|percent| tally.percentile(percent));
        let times = times.map(|time| format!("{time:>9.0}")).concat();
        text += &format!("{name:<24}{rate:>10.0}{ratio:>7}{times}\n");
        let Tally { clients, replies, connections, errors, idle, .. } = tally;
        let served = clients.iter().filter(|(_, served)| *served).count();
        let (all, bytes) = (clients.len(), replies * 2 * target.texts[0].0.len() as u64);
        text += &format!("  clients served: {served} of {all}; connections: {connections}; ");
        text += &format!("idle connections: {idle}\n");
        text += &format!("  requests: {replies}; bytes: {bytes}; errors: {errors}\n");
    }
    if cfg!(debug_assertions) {
        text += "This is a debug build. To measure speed, add --release after `cargo run`.\n";
    }
    text
}
