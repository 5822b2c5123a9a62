//! A TCP server in short: it replies once to each client,
//! and each client has its own thread.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, error::Error, str, thread};

use socket2::{Domain, Socket, Type};

const ADDRESS: &str = "127.0.0.1:1239";

fn main() -> Result<(), Box<dyn Error>> {
    let argument = env::args().nth(1);
    let address = argument.unwrap_or(ADDRESS.to_string());
    let address: SocketAddr = address.parse()?;

    let socket =
        Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(!cfg!(windows))?;
    socket.bind(&address.into())?;
    socket.listen(100)?;
    let listener = TcpListener::from(socket);
    println!("server ready on {}", listener.local_addr()?);

    loop {
        let (client, _peer) = listener.accept()?;
        // If `serve` returns an error, it is lost.
        thread::spawn(move || serve(client));
    }
}

fn serve(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer)?;
    let text = str::from_utf8(&buffer[..length])
        .map_err(io::Error::other)?;
    client.write_all(text.to_uppercase().as_bytes())
}
