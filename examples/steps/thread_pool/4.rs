//! A TCP server in short: each of four threads accepts a
//! client, replies once, and accepts the next.

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

    thread::scope(|scope| {
        for _ in 0..4 {
            // If `serve` returns an error, it is lost.
            scope.spawn(|| serve(&listener));
        }
    });
    Ok(())
}

fn serve(listener: &TcpListener) -> io::Result<()> {
    loop {
        let (mut client, peer) = listener.accept()?;
        if let Err(err) = handle_client(&mut client) {
            eprintln!("{peer} dropped: {err}");
        }
    }
}

fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer)?;
    let text = str::from_utf8(&buffer[..length])
        .map_err(io::Error::other)?;
    client.write_all(text.to_uppercase().as_bytes())
}
