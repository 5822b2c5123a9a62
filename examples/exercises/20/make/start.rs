//! Exercise 20, make: a server with a task for each client. It keeps silent clients
//! forever.

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

/// The default time after which the server disconnects an idle client, in seconds:
/// more than 11 days.
const NO_TIMEOUT: f64 = 1e6;

/// How long the server waits after `accept` has failed, and for the last bytes of a
/// client.
const PAUSE: Duration = Duration::from_secs(1);

/// The values of the options.
#[derive(Clone, Copy)]
struct Times {
    /// How long the server sleeps before each reply.
    delay: Duration,
    /// How long a client may be silent.
    idle: Duration,
}

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_20_make [IP:PORT] [--delay 0] [--timeout SECONDS]");
    let times = Times {
        delay: args.seconds("--delay", DELAY),
        idle: args.timeout("--timeout", NO_TIMEOUT),
    };
    let address = args.listen_address(PORT);
    log_line(format!("idle clients may stay for {:?}", times.idle));
    // The runtime runs the tasks. This runtime uses no thread but the main thread.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve_all(address, times))
}

/// Accepts connections and starts a task for each.
async fn serve_all(address: SocketAddr, times: Times) -> Result<(), Failure> {
    let listener = match listen(address) {
        Ok(listener) => listener,
        Err(err) => return Err(cannot_listen(address, &err)),
    };
    print_line(format!("server ready on {}", listener.local_addr()?));

    loop {
        match listener.accept().await {
            Ok((client, peer)) => {
                // `spawn` starts a task. It does not wait for the end of the task.
                tokio::spawn(serve(client, peer, times));
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

async fn serve(mut client: TcpStream, peer: SocketAddr, times: Times) {
    log_event(peer, "connected");
    let result = handle_client(&mut client, times).await;
    close_gracefully(client).await;
    log_disconnect(peer, &result);
}

async fn handle_client(client: &mut TcpStream, times: Times) -> io::Result<()> {
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
        if !times.delay.is_zero() {
            sleep(times.delay).await;
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
