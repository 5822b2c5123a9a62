//! Sends each text as one block, over a connection of its own, and prints the answer.
//!
//! For slide 9. With the server in another terminal,
//! `cargo run --example recvall_server`:
//!
//! ```text
//! $ cargo run --example block_client -- 1241 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]` of the server, or `HOST:PORT`, or a `PORT` of this machine; by
//! default 127.0.0.1:1241. Then the texts; without any, lines from standard input.
//! `[--patience 30]`, the seconds to wait for an answer.
//!
//! What to look for:
//!
//! - No newline is needed to know where an answer ends, so a text may contain some.
//! - The server ends each connection after one block: two texts, two connections.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use sockets101::{
    Args, Failure, get_block, no_answer, put_block, while_waiting, within,
};

/// The port of slide 9.
const PORT: u16 = 1241;

/// How long to wait for an answer, in seconds.
const PATIENCE: f64 = 30.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("block_client [IP:PORT [TEXT ...]] [--patience 30]");
    let patience = args.seconds("--patience", PATIENCE, 0.001);
    let server = args.server_address(PORT)?;

    for text in args.texts() {
        let answer = ask(server, &text?, patience);
        let answer = answer.map_err(|err| no_answer(server, &err))?;
        io::stdout().write_all(&[&*answer, b"\n"].concat())?;
    }
    Ok(())
}

fn ask(server: SocketAddr, text: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    let connect = || TcpStream::connect_timeout(&server, patience);
    let stream = while_waiting("a connection", connect)?;
    stream.set_read_timeout(Some(patience))?;
    put_block(&stream, text)?;
    while_waiting("an answer", || within(patience, || get_block(&stream)))
}
