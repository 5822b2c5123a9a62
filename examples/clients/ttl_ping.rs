//! Measures how many hops away a server is. It sends `PING` with a time to live
//! (TTL) of 1, then 2, then 3, until `PONG` arrives.
//!
//! For lesson 3. First start the server in another terminal with
//! `cargo run --example ttl_pong`. Then:
//!
//! ```text
//! $ cargo run --example ttl_ping -- 1234
//! TTL 1: PONG
//! 1 hop
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` on this
//! machine. The default is 127.0.0.1:1234. `[--max 64]` is the last TTL to try, at
//! most 255. For each TTL, the client waits one second for a reply.
//!
//! What to try:
//!
//! - Each router subtracts 1 from the TTL of a datagram. If the result is 0, the
//!   router drops the datagram. So the first TTL with a reply is the number of hops.
//!   It is the number of routers plus one.
//! - A router that drops a datagram can report this to the sender, with the ICMP
//!   message "time exceeded". `traceroute` uses these messages. On Linux, this
//!   client does not receive them, so it waits for one second. On Windows, it gets
//!   an error.
//! - Each `PING` has its own socket. When a `PONG` arrives too late, its socket is
//!   already closed. So the client cannot mistake this `PONG` for the reply to the
//!   next `PING`.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, no_reply, print_or_exit, receive_within};

/// The port of lesson 3.
const PORT: u16 = 1234;

/// The default for the last TTL to try. Few paths have more than 30 hops.
const MAX_TTL: u8 = 64;

/// The time to wait for each reply.
const TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("ttl_ping [IP:PORT] [--max 64]");
    let server = args.server_address(PORT)?;
    let max_ttl = args.option("--max", MAX_TTL);
    args.finish();
    if max_ttl == 0 {
        args.refuse("--max must be from 1 to 255");
    }

    for ttl in 1..=max_ttl {
        let socket = match connect(server, ttl) {
            Ok(socket) => socket,
            Err(err) => return Err(no_reply(server, &err)),
        };
        print_or_exit(format!("TTL {ttl}: "));
        match ask(&socket) {
            Ok(reply) => {
                if reply == b"PONG" {
                    let unit = if ttl == 1 { "hop" } else { "hops" };
                    print_or_exit(format!("PONG\n{ttl} {unit}\n"));
                    return Ok(());
                }
                print_or_exit("unexpected reply\n");
            }
            Err(err) => match err.kind() {
                ErrorKind::TimedOut => print_or_exit("no reply\n"),
                // The server's kernel reports that no program uses this port.
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => {
                    print_or_exit("no server\n");
                    return Err(no_reply(server, &err));
                }
                _ => print_or_exit(format!("{err}\n")),
            },
        }
    }
    let what = format!("no PONG from {server} with a TTL of up to {max_ttl}");
    // `into` converts the text to a `Failure`.
    Err(format!("{what}; to try more hops, use --max N").into())
}

/// Returns a socket that exchanges datagrams with `server`, and sends them with this
/// TTL.
fn connect(server: SocketAddr, ttl: u8) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(server), Type::DGRAM, None)?;
    if server.is_ipv4() {
        socket.set_ttl_v4(u32::from(ttl))?;
    } else {
        // IPv6 has another name for the TTL: hop limit.
        socket.set_unicast_hops_v6(u32::from(ttl))?;
    }
    // The socket is not bound, so the kernel also chooses a free port for it.
    socket.connect(&SockAddr::from(server))?;
    Ok(UdpSocket::from(socket))
}

/// Sends `PING` and returns the reply.
fn ask(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 16];
    socket.send(b"PING")?;
    let length = receive_within(socket, &mut buffer, TIMEOUT)?;
    buffer.truncate(length);
    Ok(buffer)
}
