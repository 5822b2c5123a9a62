//! The server of lesson 10 (`sequential_server`), with a longer queue of pending
//! connections.
//!
//! Slide 11, "the impact of listen". In one terminal:
//!
//! ```text
//! $ cargo run --example listen_backlog -- --backlog 1
//! server ready on 127.0.0.1:1236
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1236 "hello"
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1236,
//! which only programs on this machine can reach. `0.0.0.0:1236` also accepts other
//! machines on the network. `[--backlog 100]`, the length of the queue of pending
//! connections that the server asks for.
//!
//! What to try:
//!
//! - Start the server with `cargo run --example listen_backlog -- --backlog 1`. Run
//!   `cargo run --example tcp_client -- 1236 --patience 300` in four other
//!   terminals, one after the other. Do not type anything. The server serves the
//!   first client. On Linux, the next two clients wait in the queue, because
//!   `listen(n)` lets n + 1 connections wait. These clients cannot tell that the
//!   server has not accepted them. The kernel completes their handshakes and buffers
//!   what they send.
//! - On Linux, `ss -ltn` shows the queue on the line of port 1236. Recv-Q is 2, the
//!   number of pending connections. Send-Q is 1, the backlog.
//! - The fourth client prints `waiting for a connection ...`, because the kernel of
//!   the server drops its SYN. The kernel of the client retransmits the SYN. Linux
//!   6.5 and later and macOS do so after 1, 2, 3, 4, 5, 7, 11 and 19 s. Older Linux
//!   kernels do so after 1, 3, 7 and 15 s. Stop the first client with Ctrl-D. The
//!   fourth client connects at the next retransmission, not immediately.
//! - Start the server with `cargo run --example listen_backlog`. All four clients
//!   connect, because the default is 100. A longer queue hides a slow server, but
//!   does not make it faster.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1236;

/// The default length of the queue of pending connections that the server asks for.
const BACKLOG: u16 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("listen_backlog [IP:PORT] [--backlog 100]");
    let backlog = args.option("--backlog", BACKLOG);
    let address = args.listen_address(PORT);
    let listener = match listen(address, backlog) {
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

fn listen(address: SocketAddr, backlog: u16) -> io::Result<TcpListener> {
    // The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default protocol.
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // With SO_REUSEADDR, the server can use the port again immediately after a
    // restart. On Windows, SO_REUSEADDR would let another program listen on the same
    // port.
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(i32::from(backlog))?;
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
