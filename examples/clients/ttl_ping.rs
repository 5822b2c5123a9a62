//! How many hops away is the server? Asks with a time to live of 1, then 2, then 3 and
//! so on, until an answer comes.
//!
//! For slide 3. With the server in another terminal, `cargo run --example ttl_pong`:
//!
//! ```text
//! $ cargo run --example ttl_ping -- 1234
//! TTL 1: PONG
//! 1 hops
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` of this machine; by
//! default 127.0.0.1:1234. `[--max 64]`, the last time to live to try, 255 at most. Each
//! takes a second when no answer comes.
//!
//! What to look for:
//!
//! - Each router takes 1 off the time to live, and drops a datagram that has none left. So
//!   the first that gets through tells how many links there are: routers plus one.
//! - A router that drops one may tell the sender (ICMP "time exceeded": traceroute lives
//!   on it). Linux does not pass that on to this socket, and the second passes in
//!   silence. Windows does, as an error.
//! - Each try has a socket of its own, so that a PONG that comes late is not taken for the
//!   answer to a later try.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZero;
use std::time::Duration;

use socket2::SockRef;
use sockets101::{Args, Failure, no_answer, within};

/// The port of slide 3.
const PORT: u16 = 1234;

/// The last time to live to try. It has one byte; few paths are longer than 30.
const MAX: NonZero<u8> = NonZero::<u8>::MIN.saturating_add(63); // 64

/// How long to wait for each answer.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("ttl_ping [IP:PORT] [--max 64]");
    let server = args.server_address(PORT)?;
    let max = args.option("--max", MAX);
    args.finish();

    for ttl in 1..=max.get() {
        let socket = UdpSocket::bind(any_port(server))?;
        socket.connect(server).map_err(|err| no_answer(server, &err))?;
        set_ttl(&socket, server, ttl)?;
        match ask(&socket) {
            Ok(answer) if answer == b"PONG" => {
                println!("TTL {ttl}: PONG\n{ttl} hops");
                return Ok(());
            }
            Ok(_) => println!("TTL {ttl}: something that is no PONG"),
            Err(err) => match err.kind() {
                ErrorKind::TimedOut => println!("TTL {ttl}: nothing"),
                // The far end itself says that nobody is there: no use in going on.
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => {
                    return Err(no_answer(server, &err));
                }
                _ => println!("TTL {ttl}: {err}"),
            },
        }
    }
    Err(format!("no PONG from {server} with a TTL of up to {max}").into())
}

/// IPv6 calls it the hop limit.
fn set_ttl(socket: &UdpSocket, server: SocketAddr, ttl: u8) -> io::Result<()> {
    let socket = SockRef::from(socket);
    match server {
        SocketAddr::V4(_) => socket.set_ttl_v4(ttl.into()),
        SocketAddr::V6(_) => socket.set_unicast_hops_v6(ttl.into()),
    }
}

fn ask(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 16];
    socket.send(b"PING")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let length = within(PATIENCE, || socket.recv(&mut buffer))?;
    Ok(buffer[..length].to_vec())
}

/// Any free port of this machine, of the family that reaches the server.
fn any_port(server: SocketAddr) -> SocketAddr {
    match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
