//! A UDP server that replies to each datagram with the same bytes, but with ASCII
//! letters in upper case.
//!
//! Slide 1, "UDP server (bytes)". In one terminal:
//!
//! ```text
//! $ cargo run --example udp_server_bytes
//! server ready on 127.0.0.1:1235
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example udp_client -- 1235 "hello" "café"
//! HELLO
//! CAFé
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1235,
//! which only programs on this machine can reach. `0.0.0.0:1235` also accepts other
//! machines on the network.
//!
//! What to try:
//!
//! - `é` stays as it is. The server changes only the 26 letters of ASCII, and it
//!   copies all other bytes. Lesson 2 (`udp_server`) decodes the bytes as text.
//! - The server uses one socket for all clients, because each datagram carries the
//!   address of its sender. UDP does not have connections, so the server does not
//!   call `listen` or `accept`. Send an empty datagram with
//!   `cargo run --example udp_client -- 1235 ""`. The reply is an empty datagram,
//!   too.
//! - The network delivers a datagram completely or not at all. But if a client sends
//!   3,000 bytes, the server's buffer takes only the first 2,048. The kernel
//!   discards the rest without an error. (On Windows, the whole datagram is lost.)
//! - Any program can forge the sender address of a datagram. If it forges the
//!   server's own address, the server would reply to itself forever. Therefore the
//!   server does not reply to its own port number. This check stops only the
//!   simplest loop. It does not stop a loop between two different echo servers.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{log_and_pause, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1235;

/// The largest datagram that the server receives completely, in bytes.
const BUFFER_SIZE: usize = 2048;

fn main() -> Result<(), Failure> {
    let args = Args::new("udp_server_bytes [IP:PORT]");
    let address = args.listen_address(PORT);
    let socket = match bind(address) {
        Ok(socket) => socket,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    let own_address = socket.local_addr()?;
    print_line(format!("server ready on {own_address}"));

    // `recv_from` writes each datagram to this buffer and returns its length.
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((length, peer)) => {
                if peer.port() == own_address.port() {
                    // The address of the sender can be forged. If it is the address
                    // of this server, the server would reply to itself forever. This
                    // machine can have several IP addresses, so only the port is
                    // compared.
                    log_event(
                        peer,
                        "dropped: sent from the server's own port number",
                    );
                } else {
                    handle_datagram(&socket, peer, &buffer[..length]);
                }
            }
            // The error may last. The pause keeps the log short.
            Err(err) => log_and_pause("receive", &err),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    // The arguments mean AF_INET or AF_INET6, SOCK_DGRAM, and the default protocol.
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(UdpSocket::from(socket))
}

fn handle_datagram(socket: &UdpSocket, peer: SocketAddr, datagram: &[u8]) {
    let reply = datagram.to_ascii_uppercase();
    if socket.send_to(&reply, peer).is_err() {
        log_event(peer, "dropped: the reply could not be sent");
    }
}
