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
    let own_address = socket.local_addr()?;
    println!("server ready on {own_address}");

    let mut buffer = [0; 2048];
    loop {
        let (length, peer) =
            socket.recv_from(&mut buffer)?;
        if peer.port() == own_address.port() {
            eprintln!("{peer} dropped: our own port");
            continue;
        }
        match str::from_utf8(&buffer[..length]) {
            Ok(text) => {
                let reply = text.to_uppercase();
                println!("{reply}");
                let sent =
                    socket.send_to(reply.as_bytes(), peer);
                if let Err(err) = sent {
                    eprintln!("{peer} dropped: {err}");
                }
            }
            Err(err) => eprintln!("{peer} dropped: {err}"),
        }
    }
}
