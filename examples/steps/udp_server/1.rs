use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Socket, Type};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: SocketAddr = "127.0.0.1:1235".parse()?;
    let socket =
        Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.bind(&address.into())?;
    let socket = UdpSocket::from(socket);
    println!("server ready on {}", socket.local_addr()?);

    let mut buffer = [0; 2048];
    loop {
        let (size, peer) = socket.recv_from(&mut buffer)?;
        socket.send_to(&buffer[..size], peer)?;
    }
}
