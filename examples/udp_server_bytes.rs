//! A datagram server: whatever bytes come, it sends them back in upper case.
//!
//! Slide 1, "UDP server (bytes)". In one terminal:
//!
//! ```text
//! $ cargo run --example udp_server_bytes
//! server ready on 127.0.0.1:1235
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example udp_client -- 1235 "hello" "café"
//! HELLO
//! CAFé
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1235, which only this
//! machine reaches. `0.0.0.0:1235` opens it to the room.
//!
//! What to look for:
//!
//! - `é` stays as it is: upper case of bytes knows the 26 letters of ASCII and leaves
//!   every other byte alone. `udp_server` reads the bytes as text.
//! - No listen, no accept, no close: one socket talks with everybody, and each datagram
//!   says where it came from. Send an empty one, `udp_client -- 1235 ""`, and an empty
//!   one comes back.
//! - A datagram is received whole or cut, never in two parts: of 3,000 bytes the buffer
//!   takes 2,048, and the rest is gone (Windows drops such a datagram altogether).
//! - Whoever can forge a source address can make a server write to itself, or to another
//!   echo server, for ever. So this one does not answer its own port number.

// ANCHOR: program
use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, call_failed, cannot_listen, tell};

/// The slide's port.
const PORT: u16 = 1235;

/// The longest datagram that is received whole, in bytes.
const LONGEST: usize = 2048;

fn main() -> Result<(), Failure> {
    let address = Args::new("udp_server_bytes [IP:PORT]").listen_address(PORT);
    let socket = bind(address).map_err(|err| cannot_listen(address, &err))?;
    let own = socket.local_addr()?;
    println!("server ready on {own}");

    let mut buffer = [0; LONGEST];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((_, peer)) if peer.port() == own.port() => {
                tell(peer, "dropped: sent from our own port number");
            }
            Ok((length, peer)) => {
                let reply = buffer[..length].to_ascii_uppercase();
                if socket.send_to(&reply, peer).is_err() {
                    tell(peer, "dropped: cannot be replied to");
                }
            }
            Err(err) => call_failed("receive", &err),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}
// ANCHOR_END: program
