//! Connects one client to a server, performs one act, for example a reset, and explains each step.
//!
//! For all lessons with a server. First start a server in another terminal with
//! `cargo run --example sequential_server`. Then:
//!
//! ```text
//! $ cargo run --example rude -- 1234 half_character
//! The bytes that recv returns can end in the middle of a character.
//!   The client connects as 127.0.0.1:50412.
//!   The client sends "caf" and the first byte of é.
//!   The client receives "CAF".
//!   The client sends the second byte of é.
//!   The client receives "É".
//!   The client disconnects.
//! The server still serves: a new client receives "HELLO".
//! ```
//!
//! Arguments:
//!
//! - `[LESSON]`: the lesson whose messages the client sends. The default is `sequential_server`,
//!   that is plain text over TCP.
//! - `[PORT]`: the server, on this machine. `IP:PORT` and `HOST:PORT` work, too. The default is the
//!   lesson's port.
//! - `[ACT]`: what the client does. Without it, `rude` only lists the acts that suit the lesson.
//!   For each act, the list shows what our server logs about the client.
//! - `[--timeout 7]`: the seconds that the client waits for a reply. The default is 2 seconds for
//!   datagrams and for length-prefixed messages, because no server of these lessons is slow.
//!
//! The exit status is 0 if the server still serves clients after the act, and otherwise 1. It is 2
//! if an argument is wrong, or if no server listens on the address.
//!
//! What to try:
//!
//! - Perform all acts with your own server, one after another. Except for `hundred`, only one
//!   client connects, and after the act one polite client. So you can find the lines that your
//!   server prints about each of them.
//! - Start `cargo run --example rude -- 1234 silent`. Before it ends, send a text with
//!   `cargo run --example tcp_client -- 1234 "hello"`. Then do the same with `poll_server`.
//! - Perform `never_read` with `thread_per_client` and with `poll_server`. In the first server, a
//!   thread waits in `send`. The second server has no thread that may wait.

#[allow(dead_code)] // Some of it is only for check.
#[path = "common/connection.rs"]
mod connection;
#[allow(dead_code)] // Some of it is only for check.
#[path = "common/lessons.rs"]
mod lessons;

use std::{io, io::ErrorKind::ConnectionRefused, net::SocketAddr, process::ExitCode, thread};

use sockets101::{Args, Failure, print_or_exit};

use connection::{Connection, MOMENT, framed, is_timeout, reply, shown};
use lessons::{Kind, Row, SERVERS};

/// What one client does.
struct Act {
    name: &'static str,
    does: &'static str,
    shows: &'static str,
    /// What our server logs about the client. The order is that of [`Kind`]. The text is empty if
    /// the act does not suit the lesson.
    logs: [&'static str; 4],
    /// The length that the client announces if the server expects length-prefixed messages.
    length: u32,
    /// What the client sends: bytes, how often it repeats them, and words that describe this. Then
    /// the client reads until it has received so many bytes.
    turns: &'static [(&'static [u8], usize, &'static str, usize)],
}

const RESET: &str = "dropped: connection reset by the client";
const INVALID: &str = "dropped: invalid UTF-8";

/// The acts. A line for each is easier to compare than the several that rustfmt makes.
#[rustfmt::skip]
const ACTS: [Act; 13] = [
    Act { name: "polite", does: "reads its reply", shows: "A polite client reads its reply before it disconnects.", logs: ["(no line)", "disconnected", "disconnected", "disconnected"], length: 5, turns: &[(b"hello", 1, "\"hello\"", 5)] },
    Act { name: "silent", does: "sends nothing", shows: "A silent client occupies a sequential server, or one thread of a pool.", logs: ["", "disconnected", "dropped: connection closed in the ...", "disconnected"], length: 0, turns: &[(b"", 1, "nothing. Start another client to see whether it must wait", usize::MAX)] },
    Act { name: "dribble", does: "sends single bytes", shows: "In a stream, recv may return one byte. A datagram is always a message.", logs: ["(no line)", "disconnected", "disconnected", "disconnected"], length: 3, turns: &[(b"o", 1, "\"o\"", 1), (b"n", 1, "\"n\"", 1), (b"e", 1, "\"e\"", 1)] },
    Act { name: "half_character", does: "sends half of an é", shows: "The bytes that recv returns can end in the middle of a character.", logs: [INVALID, INVALID, "disconnected", "disconnected"], length: 5, turns: &[(b"caf\xc3", 1, "\"caf\" and the first byte of é", 3), (b"\xa9", 1, "the second byte of é", 2)] },
    Act { name: "invalid", does: "sends invalid bytes", shows: "Not all bytes are text. The error of one client must not stop the server.", logs: [INVALID; 4], length: 4, turns: &[(b"caf\xff", 1, "\"caf\" and the byte ff, which is invalid in UTF-8", usize::MAX)] },
    Act { name: "flood", does: "sends more than a buffer", shows: "A client can send more bytes than the server's buffer can take.", logs: ["(no line)", "disconnected", "disconnected", "disconnected"], length: 8000, turns: &[(b"x", 8000, "8000 bytes", 8000)] },
    Act { name: "half_close", does: "half-closes, then reads", shows: "The end of the requests is not the end of the replies.", logs: ["", "disconnected", "disconnected", "disconnected"], length: 5, turns: &[(b"hello", 1, "\"hello\" and closes its sending side", usize::MAX)] },
    Act { name: "leave", does: "does not wait", shows: "The client may be gone when the server sends the reply.", logs: ["(no line)", "disconnected", "disconnected", "disconnected, or the same line as reset"], length: 5, turns: &[(b"hello", 1, "\"hello\"", 0)] },
    Act { name: "reset", does: "closes with a reset", shows: "recv can fail. The error of one client must not stop the server.", logs: ["", RESET, RESET, RESET], length: 0, turns: &[] },
    Act { name: "never_read", does: "sends, but never reads", shows: "If a client does not read, the kernel's buffers become full, and send waits.", logs: ["", "", RESET, RESET], length: 16 << 20, turns: &[(b"x", 16 << 20, "16 MiB and does not read", 0)] },
    Act { name: "scan", does: "connects, disconnects", shows: "A port scanner disconnects without a request.", logs: ["", "disconnected", "dropped: connection closed in the ...", "disconnected"], length: 0, turns: &[] },
    Act { name: "hundred", does: "is 100 clients at once", shows: "Many clients can connect at the same time. The queue of listen has a limit.", logs: ["(no line)", "disconnected", "disconnected", "disconnected"], length: 5, turns: &[(b"hello", 1, "\"hello\"", 5)] },
    Act { name: "lie", does: "announces 4 GiB", shows: "A server must not believe every length that a client announces.", logs: ["", "", "dropped: message too long (...)", ""], length: u32::MAX, turns: &[(b"", 1, "nothing more", usize::MAX)] },
];

/// Returns what the lesson's server logs about the client of an act. Returns an empty text if the
/// act does not suit the lesson.
fn log_of(act: &Act, row: &Row) -> &'static str {
    match act.logs[row.kind as usize] {
        // A slow server would be busy for minutes.
        _ if row.sleeps_by_default() && ["never_read", "hundred"].contains(&act.name) => "",
        // Two lessons do not decode the datagrams.
        INVALID if ["udp_server_bytes", "ttl_pong"].contains(&row.name) => "(no line)",
        log => log,
    }
}

fn main() -> Result<ExitCode, Failure> {
    let mut args = Args::new("rude [LESSON] [PORT] [ACT] [--timeout 7]");
    let mut lesson = args.positional(String::new());
    if !lesson.starts_with(char::is_alphabetic) || lesson.contains([':', '.']) {
        // The first argument is an address. The messages are plain text over TCP.
        args = Args::new("rude [PORT] [ACT] [--timeout 7]");
        "sequential_server".clone_into(&mut lesson);
    }
    let Some(row) = SERVERS.into_iter().find(|row| row.name == lesson) else {
        args.refuse(format!("'{lesson}' is not a port, and not a lesson of `check -- --list`"));
    };
    let address = args.server_address(row.port)?;
    let name = args.positional(String::new());
    // In the order of `Kind`. Only servers of the second and of the fourth kind can be slow.
    let timeout = args.timeout("--timeout", [2.0, 7.0, 2.0, 7.0][row.kind as usize]);
    args.finish();
    let mut acts = ACTS.iter().filter(|act| !log_of(act, &row).is_empty());
    if name.is_empty() {
        print_or_exit(format!("act            what the client does     what {lesson} logs\n"));
        for act in acts {
            print_or_exit(format!("{:<15}{:<25}{}\n", act.name, act.does, log_of(act, &row)));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(act) = acts.find(|act| act.name == name) else {
        args.refuse(format!("{lesson} has no act '{name}'; without an act, rude lists them"));
    };
    print_or_exit(format!("{}\n", act.shows));
    let count = if act.name == "hundred" { 100 } else { 1 };
    let client = Client { row, address, timeout, is_loud: count == 1 };
    let results: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..count).map(|_| scope.spawn(|| client.perform(act))).collect();
        clients.into_iter().flat_map(thread::ScopedJoinHandle::join).collect()
    });
    if results.iter().all(|result| matches!(result, Err(err) if err.kind() == ConnectionRefused)) {
        args.refuse(format!("no server listens on {address}; start a server there first"));
    }
    let expected = shown(row.kind, &framed(row.kind, &reply(&row, "hello")));
    let served = results.iter().flatten().filter(|came| **came == expected).count();
    match &results[..] {
        [Ok(_)] => {}
        [Err(err)] => client.step(format!("gets an error: {err}")),
        _ => print_or_exit(format!("  Of {count} clients, {served} receive {expected}.\n")),
    }
    // A slow server may still be busy with the first client.
    let polite = Client { timeout: timeout * 2, is_loud: false, ..client };
    let came = polite.perform(&ACTS[0]).unwrap_or_else(|err| format!("an error: {err}"));
    let verb = if came == expected { "still serves" } else { "does not serve" };
    print_or_exit(format!("The server {verb}: a new client receives {came}.\n"));
    Ok(ExitCode::from(u8::from(came != expected)))
}

/// A client, and the server that it connects to.
struct Client {
    row: Row,
    address: SocketAddr,
    /// The time that the client waits for a reply.
    timeout: std::time::Duration,
    /// The client prints each step.
    is_loud: bool,
}

impl Client {
    /// Performs an act. Returns words for what the client receives last.
    fn perform(&self, act: &Act) -> io::Result<String> {
        let mut socket = Connection::open(self.address, self.row.kind, self.timeout)?;
        let own = socket.socket.local_addr()?.as_socket().unwrap_or(self.address);
        self.step(format!("connects as {own}"));
        thread::sleep(MOMENT); // The server should accept the connection before it ends.
        if self.row.kind == Kind::Block && act.length > 0 {
            self.step(format!("sends the length {}, in 4 bytes", act.length));
            socket.send(&act.length.to_be_bytes())?;
        }
        let mut came = String::new();
        for (bytes, count, words, enough) in act.turns {
            self.step(format!("sends {words}"));
            match socket.send(&bytes.repeat(*count)) {
                Err(err) if is_timeout(&err) => self.step("waits in send: the buffers are full"),
                result => result?,
            }
            if act.name == "half_close" {
                socket.half_close();
            }
            if *enough > 0 {
                came = self.receive(&mut socket, *enough)?;
                self.step(format!("receives {came}"));
            }
        }
        let is_reset = ["reset", "never_read"].contains(&act.name);
        self.step(if is_reset { "closes the connection with a reset" } else { "disconnects" });
        let close: fn(Connection) = if is_reset { Connection::reset } else { drop };
        close(socket);
        Ok(came)
    }

    /// Waits for one datagram, for a whole length-prefixed message, or for `enough` bytes of another
    /// stream. Returns words for what comes.
    fn receive(&self, socket: &mut Connection, enough: usize) -> io::Result<String> {
        let is_whole = |received: &[u8]| match (self.row.kind, received) {
            (Kind::Datagram, _) => !received.is_empty(),
            (Kind::Block, [a, b, c, d, message @ ..]) => {
                message.len() >= u32::from_be_bytes([*a, *b, *c, *d]) as usize
            }
            (Kind::Block, _) => false,
            _ => received.len() >= enough,
        };
        let mut received = Vec::new();
        let mut end = String::new();
        while !is_whole(&received) && end.is_empty() {
            match socket.receive(&mut received, self.timeout) {
                Ok(0) => end.push_str("the end of the stream"),
                Err(err) if is_timeout(&err) => end = format!("nothing for {:?}", self.timeout),
                result => _ = result?,
            }
        }
        let mut words = vec![shown(self.row.kind, &received), end];
        words.retain(|words| !words.is_empty());
        Ok(words.join(", then "))
    }

    /// Prints what the client does or sees.
    fn step(&self, words: impl std::fmt::Display) {
        if self.is_loud {
            print_or_exit(format!("  The client {words}.\n"));
        }
    }
}
