//! A server with four threads, started once, that take turns at `accept`.
//!
//! Slide 16, "pool of threads". In one terminal:
//!
//! ```text
//! $ cargo run --example thread_pool
//! server ready on 127.0.0.1:1239
//! worker-1: 127.0.0.1:50412 connected
//! worker-1: 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1239 "straße"
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1239, which only this
//! machine reaches. `0.0.0.0:1239` opens it to the room.
//!
//! What to look for:
//!
//! - All four threads call `accept` on the same listener, and the system gives each
//!   client to one of them. The main thread only waits for the others.
//! - However many clients come, there are four threads: a bound that the server sets, and
//!   not its clients. The price: start `tcp_client -- 1239` without a text in four
//!   terminals, and a fifth client waits until one of them is done.
//! - As in `tcp_server`, one message a connection, and one read is not one message: of
//!   5,000 bytes sent at once 4,096 at most are answered, and a character that the read
//!   cuts in two is lost.
//! - A thread that ended at its first reset or bad byte would leave three, and the fourth
//!   such client would have stopped the server. Here an error ends one visit.

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, not_utf8, tell};

/// The slide's port.
const PORT: u16 = 1239;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// How many threads serve.
const THREADS: usize = 4;

fn main() -> Result<(), Failure> {
    let address = Args::new("thread_pool [IP:PORT]").listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    // The scope ends when all its threads have, and the program with it. (If
    // the system refuses a thread, those that run go on without it.)
    thread::scope(|pool| {
        for number in 1..=THREADS {
            let thread = thread::Builder::new().name(format!("worker-{number}"));
            thread.spawn_scoped(pool, || serve(&listener))?;
        }
        Ok(())
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                tell(peer, "connected");
                let visit = handle_client(&client);
                hang_up(client);
                ended(peer, &visit);
            }
            Err(err) => call_failed("accept", &err),
        }
    }
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
