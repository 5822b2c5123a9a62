//! Exercise 9: a server for length-prefixed messages whose replies are sometimes
//! wrong or missing.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use byteorder::{ByteOrder, NetworkEndian};
use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, MAX_BLOCK, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line, put_block};

/// The port of the slide.
const PORT: u16 = 1241;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

/// The size of the length prefix, in bytes.
const PREFIX_SIZE: usize = 4;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_9 [IP:PORT]");
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

/// Receives one length-prefixed message and returns its bytes.
fn get_block(client: &TcpStream) -> io::Result<Vec<u8>> {
    let prefix = recvall(client, PREFIX_SIZE)?;
    let length = NetworkEndian::read_u32(&prefix) as usize;
    if length > MAX_BLOCK {
        return Err(io::Error::other(format!("message too long ({length} bytes)")));
    }
    recvall(client, length)
}

/// Reads `length` bytes from a stream.
fn recvall(mut client: &TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while data.len() < length {
        let missing = length - data.len();
        // Do not read beyond the end of this message, because the next bytes belong
        // to the next message.
        let limit = missing.min(buffer.len());
        let count = client.read(&mut buffer[..limit])?;
        if count == 0 {
            let why = format!("{missing} of {length} bytes missing");
            return Err(io::Error::other(why));
        }
        data.extend_from_slice(&buffer[..count]);
    }
    Ok(data)
}
