//! A UDP server that replies `PONG` to each datagram, so that a client can measure
//! the distance in hops.
//!
//! Slide 3, "UDP server (TTL estimator)". In one terminal:
//!
//! ```text
//! $ cargo run --example ttl_pong
//! server ready on 127.0.0.1:1234
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example ttl_ping -- 1234
//! TTL 1: PONG
//! 1 hop
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1234,
//! which only programs on this machine can reach. `0.0.0.0:1234` also accepts other
//! machines on the network.
//!
//! What to try:
//!
//! - The server does not know the TTL (time to live). The client sends datagrams
//!   with a TTL of 1, 2, 3 and so on. Each router on the way subtracts 1 and drops a
//!   datagram whose TTL is then 0. The first `PONG` shows the distance.
//! - Use two machines. Run `cargo run --example ttl_pong -- 0.0.0.0:1234` on the
//!   first machine. Run `cargo run --example ttl_ping -- IP:1234` on the second
//!   machine. Replace `IP` by the IP address of the first machine. If both machines
//!   are on the same network, the datagrams do not pass a router. So the result is
//!   still 1 hop.
//! - An empty datagram is also a datagram.
//!   `cargo run --example udp_client -- 1234 ""` prints `PONG`.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{log_and_pause, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1234;

/// The size of the buffer, in bytes. The server does not look at what it receives.
const BUFFER_SIZE: usize = 2048;

fn main() -> Result<(), Failure> {
    let args = Args::new("ttl_pong [IP:PORT]");
    let address = args.listen_address(PORT);
    let socket = match bind(address) {
        Ok(socket) => socket,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    let own_address = socket.local_addr()?;
    print_line(format!("server ready on {own_address}"));

    // `recv_from` writes each datagram to this buffer.
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((_, peer)) => {
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
                    reply(&socket, peer);
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

fn reply(socket: &UdpSocket, peer: SocketAddr) {
    if socket.send_to(b"PONG", peer).is_err() {
        log_event(peer, "dropped: the reply could not be sent");
    }
}
