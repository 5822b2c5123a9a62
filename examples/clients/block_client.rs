//! Sends each text as one length-prefixed message on its own TCP connection, and
//! prints the replies.
//!
//! For lesson 9. First start the server in another terminal with
//! `cargo run --example recvall_server`. Then:
//!
//! ```text
//! $ cargo run --example block_client -- 1241 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` on this
//! machine. The default is 127.0.0.1:1241. Then the texts. Without texts, the client
//! sends the lines of standard input. `[--patience 30]` is the number of seconds to
//! wait for a reply.
//!
//! What to try:
//!
//! - A text may contain newlines, because the length says where a message ends. On
//!   Linux or macOS, run `cargo run --example block_client -- 1241 $'one\ntwo'`.
//! - The server closes each connection after one message. Two texts therefore need
//!   two connections, and the server prints two lines with `connected`.
//! - Run `cargo run --example tcp_client -- 1241 "hello"`. This client does not send
//!   a length. The server takes the first four bytes of the text as a length. It
//!   closes the connection without a reply.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use sockets101::{Args, Failure, get_block, put_block};
use sockets101::{no_reply, print_or_exit, read_within, show_waiting};

/// The port of lesson 9.
const PORT: u16 = 1241;

/// The default time to wait for a reply, in seconds.
const PATIENCE: f64 = 30.0;

/// A connection on which each read waits at most `timeout`.
struct Connection {
    stream: TcpStream,
    timeout: Duration,
}

/// `get_block` reads from any type that implements `Read`.
impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_within(&self.stream, buffer, self.timeout)
    }
}

fn main() -> Result<(), Failure> {
    let mut args = Args::new("block_client [IP:PORT [TEXT ...]] [--patience 30]");
    let patience = args.timeout("--patience", PATIENCE);
    let server = args.server_address(PORT)?;

    for text in args.texts() {
        match ask(server, &text?, patience) {
            Ok(reply) => {
                print_or_exit(reply);
                print_or_exit("\n");
            }
            Err(err) => return Err(no_reply(server, &err)),
        }
    }
    Ok(())
}

/// Sends a text on a new connection, and returns the reply.
fn ask(server: SocketAddr, text: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    // `||` turns the call into a closure (a function without a name). `show_waiting`
    // calls the closure.
    let connect = || TcpStream::connect_timeout(&server, patience);
    let stream = show_waiting("a connection", connect)?;
    put_block(&stream, text)?;
    let connection = Connection { stream, timeout: patience };
    show_waiting("a reply", || get_block(connection))
}
