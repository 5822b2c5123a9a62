//! A server whose messages have a length in front, so that both sides know where each
//! one ends.
//!
//! Slide 9, "TCP server with recvall". In one terminal:
//!
//! ```text
//! $ cargo run --example recvall_server
//! server ready on 127.0.0.1:1241
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! 127.0.0.1:50414 connected
//! 127.0.0.1:50414 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example block_client -- 1241 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, where to listen; by default 127.0.0.1:1241, which only this
//! machine reaches. `0.0.0.0:1241` opens it to the room.
//!
//! What to look for:
//!
//! - `recvall`, `put_block` and `get_block` are in `src/block.rs`: read them with this
//!   file. However the network cuts a block, it comes out whole, newlines and all.
//! - A length is only a claim. One over `MAX_BLOCK` (16 MiB) is refused, and one below
//!   it costs no memory until its bytes come.
//! - Send something that is no block, `tcp_client -- 1241 "hello"`: its first four
//!   bytes, `hell`, announce 1,751,477,356 bytes.
//! - A client that leaves inside a block is told of as `dropped: N of M bytes left`, and
//!   the next client is served.

// ANCHOR: program
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, get_block, put_block};
use sockets101::{call_failed, ended, hang_up, not_utf8, tell};

/// The slide's port.
const PORT: u16 = 1241;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: i32 = 1;

fn main() -> Result<(), Failure> {
    let address = Args::new("recvall_server [IP:PORT]").listen_address(PORT);
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

fn handle_client(client: &TcpStream) -> io::Result<()> {
    let message = get_block(client)?;
    let text = str::from_utf8(&message).map_err(|_| not_utf8())?;
    put_block(client, text.to_uppercase().as_bytes())
}
// ANCHOR_END: program
