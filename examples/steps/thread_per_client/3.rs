//! A TCP server in short: each client has its own thread.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, error::Error, thread};

use socket2::{Domain, Socket, Type};
use sockets101::Decoder;

const ADDRESS: &str = "127.0.0.1:1237";

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
        // If `handle_client` returns an error, it is lost.
        thread::spawn(move || handle_client(client));
    }
}

fn handle_client(mut client: TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            return decoder.finish();
        }
        let (text, valid) =
            decoder.decode(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes())?;
        if !valid {
            return Err(io::Error::other("invalid UTF-8"));
        }
    }
}
