//! A TCP server whose messages begin with their length, so that both programs know
//! where a message ends.
//!
//! Slide 9, "TCP server with recvall". In one terminal:
//!
//! ```text
//! $ cargo run --example recvall_server
//! server ready on 127.0.0.1:1241
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 disconnected
//! 127.0.0.1:50414 connected
//! 127.0.0.1:50414 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example block_client -- 1241 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1241,
//! which only programs on this machine can reach. `0.0.0.0:1241` also accepts other
//! machines on the network.
//!
//! What to try:
//!
//! - Read `src/framing.rs` together with this file. It has `recvall`, `put_block`
//!   and `get_block`. TCP can deliver a message in several pieces, but `get_block`
//!   returns the complete message. The message can contain any bytes, even newlines.
//! - Never trust a length that a client sends. The server rejects a length above
//!   `MAX_BLOCK` (16 MiB). For a smaller length, it allocates memory only as the
//!   bytes arrive.
//! - Send something that is not a length-prefixed message:
//!   `cargo run --example tcp_client -- 1241 "hello"`. The server reads the first
//!   four bytes, `hell`, as a length of 1,751,477,356 bytes, and drops the client.
//! - If a client disconnects in the middle of a message, the server prints
//!   `dropped: ...` with the number of missing bytes. Then it serves the next
//!   client.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, close_gracefully, get_block};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line, put_block};

/// The port of the slide.
const PORT: u16 = 1241;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

fn main() -> Result<(), Failure> {
    let args = Args::new("recvall_server [IP:PORT]");
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                log_event(peer, "connected");
                // Do not use `?` here, because an error of one client must not stop
                // the server.
                let result = handle_client(&client);
                close_gracefully(client);
                log_disconnect(peer, &result);
            }
            // The error may last, for example if the server has no more file
            // descriptors (a socket needs one). The pause keeps the log short.
            Err(err) => log_and_pause("accept", &err),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default protocol.
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // With SO_REUSEADDR, the server can use the port again immediately after a
    // restart. On Windows, SO_REUSEADDR would let another program listen on the same
    // port.
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn handle_client(client: &TcpStream) -> io::Result<()> {
    // `&TcpStream` can read and write, too. Rust copies this reference for the call
    // of `get_block`, so we can pass it to `put_block`, too.
    let message = get_block(client)?;
    match str::from_utf8(&message) {
        Ok(text) => put_block(client, text.to_uppercase().as_bytes()),
        Err(_) => Err(io::Error::other("invalid UTF-8")),
    }
}
