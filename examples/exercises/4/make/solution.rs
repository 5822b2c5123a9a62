//! Exercise 4, make: a TCP server with one message and one reply for each client.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1235;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

/// The largest length of a line, in bytes: 64 KiB.
const MAX_LINE: u64 = 64 * 1024;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_4_make [IP:PORT]");
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
    let received = read_line(client)?;
    match str::from_utf8(&received) {
        Ok(text) => client.write_all(text.to_uppercase().as_bytes()),
        Err(err) => {
            // Reply to the valid text before the first invalid byte.
            let valid = &received[..err.valid_up_to()];
            let text = String::from_utf8_lossy(valid);
            client.write_all(text.to_uppercase().as_bytes())?;
            Err(io::Error::other("invalid UTF-8"))
        }
    }
}

/// Reads until a newline has arrived. Also stops at the end of the stream, and
/// after `MAX_LINE` bytes.
fn read_line(client: &TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    // Without `take`, a client that never sends a newline could fill the memory.
    let mut reader = BufReader::new(client).take(MAX_LINE);
    reader.read_until(b'\n', &mut line)?;
    Ok(line)
}
