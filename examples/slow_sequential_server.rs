//! The server of lesson 10 (`sequential_server`), but each reply takes five seconds.
//!
//! Slide 12, "slow sequential". In one terminal:
//!
//! ```text
//! $ cargo run --example slow_sequential_server -- --delay 1.5
//! server ready on 127.0.0.1:1237
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1237 "hello"
//! waiting for a reply ...
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1237,
//! which only programs on this machine can reach. `0.0.0.0:1237` also accepts other
//! machines on the network. `[--delay 5]`, the time that a reply takes, in seconds.
//!
//! What to try:
//!
//! - Start the server with `cargo run --example slow_sequential_server`. In two
//!   other terminals, run `cargo run --example tcp_client -- 1237 "hello"` at the
//!   same time. The first client receives its reply after 5 seconds, and the second
//!   client after 10. Of four clients, the last client waits 20 seconds. Each client
//!   also waits for all clients before it.
//! - The sleep stands for work that waits for a disk, a database or another server.
//!   During this time the CPU is idle. Lesson 15 (`slow_thread_per_client`) sleeps
//!   just as long, but it serves all its clients at the same time.
//! - The comments that begin with `slow` mark what `sequential_server` does not
//!   have. The imports, the port, the usage line and the lines that pass `delay` on
//!   are also different.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1237;

/// slow: the length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// slow: the default time that a reply takes, in seconds.
const DELAY: f64 = 5.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("slow_sequential_server [IP:PORT] [--delay 5]");
    let delay = args.seconds("--delay", DELAY); // slow
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
                let result = handle_client(&mut client, delay);
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

fn handle_client(client: &mut TcpStream, delay: Duration) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            // The client has closed its sending side. `finish` returns an error if
            // the last character is not complete.
            return decoder.finish();
        }
        thread::sleep(delay); // slow
        // `valid` is false if there are invalid bytes after `text`.
        let (text, valid) = decoder.decode(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes())?;
        if !valid {
            return Err(io::Error::other("invalid UTF-8"));
        }
    }
}
