//! The service of `sequential_server`, where each answer takes five seconds of work.
//!
//! Slide 12, "slow sequential". In one terminal:
//!
//! ```text
//! $ cargo run --example slow_sequential_server -- --delay 1.5
//! server ready on 127.0.0.1:1237
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1237 "hello"
//! waiting for an answer ...
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, where to listen; by default 127.0.0.1:1237, which only this
//! machine reaches, and `0.0.0.0:1237` opens it to the room. `[--delay 5]`, the seconds
//! that an answer takes.
//!
//! What to look for:
//!
//! - Start it without `--delay`, and a client in each of two other terminals, at the same
//!   time: the first has its answer after 5 seconds, the second after 10. Four clients
//!   need 20. Everybody pays for everybody before.
//! - The sleep stands for work that waits: a disk, a database, another server. The
//!   processor is idle all the while, and so are the clients. `slow_thread_per_client`
//!   sleeps just as long.
//! - What differs from `sequential_server`, the delay and the queue of 100, is marked with
//!   `slow`; apart from that, the delay is only handed on.

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, tell};

/// The slide's port.
const PORT: u16 = 1237;

/// slow: how many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// slow: how long an answer takes, in seconds.
const DELAY: f64 = 5.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("slow_sequential_server [IP:PORT] [--delay 5]");
    let delay = args.seconds("--delay", DELAY, 0.0); // slow
    let address = args.listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                tell(peer, "connected");
                let visit = handle_client(&client, delay);
                hang_up(client);
                ended(peer, &visit);
            }
            Err(err) => call_failed("accept", &err),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn handle_client(mut client: &TcpStream, delay: Duration) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; CHUNK];
    while let length @ 1.. = client.read(&mut buffer)? {
        thread::sleep(delay); // slow
        let (text, verdict) = decoder.feed(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes()).and(verdict)?;
    }
    decoder.finish()
}
// ANCHOR_END: program
