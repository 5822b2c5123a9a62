//! Sends each text with a newline at its end over one TCP connection, and prints the
//! replies.
//!
//! For lessons 4 and 10 to 18. First start the server in another terminal with
//! `cargo run --example tcp_server`. Then:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1235 "straße"
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` on this
//! machine. The default is 127.0.0.1:1235. Then the texts. Without texts, the client
//! sends the lines of standard input. `[--patience 30]` is the number of seconds to
//! wait for a reply.
//!
//! What to try:
//!
//! - A stream has no messages. This client uses a newline as its own delimiter. A
//!   reply is complete when as many newlines have arrived as the client has sent.
//!   Our servers treat a newline like any other character. If your own server sends
//!   no newline, the client prints a note after one second, and goes on.
//! - The client reads while it writes. Otherwise, a very long text could block both
//!   programs. The server would wait until the client reads the reply. The client
//!   would wait until the server reads the text.
//! - After its last text, the client closes its sending side. It then reads until
//!   the server closes the connection. This is called a half-close.
//! - `tcp_server` and the thread pools reply to one message and then close the
//!   connection. If you send two texts, the second one gets no reply.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::{thread, time::Duration};

use sockets101::{Args, Failure, log_line, no_reply, print_or_exit, show_waiting};

/// The port of lesson 4.
const PORT: u16 = 1235;

/// The default time to wait for a reply, in seconds.
const PATIENCE: f64 = 30.0;

/// The time that the client waits for the rest of a reply.
const SILENCE: Duration = Duration::from_secs(1);

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("tcp_client [IP:PORT [TEXT ...]] [--patience 30]");
    let patience = args.timeout("--patience", PATIENCE);
    let server = args.server_address(PORT)?;

    // `||` turns the call into a closure (a function without a name). `show_waiting`
    // calls the closure.
    let connect = || TcpStream::connect_timeout(&server, patience);
    let mut stream = match show_waiting("a connection", connect) {
        Ok(stream) => stream,
        Err(err) => return Err(no_reply(server, &err)),
    };
    stream.set_write_timeout(Some(patience))?;

    // A second thread reads, so that the client can read while `main` writes. After
    // each read, this thread sends the number of newlines through the channel to
    // `main`.
    let (reports, newlines) = mpsc::channel();
    // `try_clone` returns a second `TcpStream` for the same connection.
    let reader = stream.try_clone()?;
    thread::spawn(move || print_replies(reader, &reports));

    for text in args.texts() {
        let mut message = text?;
        message.push(b'\n');
        // The write fails if the server has closed the connection, or does not read.
        // The server may have replied before that. So `let _` ignores the error, and
        // the client waits for a reply.
        let write = || stream.write_all(&message);
        let _ = show_waiting("the server to read the text", write);
        let result = wait_for_reply(&newlines, count_newlines(&message), patience);
        if let Err(err) = result {
            return Err(no_reply(server, &err));
        }
    }

    // The half-close. It fails only if the connection is already closed.
    let _ = stream.shutdown(Shutdown::Write);
    let wait = || wait_for_close(&newlines, patience);
    if !show_waiting("the server to close the connection", wait) {
        let what = format!("{server} has not closed the connection");
        let advice = "close it in your server when a read returns 0 bytes";
        // `into` converts the text to a `Failure`.
        return Err(format!("{what}; {advice}").into());
    }
    Ok(())
}

/// Prints all bytes from the server as they arrive, until the connection is closed.
fn print_replies(mut stream: TcpStream, reports: &Sender<usize>) {
    let mut buffer = [0; BUFFER_SIZE];
    let mut last_byte = b'\n';
    // `break` returns a value from the loop.
    let result = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(length) => {
                print_or_exit(&buffer[..length]);
                last_byte = buffer[length - 1];
                // Sending fails only if `main` has returned.
                let _ = reports.send(count_newlines(&buffer[..length]));
            }
            Err(err) => break Err(err),
        }
    };
    if last_byte != b'\n' {
        // What the terminal shows next should start on its own line.
        print_or_exit("\n");
    }
    if let Err(err) = result {
        log_line(format!("the connection is lost: {err}"));
    }
    // This thread exits, and Rust drops its channel. Then `main` receives the error
    // `Disconnected`.
}

/// Waits until the reader has printed a reply with `expected` newlines.
fn wait_for_reply(
    newlines: &Receiver<usize>,
    expected: usize,
    patience: Duration,
) -> io::Result<()> {
    let wait = || newlines.recv_timeout(patience);
    let mut count = match show_waiting("a reply", wait) {
        Ok(first) => first,
        Err(RecvTimeoutError::Disconnected) => {
            return Err(io::Error::other("the server closed the connection"));
        }
        Err(RecvTimeoutError::Timeout) => {
            let seconds = patience.as_secs_f64();
            let why = format!("timed out: nothing received for {seconds} s");
            return Err(io::Error::new(ErrorKind::TimedOut, why));
        }
    };
    while count < expected {
        match newlines.recv_timeout(SILENCE) {
            Ok(more) => count += more,
            // All of the reply has been printed.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                log_line(" (no newline received for a second; continuing)");
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Waits until the server has closed the connection. Returns false if the client
/// receives nothing for the time `patience`.
fn wait_for_close(newlines: &Receiver<usize>, patience: Duration) -> bool {
    loop {
        match newlines.recv_timeout(patience) {
            Ok(_) => {}
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// Returns the number of newlines in `bytes`.
fn count_newlines(bytes: &[u8]) -> usize {
    let mut count = 0;
    for byte in bytes {
        if *byte == b'\n' {
            count += 1;
        }
    }
    count
}
