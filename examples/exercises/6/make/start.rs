//! Exercise 6, make: a client that looks up a name, and connects to one of its
//! addresses.
//!
//! ```text
//! $ cargo run --example my_6_make -- google.fr www
//!   [2001:db8::35]:80
//!   192.0.2.35:80
//! connected to [2001:db8::35]:80
//! ```
//!
//! Arguments: `[HOST=localhost]`, the name to look up; `[SERVICE=1235]`, the name of
//! a service, or a port.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, SockType, getaddrinfo};
use sockets101::{Args, Failure, lookup_error, print_or_exit};

/// This machine.
const HOST: &str = "localhost";

/// The port of `tcp_server`.
const SERVICE: &str = "1235";

/// The time to wait for a connection to one address. Without a timeout, `connect`
/// can take minutes.
const TIMEOUT: Duration = Duration::from_secs(5);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_6_make [HOST=localhost] [SERVICE=1235]");
    let host = args.positional(HOST.to_string());
    let service = args.positional(SERVICE.to_string());
    args.finish();

    let addresses = alternate(&look_up(&host, &service)?);
    for address in &addresses {
        print_or_exit(format!("  {address}\n"));
    }
    match connect(&addresses, TIMEOUT) {
        Ok(client) => {
            print_or_exit(format!("connected to {}\n", client.peer_addr()?));
        }
        Err(err) => print_or_exit(format!("could not connect: {err}\n")),
    }
    Ok(())
}

/// Looks up a name and a service. Returns the addresses in the order of the
/// resolver.
fn look_up(host: &str, service: &str) -> Result<Vec<SocketAddr>, Failure> {
    // Ask for stream sockets only, because a port has an entry for each type.
    let hints = AddrInfoHints {
        socktype: i32::from(SockType::Stream),
        ..AddrInfoHints::default()
    };
    match getaddrinfo(Some(host), Some(service), Some(hints)) {
        Ok(entries) => {
            let mut addresses = Vec::new();
            // Each item is a Result. `flatten` leaves out the errors: addresses that
            // are neither IPv4 nor IPv6.
            for entry in entries.flatten() {
                addresses.push(entry.sockaddr);
            }
            Ok(addresses)
        }
        Err(err) => Err(format!("{host} {}", lookup_error(&err)).into()),
    }
}

/// Returns the addresses in the order in which the program tries them. The two
/// address families alternate, beginning with the family of the first address
/// (RFC 8305, section 4).
fn alternate(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    // To do: this is still the order of the resolver.
    addresses.to_vec()
}

/// Connects to the first address that accepts. Waits for each address for `timeout`
/// at most. Returns an error if no address accepts, or if the list is empty.
fn connect(addresses: &[SocketAddr], timeout: Duration) -> io::Result<TcpStream> {
    let mut result = Err(io::Error::other("the name does not have an address"));
    // To do: this tries only the first address.
    if let Some(address) = addresses.first() {
        result = TcpStream::connect_timeout(address, timeout);
    }
    result
}

// The tests of the exercise. Do not change them.
#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
    use std::{sync::mpsc::channel, thread};

    use socket2::{Domain, SockAddr, Socket, Type};

    use super::*;

    /// Returns an IPv4 address that is reserved for documentation.
    fn v4(number: u8) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(192, 0, 2, number), 80))
    }

    /// Returns an IPv6 address that is reserved for documentation.
    fn v6(number: u16) -> SocketAddr {
        SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number), 80))
    }

    /// `track_caller` lets a failed test print the line of the caller.
    #[track_caller]
    fn assert_order(resolver: &[SocketAddr], expected: &[SocketAddr]) {
        let result = alternate(resolver);
        assert!(
            result == expected,
            "The order of the resolver is\n  {resolver:?}\nExpected the order\n  \
             {expected:?}\nGot\n  {result:?}"
        );
    }

    #[test]
    fn the_first_address_is_ipv6() {
        assert_order(
            &[v6(1), v6(2), v6(3), v4(1), v4(2)],
            &[v6(1), v4(1), v6(2), v4(2), v6(3)],
        );
    }

    #[test]
    fn the_first_address_is_ipv4() {
        assert_order(&[v4(1), v4(2), v6(1)], &[v4(1), v6(1), v4(2)]);
    }

    #[test]
    fn each_family_keeps_its_order() {
        assert_order(&[v6(2), v4(7), v4(5), v6(1)], &[v6(2), v4(7), v6(1), v4(5)]);
    }

    #[test]
    fn one_family_has_more_addresses() {
        let addresses = [v4(1), v6(1), v6(2), v6(3)];
        assert_order(&addresses, &addresses);
    }

    #[test]
    fn all_addresses_are_ipv4() {
        let addresses = [v4(3), v4(1), v4(2)];
        assert_order(&addresses, &addresses);
    }

    #[test]
    fn the_list_is_empty() {
        assert_order(&[], &[]);
        let result = connected_to(&[], TIMEOUT);
        assert!(
            result.is_err(),
            "The list of addresses is empty. Expected an error, got {result:?}."
        );
    }

    /// This machine. The kernel chooses a free port.
    fn any_port() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    /// Returns a server, and its address.
    fn server() -> (TcpListener, SocketAddr) {
        let server = TcpListener::bind(any_port()).unwrap();
        let address = server.local_addr().unwrap();
        (server, address)
    }

    /// Returns a socket that does not listen. Its address refuses connections as long
    /// as the socket keeps the port.
    fn refusing() -> (Socket, SocketAddr) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::from(any_port())).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, address)
    }

    /// Returns a listening socket with a full queue, and the connections in its
    /// queue. A client that connects to its address does not get a reply.
    fn silent() -> (Socket, Vec<TcpStream>, SocketAddr) {
        let (socket, address) = refusing();
        socket.listen(1).unwrap();
        let mut queue = Vec::new();
        while let Ok(client) =
            TcpStream::connect_timeout(&address, Duration::from_millis(500))
        {
            queue.push(client);
        }
        (socket, queue, address)
    }

    /// Connects, and returns the address of the server, or the kind of the error.
    /// Another thread calls `connect`, so that the test does not wait for minutes.
    #[track_caller]
    fn connected_to(
        addresses: &[SocketAddr],
        timeout: Duration,
    ) -> Result<SocketAddr, ErrorKind> {
        let addresses = addresses.to_vec();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let result = match connect(&addresses, timeout) {
                Ok(client) => Ok(client.peer_addr().unwrap()),
                Err(err) => Err(err.kind()),
            };
            sender.send(result).unwrap();
        });
        match receiver.recv_timeout(Duration::from_secs(15)) {
            Ok(result) => result,
            Err(_) => panic!(
                "`connect` panicked, or did not return within 15 seconds. Try each \
                 address for `timeout` at most."
            ),
        }
    }

    #[test]
    fn the_first_address_accepts() {
        let (_server1, first) = server();
        let (_server2, second) = server();
        let result = connected_to(&[first, second], TIMEOUT);
        assert!(
            result == Ok(first),
            "Both addresses accept. Expected a connection to the first address, \
             {first}, got {result:?}."
        );
    }

    #[test]
    fn the_third_address_accepts() {
        let (_socket1, first) = refusing();
        let (_socket2, second) = refusing();
        let (_server, third) = server();
        let result = connected_to(&[first, second, third], TIMEOUT);
        assert!(
            result == Ok(third),
            "Two addresses refuse, the third address accepts. Expected a connection \
             to {third}, got {result:?}."
        );
    }

    #[test]
    fn the_first_address_does_not_reply() {
        let (_socket, _queue, first) = silent();
        let (_server, second) = server();
        let result = connected_to(&[first, second], Duration::from_millis(500));
        assert!(
            result == Ok(second),
            "The first address does not reply, the second address accepts. Expected \
             a connection to {second} after 0.5 seconds, got {result:?}."
        );
    }

    #[test]
    fn no_address_accepts() {
        let (_socket1, first) = refusing();
        let (_socket2, second) = refusing();
        let result = connected_to(&[first, second], TIMEOUT);
        assert!(
            result == Err(ErrorKind::ConnectionRefused),
            "Both addresses refuse. Expected the error ConnectionRefused, got \
             {result:?}."
        );
    }
}
