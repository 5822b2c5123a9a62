//! A server that gives each client a thread of its own.
//!
//! Slide 14, "one thread per client". In one terminal:
//!
//! ```text
//! $ cargo run --example thread_per_client
//! server ready on 127.0.0.1:1237
//! client-1: 127.0.0.1:50412 connected
//! client-1: 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1237 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1237, which only this
//! machine reaches. `0.0.0.0:1237` opens it to the room.
//!
//! What to look for:
//!
//! - `handle_client` is that of `sequential_server`, unchanged. It may block: it blocks
//!   its own thread, and the others go on. Try two clients without a text, side by side.
//! - `accept` stays in the main thread, so that somebody is always there for the next
//!   client.
//! - A thread costs memory and time to start, and anybody can make us start one: here
//!   the clients decide how many there are. When the system refuses another, that client
//!   is dropped, and the server goes on.
//! - Ctrl-C ends the process, whatever its threads are doing.

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, tell};

/// The slide's port.
const PORT: u16 = 1237;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

fn main() -> Result<(), Failure> {
    let address = Args::new("thread_per_client [IP:PORT]").listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

    for number in 1_u64.. {
        match listener.accept() {
            Ok((client, peer)) => {
                let thread = thread::Builder::new().name(format!("client-{number}"));
                if let Err(err) = thread.spawn(move || serve(client, peer)) {
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

fn serve(client: TcpStream, peer: SocketAddr) {
    tell(peer, "connected");
    let visit = handle_client(&client);
    hang_up(client);
    ended(peer, &visit);
}

fn handle_client(mut client: &TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; CHUNK];
    while let length @ 1.. = client.read(&mut buffer)? {
        let (text, verdict) = decoder.feed(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes()).and(verdict)?;
    }
    decoder.finish()
}
// ANCHOR_END: program
