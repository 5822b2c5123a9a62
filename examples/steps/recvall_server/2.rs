//! A TCP server in short: it replies to one length-prefixed
//! message of each client.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::{env, error::Error, str};

use socket2::{Domain, Socket, Type};
use sockets101::recvall;

const ADDRESS: &str = "127.0.0.1:1241";

fn main() -> Result<(), Box<dyn Error>> {
    let argument = env::args().nth(1);
    let address = argument.unwrap_or(ADDRESS.to_string());
    let address: SocketAddr = address.parse()?;

    let socket =
        Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(!cfg!(windows))?;
    socket.bind(&address.into())?;
    socket.listen(1)?;
    let listener = TcpListener::from(socket);
    println!("server ready on {}", listener.local_addr()?);

    loop {
        let (mut client, _peer) = listener.accept()?;
        let prefix = recvall(&client, 4)?;
        let prefix = prefix.as_slice().try_into()?;
        let length = u32::from_be_bytes(prefix) as usize;
        let message = recvall(&client, length)?;
        let text = str::from_utf8(&message)?;
        let reply = text.to_uppercase();
        let length = u32::try_from(reply.len())?;
        client.write_all(&length.to_be_bytes())?;
        client.write_all(reply.as_bytes())?;
    }
}
