//! The server of lesson 14 (`thread_per_client`), but each reply takes five seconds.
//!
//! Slide 15, "one slow thread per client". In one terminal:
//!
//! ```text
//! $ cargo run --example slow_thread_per_client -- --delay 1.5
//! server ready on 127.0.0.1:1238
//! client-1: 127.0.0.1:50412 connected
//! client-1: 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1238 "hello"
//! waiting for a reply ...
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1238,
//! which only programs on this machine can reach. `0.0.0.0:1238` also accepts other
//! machines on the network. `[--delay 5]`, the time that a reply takes, in seconds.
//!
//! What to try:
//!
//! - Start the server with `cargo run --example slow_thread_per_client`. In four
//!   other terminals, run `cargo run --example tcp_client -- 1238 "hello"` at the
//!   same time. Each client receives its reply after 5 seconds. In lesson 12
//!   (`slow_sequential_server`), the last client waits 20 seconds.
//! - Run `cargo run --example tcp_client -- 1238 "one" "two"`. This client waits 10
//!   seconds, because one thread serves the whole connection. Threads shorten the
//!   queue, not the work.
//! - The comments that begin with `slow` mark what `thread_per_client` does not
//!   have. The imports, the port, the usage line and the lines that pass `delay` on
//!   are also different.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{thread, time::Duration};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1238;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// slow: the default time that a reply takes, in seconds.
const DELAY: f64 = 5.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("slow_thread_per_client [IP:PORT] [--delay 5]");
    let delay = args.seconds("--delay", DELAY); // slow
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    let mut number: u64 = 0;
    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                number += 1;
                // The name of the thread is the beginning of its log lines.
                let builder =
                    thread::Builder::new().name(format!("client-{number}"));
                // `spawn` starts a thread, which calls the closure. (A closure is a
                // function without a name.) `move` gives the closure the values that
                // it uses, because the thread can run longer than this `match`.
                let started = builder.spawn(move || serve(client, peer, delay));
                if let Err(err) = started {
                    // The closure and its `client` are gone, so the connection is
                    // closed.
                    log_event(peer, "dropped: could not start a thread");
                    log_and_pause("start a thread", &err);
                }
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

fn serve(mut client: TcpStream, peer: SocketAddr, delay: Duration) {
    log_event(peer, "connected");
    let result = handle_client(&mut client, delay);
    close_gracefully(client);
    log_disconnect(peer, &result);
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
