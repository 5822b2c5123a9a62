//! A datagram server that reads the bytes as text before it sends them back in upper
//! case.
//!
//! Slide 2, "UDP server (text)". In one terminal:
//!
//! ```text
//! $ cargo run --example udp_server
//! server ready on 127.0.0.1:1235
//! HELLO
//! STRASSE
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example udp_client -- 1235 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1235, which only this
//! machine reaches. `0.0.0.0:1235` opens it to the room.
//!
//! What to look for:
//!
//! - The reply can be longer than the message: the 2 bytes of `ΐ` become 6. And `straße`, six
//!   letters, becomes seven, in 7 bytes both. Letters, characters and bytes are counted
//!   differently.
//! - Anybody can send bytes that are not UTF-8. They cost that datagram, told of on
//!   stderr, and not the server: what comes from the network is data, never a promise.
//! - A text over 2,048 bytes is cut by the buffer. Cut inside a character it is not
//!   UTF-8 any more, and is dropped.
//! - Start it with `| head -1` behind the command, so that nobody reads its second line: a
//!   message that cannot be printed is still answered.

// ANCHOR: program
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::str;

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, call_failed, cannot_listen, tell};

/// The slide's port.
const PORT: u16 = 1235;

/// The longest datagram that is received whole, in bytes.
const LONGEST: usize = 2048;

fn main() -> Result<(), Failure> {
    let address = Args::new("udp_server [IP:PORT]").listen_address(PORT);
    let socket = bind(address).map_err(|err| cannot_listen(address, &err))?;
    let own = socket.local_addr()?;
    println!("server ready on {own}");

    let mut buffer = [0; LONGEST];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((_, peer)) if peer.port() == own.port() => {
                tell(peer, "dropped: sent from our own port number");
            }
            Ok((length, peer)) => match str::from_utf8(&buffer[..length]) {
                Ok(text) => answer(&socket, peer, &text.to_uppercase()),
                Err(_) => tell(peer, "dropped: not UTF-8"),
            },
            Err(err) => call_failed("receive", &err),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn answer(socket: &UdpSocket, peer: SocketAddr, reply: &str) {
    // println! would panic, and end the server, if nobody read stdout any more.
    let _ = writeln!(io::stdout(), "{reply}");
    if socket.send_to(reply.as_bytes(), peer).is_err() {
        tell(peer, "dropped: cannot be replied to");
    }
}
// ANCHOR_END: program
