//! A name and a service become everything that `socket` and `connect` need, for IPv4
//! and IPv6 alike.
//!
//! Slide 6, "IPv4/IPv6 names". In a terminal, where the names are as on the slide and
//! this machine has an IPv6 address:
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
//! Arguments: `[HOST=lip6.fr]` and `[SERVICE=www]`, a service's name or its port.
//!
//! What to look for:
//!
//! - An entry holds the three arguments of `socket` and the one of `connect`. A program
//!   that passes them on works with IPv4 and IPv6 and never says which.
//! - Give a port, `getaddrinfo -- localhost 80`: an address comes up to three times, once
//!   for each type of socket, since a bare number belongs to no protocol.
//! - The slide takes the second entry, whatever that is. A name with one address has no
//!   second one; of `localhost 80` the second is for datagrams; on a machine without
//!   IPv6 it may be the address that cannot be reached. A real program tries one
//!   after the other, as `TcpStream::connect` does.
//! - A service's name is looked up in a file of the system (`/etc/services`). Where that
//!   is missing, `www` cannot be resolved, and `80` can.

// ANCHOR: program
use std::{io, io::Write, time::Duration};

use dns_lookup::AddrInfo;
use socket2::{Domain, Protocol, Socket, Type};
use sockets101::{Args, Failure, unresolved};

/// The slide's first name, and its service.
const HOST: &str = "lip6.fr";
const SERVICE: &str = "www";

/// How long the connection may take. Without a limit the system tries for minutes.
const TIME_LIMIT: Duration = Duration::from_secs(5);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("getaddrinfo [HOST=lip6.fr] [SERVICE=www]");
    let host = args.positional(HOST.to_owned());
    let service = args.positional(SERVICE.to_owned());
    args.finish();

    let entries = look_up(&host, &service)?;
    if let Some(entry) = choose(&entries) {
        println!("connecting to {}", entry.sockaddr);
        match connect(entry) {
            Ok(()) => println!("connected to {}", entry.sockaddr),
            Err(err) => println!("could not connect to {}: {err}", entry.sockaddr),
        }
    }
    look_up("google.fr", &service)?;
    look_up("lincs.fr", &service)?;
    Ok(())
}

/// Prints the question, then an entry a line. There are none when it has no answer.
fn look_up(host: &str, service: &str) -> io::Result<Vec<AddrInfo>> {
    print!("getaddrinfo('{host}', '{service}'):");
    io::stdout().flush()?;
    let mut entries = Vec::new();
    match dns_lookup::getaddrinfo(Some(host), Some(service), None) {
        Ok(found) => entries.extend(found.flatten()),
        Err(err) => print!(" {}", unresolved(&err)),
    }
    println!();
    for entry in &entries {
        let (domain, kind, protocol) = fields(entry);
        println!("  {domain:?} {kind:?} {protocol:?} {}", entry.sockaddr);
    }
    Ok(entries)
}

/// The arguments that `socket` is to be called with. A type of 0 means any
/// (Windows says so where nobody asked for one), and `connect` wants a stream.
fn fields(entry: &AddrInfo) -> (Domain, Type, Protocol) {
    let kind =
        if entry.socktype == 0 { Type::STREAM } else { entry.socktype.into() };
    (entry.address.into(), kind, entry.protocol.into())
}

/// The slide's choice, the second entry, if it is for a stream; else the first
/// that is.
fn choose(entries: &[AddrInfo]) -> Option<&AddrInfo> {
    let is_stream = |entry: &&AddrInfo| fields(entry).1 == Type::STREAM;
    let first = entries.iter().find(is_stream)?;
    let why = match entries.get(1) {
        Some(second) if is_stream(&second) => return Some(second),
        Some(second) => format!("is {:?}", fields(second).1),
        None => "does not exist".to_owned(),
    };
    println!("the second entry {why}: taking the first that is SOCK_STREAM");
    Some(first)
}

/// A socket made of the entry's own three fields, connected to its address.
fn connect(entry: &AddrInfo) -> io::Result<()> {
    let (domain, kind, protocol) = fields(entry);
    let socket = Socket::new(domain, kind, Some(protocol))?;
    socket.connect_timeout(&entry.sockaddr.into(), TIME_LIMIT)
}
// ANCHOR_END: program
