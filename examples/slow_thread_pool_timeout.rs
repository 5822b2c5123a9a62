//! The pool of `thread_pool_timeout`, where each answer takes five seconds of work.
//!
//! Slide 18, "slow pool with timeout". In one terminal:
//!
//! ```text
//! $ cargo run --example slow_thread_pool_timeout -- --delay 1.5 --timeout 3
//! server ready on 127.0.0.1:1241
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
//! $ cargo run --example tcp_client -- 1241 "hello"
//! waiting for an answer ...
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, where to listen; by default 127.0.0.1:1241, which only this
//! machine reaches, and `0.0.0.0:1241` opens it to the room. `[--delay 5]`, the seconds
//! that an answer takes. `[--timeout 20]`, the seconds that a thread waits for a client,
//! and then for what that client says.
//!
//! What to look for:
//!
//! - Start it without options, and eight clients at the same time: four have their answer
//!   after 5 seconds, four after 10. With one thread each it was 5 for all of them, in a
//!   row it was up to 40.
//! - A thread that is busy does not count its time: the limit starts anew with each
//!   `accept`. The idle ones end, as in `thread_pool_timeout`: under light traffic the
//!   pool shrinks.
//! - What `thread_pool_timeout` does not have is marked with `slow`; apart from that, the delay
//!   is only handed on.

// ANCHOR: program
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, accept_within, cannot_listen};
use sockets101::{call_failed, ended, hang_up, not_utf8, tell, within};

/// The slide's port.
const PORT: u16 = 1241;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// How many threads serve.
const THREADS: usize = 4;

/// slow: how long an answer takes, in seconds.
const DELAY: f64 = 5.0;

/// How long a thread waits for a client, and for its message, in seconds.
const TIMEOUT: f64 = 20.0;

fn main() -> Result<(), Failure> {
    let mut args =
        Args::new("slow_thread_pool_timeout [IP:PORT] [--delay 5] [--timeout 20]");
    let timeout = args.seconds("--timeout", TIMEOUT, 0.001);
    let delay = args.seconds("--delay", DELAY, 0.0); // slow
    let address = args.listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    // The scope ends when all its threads have, and the program with it. (If
    // the system refuses a thread, those that run go on without it.)
    thread::scope(|pool| {
        for number in 1..=THREADS {
            let thread = thread::Builder::new().name(format!("worker-{number}"));
            thread.spawn_scoped(pool, || serve(&listener, timeout, delay))?;
        }
        Ok(())
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.set_nonblocking(true)?; // accept_within waits, accept must not
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(listener: &TcpListener, timeout: Duration, delay: Duration) {
    loop {
        match accept_within(listener, timeout) {
            Ok((client, peer)) => {
                tell(peer, "connected");
                let visit = within(timeout, || handle_client(&client, delay));
                hang_up(client);
                ended(peer, &visit);
            }
            Err(err) if err.kind() == ErrorKind::TimedOut => break,
            Err(err) => call_failed("accept", &err),
        }
    }
    // println! would panic if nobody read stdout any more.
    let _ = writeln!(io::stdout(), "Socket timed out, exiting thread");
}

fn handle_client(mut client: &TcpStream, delay: Duration) -> io::Result<()> {
    let mut buffer = [0; CHUNK];
    let length = client.read(&mut buffer)?;
    // The good text before the first flaw; of no bytes at all there is none.
    let Some(chunk) = buffer[..length].utf8_chunks().next() else { return Ok(()) };
    thread::sleep(delay); // slow
    client.write_all(chunk.valid().to_uppercase().as_bytes())?;
    if chunk.invalid().is_empty() { Ok(()) } else { Err(not_utf8()) }
}
// ANCHOR_END: program
