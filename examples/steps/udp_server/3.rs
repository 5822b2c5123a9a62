//! A UDP server in short: it replies to each datagram with
//! its text in upper case.

use std::net::{SocketAddr, UdpSocket};
use std::{env, error::Error, str};

use socket2::{Domain, Socket, Type};

const ADDRESS: &str = "127.0.0.1:1235";

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
        let (length, peer) =
            socket.recv_from(&mut buffer)?;
        match str::from_utf8(&buffer[..length]) {
            Ok(text) => {
                let reply = text.to_uppercase();
                println!("{reply}");
                socket.send_to(reply.as_bytes(), peer)?;
            }
            Err(err) => eprintln!("{peer} dropped: {err}"),
        }
    }
}
