//! The pool of `thread_pool`, whose threads end when no client comes for a while.
//!
//! Slide 17, "pool with timeout". In one terminal:
//!
//! ```text
//! $ cargo run --example thread_pool_timeout -- --timeout 3
//! server ready on 127.0.0.1:1240
//! worker-1: 127.0.0.1:50412 connected
//! worker-1: 127.0.0.1:50412 left
//! Socket timed out, exiting thread
//! Socket timed out, exiting thread
//! Socket timed out, exiting thread
//! Socket timed out, exiting thread
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1240 "straße"
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]`, where to listen; by default 127.0.0.1:1240, which only this
//! machine reaches, and `0.0.0.0:1240` opens it to the room. `[--timeout 20]`, the
//! seconds that a thread waits for a client, and then for what that client says.
//!
//! What to look for:
//!
//! - The main thread waits for the four, so the program ends by itself when the last one
//!   does. A program that lived on with its listener open would go on accepting, in the
//!   system's queue, clients that nobody will ever answer.
//! - Connect a client every ten seconds, and threads end all the same: each counts its own
//!   wait, and a client that another thread gets does not stop the clock. Under light
//!   traffic the pool shrinks, and nothing makes it grow again.
//! - A time limit on `accept` is none on `read`: each client's socket gets its own. Start
//!   `tcp_client -- 1240` without a text and wait: `dropped: silent for 3 s`. (The
//!   listener is non-blocking and `accept_within` waits: so does Python's `settimeout`.)
//! - What `thread_pool` does not have is marked with `timeout`; apart from that, the limit
//!   is only handed on.

// ANCHOR: program
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, accept_within, cannot_listen};
use sockets101::{call_failed, ended, hang_up, not_utf8, tell, within};

/// The slide's port.
const PORT: u16 = 1240;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// How many threads serve.
const THREADS: usize = 4;

/// timeout: how long a thread waits for a client, and for its message, in seconds.
const TIMEOUT: f64 = 20.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("thread_pool_timeout [IP:PORT] [--timeout 20]");
    let timeout = args.seconds("--timeout", TIMEOUT, 0.001); // timeout
    let address = args.listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    // The scope ends when all its threads have, and the program with it. (If
    // the system refuses a thread, those that run go on without it.)
    thread::scope(|pool| {
        for number in 1..=THREADS {
            let thread = thread::Builder::new().name(format!("worker-{number}"));
            thread.spawn_scoped(pool, || serve(&listener, timeout))?;
        }
        Ok(())
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.set_nonblocking(true)?; // timeout: accept_within waits, accept must not
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(listener: &TcpListener, timeout: Duration) {
    loop {
        // timeout: in place of listener.accept()
        match accept_within(listener, timeout) {
            Ok((client, peer)) => {
                tell(peer, "connected");
                // timeout: the socket has the same limit; `within` names the
                // silence.
                let visit = within(timeout, || handle_client(&client));
                hang_up(client);
                ended(peer, &visit);
            }
            Err(err) if err.kind() == ErrorKind::TimedOut => break, // timeout
            Err(err) => call_failed("accept", &err),
        }
    }
    // timeout: println! would panic if nobody read stdout any more.
    let _ = writeln!(io::stdout(), "Socket timed out, exiting thread");
}

fn handle_client(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; CHUNK];
    let length = client.read(&mut buffer)?;
    // The good text before the first flaw; of no bytes at all there is none.
    let Some(chunk) = buffer[..length].utf8_chunks().next() else { return Ok(()) };
    client.write_all(chunk.valid().to_uppercase().as_bytes())?;
    if chunk.invalid().is_empty() { Ok(()) } else { Err(not_utf8()) }
}
// ANCHOR_END: program
