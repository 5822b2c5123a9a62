//! Exercise 10: a sequential server that disconnects clients in the middle of their
//! text.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1234;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_10 [IP:PORT]");
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
    // The bytes that the server has not replied to yet.
    let mut received = Vec::new();
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            // The client has closed its sending side.
            if !received.is_empty() {
                return Err(io::Error::other("invalid UTF-8"));
            }
            return Ok(());
        }
        received.extend_from_slice(&buffer[..length]);
        let (valid_length, is_valid) = match str::from_utf8(&received) {
            Ok(text) => (text.len(), true),
            // The bytes before the error are valid text. Without an error length,
            // the last character is only incomplete.
            Err(err) => (err.valid_up_to(), err.error_len().is_none()),
        };
        let text = String::from_utf8_lossy(&received[..valid_length]);
        client.write_all(text.to_uppercase().as_bytes())?;
        if !is_valid {
            return Err(io::Error::other("invalid UTF-8"));
        }
        // `drain` removes the bytes that the server has replied to. The first bytes
        // of an incomplete character stay for the next read.
        received.drain(..valid_length);
    }
}
