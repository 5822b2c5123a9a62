//! The server of lesson 16 in short, but a thread exits
//! when no client has connected for 20 seconds.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::{env, error::Error, str, thread, time::Duration};

use socket2::{Domain, Socket, Type};
use sockets101::accept_within;

const ADDRESS: &str = "127.0.0.1:1240";
const TIMEOUT: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let argument = env::args().nth(1);
    let address = argument.unwrap_or(ADDRESS.to_string());
    let address: SocketAddr = address.parse()?;

    let socket =
        Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(!cfg!(windows))?;
    socket.set_nonblocking(true)?;
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
    let mut buffer = [0; 4096];
    while let Ok((mut client, _peer)) =
        accept_within(listener, TIMEOUT)
    {
        let length = client.read(&mut buffer)?;
        let text = str::from_utf8(&buffer[..length])
            .map_err(io::Error::other)?;
        client.write_all(text.to_uppercase().as_bytes())?;
    }
    println!("Socket timed out, exiting thread");
    Ok(())
}
