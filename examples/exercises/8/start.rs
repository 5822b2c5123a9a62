//! Exercise 8: a program that gives the same advice for each network error.
//!
//! ```text
//! $ cargo run --example my_8
//! connecting to a port without a server: Connection refused (os error 111)
//!   what to do: try again later
//! connecting to a busy server: connection timed out
//!   what to do: try again later
//! reading from a silent server: Resource temporarily unavailable (os error 11)
//!   what to do: try again later
//! listening on a port that is in use: Address already in use (os error 98)
//!   what to do: try again later
//! ```

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, print_or_exit};

/// This machine. Port 0 lets the kernel choose a free port.
const LOOPBACK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

/// The time to wait for a server that does not reply.
const TIMEOUT: Duration = Duration::from_millis(200);

fn main() -> Result<(), Failure> {
    let args = Args::new("my_8");
    args.finish();

    print_or_exit("connecting to a port without a server: ");
    print_result(connect_without_server());

    print_or_exit("connecting to a busy server: ");
    print_result(connect_to_busy_server());

    print_or_exit("reading from a silent server: ");
    print_result(read_from_silent_server());

    print_or_exit("listening on a port that is in use: ");
    print_result(listen_twice());
    Ok(())
}

/// Connects to a port that a socket is bound to, but does not listen on.
fn connect_without_server() -> io::Result<()> {
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    bound.bind(&SockAddr::from(LOOPBACK))?;
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    client.connect(&bound.local_addr()?)
}

/// Connects to a server that does not call `accept`, again and again. After a few
/// connections, the server's kernel does not reply.
fn connect_to_busy_server() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SockAddr::from(LOOPBACK))?;
    socket.listen(1)?;
    let busy_server = TcpListener::from(socket);
    let address = busy_server.local_addr()?;
    let mut clients = Vec::new();
    loop {
        clients.push(TcpStream::connect_timeout(&address, TIMEOUT)?);
    }
}

/// Waits for one byte from a server that does not send anything.
fn read_from_silent_server() -> io::Result<()> {
    // The client can connect although this program does not call `accept`.
    let silent_server = TcpListener::bind(LOOPBACK)?;
    let mut client = TcpStream::connect(silent_server.local_addr()?)?;
    client.set_read_timeout(Some(TIMEOUT))?;
    client.read_exact(&mut [0; 1])
}

/// Listens on a port on which another server already listens.
fn listen_twice() -> io::Result<()> {
    let other_server = TcpListener::bind(LOOPBACK)?;
    TcpListener::bind(other_server.local_addr()?)?;
    Ok(())
}

/// Prints an error, and the advice.
fn print_result(result: io::Result<()>) {
    match result {
        Ok(()) => print_or_exit("no error this time\n"),
        Err(err) => print_or_exit(format!("{}\n", advice(&err))),
    }
}

/// Returns the error as text, and what the user should do next.
fn advice(err: &io::Error) -> String {
    let next = "try again later";
    format!("{err}\n  what to do: {next}")
}

// The tests of the exercise. Do not change them.
#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    // The words for the three kinds of advice.
    const START: &str = "start the server";
    const WAIT: &str = "wait longer";
    const PORT: &str = "another port";

    /// Fails if the advice does not contain the expected words, or if it contains
    /// other words of the list. `track_caller` lets a failed test print the line of
    /// the caller.
    #[track_caller]
    fn assert_advice(result: io::Result<()>, expected: &str) {
        let Err(err) = result else {
            panic!("The operating system did not report the expected error.");
        };
        let kind = err.kind();
        let text = advice(&err);
        for words in [START, WAIT, PORT] {
            let is_expected = words == expected;
            let must = if is_expected { "must" } else { "must not" };
            assert!(
                text.to_lowercase().contains(words) == is_expected,
                "The kind of the error is {kind:?}. The advice {must} contain \
                 \"{words}\". The function `advice` returned:\n{text}"
            );
        }
    }

    #[test]
    fn connection_refused() {
        assert_advice(connect_without_server(), START);
    }

    #[test]
    fn connecting_timed_out() {
        assert_advice(connect_to_busy_server(), WAIT);
    }

    #[test]
    fn reading_timed_out() {
        assert_advice(read_from_silent_server(), WAIT);
    }

    #[test]
    fn address_in_use() {
        assert_advice(listen_twice(), PORT);
    }

    /// The socket is not connected, so it does not have a peer. None of the three
    /// kinds of advice helps here.
    #[test]
    fn another_error() {
        let socket = UdpSocket::bind(LOOPBACK).unwrap();
        let err = socket.peer_addr().unwrap_err();
        let text = advice(&err);
        assert!(
            text.contains("try again later"),
            "Another error keeps the old advice. The function `advice` returned:\n{text}"
        );
        assert_advice(Err(err), "");
    }
}
