//! Exercise 3, make: a client that measures how long the server of lesson 3 takes
//! to reply.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use sockets101::{Args, Failure, no_reply, print_or_exit};

/// The port of lesson 3.
const PORT: u16 = 1234;

/// The number of requests that the program sends, one after another.
const REQUESTS: usize = 4;

/// The time to wait for each reply.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The largest datagram that the client receives completely, in bytes.
const BUFFER_SIZE: usize = 2048;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_3_make [IP:PORT]");
    let server = args.server_address(PORT)?;
    args.finish();

    for _ in 0..REQUESTS {
        match ping(server, TIMEOUT) {
            Ok(Some(time)) => print_or_exit(format!("PONG after {time:?}\n")),
            Ok(None) => print_or_exit("no PONG\n"),
            Err(err) => return Err(no_reply(server, &err)),
        }
    }
    Ok(())
}

/// Sends `PING` to `server`. Returns the time until `PONG` arrives, or `None` if it
/// does not arrive within `timeout`.
fn ping(server: SocketAddr, timeout: Duration) -> io::Result<Option<Duration>> {
    // Any address of this machine, and any free port.
    let own_address = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(own_address)?;
    let start = Instant::now();
    socket.send_to(b"PING", server)?;
    loop {
        // All calls of `receive` together must not take longer than `timeout`.
        let remaining = timeout.saturating_sub(start.elapsed());
        if remaining.is_zero() {
            return Ok(None);
        }
        if let Some((text, peer)) = receive(&socket, remaining)? {
            if peer == server && text == b"PONG" {
                return Ok(Some(start.elapsed()));
            }
        }
    }
}

/// Waits for a datagram, but at most for `timeout`, which must not be 0. Returns the
/// bytes of the datagram and the address of its sender, or `None` if no datagram
/// came.
fn receive(
    socket: &UdpSocket,
    timeout: Duration,
) -> io::Result<Option<(Vec<u8>, SocketAddr)>> {
    let mut buffer = vec![0; BUFFER_SIZE];
    socket.set_read_timeout(Some(timeout))?;
    match socket.recv_from(&mut buffer) {
        Ok((length, peer)) => {
            buffer.truncate(length);
            Ok(Some((buffer, peer)))
        }
        Err(err) => match err.kind() {
            // A timeout is `WouldBlock` on Unix and `TimedOut` on Windows. On Linux,
            // Ctrl-Z and `fg` interrupt the call.
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                Ok(None)
            }
            _ => Err(err),
        },
    }
}

// The tests of the exercise. Do not change them.
#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Instant;

    use super::*;

    /// The timeout of `ping` if the server replies.
    const LONG: Duration = Duration::from_secs(3);

    /// The timeout of `ping` if the server does not reply.
    const SHORT: Duration = Duration::from_millis(500);

    /// The time until a late `PONG`.
    const LATE: Duration = Duration::from_millis(300);

    /// A little less than `LATE`, because clocks are not exact.
    const ALMOST_LATE: Duration = Duration::from_millis(200);

    /// The time after which a test gives up.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn bind() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").unwrap()
    }

    /// Starts a server in a thread. When a request has arrived, the server calls
    /// `reply` with its socket and with the address of the client.
    fn start_server(
        reply: impl FnOnce(&UdpSocket, SocketAddr) + Send + 'static,
    ) -> SocketAddr {
        let socket = bind();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            if let Ok((_, client)) = socket.recv_from(&mut [0; 64]) {
                reply(&socket, client);
            }
        });
        address
    }

    /// Sends a datagram. The client may have closed its socket already.
    fn send(socket: &UdpSocket, text: &str, client: SocketAddr) {
        let _ = socket.send_to(text.as_bytes(), client);
    }

    /// Calls `ping`. Returns its result, and the time that the call took.
    fn call(server: SocketAddr, timeout: Duration) -> (Option<Duration>, Duration) {
        let start = Instant::now();
        // The thread lets the test fail if `ping` never returns.
        let (sender, result) = channel();
        thread::spawn(move || sender.send(ping(server, timeout)));
        match result.recv_timeout(PATIENCE) {
            Ok(Ok(result)) => (result, start.elapsed()),
            Ok(Err(err)) => panic!("`ping` returned the error `{err}`"),
            Err(_) => panic!(
                "`ping` panicked, or it did not return within {PATIENCE:?}; its \
                 timeout was {timeout:?}"
            ),
        }
    }

    #[test]
    fn an_immediate_reply() {
        let server = start_server(|socket, client| send(socket, "PONG", client));
        let (result, _) = call(server, LONG);
        assert!(
            result.is_some(),
            "the server replied immediately, and `ping` returned None; expected the \
             time until the reply",
        );
    }

    #[test]
    fn a_late_reply() {
        let server = start_server(|socket, client| {
            thread::sleep(LATE);
            send(socket, "PONG", client);
        });
        let (result, _) = call(server, LONG);
        assert!(
            result.is_some_and(|time| time >= ALMOST_LATE),
            "the server replied after {LATE:?}, and `ping` returned {result:?}; \
             expected about {LATE:?}",
        );
    }

    #[test]
    fn no_reply() {
        // The server keeps its socket open, but does not reply.
        let server = start_server(|_, _| thread::sleep(PATIENCE));
        let (result, took) = call(server, SHORT);
        assert!(
            result.is_none() && took >= SHORT / 2 && took < SHORT * 5,
            "the server did not reply, and `ping` returned {result:?} after \
             {took:?}; expected None after {SHORT:?}, which was the timeout",
        );
    }

    #[test]
    fn a_stranger_first() {
        let server = start_server(|socket, client| {
            send(&bind(), "PONG", client);
            thread::sleep(LATE);
            send(socket, "PONG", client);
        });
        let (result, _) = call(server, LONG);
        assert!(
            result.is_some_and(|time| time >= ALMOST_LATE),
            "a program with another address sent PONG immediately, the server sent \
             PONG after {LATE:?}, and `ping` returned {result:?}; expected about \
             {LATE:?}",
        );
    }

    #[test]
    fn another_text_first() {
        let server = start_server(|socket, client| {
            send(socket, "PING", client);
            thread::sleep(LATE);
            send(socket, "PONG", client);
        });
        let (result, _) = call(server, LONG);
        assert!(
            result.is_some_and(|time| time >= ALMOST_LATE),
            "the server sent PING immediately and PONG after {LATE:?}, and `ping` \
             returned {result:?}; expected about {LATE:?}",
        );
    }

    #[test]
    fn strangers_do_not_extend_the_timeout() {
        let server = start_server(|_, client| {
            let stranger = bind();
            for _ in 0..40 {
                send(&stranger, "PONG", client);
                thread::sleep(SHORT / 5);
            }
        });
        let (result, took) = call(server, SHORT);
        assert!(
            result.is_none() && took >= SHORT / 2 && took < SHORT * 5,
            "a program with another address sent PONG every {:?}, the server sent \
             nothing, and `ping` returned {result:?} after {took:?}; expected None \
             after {SHORT:?}, which was the timeout",
            SHORT / 5,
        );
    }
}
