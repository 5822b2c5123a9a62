//! A TCP server that stops when the user types `quit`, after its clients have
//! finished.
//!
//! This server is beyond the lecture. It does the same as lesson 14, "one
//! thread per client", and it has a way to stop. In one terminal:
//!
//! ```text
//! $ cargo run --example stop_server
//! server ready on 127.0.0.1:1244
//! client-1: 127.0.0.1:50412 connected
//! client-1: 127.0.0.1:50412 disconnected
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1244 "hello" "straße"
//! HELLO
//! STRASSE
//! ```
//!
//! Arguments:
//!
//! - `[IP:PORT]`: the address to listen on. The default is 127.0.0.1:1244, which
//!   only programs on this machine can reach. `0.0.0.0:1244` also accepts other
//!   machines on the network.
//! - `[--grace 5]`: how long the server waits for its clients after `quit`, in
//!   seconds.
//!
//! What to try:
//!
//! - Type `quit` and press Enter. The server prints `stopping; connected clients: 0`
//!   and `stopped; clients served: 1, cut off: 0`.
//! - Type `quit` while a client is connected. New clients are refused immediately,
//!   but the connected client still receives its replies. The server waits five
//!   seconds at most for this client.
//! - Send the line through a pipe, in a shell of Linux or macOS:
//!   `(sleep 10; echo quit) | cargo run --example stop_server`.
//! - In a terminal, the end of the input (Ctrl-D, or on Windows Ctrl-Z and Enter)
//!   does the same as `quit`. The server ignores the end of a pipe or a file,
//!   because many services start with an empty input.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, accept_within, cannot_listen};
use sockets101::{close_gracefully, log_and_pause, log_disconnect};
use sockets101::{log_event, print_line};

/// A port that no slide uses.
const PORT: u16 = 1244;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The default time that the clients have to finish, in seconds.
const GRACE: f64 = 5.0;

/// How long the server waits before it checks again whether it must stop.
const TICK: Duration = Duration::from_millis(100);

/// The longest line that the server reads at once, in bytes.
const MAX_LINE: u64 = 100;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("stop_server [IP:PORT] [--grace 5]");
    let grace = args.seconds("--grace", GRACE);
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    // This thread ends when the user wants to stop the server.
    let stop = match thread::Builder::new().spawn(wait_for_quit) {
        Ok(stop) => stop,
        Err(err) => {
            let advice = "stop other programs, and try again";
            return Err(format!("cannot start a thread: {err}; {advice}").into());
        }
    };
    print_line(format!("server ready on {}", listener.local_addr()?));
    if io::stdin().is_terminal() {
        print_line("type quit and press Enter to stop the server");
    }

    let mut clients: Vec<JoinHandle<()>> = Vec::new();
    let mut number: u64 = 0;
    while !stop.is_finished() {
        match accept_within(&listener, TICK) {
            Ok((client, peer)) => {
                number += 1;
                // The name of the thread is the beginning of its log lines.
                let builder =
                    thread::Builder::new().name(format!("client-{number}"));
                match builder.spawn(move || serve(client, peer)) {
                    Ok(thread) => clients.push(thread),
                    Err(err) => {
                        // The closure and its `client` are gone, so the connection
                        // is closed.
                        number -= 1;
                        log_event(peer, "dropped: could not start a thread");
                        log_and_pause("start a thread", &err);
                    }
                }
            }
            // No client came in this time.
            Err(err) if err.kind() == io::ErrorKind::TimedOut => {}
            // The error may last, for example if the server has no more file
            // descriptors (a socket needs one). The pause keeps the log short.
            Err(err) => log_and_pause("accept", &err),
        }
        // Forget the threads of the clients that have disconnected.
        clients.retain(|thread| !thread.is_finished());
    }

    // Without the listener, the kernel refuses new clients.
    drop(listener);
    print_line(format!("stopping; connected clients: {}", clients.len()));
    let deadline = Instant::now() + grace;
    while !clients.is_empty() && Instant::now() < deadline {
        thread::sleep(TICK);
        clients.retain(|thread| !thread.is_finished());
    }
    let cut_off = clients.len();
    let served = number - cut_off as u64;
    print_line(format!("stopped; clients served: {served}, cut off: {cut_off}"));
    // When `main` returns, the process exits. Its threads end, and the kernel closes
    // its connections.
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
    // `accept_within` needs a non-blocking listener.
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// Returns when the server must stop.
fn wait_for_quit() {
    let mut stdin = io::stdin().lock();
    loop {
        // The loop reads a longer line in parts, so no line needs much memory.
        let mut line = Vec::new();
        let result = stdin.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if line.trim_ascii() == b"quit" {
            return;
        }
        // An error ends the loop, like the end of the input.
        if result.is_err() || line.is_empty() {
            break;
        }
    }
    // If the input is not a terminal, the server runs until the user or another
    // program stops it.
    while !stdin.is_terminal() {
        thread::park();
    }
}

fn serve(mut client: TcpStream, peer: SocketAddr) {
    log_event(peer, "connected");
    let result = handle_client(&mut client);
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
