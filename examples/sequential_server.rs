//! A server that talks with one client for as long as that client likes, and only then
//! with the next.
//!
//! Slide 10, "sequential TCP server (with function)". In one terminal:
//!
//! ```text
//! $ cargo run --example sequential_server
//! server ready on 127.0.0.1:1234
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1234 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1234, which only this
//! machine reaches. `0.0.0.0:1234` opens it to the room.
//!
//! What to look for:
//!
//! - A read of 0 bytes is how the other side says that it has ended. It is not an empty
//!   message: a stream has none.
//! - A stream can be cut anywhere, inside `é` too. The decoder keeps the first half of a
//!   character until the second has come, so that the cuts make no difference.
//! - Start `tcp_client -- 1234` without a text and leave it waiting for your lines. A second
//!   client still connects, since the system accepts for the server, and can still send,
//!   since the system takes its bytes; but it gets no answer. One silent client stops
//!   everybody.

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, tell};

/// The slide's port.
const PORT: u16 = 1234;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 1;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

fn main() -> Result<(), Failure> {
    let address = Args::new("sequential_server [IP:PORT]").listen_address(PORT);
    let listener = listen(address).map_err(|err| cannot_listen(address, &err))?;
    println!("server ready on {}", listener.local_addr()?);

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

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
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
