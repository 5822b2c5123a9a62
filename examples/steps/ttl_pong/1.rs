//! A UDP server in short: it replies `PONG` to each
//! datagram.

use std::net::{SocketAddr, UdpSocket};
use std::{env, error::Error};

use socket2::{Domain, Socket, Type};

const ADDRESS: &str = "127.0.0.1:1234";

fn main() -> Result<(), Box<dyn Error>> {
    let argument = env::args().nth(1);
    let address = argument.unwrap_or(ADDRESS.to_string());
    let address: SocketAddr = address.parse()?;

    let socket =
        Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from(socket);
    println!("server ready on {}", socket.local_addr()?);

    let mut buffer = [0; 2048];
    loop {
        let (_, peer) = socket.recv_from(&mut buffer)?;
        socket.send_to(b"PONG", peer)?;
    }
}
