//! The service of `thread_per_client`, where each answer takes five seconds of work.
//!
//! Slide 15, "one slow thread per client". In one terminal:
//!
//! ```text
//! $ cargo run --example slow_thread_per_client -- --delay 1.5
//! server ready on 127.0.0.1:1238
//! client-1: 127.0.0.1:50412 connected
//! client-1: 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1238 "hello"
//! waiting for an answer ...
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, where to listen; by default 127.0.0.1:1238, which only this
//! machine reaches, and `0.0.0.0:1238` opens it to the room. `[--delay 5]`, the seconds
//! that an answer takes.
//!
//! What to look for:
//!
//! - Start it without `--delay`, and four clients at the same time: each has its answer
//!   after 5 seconds. `slow_sequential_server` keeps the fourth waiting for 20.
//! - One client with two texts still waits for 10 seconds: a conversation has one thread,
//!   and threads shorten the queue, not the work.
//! - What `thread_per_client` does not have is marked with `slow`; apart from that, the delay
//!   is only handed on.

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, tell};

/// The slide's port.
const PORT: u16 = 1238;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

/// slow: how long an answer takes, in seconds.
const DELAY: f64 = 5.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("slow_thread_per_client [IP:PORT] [--delay 5]");
    let delay = args.seconds("--delay", DELAY, 0.0); // slow
    let address = args.listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    for number in 1_u64.. {
        match listener.accept() {
            Ok((client, peer)) => {
                let thread = thread::Builder::new().name(format!("client-{number}"));
                if let Err(err) = thread.spawn(move || serve(client, peer, delay)) {
                    tell(peer, "dropped: no thread for it");
                    call_failed("start a thread", &err);
                }
            }
            Err(err) => call_failed("accept", &err),
        }
    }
    Ok(())
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(client: TcpStream, peer: SocketAddr, delay: Duration) {
    tell(peer, "connected");
    let visit = handle_client(&client, delay);
    hang_up(client);
    ended(peer, &visit);
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
