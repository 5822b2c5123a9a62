//! Exercise 6: a client that does not reach a server, although one of the addresses
//! of the server works.
//!
//! ```text
//! $ cargo run --example my_6
//! [::1]:40123: no server listens here
//! 127.0.0.1:40123: a server listens here
//! could not connect: Connection refused (os error 111)
//! ```

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use sockets101::{Args, Failure, print_or_exit};

/// The time to wait for a connection. Without a timeout, `connect` can take minutes.
const TIMEOUT: Duration = Duration::from_secs(5);

fn main() -> Result<(), Failure> {
    let args = Args::new("my_6");
    args.finish();

    // This server listens on an IPv4 address only, as many servers do.
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = server.local_addr()?.port();
    // A name such as `localhost` can have both addresses of this machine. The
    // resolver often sorts the IPv6 address before the IPv4 address.
    let addresses = [
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
    ];
    print_or_exit(format!("{}: no server listens here\n", addresses[0]));
    print_or_exit(format!("{}: a server listens here\n", addresses[1]));

    match connect(&addresses) {
        Ok(client) => {
            print_or_exit(format!("connected to {}\n", client.peer_addr()?));
        }
        Err(err) => print_or_exit(format!("could not connect: {err}\n")),
    }
    Ok(())
}

/// Connects to a server. `addresses` are the addresses of its name, in the order of
/// the resolver. Returns an error if no address accepts, or if the list is empty.
fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut result = Err(io::Error::other("the name does not have an address"));
    if let Some(address) = addresses.first() {
        result = TcpStream::connect_timeout(address, TIMEOUT);
    }
    result
}

// The tests of the exercise. Do not change them.
#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;

    /// Returns a server on a free port of this machine, and its address.
    fn server() -> (TcpListener, SocketAddr) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = server.local_addr().unwrap();
        (server, address)
    }

    /// Returns an address that refuses connections. The socket keeps the port, so
    /// that no other program can listen on it.
    fn refusing() -> (Socket, SocketAddr) {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::from(any_port)).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, address)
    }

    /// Connects, and returns the address of the server, or the kind of the error.
    fn connected_to(addresses: &[SocketAddr]) -> Result<SocketAddr, ErrorKind> {
        match connect(addresses) {
            Ok(client) => Ok(client.peer_addr().unwrap()),
            Err(err) => Err(err.kind()),
        }
    }

    #[test]
    fn the_first_address_accepts() {
        let (_first_server, first) = server();
        let (_second_server, second) = server();
        let result = connected_to(&[first, second]);
        assert!(
            result == Ok(first),
            "Both addresses accept. Expected a connection to the first address, \
             {first}, got {result:?}."
        );
    }

    #[test]
    fn the_second_address_accepts() {
        let (_socket, first) = refusing();
        let (_server, second) = server();
        let result = connected_to(&[first, second]);
        assert!(
            result == Ok(second),
            "The first address refuses, the second address accepts. Expected a \
             connection to {second}, got {result:?}."
        );
    }

    #[test]
    fn the_last_of_four_addresses_accepts() {
        let (_socket1, first) = refusing();
        let (_socket2, second) = refusing();
        let (_socket3, third) = refusing();
        let (_server, fourth) = server();
        let result = connected_to(&[first, second, third, fourth]);
        assert!(
            result == Ok(fourth),
            "Only the last of four addresses accepts. Expected a connection to \
             {fourth}, got {result:?}."
        );
    }

    #[test]
    fn no_address_accepts() {
        let (_socket1, first) = refusing();
        let (_socket2, second) = refusing();
        let result = connected_to(&[first, second]);
        assert!(
            result == Err(ErrorKind::ConnectionRefused),
            "Both addresses refuse. Expected the error ConnectionRefused, got \
             {result:?}."
        );
    }

    #[test]
    fn the_list_is_empty() {
        let result = connected_to(&[]);
        assert!(
            result.is_err(),
            "The list of addresses is empty. Expected an error, got {result:?}."
        );
    }
}
