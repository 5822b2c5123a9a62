//! A TCP server: it replies once to each client, one client
//! after another.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen};
use sockets101::{close_gracefully, log_disconnect};
use sockets101::{log_event, print_line};

const PORT: u16 = 1235;
const BACKLOG: i32 = 1;
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let args = Args::new("tcp_server [IP:PORT]");
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => {
            return Err(cannot_listen(address, &err));
        }
    };
    print_line(format!(
        "server ready on {}",
        listener.local_addr()?
    ));

    loop {
        let (mut client, peer) = listener.accept()?;
        log_event(peer, "connected");
        let result = handle_client(&mut client);
        close_gracefully(client);
        log_disconnect(peer, &result);
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        None,
    )?;
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER_SIZE];
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
