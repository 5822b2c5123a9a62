//! Sends each text with a newline over one connection and prints the answers.
//!
//! For slides 4 and 10 to 18. With a server in another terminal,
//! `cargo run --example tcp_server`:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1235 "straße"
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` of this machine; by
//! default 127.0.0.1:1235. Then the texts; without any, lines from standard input.
//! `[--patience 30]`, the seconds to wait for an answer.
//!
//! What to look for:
//!
//! - A stream has no messages. The newline is this client's own mark: it knows that an
//!   answer is whole when that comes back. The servers know nothing of it.
//! - It reads while it writes: with a text longer than what the system keeps in between,
//!   the server would wait for us to read its answer, and we for it to read our text.
//! - When all is said it ends its side, and reads on until the server ends too: a
//!   half-close.
//! - `tcp_server` and the pools answer one message and close: a second text gets no answer.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::{thread, time::Duration};

use sockets101::{Args, Failure, no_answer, while_waiting, within};

/// The port of slide 4.
const PORT: u16 = 1235;

/// How long to wait for an answer, in seconds.
const PATIENCE: f64 = 30.0;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("tcp_client [IP:PORT [TEXT ...]] [--patience 30]");
    let patience = args.seconds("--patience", PATIENCE, 0.001);
    let server = args.server_address(PORT)?;
    let failed = |err| no_answer(server, &err);

    let connect = || TcpStream::connect_timeout(&server, patience);
    let stream = while_waiting("a connection", connect).map_err(failed)?;
    stream.set_read_timeout(Some(patience))?;
    for text in args.texts() {
        let message = [&*text?, b"\n"].concat();
        ask(&stream, &message, patience).map_err(failed)?;
    }
    stream.shutdown(Shutdown::Write).map_err(failed)?;
    receive(&stream, usize::MAX, patience).map_err(failed)
}

/// Sends the message and prints the answer, which has as many newlines.
fn ask(mut stream: &TcpStream, message: &[u8], limit: Duration) -> io::Result<()> {
    thread::scope(|both| {
        both.spawn(move || stream.write_all(message));
        let outcome = receive(stream, newlines(message), limit);
        if outcome.is_err() {
            // Ends the write, too, which the server may have kept waiting.
            let _ = stream.shutdown(Shutdown::Both);
        }
        outcome
    })
}

/// Prints what comes until so many newlines have, `usize::MAX` being all there are.
fn receive(mut stream: &TcpStream, lines: usize, limit: Duration) -> io::Result<()> {
    let mut buffer = [0; CHUNK];
    let mut missing = lines;
    while missing > 0 {
        let read = || within(limit, || stream.read(&mut buffer));
        match while_waiting("an answer", read)? {
            0 if lines == usize::MAX => return Ok(()),
            0 => return Err(io::Error::other("the connection ended before it")),
            length => {
                io::stdout().write_all(&buffer[..length])?;
                missing = missing.saturating_sub(newlines(&buffer[..length]));
            }
        }
    }
    Ok(())
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}
