//! A TCP server that accepts IPv4 and IPv6 clients on one socket.
//!
//! This server is beyond the lecture. It does the same as lesson 14, "one
//! thread per client", with a different socket. In one terminal:
//!
//! ```text
//! $ cargo run --example dual_stack
//! server ready on [::]:1245
//! other machines on the network can reach this server
//! client-1: [::ffff:127.0.0.1]:50412 connected
//! client-1: [::ffff:127.0.0.1]:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1245 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is `[::]:1245`,
//! because only the address `::` accepts clients of both families. So other machines
//! on the network can reach this server. With `[::1]:1245` or `127.0.0.1:1245`, only
//! programs on this machine can reach it, and only with one family. `0.0.0.0:1245`
//! accepts IPv4 clients from all machines.
//!
//! What to try:
//!
//! - Look at the address of the client. The client has connected to 127.0.0.1. The
//!   socket of the server has the family IPv6, so the kernel writes the IPv4 address
//!   as an IPv6 address: `::ffff:` and then the IPv4 address.
//! - Run `cargo run --example tcp_client -- "[::1]:1245" hello`. This client connects
//!   over IPv6, and its address is `::1`.
//! - Remove the call of `set_only_v6`. On Linux and macOS, the server does the same
//!   as before. On Windows and FreeBSD, it then accepts IPv6 clients only.
//! - Start the server with `[::1]:1245`, and connect to `127.0.0.1:1245`. The
//!   connection is refused. The name `localhost` can mean either address, so a
//!   client that uses the name can fail with such a server.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// A port that no slide uses.
const PORT: u16 = 1245;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let args = Args::new("dual_stack [IP:PORT]");
    // The address :: means all addresses of this machine, of both families.
    let address = args.listen_address_at(Ipv6Addr::UNSPECIFIED.into(), PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));
    if address.ip().to_canonical().is_unspecified() {
        print_line("other machines on the network can reach this server");
    }

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
                let started = builder.spawn(move || serve(client, peer));
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
    if address.is_ipv6() {
        // Accept IPv4 clients, too. The default depends on the operating system.
        socket.set_only_v6(false)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn serve(mut client: TcpStream, peer: SocketAddr) {
    log_event(peer, "connected");
    let result = handle_client(&mut client);
    close_gracefully(client);
    log_disconnect(peer, &result);
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
