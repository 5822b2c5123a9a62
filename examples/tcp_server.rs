//! A stream server that serves one client after another, one message each.
//!
//! Slide 4, "TCP server (sequential)". In one terminal:
//!
//! ```text
//! $ cargo run --example tcp_server
//! server ready on 127.0.0.1:1235
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1235 "straße"
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1235, which only this
//! machine reaches. `0.0.0.0:1235` opens it to the room.
//!
//! What to look for:
//!
//! - One read is not one message. A read returns what has arrived: of 5,000 bytes sent at
//!   once, 4,096 at most are answered, and a client that sends in two goes may be
//!   answered for the first alone. A character that the read cuts in two is lost.
//!   `recvall_server` and `sequential_server` are the two ways out.
//! - There are two kinds of socket: the listening one carries no data, and `accept`
//!   returns a new one for each client.
//! - Without `hang_up`, closing with bytes still unread resets the connection, and the
//!   client can lose the reply that was already on its way.
//! - Start it, meet it with a client, stop it with Ctrl-C, start it again at once:
//!   `SO_REUSEADDR` is why the port is free (Windows does not need it).

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, not_utf8, tell};

/// The slide's port.
const PORT: u16 = 1235;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 1;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

fn main() -> Result<(), Failure> {
    let address = Args::new("tcp_server [IP:PORT]").listen_address(PORT);
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
    let mut buffer = [0; CHUNK];
    let length = client.read(&mut buffer)?;
    // The good text before the first flaw; of no bytes at all there is none.
    let Some(chunk) = buffer[..length].utf8_chunks().next() else { return Ok(()) };
    client.write_all(chunk.valid().to_uppercase().as_bytes())?;
    if chunk.invalid().is_empty() { Ok(()) } else { Err(not_utf8()) }
}
// ANCHOR_END: program
