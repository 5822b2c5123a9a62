//! The server of lesson 16 (`thread_pool`), but a thread exits if no client connects
//! for a while.
//!
//! Slide 17, "pool with timeout". In one terminal:
//!
//! ```text
//! $ cargo run --example thread_pool_timeout -- --timeout 3
//! server ready on 127.0.0.1:1240
//! worker-1: 127.0.0.1:50412 connected
//! worker-1: 127.0.0.1:50412 disconnected
//! Socket timed out, exiting thread
//! Socket timed out, exiting thread
//! Socket timed out, exiting thread
//! Socket timed out, exiting thread
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example tcp_client -- 1240 "straße"
//! STRASSE
//! ```
//!
//! Arguments: `[IP:PORT]`, the address to listen on. The default is 127.0.0.1:1240,
//! which only programs on this machine can reach. `0.0.0.0:1240` also accepts other
//! machines on the network. `[--timeout 20]`, the time that a thread waits for a
//! client, and then for its request, in seconds.
//!
//! What to try:
//!
//! - The main thread waits for the four threads. When the last thread exits, the
//!   program exits, and the kernel closes the listening socket. If the program
//!   continued without threads, clients could still connect. The kernel would
//!   complete their handshakes, but they would never get a reply.
//! - Start the server with `cargo run --example thread_pool_timeout`. Connect one
//!   client every ten seconds. Threads still time out, because each thread measures
//!   its own waiting time. When another thread serves a client, this time continues.
//!   So the pool becomes smaller, and it never grows again.
//! - The timeout of `accept` does not apply to the sockets that `accept` returns.
//!   Therefore `handle_client` sets a timeout for its own read. Start the server
//!   with `cargo run --example thread_pool_timeout -- --timeout 3`. Run
//!   `cargo run --example tcp_client -- 1240`, and do not type anything. After 3
//!   seconds, the server prints `dropped: timed out: nothing received for 3 s`.
//! - The comments that begin with `timeout` mark what `thread_pool` does not have.
//!   The imports, the port, the usage line and the lines that pass `timeout` on are
//!   also different.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::{str, thread, time::Duration};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, close_gracefully, log_line};
use sockets101::{accept_within, read_within};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1240;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The number of threads that serve clients.
const THREADS: usize = 4;

/// timeout: the default time that a thread waits for a client, and then for its
/// request, in seconds.
const TIMEOUT: f64 = 20.0;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("thread_pool_timeout [IP:PORT] [--timeout 20]");
    let timeout = args.timeout("--timeout", TIMEOUT); // timeout
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    // `thread::scope` calls this closure (a function without a name). Then it waits
    // until all threads of the scope have returned, so they may borrow `listener`.
    // timeout: when all workers have returned, `main` returns, too.
    thread::scope(|scope| {
        for number in 1..=THREADS {
            // The name of the thread is the beginning of its log lines.
            let builder = thread::Builder::new().name(format!("worker-{number}"));
            // `spawn_scoped` starts a thread. The thread calls the second closure,
            // which borrows `listener` and therefore does not need `move`.
            let started = builder.spawn_scoped(scope, || serve(&listener, timeout));
            if let Err(err) = started {
                log_line(format!("cannot start worker-{number}: {err}"));
            }
        }
    });
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
    // timeout: several threads can wait for the same connection. Only one thread
    // gets it, and the other threads must not block in `accept`.
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn serve(listener: &TcpListener, timeout: Duration) {
    loop {
        // timeout: replaces `listener.accept()`, and waits at most `timeout`.
        match accept_within(listener, timeout) {
            Ok((mut client, peer)) => {
                log_event(peer, "connected");
                // Do not use `?` here, because an error of one client must not stop
                // the thread.
                let result = handle_client(&mut client, timeout);
                close_gracefully(client);
                log_disconnect(peer, &result);
            }
            Err(err) => {
                // timeout: no client has connected in time, so the thread exits.
                if err.kind() == ErrorKind::TimedOut {
                    break;
                }
                // The error may last, for example if the server has no more file
                // descriptors (a socket needs one). The pause keeps the log short.
                log_and_pause("accept", &err);
            }
        }
    }
    print_line("Socket timed out, exiting thread"); // timeout
}

fn handle_client(client: &mut TcpStream, timeout: Duration) -> io::Result<()> {
    let mut buffer = [0; BUFFER_SIZE];
    let length = read_within(client, &mut buffer, timeout)?; // timeout
    let received = &buffer[..length];
    match str::from_utf8(received) {
        Ok(text) => client.write_all(text.to_uppercase().as_bytes()),
        Err(err) => {
            // Reply to the valid text before the first invalid byte.
            let valid = &received[..err.valid_up_to()];
            let text = String::from_utf8_lossy(valid);
            client.write_all(text.to_uppercase().as_bytes())?;
            Err(io::Error::other("invalid UTF-8"))
        }
    }
}
