//! From names to IPv4 addresses and back: five questions that a program can ask the
//! system.
//!
//! Slide 5, "IPv4 names". In a terminal, where the names are as on the slide and this
//! machine is called `lab`:
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
//! Arguments: `[HOST=lip6.fr]`, the name to look up; `[IP=132.227.104.15]`, the address
//! whose name is asked for.
//!
//! What to look for:
//!
//! - Each question is printed before its answer is waited for. A name server that does not
//!   answer costs 10 seconds a name, and now you can see which.
//! - Without a network the lookups fail, each with the system's reason. That does not tell
//!   whether the name exists: nobody could be asked.
//! - The address of our own name is often 127.0.0.1 or 127.0.1.1: true, and no use to
//!   anybody else. To be reached from the room, look at the addresses of the interfaces.
//! - Python's `gethostbyaddr` also lists aliases, dns-lookup gives the first name alone. So
//!   `getfqdn` here is that first name, when Python would search the aliases too for one
//!   with a dot in it; both fall back to the host name.

// ANCHOR: program
use std::fmt::Display;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use dns_lookup::{AddrFamily, AddrInfoHints, LookupError, SockType};
use dns_lookup::{get_hostname, getaddrinfo, lookup_addr, lookup_host};
use sockets101::{Args, Failure, unresolved};

/// The slide's name, and its address when the slide was made.
const HOST: &str = "lip6.fr";
const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(132, 227, 104, 15));

type Answer<T> = Result<T, LookupError>;

fn main() -> Result<(), Failure> {
    let mut args = Args::new("names_ipv4 [HOST=lip6.fr] [IP=132.227.104.15]");
    let host = args.positional(HOST.to_owned());
    let ip = args.positional(IP);
    args.finish();

    let own_name = get_hostname()?;
    answer("gethostname()", || Ok(own_name.clone()));
    let full_name = answer("getfqdn()", || Ok(full_name(&own_name)));
    answer(&format!("gethostbyname('{host}')"), || ipv4(&host));
    answer(&format!("gethostbyaddr('{ip}')"), || lookup_addr(&ip));
    answer("gethostbyname(getfqdn())", || ipv4(&full_name.unwrap_or(own_name)));
    Ok(())
}

/// The name of the address of a name; where it has none, the name itself.
fn full_name(name: &str) -> String {
    let address = lookup_host(name).ok().and_then(|mut all| all.next());
    address.and_then(|ip| lookup_addr(&ip).ok()).unwrap_or_else(|| name.to_owned())
}

/// The first IPv4 address of a name. (`lookup_host` would also ask for IPv6.)
fn ipv4(name: &str) -> Answer<IpAddr> {
    let hints = AddrInfoHints {
        address: AddrFamily::Inet.into(),
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    let mut entries = getaddrinfo(Some(name), None, Some(hints))?;
    let first = entries.next().unwrap_or(Err(io::ErrorKind::NotFound.into()))?;
    Ok(first.sockaddr.ip())
}

/// Prints the question, waits for the answer, and prints and returns that.
fn answer<T: Display>(question: &str, ask: impl FnOnce() -> Answer<T>) -> Option<T> {
    print!("{question}: ");
    let _ = io::stdout().flush();
    let answer = ask();
    println!("{}", answer.as_ref().map_or_else(unresolved, T::to_string));
    answer.ok()
}
// ANCHOR_END: program
