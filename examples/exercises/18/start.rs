//! Exercise 18: a pool of four threads with a queue. It serves only one client at a
//! time.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::{str, thread, time::Duration};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, cannot_listen, close_gracefully, log_line};
use sockets101::{accept_within, read_within};
use sockets101::{log_and_pause, log_disconnect, log_event, print_line};

/// The port of lesson 18.
const PORT: u16 = 1241;

/// The length of the queue of pending connections that the server asks for.
const BACKLOG: i32 = 100;

/// The largest number of bytes that one read returns.
const BUFFER_SIZE: usize = 4096;

/// The number of threads that serve clients.
const THREADS: usize = 4;

/// The default time that a reply takes, in seconds.
const DELAY: f64 = 5.0;

/// The default time that the server waits for a client, and then for its request, in
/// seconds.
const TIMEOUT: f64 = 20.0;

/// A client in the queue: its socket and its address.
type Client = (TcpStream, SocketAddr);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_18 [IP:PORT] [--delay 5] [--timeout 20]");
    let timeout = args.timeout("--timeout", TIMEOUT);
    let delay = args.seconds("--delay", DELAY);
    let address = args.listen_address(PORT);
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    // A channel is a queue between threads. The main thread puts clients into the
    // queue, and the four threads take them out. They share one receiver, so Rust
    // requires a lock around the receiver.
    let (sender, receiver) = channel();
    let queue = Mutex::new(receiver);

    // `thread::scope` calls this closure (a function without a name). Then it waits
    // until all threads of the scope have returned, so they may borrow `queue`.
    thread::scope(|scope| {
        for number in 1..=THREADS {
            // The name of the thread is the beginning of its log lines.
            let builder = thread::Builder::new().name(format!("worker-{number}"));
            // `spawn_scoped` starts a thread. The thread calls the second closure,
            // which borrows `queue` and therefore does not need `move`.
            let started =
                builder.spawn_scoped(scope, || serve(&queue, timeout, delay));
            if let Err(err) = started {
                log_line(format!("cannot start worker-{number}: {err}"));
            }
        }
        accept_clients(listener, sender, timeout);
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
    // `accept_within` waits for a client, so `accept` itself must not wait.
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// Accepts clients and puts them into the queue, until no client has connected for
/// `timeout`.
fn accept_clients(listener: TcpListener, sender: Sender<Client>, timeout: Duration) {
    loop {
        match accept_within(&listener, timeout) {
            Ok(client) => {
                // This fails only if the queue does not have a receiver any more.
                if sender.send(client).is_err() {
                    break;
                }
            }
            Err(err) => {
                // No client has connected in time, so the server stops.
                if err.kind() == ErrorKind::TimedOut {
                    break;
                }
                // The error may last, for example if the server has no more file
                // descriptors (a socket needs one). The pause keeps the log short.
                log_and_pause("accept", &err);
            }
        }
    }
    // This function owns the listener and the sender, so Rust drops them here. The
    // kernel then refuses other clients, and each thread exits when the queue is
    // empty.
}

/// Locks the queue, and waits for the lock if another thread has it.
fn lock(queue: &Mutex<Receiver<Client>>) -> MutexGuard<'_, Receiver<Client>> {
    match queue.lock() {
        Ok(guard) => guard,
        // Another thread panicked while it had the lock. The queue still works.
        Err(poisoned) => poisoned.into_inner(),
    }
}

fn serve(queue: &Mutex<Receiver<Client>>, timeout: Duration, delay: Duration) {
    // `recv` waits for a client. It fails if the queue is empty and Rust has
    // dropped the sender.
    while let Ok((mut client, peer)) = lock(queue).recv() {
        log_event(peer, "connected");
        // Do not use `?` here, because an error of one client must not stop the
        // thread.
        let result = handle_client(&mut client, timeout, delay);
        close_gracefully(client);
        log_disconnect(peer, &result);
    }
    print_line("Socket timed out, exiting thread");
}

fn handle_client(
    client: &mut TcpStream,
    timeout: Duration,
    delay: Duration,
) -> io::Result<()> {
    let mut buffer = [0; BUFFER_SIZE];
    let length = read_within(client, &mut buffer, timeout)?;
    // Do not wait if the client has not sent a request.
    if length > 0 {
        thread::sleep(delay);
    }
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
