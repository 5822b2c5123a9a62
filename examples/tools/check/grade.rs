//! Makes the checks with one server, and finds out which check a failure belongs to.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use sockets101::Failure;

use crate::blame::{Blame, blame};
use crate::checks::{Check, OPTIONS, TOO_LONG_FOR_SLOW, WITHOUT_NEWLINE};
use crate::connection::{MOMENT, listens};
use crate::lessons::Kind;
use crate::reasons::{self as why, Reason};
use crate::server;
use crate::server::{Program, excerpt, in_use, status_words};
use crate::wire::{Because, Ending, Lab, Outcome, Seen};
use crate::{Task, lab_of};

/// The time that a slow lesson sleeps before each reply, unless an option says otherwise.
pub const SLOW: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Passed,
    ByDesign,
    Skipped,
    NotMade,
    Failed,
}

/// The result of one check.
pub struct Entry {
    pub check: &'static Check,
    pub mark: Mark,
    /// Why the check failed, or was skipped. Or what the design of the server cannot do.
    pub text: String,
    pub seen: Seen,
    pub time: Duration,
    /// The reasons of a failure.
    pub reasons: Vec<&'static Reason>,
    /// What the program wrote during a failed check.
    pub output: Vec<String>,
}

impl Entry {
    fn new(check: &'static Check, mark: Mark, text: impl Into<String>) -> Self {
        let (text, seen, time) = (text.into(), Seen::default(), Duration::ZERO);
        Self { check, mark, text, seen, time, reasons: Vec::new(), output: Vec::new() }
    }
}

/// The failures of the first client after which no other check can pass.
const HOPELESS: [&Reason; 10] = [
    &why::WRONG_ORDER,
    &why::NO_ANSWER,
    &why::WAITS_FOR_THE_END,
    &why::DIES_AT_FIRST,
    &why::AN_ERROR,
    &why::UNREAD,
    &why::NO_CONNECTION,
    &why::GREETS,
    &why::OTHER_PORT,
    &why::TCP_SERVER_THERE,
];

/// The failures of the first client after which a fresh server still serves one client.
const SERVES_ONE: [&Reason; 4] =
    [&why::NO_END_SEEN, &why::ACCEPTS_ONCE, &why::DIED, &why::ONE_PEER];

const ONLY_ONE: &str = "the server serves only one client";

/// Makes the checks of a task. Calls `show` with each result.
pub fn grade(task: &Task, mut show: impl FnMut(&Entry)) -> Result<Vec<Entry>, Failure> {
    let lab = &mut lab_of(task);
    let fixed = lab.launch.as_ref().and_then(|launch| launch.address);
    let is_in_use = |address: &SocketAddr| in_use(*address)[usize::from(!lab.row.is_stream())];
    if let Some(address) = fixed.filter(is_in_use) {
        return Err(format!(
            "{address} is in use; stop the other program, or wait for a minute (TIME_WAIT)"
        )
        .into());
    }
    lab.renew()?;
    // Why the checks after the first client are not made.
    let mut not_made = None;
    let mut serves_one = false;
    let (mut is_fresh, mut has_failed) = (true, false);
    let mut entries = Vec::new();
    for check in &task.checks {
        let skipped = skipped(lab, check);
        if has_failed && not_made.is_none() && skipped.is_none() {
            not_made = restart(lab);
            (is_fresh, has_failed) = (true, false);
        }
        let entry = if let Some(why) = skipped {
            Entry::new(check, Mark::Skipped, why)
        } else if let Some(why) = &not_made {
            Entry::new(check, Mark::NotMade, why)
        } else if serves_one && !check.one_client {
            Entry::new(check, Mark::NotMade, ONLY_ONE)
        } else {
            let entry = make(lab, task.delay, check, is_fresh, serves_one)?;
            has_failed = entry.mark == Mark::Failed || serves_one;
            is_fresh = false;
            entry
        };
        if check.name == "first_client" {
            let has = |reason| entry.reasons.contains(reason);
            if HOPELESS.iter().any(has) {
                not_made = Some("the first client got no right reply".into());
            } else if SERVES_ONE.iter().any(has) {
                // At an address, no fresh server can be started for each check.
                serves_one = lab.launch.is_some();
                not_made = (!serves_one).then(|| ONLY_ONE.into());
            }
        }
        show(&entry);
        entries.push(entry);
    }
    Ok(entries)
}

/// Makes one check, and looks for the server afterwards.
fn make(
    lab: &mut Lab,
    delay: Option<Duration>,
    check: &'static Check,
    is_fresh: bool,
    serves_one: bool,
) -> Result<Entry, Failure> {
    let _of_earlier_checks = lab.output();
    let start = Instant::now();
    let is_first = check.name == "first_client";
    // Such a check starts a second server, so its failure is not one of this server.
    let has_second = option(check).is_some();
    let mut outcome = (check.run)(lab);
    if is_first {
        use_first_reply(lab, delay, &outcome);
    }
    if let Err(miss) = &outcome {
        if miss.ending == Ending::Unable {
            return Err(format!("cannot connect to {}: {}", lab.address, miss.came).into());
        } else if miss.ending == Ending::Refused && !lab.has_been_seen() && !has_second {
            return Err(absence(lab).into());
        }
    }
    if lab.delay < SLOW / 10 && !serves_one {
        outcome = outcome.and_then(|seen| still_serves(lab, seen));
    }
    let time = start.elapsed();
    let mut miss = match outcome {
        Ok(seen) => {
            let mark = if seen.by_design.is_some() { Mark::ByDesign } else { Mark::Passed };
            let text = seen.by_design.unwrap_or_default();
            return Ok(Entry { seen, time, ..Entry::new(check, mark, text) });
        }
        Err(miss) => miss,
    };
    let is_rust = lab.is_rust();
    let failed = |blame: Blame, seen, output| {
        let entry = Entry::new(check, Mark::Failed, blame.text(is_rust));
        Ok(Entry { seen, time, reasons: blame.reasons, output, ..entry })
    };
    let is_fresh = is_fresh || has_second;
    if !is_fresh && miss.ending != Ending::Enough && lab.launch.is_some() {
        let is_spent = lab.ask("hello").is_err();
        let output = output(lab);
        let exit = lab.exits_within(MOMENT).filter(|status| !status.success());
        let again = on_a_fresh_server(lab, check)?;
        if again.is_none() && is_spent {
            let reason = if exit.is_some() { &why::DIED } else { &why::COUNT };
            return failed(Blame { reasons: vec![reason], exit }, miss, output);
        }
        miss = again.unwrap_or(miss);
    }
    // The clients that look for the reason can add lines, too.
    let mut lines = output(lab);
    let mut found = blame(lab, &miss, is_first);
    if !is_first && found.exit.is_none() && stops_serving(lab, &miss) {
        found.reasons.push(&why::STOPS_SERVING);
    }
    if lines.is_empty() || found.exit.is_some() {
        lines.extend(output(lab));
    }
    if found.reasons.contains(&&why::WAITS_FOR_A_LINE) && restart(lab).is_none() {
        // The first client is served again, with a newline, because the server may have other
        // bugs.
        if let Err(again) = (check.run)(lab) {
            let more = blame(lab, &again, true);
            found.reasons.extend(more.reasons);
            found.exit = more.exit;
            (miss, lines) = (again, output(lab));
        }
    }
    failed(found, miss, lines)
}

/// Returns the failure of a check with a fresh server, or `None` if it passes there. The second
/// try is for failures that do not come each time.
fn on_a_fresh_server(lab: &mut Lab, check: &Check) -> Result<Option<Seen>, Failure> {
    for _ in 0..2 {
        lab.renew()?;
        let outcome = (check.run)(lab).and_then(|seen| still_serves(lab, seen));
        if let Err(miss) = outcome {
            return Ok(Some(miss));
        }
    }
    Ok(None)
}

/// Returns the failure if a server that has passed a check does not reply any more.
fn still_serves(lab: &Lab, seen: Seen) -> Outcome {
    match lab.ask("hello").if_silent(&why::STOPS_SERVING) {
        Err(miss) if miss.ending != Ending::Enough => Err(miss),
        _ if lab.exits_within(MOMENT).is_some() => Err(Seen { ending: Ending::End, ..seen }),
        _ => Ok(seen),
    }
}

/// Returns true if a server that has failed a check does not reply to other clients. A wrong reply
/// is a reply, too. If it did not reply in the check, another client shows nothing new.
fn stops_serving(lab: &Lab, miss: &Seen) -> bool {
    let is_cut = |miss: &Seen| matches!(miss.ending, Ending::End | Ending::Reset);
    let is_unserved = |miss: Seen| miss.ending == Ending::Silence || is_cut(&miss);
    let may_serve = lab.launch.is_some() && lab.delay < SLOW / 10;
    let gets_nothing = |miss: Seen| miss.talk.came.is_empty() && is_unserved(miss);
    may_serve && is_cut(miss) && lab.ask("hello").is_err_and(gets_nothing)
}

/// Learns from the first reply what the server waits for, and how long a reply takes.
fn use_first_reply(lab: &mut Lab, given: Option<Duration>, outcome: &Outcome) {
    match outcome {
        Err(miss) if miss.reason == Some(&why::WAITS_FOR_A_LINE) => {
            let came = &miss.talk.came;
            lab.line_end = Some(came[came.trim_ascii_end().len()..].to_vec());
        }
        _ if given.is_some() => {}
        _ => {
            let time = lab.first_reply();
            lab.is_measured = time > Duration::from_secs(1);
            // A little less, so that no reply comes too early.
            lab.delay = if lab.is_measured { time.mul_f64(0.9) } else { Duration::ZERO };
        }
    }
}

/// Starts the server again after a failure. At an address, waits for a server that has stopped.
/// Returns the reason why the other checks cannot be made.
fn restart(lab: &mut Lab) -> Option<String> {
    let not_again = |why| Some(format!("the program did not start again: {why}"));
    let gone = |what| Some(format!("the server {what}; start it again"));
    if let Err(failure) = lab.renew() {
        return not_again(format!("{failure:?}"));
    }
    if lab.launch.as_ref().is_some_and(|launch| launch.address.is_none()) {
        return None;
    }
    match (lab.ask("hello").err()?.ending, &lab.launch) {
        (Ending::Refused, None) => gone("has stopped"),
        (Ending::Silence | Ending::Unconnected, None) => gone("does not reply any more"),
        (Ending::Refused, _) if is_about_time_wait(&output(lab)) => not_again(TIME_WAIT.into()),
        (Ending::Refused, _) => not_again("it does not listen".into()),
        _ => None,
    }
}

const TIME_WAIT: &str = "its port is in use, or in TIME_WAIT for a minute; \
    set SO_REUSEADDR before bind";

/// Returns true if a program has written that its port is in use.
fn is_about_time_wait(lines: &[String]) -> bool {
    let signs = ["in use", "EADDRINUSE", "only one usage", "10048", "SO_REUSEADDR"];
    lines.iter().any(|line| signs.iter().any(|sign| line.contains(sign)))
}

/// Returns the reason if a check cannot be made with this server, although it suits the lesson.
fn skipped(lab: &Lab, check: &Check) -> Option<String> {
    let is_slow = !lab.delay.is_zero();
    let lacks = |option| !lab.can_start_with(option);
    if let Some(option) = option(check) {
        if lab.launch.is_none() {
            return Some("only for a server that check starts (--own or --run)".into());
        }
        return lacks(option).then(|| format!("the program does not take the option {option}"));
    }
    let why = match check.name {
        "both_families" if !server::has_ipv6() => "this machine does not have IPv6",
        "both_families" if !lab.address.ip().is_loopback() => {
            "the server listens on an address of one family"
        }
        "slow_clients" if !is_slow && lacks("--delay") => {
            "the replies have no delay, and the program does not take the option --delay"
        }
        name if is_slow && TOO_LONG_FOR_SLOW.contains(&name) => {
            "it would take minutes with this delay; start the server without a delay"
        }
        name if lab.line_end.is_some() && WITHOUT_NEWLINE.contains(&name) => {
            "the server waits for a newline"
        }
        _ => return None,
    };
    Some(why.into())
}

/// Returns the option with which a check starts a second server.
fn option(check: &Check) -> Option<&'static str> {
    OPTIONS.iter().find(|(name, _)| *name == check.name).map(|(_, option)| *option)
}

/// Takes the lines that the program has written since the last call.
fn output(lab: &Lab) -> Vec<String> {
    if lab.launch.is_some() {
        // Another thread reads the lines from a pipe.
        thread::sleep(MOMENT);
    }
    lab.output()
}

/// Says that no program listens, and what to do.
fn absence(lab: &Lab) -> String {
    let address = lab.address;
    if let Some(hint) = another_server(lab) {
        return hint;
    }
    let Some(launch) = &lab.launch else {
        let advice = "start the server there first, in another terminal";
        return format!("no program listens on {address}; {advice}");
    };
    let lines = output(lab);
    let deaf = format!("the program does not listen on {address}");
    let mut what = match (lab.exits_within(Duration::ZERO).map(status_words), &launch.program) {
        (Some(status), _) => {
            let ready = if lab.row.is_stream() { "called listen" } else { "received a datagram" };
            format!("the program exited ({status}) before it {ready}")
        }
        (_, Program::Command(line)) if !line.contains('{') => format!("{deaf}; is this its port?"),
        (_, Program::Command(_)) => format!("{deaf}; use {{port}}, or give the IP:PORT, too"),
        _ => format!("{deaf}; in the ready line, print the address that local_addr returns"),
    };
    if is_about_time_wait(&lines) {
        let _ = write!(what, ": {TIME_WAIT}");
    }
    for line in excerpt(&lines, 6) {
        let _ = write!(what, "\n  {line}");
    }
    what
}

/// Returns a sentence if a server is there that can be meant: on the other loopback address, or
/// of the other protocol.
fn another_server(lab: &Lab) -> Option<String> {
    let (address, kind) = (lab.address, lab.row.kind);
    let loopback: IpAddr =
        if address.is_ipv4() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
    let other = SocketAddr::new(loopback, address.port());
    if address.ip().is_loopback() && listens(other, kind) {
        let there = format!("on {other}; check it there, or bind to {}", address.ip());
        return Some(format!("no program listens on {address}, but a server listens {there}"));
    }
    let (protocol, other_kind, other_protocol, lesson) = match kind {
        Kind::Datagram => ("UDP", Kind::Conversation, "TCP", "tcp_server"),
        _ => ("TCP", Kind::Datagram, "UDP", "udp_server"),
    };
    let advice = format!("but {} uses {protocol}; check it as {lesson}", lab.row.name);
    listens(address, other_kind)
        .then(|| format!("a {other_protocol} server is on {address}, {advice}"))
}
