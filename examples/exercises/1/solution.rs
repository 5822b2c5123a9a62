//! Exercise 1: a UDP server that replies in ASCII upper case, but some datagrams
//! stop it.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{log_and_pause, log_event, print_line};

/// The port of lesson 1.
const PORT: u16 = 1235;

/// The largest datagram that the server receives completely, in bytes.
const BUFFER_SIZE: usize = 2048;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_1 [IP:PORT]");
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
