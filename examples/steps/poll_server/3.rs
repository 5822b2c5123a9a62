//! A TCP server in short: one thread serves all clients,
//! because `poll` says which sockets are ready.

use std::io::{Read, Write};
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
    socket.bind(&address.into())?;
    socket.listen(100)?;
    let listener = TcpListener::from(socket);
    println!("server ready on {}", listener.local_addr()?);

    let mut clients: Vec<TcpStream> = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        // Entry 0 is the listener, entry i + 1 is client i.
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

        // Go from the last client to the first, because
        // `remove` changes the place of all later clients.
        for i in (0..clients.len()).rev() {
            if !ready[i + 1] {
                continue;
            }
            let length = clients[i].read(&mut buffer)?;
            if length == 0 {
                clients.remove(i);
                continue;
            }
            let text = str::from_utf8(&buffer[..length])?;
            let reply = text.to_uppercase();
            clients[i].write_all(reply.as_bytes())?;
        }
        if ready[0] {
            let (client, _peer) = listener.accept()?;
            clients.push(client);
        }
    }
}
