//! Exercise 21, make: a server for IPv4 and IPv6. While N clients are connected, the
//! next client must get `BUSY`.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, log_line, print_line};

/// A port that no slide uses.
const PORT: u16 = 1245;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_21_make [IP:PORT] [--clients 0]");
    // The largest number of clients at the same time. With 0, any number of clients
    // can connect.
    let limit: usize = args.option("--clients", 0);
    // The address :: means all addresses of this machine, of both families.
    let address = args.listen_address_at(Ipv6Addr::UNSPECIFIED.into(), PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    log_line(format!("limit: {limit} clients (0 means no limit)"));
    print_line(format!("server ready on {}", listener.local_addr()?));
    if address.ip().is_unspecified() {
        print_line("other machines on the network can reach this server");
    }

    // The threads of the clients that the server serves.
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    let mut number: u64 = 0;
    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                number += 1;
                // A thread has finished if its client has disconnected.
                threads.retain(|thread| !thread.is_finished());
                let is_full = limit > 0 && threads.len() >= limit;
                // The name of the thread is the beginning of its log lines.
                let builder =
                    thread::Builder::new().name(format!("client-{number}"));
                // `spawn` starts a thread, which calls the closure. (A closure is a
                // function without a name.) `move` gives the closure the values that
                // it uses, because the thread can run longer than this `match`.
                match builder.spawn(move || serve(client, peer, is_full)) {
                    // The thread of a client that gets `BUSY` does not count.
                    Ok(_thread) if is_full => {}
                    Ok(thread) => threads.push(thread),
                    Err(err) => {
                        // The closure and its `client` are gone, so the connection
                        // is closed.
                        log_event(peer, "dropped: could not start a thread");
                        log_and_pause("start a thread", &err);
                    }
                }
            }
            // The error may last, for example if the server has no more file
            // descriptors (a socket needs one). The pause keeps the log short.
            Err(err) => log_and_pause("accept", &err),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    // The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default protocol.
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // With SO_REUSEADDR, the server can use the port again immediately after a
    // restart. On Windows, SO_REUSEADDR would let another program listen on the same
    // port.
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        // Accept IPv4 clients, too. The default depends on the operating system.
        socket.set_only_v6(false)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn serve(mut client: TcpStream, peer: SocketAddr, is_full: bool) {
    log_event(peer, "connected");
    let result = if is_full {
        log_event(peer, "gets BUSY");
        client.write_all(b"BUSY")
    } else {
        handle_client(&mut client)
    };
    // This call can take a second. It is not in the main thread, because the next
    // client would wait.
    close_gracefully(client);
    log_disconnect(peer, &result);
}

fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            // The client has closed its sending side. `finish` returns an error if
            // the last character is not complete.
            return decoder.finish();
        }
        // `valid` is false if there are invalid bytes after `text`.
        let (text, valid) = decoder.decode(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes())?;
        if !valid {
            return Err(io::Error::other("invalid UTF-8"));
        }
    }
}
