//! Looks up a name and a service, and gets everything that `socket` and `connect`
//! need, for IPv4 and IPv6 alike.
//!
//! Slide 6, "IPv4/IPv6 names". In a terminal (this output is from a machine that has
//! an IPv6 address):
//!
//! ```text
//! $ cargo run --example getaddrinfo
//! getaddrinfo('lip6.fr', 'www'):
//!   AF_INET6 SOCK_STREAM IPPROTO_TCP [2001:db8:283c::15]:80
//!   AF_INET SOCK_STREAM IPPROTO_TCP 132.227.104.15:80
//! connecting to 132.227.104.15:80
//! connected to 132.227.104.15:80
//! getaddrinfo('google.fr', 'www'):
//!   AF_INET6 SOCK_STREAM IPPROTO_TCP [2001:db8::35]:80
//!   AF_INET SOCK_STREAM IPPROTO_TCP 192.0.2.35:80
//! getaddrinfo('lincs.fr', 'www'):
//!   AF_INET SOCK_STREAM IPPROTO_TCP 198.51.100.7:80
//! ```
//!
//! Arguments: `[HOST=lip6.fr]`, the name to look up; `[SERVICE=www]`, the name of a
//! service, or a port.
//!
//! What to try:
//!
//! - Each entry contains the three arguments of `socket` and the address for
//!   `connect`. A program only passes them on. So the same program works with IPv4
//!   and with IPv6.
//! - Run `cargo run --example getaddrinfo -- localhost 80`. It prints each address
//!   up to three times, once for each type of socket. The reason is that a port does
//!   not say which type it is for. The name of a service does.
//! - The slide always takes the second entry. But some names have only one entry.
//!   And the second entry of `localhost 80` is for datagrams. A real program tries
//!   one entry after the other, as `TcpStream::connect` does.
//! - The operating system looks up the name of a service in a file (`/etc/services`
//!   on Linux). If this file is missing, use `80` instead of `www`.

use std::{io, time::Duration};

use dns_lookup::AddrInfo;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use sockets101::{Args, Failure, lookup_error, print_or_exit};

/// The first name of the slide.
const HOST: &str = "lip6.fr";

/// The service of the slide.
const SERVICE: &str = "www";

/// The time to wait for a connection. Without a timeout, `connect` can take minutes.
const TIMEOUT: Duration = Duration::from_secs(5);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("getaddrinfo [HOST=lip6.fr] [SERVICE=www]");
    let host = args.positional(HOST.to_string());
    let service = args.positional(SERVICE.to_string());
    args.finish();

    let entries = look_up(&host, &service);
    if let Some(entry) = choose(&entries) {
        let address = entry.sockaddr;
        print_or_exit(format!("connecting to {address}\n"));
        match connect(entry) {
            Ok(()) => print_or_exit(format!("connected to {address}\n")),
            Err(err) => {
                print_or_exit(format!("could not connect to {address}: {err}\n"));
            }
        }
    }
    look_up("google.fr", &service);
    look_up("lincs.fr", &service);
    Ok(())
}

/// Looks up a name and a service, and prints the entries. Returns no entries if the
/// lookup fails.
fn look_up(host: &str, service: &str) -> Vec<AddrInfo> {
    print_or_exit(format!("getaddrinfo('{host}', '{service}'):"));
    let mut entries = Vec::new();
    match dns_lookup::getaddrinfo(Some(host), Some(service), None) {
        Ok(found) => {
            print_or_exit("\n");
            // Each item is a Result. `flatten` leaves out the errors: addresses that
            // are neither IPv4 nor IPv6.
            for entry in found.flatten() {
                let domain = Domain::from(entry.address);
                let kind = socket_type(&entry);
                let protocol = Protocol::from(entry.protocol);
                let address = entry.sockaddr;
                // `:?` prints a constant by its name, for example AF_INET.
                print_or_exit(format!(
                    "  {domain:?} {kind:?} {protocol:?} {address}\n"
                ));
                entries.push(entry);
            }
        }
        Err(err) => print_or_exit(format!(" {}\n", lookup_error(&err))),
    }
    entries
}

/// Returns the type of socket that an entry is for.
fn socket_type(entry: &AddrInfo) -> Type {
    // On Windows, the type can be 0. This means any type, so we choose a stream.
    if entry.socktype == 0 { Type::STREAM } else { Type::from(entry.socktype) }
}

/// Returns the entry to connect to.
///
/// This is the second entry, as on the slide, if it is for a stream socket.
/// Otherwise it is the first entry for a stream socket. Returns `None` if the list
/// does not contain such an entry.
fn choose(entries: &[AddrInfo]) -> Option<&AddrInfo> {
    let mut note = "the second entry is missing".to_string();
    if let Some(second) = entries.get(1) {
        let kind = socket_type(second);
        if kind == Type::STREAM {
            return Some(second);
        }
        note = format!("the second entry is {kind:?}");
    }
    for entry in entries {
        if socket_type(entry) == Type::STREAM {
            print_or_exit(format!("{note}; using the first SOCK_STREAM entry\n"));
            return Some(entry);
        }
    }
    None
}

/// Connects a new socket to the address of an entry, and closes it again.
fn connect(entry: &AddrInfo) -> io::Result<()> {
    // The three arguments of `socket` come from the entry.
    let domain = Domain::from(entry.address);
    let protocol = Protocol::from(entry.protocol);
    let socket = Socket::new(domain, socket_type(entry), Some(protocol))?;
    socket.connect_timeout(&SockAddr::from(entry.sockaddr), TIMEOUT)
}
