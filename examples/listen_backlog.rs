//! The service of `sequential_server`, with a longer queue of connections that wait for
//! `accept`.
//!
//! Slide 11, "the impact of listen". In one terminal, with a queue as short as before:
//!
//! ```text
//! $ cargo run --example listen_backlog -- --backlog 1
//! server ready on 127.0.0.1:1236
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 left
//! ```
//!
//! In another:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1236 "hello"
//! HELLO
//! ```
//!
//! Arguments: `[IP:PORT]`, where to listen; by default 127.0.0.1:1236, which only this
//! machine reaches, and `0.0.0.0:1236` opens it to the room. `[--backlog 100]`, the
//! length of the queue, as `listen` gets it.
//!
//! What to look for (on Linux; other systems count a little differently):
//!
//! - With the server started as above, start `tcp_client -- 1236 --patience 300`, without a
//!   text, in four more terminals, one after the other. The first is being served. Two wait in the
//!   queue: `listen(n)` lets n + 1 connections complete. They cannot tell: they are
//!   connected, and what they send is taken.
//! - `ss -ltn` shows it on the line of port 1236: Recv-Q 2, the connections that wait, and
//!   Send-Q 1, the backlog.
//! - The fourth says `waiting for a connection`: the system drops its request, and
//!   TCP repeats it, about 1, 2, 3, 4, 5, 7, 11 and 19 seconds after the first. End the
//!   first client with Ctrl-D: the fourth gets in at its next repetition, not at once.
//! - With the default of 100, all four connect. The queue hides a slow server; it does
//!   not make it faster.

// ANCHOR: program
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen};
use sockets101::{call_failed, ended, hang_up, tell};

/// The slide's port.
const PORT: u16 = 1236;

/// How many connections the system may keep waiting for `accept`.
const BACKLOG: u16 = 100;

/// The most bytes that one read takes.
const CHUNK: usize = 4096;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("listen_backlog [IP:PORT] [--backlog 100]");
    let backlog = args.option("--backlog", BACKLOG);
    let address = args.listen_address(PORT);
    let listener =
        listen(address, backlog).map_err(|err| cannot_listen(address, &err))?;
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

fn listen(address: SocketAddr, backlog: u16) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Not on Windows, where this option would let another program take the port.
    socket.set_reuse_address(cfg!(not(windows)))?;
    socket.bind(&address.into())?;
    socket.listen(backlog.into())?;
    Ok(socket.into())
}

fn handle_client(mut client: &TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; CHUNK];
    while let length @ 1.. = client.read(&mut buffer)? {
        let (text, verdict) = decoder.feed(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes()).and(verdict)?;
    }
    decoder.finish()
}
// ANCHOR_END: program
