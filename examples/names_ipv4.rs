//! Looks up the IPv4 addresses of names, and the names of addresses.
//!
//! Slide 5, "IPv4 names". In a terminal (this output is from a machine called
//! `lab`):
//!
//! ```text
//! $ cargo run --example names_ipv4
//! gethostname(): lab
//! getfqdn(): lab
//! gethostbyname('lip6.fr'): 132.227.104.15
//! gethostbyaddr('132.227.104.15'): lip6.fr
//! gethostbyname(getfqdn()): 127.0.1.1
//! ```
//!
//! Arguments: `[HOST=lip6.fr]`, the name to look up; `[IP=132.227.104.15]`, the
//! address to look up.
//!
//! What to try:
//!
//! - The program prints each request before it waits for the result. So you see
//!   which lookup is slow. If the name server does not reply, each lookup takes 10
//!   seconds with Linux's default settings. The resolver (the library that looks up
//!   names) has this timeout. Your program cannot set one.
//! - Run the program without a network. Two lookups fail, because the program cannot
//!   reach a name server. So a failed lookup does not prove that a name does not
//!   exist.
//! - The address of this machine's own name is often 127.0.0.1 or 127.0.1.1. Other
//!   machines cannot use such an address to connect to this machine.
//! - Python's `gethostbyaddr` returns a name and its aliases. Rust's `lookup_addr`
//!   returns only the name. Python's `getfqdn` searches the aliases for a name with
//!   a dot. Our `full_name` cannot do this. Both return the host name if the lookup
//!   fails.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use dns_lookup::{AddrFamily, AddrInfoHints, LookupError};
use dns_lookup::{get_hostname, getaddrinfo, lookup_addr, lookup_host};
use sockets101::{Args, Failure, lookup_error, print_or_exit};

/// The name of the slide.
const HOST: &str = "lip6.fr";

/// The address of that name at the time of the slide.
const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(132, 227, 104, 15));

fn main() -> Result<(), Failure> {
    let mut args = Args::new("names_ipv4 [HOST=lip6.fr] [IP=132.227.104.15]");
    let host = args.positional(HOST.to_string());
    let ip = args.positional(IP);
    args.finish();

    print_or_exit("gethostname(): ");
    let own_name = get_hostname()?;
    print_or_exit(format!("{own_name}\n"));

    print_or_exit("getfqdn(): ");
    let full_name = full_name(&own_name);
    print_or_exit(format!("{full_name}\n"));

    print_or_exit(format!("gethostbyname('{host}'): "));
    print_result(ipv4_address(&host));

    print_or_exit(format!("gethostbyaddr('{ip}'): "));
    print_result(lookup_addr(&ip));

    print_or_exit("gethostbyname(getfqdn()): ");
    print_result(ipv4_address(&full_name));
    Ok(())
}

/// Looks up the address of `name`, then the name of that address (a reverse lookup).
/// Returns `name` itself if either lookup fails.
fn full_name(name: &str) -> String {
    if let Ok(mut addresses) = lookup_host(name) {
        if let Some(first) = addresses.next() {
            if let Ok(full_name) = lookup_addr(&first) {
                return full_name;
            }
        }
    }
    name.to_string()
}

/// Looks up the first IPv4 address of `name`.
fn ipv4_address(name: &str) -> Result<String, LookupError> {
    // Ask for IPv4 addresses only. `..` takes all other fields from the default
    // value.
    let hints = AddrInfoHints {
        address: i32::from(AddrFamily::Inet),
        ..AddrInfoHints::default()
    };
    let mut entries = getaddrinfo(Some(name), None, Some(hints))?;
    match entries.next() {
        // An entry is a Result, too: `?` returns its error.
        Some(entry) => Ok(entry?.sockaddr.ip().to_string()),
        None => Err(LookupError::from(io::Error::other("no address"))),
    }
}

/// Prints the result of a lookup, or why the lookup failed.
fn print_result(result: Result<String, LookupError>) {
    match result {
        Ok(found) => print_or_exit(format!("{found}\n")),
        Err(err) => print_or_exit(format!("{}\n", lookup_error(&err))),
    }
}
