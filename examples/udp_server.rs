//! A UDP server that decodes each datagram as text and replies with the text in
//! upper case.
//!
//! Slide 2, "UDP server (text)". In one terminal:
//!
//! ```text
//! $ cargo run --example udp_server
//! server ready on 127.0.0.1:1235
//! HELLO
//! STRASSE
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example udp_client -- 1235 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Argument: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1235,
//! which only programs on this machine can reach. `0.0.0.0:1235` also accepts other
//! machines on the network.
//!
//! What to try:
//!
//! - The reply can be longer than the request: `ΐ` takes 2 bytes, and its upper-case
//!   form takes 6 bytes. `straße` has six letters and `STRASSE` has seven, but both
//!   take 7 bytes.
//! - Any program can send bytes that are not valid UTF-8. The server drops such a
//!   datagram, prints a message on stderr, and keeps running. Never trust data from
//!   the network.
//! - The kernel cuts a datagram of more than 2,048 bytes. If it cuts inside a
//!   character, the text is not valid UTF-8, and the server drops the datagram. (On
//!   Windows, the whole datagram is lost.)
//! - On Linux and macOS, start the server with
//!   `cargo run --example udp_server | head -1`. `head` prints the first line and
//!   exits, which closes the server's stdout. The server still replies, because
//!   `print_line` does not panic.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::str;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{log_and_pause, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1235;

/// The largest datagram that the server receives completely, in bytes.
const BUFFER_SIZE: usize = 2048;

fn main() -> Result<(), Failure> {
    let args = Args::new("udp_server [IP:PORT]");
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
    match str::from_utf8(datagram) {
        Ok(text) => {
            let reply = text.to_uppercase();
            print_line(&reply);
            if socket.send_to(reply.as_bytes(), peer).is_err() {
                log_event(peer, "dropped: the reply could not be sent");
            }
        }
        Err(_) => log_event(peer, "dropped: invalid UTF-8"),
    }
}
