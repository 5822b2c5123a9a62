//! A TCP server in short: it replies once to each client,
//! one client after another.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, error::Error, str};

use socket2::{Domain, Socket, Type};

const ADDRESS: &str = "127.0.0.1:1235";

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
        let (mut client, peer) = listener.accept()?;
        if let Err(err) = handle_client(&mut client) {
            eprintln!("{peer} dropped: {err}");
        }
    }
}

fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer)?;
    let received = &buffer[..length];
    match str::from_utf8(received) {
        Ok(text) => {
            client.write_all(text.to_uppercase().as_bytes())
        }
        Err(err) => {
            let valid = &received[..err.valid_up_to()];
            let text = String::from_utf8_lossy(valid);
            let reply = text.to_uppercase();
            client.write_all(reply.as_bytes())?;
            Err(io::Error::other("invalid UTF-8"))
        }
    }
}
