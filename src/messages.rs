//! What the programs print: output, log lines and error messages.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::{process, thread};

use crate::Failure;

/// Prints a line on stdout. If stdout is closed or the disk is full, the line is
/// lost and the program continues. If a pipe is full, the call waits for the reader.
///
/// A server calls this function instead of `println!`, which would panic and stop
/// the server.
pub fn print_line(line: impl Display) {
    let _ = io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// Prints `text` on stdout immediately, without adding a newline. If that is
/// impossible, exits.
///
/// A program whose only purpose is to print calls this function instead of `print!`,
/// which would panic. If the reader has closed the pipe (`| head -1`), the program
/// exits quietly with status 0. If the disk is full, the program prints an error
/// message and exits with status 1.
pub fn print_or_exit(text: impl AsRef<[u8]>) {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text.as_ref());
    if let Err(err) = written.and_then(|()| stdout.flush()) {
        if err.kind() == ErrorKind::BrokenPipe {
            process::exit(0);
        }
        log_line(format!("Error: cannot write to stdout: {err}; free some space"));
        process::exit(1);
    }
}

/// Prints a line on stderr. If stderr is closed or the disk is full, the line is
/// lost and the program continues. If a pipe is full, the call waits for the reader.
pub fn log_line(line: impl Display) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Logs an event of a client: `[THREAD: ]PEER EVENT`.
///
/// `peer` is the client's address. `event` is `connected`, `disconnected` or
/// `dropped: WHY`. In a thread with a name, except the main thread, the line begins
/// with this name.
pub fn log_event(peer: SocketAddr, event: impl Display) {
    match thread::current().name() {
        None | Some("main") => log_line(format!("{peer} {event}")),
        Some(name) => log_line(format!("{name}: {peer} {event}")),
    }
}

/// Logs how a connection ended: `disconnected` if `result` is `Ok`, otherwise
/// `dropped: WHY`.
pub fn log_disconnect(peer: SocketAddr, result: &io::Result<()>) {
    let Err(err) = result else {
        log_event(peer, "disconnected");
        return;
    };
    let why = match err.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => "connection reset by the client",
        _ if err.raw_os_error().is_some() => "connection lost",
        _ => &err.to_string(), // An error of our own code says what happened.
    };
    log_event(peer, format!("dropped: {why}"));
}

/// Returns the error of a server that cannot listen on `address`.
///
/// The error says what the operating system reported, and what to do about it.
///
/// The error `EADDRINUSE` has two causes, so the advice names both. Either a program
/// uses the port, or an earlier connection is in the state `TIME_WAIT`. On Linux,
/// `SO_REUSEADDR` helps only if the earlier server has set it, too ([socket(7)]).
///
/// [socket(7)]: https://man7.org/linux/man-pages/man7/socket.7.html
pub fn cannot_listen(address: SocketAddr, err: &io::Error) -> Failure {
    let advice = match err.kind() {
        ErrorKind::AddrInUse => {
            "stop the program that uses this port, or choose another port; if no \
             program uses the port, wait a minute, because an earlier TCP server did \
             not set SO_REUSEADDR"
        }
        ErrorKind::PermissionDenied => "choose a port from 1024 to 65535",
        ErrorKind::AddrNotAvailable => {
            "choose an address of this machine, for example 127.0.0.1"
        }
        _ => "choose another IP:PORT",
    };
    format!("cannot listen on {address}: {err}; {advice}").into()
}

/// Returns the error of a client that did not receive a complete reply from
/// `server`.
pub fn no_reply(server: SocketAddr, err: &io::Error) -> Failure {
    let advice = match err.kind() {
        ErrorKind::ConnectionRefused => "; start a server there first",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            "; to wait longer, use --patience"
        }
        _ => "",
    };
    format!("no reply from {server}: {err}{advice}").into()
}

/// Returns the message for a failed name lookup: `could not be resolved: WHY`.
///
/// WHY is the reason that the operating system gives. A failed lookup does not prove
/// that the name does not exist. Without a network, the operating system can give
/// the same reason.
pub fn lookup_error(err: &impl Display) -> String {
    let why = err.to_string().replace("failed to lookup address information: ", "");
    format!("could not be resolved: {why}")
}
