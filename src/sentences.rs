//! What the programs say.

use std::fmt::Display;
use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
use std::io::{self, ErrorKind, Write};
use std::{net::SocketAddr, thread};

use crate::Failure;

/// Writes a line to stderr.
///
/// Unlike `eprintln!` it does not panic when nobody reads stderr any more: a server
/// outlives its terminal.
pub fn say(line: impl Display) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Says something of a client, or of whoever sent a datagram: `[THREAD: ]PEER EVENT`. The
/// event is `connected`, `left` or `dropped: WHY`.
pub fn tell(peer: SocketAddr, event: impl Display) {
    match thread::current().name() {
        None | Some("main") => say(format_args!("{peer} {event}")),
        Some(name) => say(format_args!("{name}: {peer} {event}")),
    }
}

/// Tells how a client's visit ended: it left, or it was dropped, and why.
pub fn ended(peer: SocketAddr, visit: &io::Result<()>) {
    let Err(err) = visit else { return tell(peer, "left") };
    let event = match err.kind() {
        ConnectionReset | ConnectionAborted | BrokenPipe => "dropped: reset",
        _ if err.raw_os_error().is_some() => "dropped: connection lost",
        _ => &format!("dropped: {err}"), // No number: an error of ours, in our words.
    };
    tell(peer, event);
}

/// The sentence for a server that cannot listen at `address`, or bind a datagram socket to
/// it: what the system said, and what to do about it.
pub fn cannot_listen(address: SocketAddr, err: &io::Error) -> Failure {
    let advice = "give another IP:PORT, or stop the program that has this one";
    format!("cannot listen on {address}: {err}; {advice}").into()
}

/// The sentence for a client that got no answer, or none that is whole.
pub fn no_answer(server: SocketAddr, err: &io::Error) -> Failure {
    let refused = err.kind() == ErrorKind::ConnectionRefused;
    let advice = if refused { "; start a server there first" } else { "" };
    format!("no answer from {server}: {err}{advice}").into()
}

/// What is known when a lookup has failed: `could not be resolved: REASON`, the reason
/// being the system's. Not that there is no such name: without a network, or with a name
/// server that is ill, the system may say the very same.
pub fn unresolved(err: &impl Display) -> String {
    let why = err.to_string().replace("failed to lookup address information: ", "");
    format!("could not be resolved: {why}")
}
