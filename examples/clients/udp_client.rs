//! Sends each text as one datagram, and prints the replies.
//!
//! For lessons 1 and 2. First start the server in another terminal with
//! `cargo run --example udp_server`. Then:
//!
//! ```text
//! $ cargo run --example udp_client -- 1235 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` on this
//! machine. The default is 127.0.0.1:1235. Then the texts. Without texts, the client
//! sends the lines of standard input. `[--patience 30]` is the number of seconds to
//! wait for a reply.
//!
//! What to try:
//!
//! - The network can lose a datagram or its reply, and does not report this to the
//!   sender. Without a timeout, this client would then wait forever. A real client
//!   would send the request again.
//! - A client can usually use any port. In Python, a client need not call `bind`.
//!   Rust's `UdpSocket` must be bound. So the client binds to port 0, and the kernel
//!   chooses a free port.
//! - `connect` on a UDP socket does not send anything. It sets the address to send
//!   to. The socket then receives only datagrams and errors from that address.
//! - Stop the server and run the client again. It prints "Connection refused",
//!   because the server's kernel reports that no program uses this port.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use sockets101::{Args, Failure};
use sockets101::{no_reply, print_or_exit, receive_within, show_waiting};

/// The port of lessons 1 and 2.
const PORT: u16 = 1235;

/// The default time to wait for a reply, in seconds.
const PATIENCE: f64 = 30.0;

/// The size of the receive buffer, in bytes. No datagram is larger.
const BUFFER_SIZE: usize = 64 * 1024;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("udp_client [IP:PORT [TEXT ...]] [--patience 30]");
    let patience = args.timeout("--patience", PATIENCE);
    let server = args.server_address(PORT)?;

    let socket = match connect(server) {
        Ok(socket) => socket,
        Err(err) => return Err(no_reply(server, &err)),
    };
    for text in args.texts() {
        match ask(&socket, &text?, patience) {
            Ok(reply) => {
                print_or_exit(reply);
                print_or_exit("\n");
            }
            Err(err) => return Err(no_reply(server, &err)),
        }
    }
    Ok(())
}

/// Returns a socket that sends datagrams to `server`, and receives only from it.
fn connect(server: SocketAddr) -> io::Result<UdpSocket> {
    // Any address of this machine, and any free port.
    let own_address = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(own_address)?;
    socket.connect(server)?;
    Ok(socket)
}

/// Sends a text and returns the reply.
fn ask(socket: &UdpSocket, text: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; BUFFER_SIZE];
    socket.send(text)?;
    // `||` turns the call into a closure (a function without a name). `show_waiting`
    // calls the closure.
    let receive = || receive_within(socket, &mut buffer, patience);
    let length = show_waiting("a reply", receive)?;
    buffer.truncate(length);
    Ok(buffer)
}
