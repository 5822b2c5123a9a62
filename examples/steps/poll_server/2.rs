use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, error::Error, str};

use rustix::event::{PollFd, PollFlags, poll};
use socket2::{Domain, Socket, Type};

const ADDRESS: &str = "127.0.0.1:1236";

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

    let mut clients: Vec<TcpStream> = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let mut list =
            vec![PollFd::new(&listener, PollFlags::IN)];
        for client in &clients {
            list.push(PollFd::new(client, PollFlags::IN));
        }
        poll(&mut list, None)?;
        let mut ready = Vec::new();
        for entry in &list {
            ready.push(!entry.revents().is_empty());
        }

        for i in 0..clients.len() {
            if !ready[i + 1] {
                continue;
            }
            let length = clients[i].read(&mut buffer)?;
            let text = str::from_utf8(&buffer[..length])
                .map_err(io::Error::other)?;
            let reply = text.to_uppercase();
            clients[i].write_all(reply.as_bytes())?;
        }
        if let Ok((client, _peer)) = listener.accept() {
            client.set_nonblocking(true)?;
            clients.push(client);
        }
    }
}
