//! Exercise 5: a program that prints the IPv4 addresses of two names. It prints
//! some addresses several times, and some names stop the program.

use std::net::IpAddr;

use dns_lookup::{AddrFamily, AddrInfo, AddrInfoHints, LookupError, getaddrinfo};
use sockets101::{Args, Failure, lookup_error, print_or_exit};

/// The first name to look up.
const HOST: &str = "localhost";

/// The second name to look up. An IPv4 address is also a name that can be looked up.
const OTHER: &str = "127.0.0.1";

fn main() -> Result<(), Failure> {
    let mut args = Args::new("my_5 [HOST=localhost] [OTHER=127.0.0.1]");
    let host = args.positional(HOST.to_string());
    let other = args.positional(OTHER.to_string());
    args.finish();

    print_or_exit(report(&host));
    print_or_exit("\n");
    print_or_exit(report(&other));
    print_or_exit("\n");
    Ok(())
}

/// Looks up a name. Returns the line to print, without a newline.
fn report(name: &str) -> String {
    let entries = match look_up(name) {
        Ok(entries) => entries,
        Err(err) => return format!("{name}: {}", lookup_error(&err)),
    };
    let mut line = format!("{name}:");
    for address in addresses(&entries) {
        line.push_str(&format!(" {address}"));
    }
    line
}

/// Looks up the IPv4 addresses of `name`. Returns the entries of the resolver.
fn look_up(name: &str) -> Result<Vec<AddrInfo>, LookupError> {
    // Ask for IPv4 addresses only. `..` takes all other fields from the default
    // value.
    let hints = AddrInfoHints {
        address: i32::from(AddrFamily::Inet),
        ..AddrInfoHints::default()
    };
    let mut entries = Vec::new();
    for entry in getaddrinfo(Some(name), None, Some(hints))? {
        // An entry is a Result, too: `?` returns its error.
        entries.push(entry?);
    }
    Ok(entries)
}

/// Returns the addresses of the entries, in the order of the entries.
fn addresses(entries: &[AddrInfo]) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for entry in entries {
        let address = entry.sockaddr.ip();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

// The tests of the exercise. Do not change them.
#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::panic::catch_unwind;

    use super::*;

    /// Calls `addresses` with an entry for each address of the first list, and
    /// compares the result with the second list.
    fn compare(listed: &[&str], expected: &[&str]) {
        let mut entries = Vec::new();
        for ip in listed {
            let ip: IpAddr = ip.parse().unwrap();
            entries.push(AddrInfo {
                flags: 0,
                address: i32::from(AddrFamily::Inet),
                socktype: 0,
                protocol: 0,
                sockaddr: SocketAddr::from((ip, 0)),
                canonname: None,
            });
        }
        let mut returned = Vec::new();
        for ip in addresses(&entries) {
            returned.push(ip.to_string());
        }
        assert!(
            returned == expected,
            "for entries with the addresses {}, `addresses` returned {}; expected {}, \
             that is each address once, in the order of the entries",
            listed.join(", "),
            returned.join(", "),
            expected.join(", "),
        );
    }

    #[test]
    fn three_addresses() {
        let listed = ["192.0.2.3", "192.0.2.1", "192.0.2.2"];
        compare(&listed, &listed);
    }

    #[test]
    fn one_address_in_three_entries() {
        compare(&["192.0.2.1", "192.0.2.1", "192.0.2.1"], &["192.0.2.1"]);
    }

    #[test]
    fn two_addresses_in_turn() {
        compare(
            &["192.0.2.2", "192.0.2.1", "192.0.2.2", "192.0.2.1"],
            &["192.0.2.2", "192.0.2.1"],
        );
    }

    #[test]
    fn a_lookup_that_succeeds() {
        // The resolver does not need a network for this lookup.
        let line = report("127.0.0.1");
        assert!(
            line.starts_with("127.0.0.1: 127.0.0.1"),
            "`report` returned `{line}`; expected `127.0.0.1: 127.0.0.1`",
        );
    }

    #[test]
    fn a_lookup_that_fails() {
        // `::1` is an IPv6 address, so the lookup of its IPv4 address always fails.
        let Ok(line) = catch_unwind(|| report("::1")) else {
            panic!(
                "`report` panicked when the lookup of `::1` failed; expected a line \
                 that begins with `::1: could not be resolved: `"
            );
        };
        assert!(
            line.starts_with("::1: could not be resolved: "),
            "the lookup of `::1` failed, and `report` returned `{line}`; expected a \
             line that begins with `::1: could not be resolved: `",
        );
    }
}
