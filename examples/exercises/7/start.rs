//! Exercise 7: a server of length-prefixed messages that passes its self-test,
//! but does not reply to a client.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str;

use byteorder::{ByteOrder, NativeEndian};
use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, MAX_BLOCK, cannot_listen, close_gracefully};
use sockets101::{log_and_pause, log_disconnect, log_event, log_line};
use sockets101::{print_line, recvall};

/// The port of the slide.
const PORT: u16 = 1241;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 1;

/// The size of the length prefix, in bytes.
const PREFIX_SIZE: usize = 4;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_7 [IP:PORT]");
    let address = args.listen_address(PORT);
    self_test()?;
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    loop {
        match listener.accept() {
            Ok((client, peer)) => {
                log_event(peer, "connected");
                // Do not use `?` here, because an error of one client must not stop
                // the server.
                let result = handle_client(&client);
                close_gracefully(client);
                log_disconnect(peer, &result);
            }
            // The error may last, for example if the server has no more file
            // descriptors (a socket needs one). The pause keeps the log short.
            Err(err) => log_and_pause("accept", &err),
        }
    }
}

/// Writes a message to memory, and reads it again.
fn self_test() -> io::Result<()> {
    let mut memory = Vec::new();
    put_block(&mut memory, b"hello")?;
    let message = get_block(&memory[..])?;
    if message != b"hello" {
        return Err(io::Error::other("get_block did not return the message"));
    }
    log_line("self-test passed: get_block reads what put_block writes");
    Ok(())
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
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn handle_client(client: &TcpStream) -> io::Result<()> {
    // `&TcpStream` can read and write, too. Rust copies this reference for the call
    // of `get_block`, so we can pass it to `put_block`, too.
    let message = get_block(client)?;
    match str::from_utf8(&message) {
        Ok(text) => put_block(client, text.to_uppercase().as_bytes()),
        Err(_) => Err(io::Error::other("invalid UTF-8")),
    }
}

/// Sends `message` as one length-prefixed message: its length, then its bytes.
fn put_block(mut writer: impl Write, message: &[u8]) -> io::Result<()> {
    check_length(message.len())?;
    let mut bytes = vec![0; PREFIX_SIZE];
    NativeEndian::write_uint(&mut bytes, message.len() as u64, PREFIX_SIZE);
    bytes.extend_from_slice(message);
    // One write sends both parts, so that the second part is not delayed.
    writer.write_all(&bytes)
}

/// Receives one length-prefixed message and returns its bytes.
fn get_block(mut reader: impl Read) -> io::Result<Vec<u8>> {
    let prefix = recvall(&mut reader, PREFIX_SIZE)?;
    let length = NativeEndian::read_u32(&prefix) as usize;
    check_length(length)?;
    recvall(reader, length)
}

/// Returns an error if a message would be larger than [`MAX_BLOCK`].
fn check_length(length: usize) -> io::Result<()> {
    if length <= MAX_BLOCK {
        return Ok(());
    }
    let limit = format!("the limit is {MAX_BLOCK}");
    Err(io::Error::other(format!("message too long ({length} bytes; {limit})")))
}
