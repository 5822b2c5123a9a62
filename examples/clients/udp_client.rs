//! Sends each text as one datagram and prints the answer.
//!
//! For slides 1 and 2. With a server in another terminal,
//! `cargo run --example udp_server`:
//!
//! ```text
//! $ cargo run --example udp_client -- 1235 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` of this machine; by
//! default 127.0.0.1:1235. Then the texts; without any, lines from standard input.
//! `[--patience 30]`, the seconds to wait for an answer.
//!
//! What to look for:
//!
//! - A datagram can get lost, and so can its answer, and nobody tells. Without the time
//!   limit this program would wait for ever; a real one would send again.
//! - `connect` on a datagram socket sends nothing. It sets the address to send to, and
//!   lets in only what comes from there, errors included: with no server running,
//!   "connection refused" is what the system of the other side reported.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use sockets101::{Args, Failure, no_answer, while_waiting, within};

/// The port of slides 1 and 2.
const PORT: u16 = 1235;

/// How long to wait for an answer, in seconds.
const PATIENCE: f64 = 30.0;

/// More than a datagram can hold, in bytes.
const LONGEST: usize = 64 * 1024;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("udp_client [IP:PORT [TEXT ...]] [--patience 30]");
    let patience = args.seconds("--patience", PATIENCE, 0.001);
    let server = args.server_address(PORT)?;

    let socket = UdpSocket::bind(any_port(server))?;
    socket.connect(server).map_err(|err| no_answer(server, &err))?;
    socket.set_read_timeout(Some(patience))?;
    let mut buffer = vec![0; LONGEST];
    for text in args.texts() {
        let answer = ask(&socket, &text?, &mut buffer, patience);
        let length = answer.map_err(|err| no_answer(server, &err))?;
        io::stdout().write_all(&[&buffer[..length], b"\n"].concat())?;
    }
    Ok(())
}

fn ask(
    socket: &UdpSocket,
    text: &[u8],
    buffer: &mut [u8],
    patience: Duration,
) -> io::Result<usize> {
    socket.send(text)?;
    while_waiting("an answer", || within(patience, || socket.recv(buffer)))
}

/// Any free port of this machine, of the family that reaches the server.
fn any_port(server: SocketAddr) -> SocketAddr {
    match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
