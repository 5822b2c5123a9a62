//! Exercise 4: a TCP server whose client sees an error after the reply.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::str;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1235;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_4 [IP:PORT]");
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
                close_client(client);
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
    let mut buffer = [0; BUFFER_SIZE];
    let length = client.read(&mut buffer)?;
    let received = &buffer[..length];
    match str::from_utf8(received) {
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

fn close_client(mut client: TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(1);
    // The client now sees the end of the reply. This call fails if the client has
    // reset the connection. The read then fails, too.
    let _ = client.shutdown(Shutdown::Write);
    // The kernel sends a reset if the server closes a socket that has unread bytes.
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        // The second is over if no time remains. A timeout of zero is an error.
        if client.set_read_timeout(Some(remaining)).is_err() {
            break;
        }
        match client.read(&mut [0; BUFFER_SIZE]) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    // `drop` closes the socket, like `close` in Python.
    drop(client);
}
