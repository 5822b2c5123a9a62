//! A TCP server: one thread serves all clients, and keeps
//! the replies that the kernel cannot take yet.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{env, error::Error};

use rustix::event::{PollFd, PollFlags, poll};
use socket2::{Domain, Socket, Type};
use sockets101::Decoder;

const ADDRESS: &str = "127.0.0.1:1236";
const UNSENT_LIMIT: usize = 64 * 1024;

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

    let mut clients: Vec<Client> = Vec::new();
    loop {
        // Entry 0 is the listener, entry i + 1 is client i.
        let mut list =
            vec![PollFd::new(&listener, PollFlags::IN)];
        for client in &clients {
            let events = client.events();
            list.push(PollFd::new(&client.stream, events));
        }
        poll(&mut list, None)?;
        let mut ready = Vec::new();
        for entry in &list {
            ready.push(entry.revents());
        }

        for i in 0..clients.len() {
            if !ready[i + 1].is_empty() {
                clients[i].serve(ready[i + 1]);
            }
        }
        // Remove closed clients, and close their sockets.
        clients
            .retain(|client| client.state != State::Closed);
        if !ready[0].is_empty() {
            let (stream, peer) = listener.accept()?;
            stream.set_nonblocking(true)?;
            clients.push(Client {
                stream,
                peer,
                decoder: Decoder::default(),
                unsent: Vec::new(),
                state: State::Open,
            });
        }
    }
}

#[derive(PartialEq)]
enum State {
    Open,
    Closing,
    Closed,
}

struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    decoder: Decoder,
    unsent: Vec<u8>,
    state: State,
}

impl Client {
    fn events(&self) -> PollFlags {
        let mut events = PollFlags::empty();
        if self.wants_to_read() {
            events |= PollFlags::IN;
        }
        // An idle socket is always writable. So ask for OUT
        // only if there are bytes to send.
        if !self.unsent.is_empty() {
            events |= PollFlags::OUT;
        }
        events
    }

    fn wants_to_read(&self) -> bool {
        self.state == State::Open
            && self.unsent.len() <= UNSENT_LIMIT
    }

    fn serve(&mut self, events: PollFlags) {
        let mut result = Ok(());
        if events != PollFlags::OUT && self.wants_to_read()
        {
            result = self.receive_requests();
        }
        if result.is_ok() && !self.unsent.is_empty() {
            result = self.send_replies();
        }
        if let Err(err) = result {
            // After `WouldBlock`, the server tries again.
            if err.kind() != ErrorKind::WouldBlock {
                eprintln!("{} dropped: {err}", self.peer);
                self.state = State::Closed;
            }
        }
        // The client may still wait for unsent replies.
        let is_done = self.unsent.is_empty();
        if self.state == State::Closing && is_done {
            self.state = State::Closed;
        }
    }

    fn receive_requests(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let length = self.stream.read(&mut buffer)?;
        if length == 0 {
            self.state = State::Closing;
            return Ok(());
        }
        let (text, valid) =
            self.decoder.decode(&buffer[..length]);
        let reply = text.to_uppercase();
        self.unsent.extend_from_slice(reply.as_bytes());
        if !valid {
            eprintln!("{} sent invalid UTF-8", self.peer);
            self.state = State::Closing;
        }
        Ok(())
    }

    fn send_replies(&mut self) -> io::Result<()> {
        let sent = self.stream.write(&self.unsent)?;
        self.unsent = self.unsent[sent..].to_vec();
        Ok(())
    }
}
