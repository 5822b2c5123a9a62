//! Exercise 16, make: a pool of four threads. The function that serves a client has
//! a bug.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::{str, thread};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, close_gracefully, log_line};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of the slide.
const PORT: u16 = 1239;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The number of threads that serve clients.
const THREADS: usize = 4;

fn main() -> Result<(), Failure> {
    let args = Args::new("my_16_make [IP:PORT]");
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    // `thread::scope` calls this closure (a function without a name). Then it waits
    // until all threads of the scope have returned, so they may borrow `listener`.
    thread::scope(|scope| {
        for number in 1..=THREADS {
            // The name of the thread is the beginning of its log lines.
            let builder = thread::Builder::new().name(format!("worker-{number}"));
            // `spawn_scoped` starts a thread. The thread calls the second closure,
            // which borrows `listener` and therefore does not need `move`.
            let started = builder.spawn_scoped(scope, || serve(&listener));
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
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn serve(listener: &TcpListener) {
    loop {
        match listener.accept() {
            Ok((mut client, peer)) => {
                log_event(peer, "connected");
                // After a panic, `client` may be in a wrong state. `AssertUnwindSafe`
                // promises that this does no harm. The server only closes `client`.
                let handler = AssertUnwindSafe(|| handle_client(&mut client));
                // Do not use `?` here, because an error of one client must not stop
                // the thread.
                let result = match panic::catch_unwind(handler) {
                    Ok(result) => result,
                    // Rust has already printed the message of the panic. The thread
                    // continues.
                    Err(_) => Err(io::Error::other("the handler panicked")),
                };
                close_gracefully(client);
                log_disconnect(peer, &result);
            }
            // The error may last, for example if the server has no more file
            // descriptors (a socket needs one). The pause keeps the log short.
            Err(err) => log_and_pause("accept", &err),
        }
    }
}

fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER_SIZE];
    let length = client.read(&mut buffer)?;
    let received = &buffer[..length];
    // This is a simulated bug. Keep it, because the exercise is about the rest of the
    // program.
    if received.starts_with(b"crash") {
        panic!("a simulated bug");
    }
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
