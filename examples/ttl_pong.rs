//! The far end of a distance meter: it answers `PONG` to anything.
//!
//! Slide 3, "UDP server (TTL estimator)". In one terminal:
//!
//! ```text
//! $ cargo run --example ttl_pong
//! server ready on 127.0.0.1:1234
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example ttl_ping -- 1234
//! TTL 1: PONG
//! 1 hops
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1234, which only this
//! machine reaches. `0.0.0.0:1234` opens it to the room.
//!
//! What to look for:
//!
//! - The server knows nothing of TTLs. The client sends with a time to live of 1, 2, 3
//!   and so on; each router on the way takes 1 off and drops what reaches 0. The first
//!   PONG tells the distance.
//! - Run it on two machines: `ttl_pong -- 0.0.0.0:1234` on one, `ttl_ping -- IP:1234` on
//!   the other. On the same network there is no router between them: still 1.
//! - An empty datagram is a datagram, and gets its PONG.

// ANCHOR: program
use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, call_failed, cannot_listen, tell};

/// The slide's port.
const PORT: u16 = 1234;

/// The buffer for what comes, in bytes. Nobody looks at it.
const LONGEST: usize = 2048;

fn main() -> Result<(), Failure> {
    let address = Args::new("ttl_pong [IP:PORT]").listen_address(PORT);
    let socket = bind(address).map_err(|err| cannot_listen(address, &err))?;
    let own = socket.local_addr()?;
    println!("server ready on {own}");

    let mut buffer = [0; LONGEST];
    loop {
        match socket.recv_from(&mut buffer) {
            // A PONG that comes from our own port number could be answered for ever.
            Ok((_, peer)) if peer.port() == own.port() => {
                tell(peer, "dropped: sent from our own port number");
            }
            Ok((_, peer)) => {
                if socket.send_to(b"PONG", peer).is_err() {
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
