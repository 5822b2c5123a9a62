//! A TCP server that serves one client after another. Each client can send several
//! requests on its connection.
//!
//! Slide 10, "sequential TCP server (with function)". In one terminal:
//!
//! ```text
//! $ cargo run --example sequential_server
//! server ready on 127.0.0.1:1234
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1234 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1234,
//! which only programs on this machine can reach. `0.0.0.0:1234` also accepts other
//! machines on the network.
//!
//! What to try:
//!
//! - A read that returns 0 bytes means that the client has closed its sending side.
//!   It is not an empty message, because a stream has no messages.
//! - A read can end anywhere, even inside `é`. The decoder keeps the first half of
//!   the character until the second half arrives, so the reply is always correct.
//! - Start `cargo run --example tcp_client -- 1234` without a text, and do not type
//!   anything. Start a second client. It connects, because the kernel completes the
//!   handshake. It can also send, because the kernel buffers the bytes. But it gets
//!   no reply until the first client disconnects. So one silent client blocks all
//!   other clients.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1234;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let args = Args::new("sequential_server [IP:PORT]");
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    loop {
        match listener.accept() {
            Ok((mut client, peer)) => {
                log_event(peer, "connected");
                // Do not use `?` here, because an error of one client must not stop
                // the server.
                let result = handle_client(&mut client);
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

fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            // The client has closed its sending side. `finish` returns an error if
            // the last character is not complete.
            return decoder.finish();
        }
        // `valid` is false if there are invalid bytes after `text`.
        let (text, valid) = decoder.decode(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes())?;
        if !valid {
            return Err(io::Error::other("invalid UTF-8"));
        }
    }
}
