//! A TCP server in short: it replies to one length-prefixed
//! message of each client.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, error::Error, str};

use socket2::{Domain, Socket, Type};
use sockets101::{close_gracefully, get_block, put_block};

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
        let (client, peer) = listener.accept()?;
        let result = handle_client(&client);
        close_gracefully(client);
        if let Err(err) = result {
            eprintln!("{peer} dropped: {err}");
        }
    }
}

fn handle_client(client: &TcpStream) -> io::Result<()> {
    let message = get_block(client)?;
    let text = str::from_utf8(&message)
        .map_err(io::Error::other)?;
    put_block(client, text.to_uppercase().as_bytes())
}
