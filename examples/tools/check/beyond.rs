//! The checks of the servers beyond the lecture.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::MOMENT;
use crate::reasons as why;
use crate::server::status_words;
use crate::wire::{Because, Ending, Lab, Outcome, Seen, missed, passed};

/// The line at which a server stops.
const QUIT: &str = "quit";

pub fn both_families(lab: &Lab) -> Outcome {
    // The server may need a moment to start.
    let seen = lab.ask("hello")?;
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let address = SocketAddr::new(ip, lab.address.port());
        let client = Lab::new(lab.row, None, address, lab.timeout);
        let outcome = client.ask("both");
        if outcome.as_ref().is_err_and(is_refused) {
            let came = format!("{address} refuses the connection");
            return missed("a reply over IPv4 and over IPv6", &came, &why::ONE_FAMILY);
        }
        outcome?;
    }
    Ok(seen)
}

/// Returns true if the kernel has refused the connection. Windows tries for two seconds before it
/// refuses a connection, so a timeout means the same there.
fn is_refused(miss: &Seen) -> bool {
    miss.ending == Ending::Refused || cfg!(windows) && miss.ending == Ending::Unconnected
}

pub fn stops(lab: &Lab) -> Outcome {
    finishes_its_clients(lab)?;
    needs_no_input(lab)?;
    cuts_off_its_clients(lab)
}

/// Checks that the server continues after the end of its input. Services and tests start a server
/// with an empty input.
fn needs_no_input(lab: &Lab) -> Outcome {
    let Some(own) = lab.another("--grace", 0.0)? else { return passed("", "") };
    own.end_input();
    if own.exits_within(MOMENT * 10).is_some() {
        let expected = "a process that continues after the end of its input";
        return missed(expected, "a process that has exited", &why::STOPS_AT_THE_END);
    }
    own.ask("still here")
}

/// Stops the server while a client is connected. The client has more time than it needs.
fn finishes_its_clients(lab: &Lab) -> Outcome {
    let Some(own) = lab.another("--grace", 60.0)? else { return passed("", "") };
    let mut client = own.say("before")?;
    client.expect_reply("before")?;
    own.type_line(QUIT);
    let deadline = Instant::now() + own.timeout;
    let expected = "a refused connection after the line quit";
    loop {
        match own.connect() {
            Err(miss) if is_refused(&miss) => break,
            // The queue of an open listener is full.
            Err(miss) if miss.ending == Ending::Unconnected => {
                return missed(expected, "a full queue", &why::STILL_ACCEPTS);
            }
            // A reset connection came before the server closed its listener.
            Err(miss) if miss.ending != Ending::Reset => return Err(miss),
            _ if Instant::now() > deadline => {
                return missed(expected, "a connection", &why::STILL_ACCEPTS);
            }
            _ => thread::sleep(MOMENT / 2),
        }
    }
    client.say("after");
    client.expect_reply("after").if_ended(&why::CUT_ON_STOP)?;
    client.connection.half_close();
    client.expect_end().if_silent(&why::NO_OWN_END)?;
    has_exited(&own, own.timeout * 2)
}

/// Stops the server while a silent client is connected. The client does not disconnect, so the
/// server waits for the whole time, and no longer.
fn cuts_off_its_clients(lab: &Lab) -> Outcome {
    const GRACE: f64 = 0.5;
    let Some(own) = lab.another("--grace", GRACE)? else { return passed("", "") };
    let mut client = own.say("before")?;
    client.expect_reply("before")?;
    own.type_line(QUIT);
    has_exited(&own, own.timeout * 2 + Duration::from_secs_f64(GRACE))
}

/// Expects that the process exits in this time, with status 0.
fn has_exited(own: &Lab, time: Duration) -> Outcome {
    let expected = "exit status 0 after the line quit";
    let Some(status) = own.exits_within(time) else {
        return missed(expected, "a process that goes on", &why::NEVER_STOPS);
    };
    let came = status_words(status);
    if status.success() {
        return passed(expected, &came);
    }
    missed(expected, &came, &why::STOPS_BADLY)
}
