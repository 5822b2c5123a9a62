//! A TCP server with a task for each client. All tasks run in one thread.
//!
//! This server is beyond the lecture. It does the same as lesson 14, "one
//! thread per client", with tasks instead of threads. It needs one more library,
//! tokio, which the option `--features async` adds. In one terminal:
//!
//! ```text
//! $ cargo run --example async_server --features async
//! server ready on 127.0.0.1:1243
//! 127.0.0.1:50412 connected
//! 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1243 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Arguments:
//!
//! - `[IP:PORT]`: the address to listen on. The default is 127.0.0.1:1243, which
//!   only programs on this machine can reach. `0.0.0.0:1243` also accepts other
//!   machines on the network.
//! - `[--delay 0]`: how long the server sleeps before each reply, in seconds.
//!
//! What to try:
//!
//! - Compare this file with lesson 14 (`thread_per_client`). The loops are the same.
//!   This program has `.await` after each call that may wait, and it calls
//!   `tokio::spawn` instead of starting a thread.
//! - At `.await`, a task that must wait lets the other tasks run. Start the server
//!   with `--delay 2`, and run `cargo run --example crowd -- 1243 --clients 5`.
//!   All replies come after 2 seconds, because a task that sleeps is waiting, too.
//! - A call that waits without `.await` blocks all tasks. Replace the line with
//!   `sleep` by `std::thread::sleep(delay);` and repeat the command. Each client now
//!   waits for the client before it.
//! - If a client does not read its replies, only the task of this client waits, at
//!   `write_all`. This is called back-pressure.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, cannot_listen, is_about_one_peer};
use sockets101::{log_disconnect, log_event, log_line, print_line};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

/// A port that no slide uses.
const PORT: u16 = 1243;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The default time that a reply takes, in seconds.
const DELAY: f64 = 0.0;

/// How long the server waits after `accept` has failed, and for the last bytes of a
/// client.
const PAUSE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Failure> {
    let options = "async_server --features async [IP:PORT] [--delay 0]";
    let mut args = Args::new(options);
    let delay = args.seconds("--delay", DELAY);
    let address = args.listen_address(PORT);
    // The runtime runs the tasks. This runtime uses no thread but the main thread.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve_all(address, delay))
}

/// Accepts connections and starts a task for each.
async fn serve_all(address: SocketAddr, delay: Duration) -> Result<(), Failure> {
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    loop {
        match listener.accept().await {
            Ok((client, peer)) => {
                // `spawn` starts a task. It does not wait for the end of the task.
                tokio::spawn(serve(client, peer, delay));
            }
            Err(err) if is_about_one_peer(&err) => {}
            Err(err) => {
                // The error may last, for example if the server has no more file
                // descriptors (a socket needs one). The pause keeps the log short.
                log_line(format!("cannot accept: {err}; trying again in a second"));
                sleep(PAUSE).await;
            }
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
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    // `into` returns a listener of the standard library, `from_std` a listener of
    // tokio.
    TcpListener::from_std(socket.into())
}

async fn serve(mut client: TcpStream, peer: SocketAddr, delay: Duration) {
    log_event(peer, "connected");
    let result = handle_client(&mut client, delay).await;
    close_gracefully(client).await;
    log_disconnect(peer, &result);
}

async fn handle_client(client: &mut TcpStream, delay: Duration) -> io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; BUFFER_SIZE];
    loop {
        let length = client.read(&mut buffer).await?;
        if length == 0 {
            // The client has closed its sending side. `finish` returns an error if
            // the last character is not complete.
            return decoder.finish();
        }
        // A sleep of 0 would last until the next millisecond.
        if !delay.is_zero() {
            sleep(delay).await;
        }
        // `valid` is false if there are invalid bytes after `text`.
        let (text, valid) = decoder.decode(&buffer[..length]);
        client.write_all(text.to_uppercase().as_bytes()).await?;
        if !valid {
            return Err(io::Error::other("invalid UTF-8"));
        }
    }
}

/// Does the same as `sockets101::close_gracefully`, which would block all tasks.
async fn close_gracefully(mut client: TcpStream) {
    // This fails if the client has reset the connection. The copy fails then, too.
    let _ = client.shutdown().await;
    // Discard what the client still sends, but for a second at most.
    let _ = timeout(PAUSE, copy(&mut client, &mut sink())).await;
}
