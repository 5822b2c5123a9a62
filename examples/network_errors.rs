//! Causes three network errors on purpose, and shows how a program tells them apart.
//!
//! Slide 8, "network exceptions". In a terminal:
//!
//! ```text
//! $ cargo run --example network_errors
//! looking up nonexistent.com: could not be resolved: Name or service not known
//!   socket.gaierror in Python, dns_lookup::LookupError in Rust
//!   (without a network, the error can look the same)
//! connecting to a port without a server: Connection refused (os error 111)
//!   ConnectionRefusedError in Python, io::ErrorKind::ConnectionRefused in Rust
//! reading from a silent server: Resource temporarily unavailable (os error 11)
//!   socket.timeout in Python, io::ErrorKind::WouldBlock in Rust
//! ```
//!
//! Argument: `[HOST=nonexistent.com]`, a name that should not exist.
//!
//! What to try:
//!
//! - Python's network exceptions are subclasses of `OSError`. In Rust, network
//!   errors are values of the type `std::io::Error`, and `kind()` tells them apart.
//!   Name lookups have their own error type. The compiler warns you if you ignore an
//!   error.
//! - Disconnect from the network and run the program again. The first error can look
//!   the same, so a failed lookup does not prove that the name does not exist.
//! - The error "Connection refused" arrives quickly. It means that the machine is
//!   running, but no program listens on that port. If no machine on your own network
//!   has the address, Linux reports "No route to host" after about 3 seconds. A
//!   machine behind a firewall may never reply. Then `connect` can take minutes.
//! - The kind of a read timeout is `WouldBlock` on Unix and `TimedOut` on Windows. A
//!   program for both systems must check for both.

use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use dns_lookup::getaddrinfo;
use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Failure, lookup_error, print_or_exit};

/// The name of the slide.
const HOST: &str = "nonexistent.com";

/// The service of the slide.
const SERVICE: &str = "www";

/// This machine. Port 0 lets the kernel choose a free port.
const LOOPBACK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

/// The time to wait for a server that does not send anything.
const TIMEOUT: Duration = Duration::from_millis(200);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("network_errors [HOST=nonexistent.com]");
    let host = args.positional(HOST.to_string());
    args.finish();

    print_or_exit(format!("looking up {host}: "));
    match getaddrinfo(Some(&host), Some(SERVICE), None) {
        Ok(_) => print_or_exit("no error: this name exists\n"),
        Err(err) => {
            print_or_exit(format!("{}\n", lookup_error(&err)));
            print_or_exit("  socket.gaierror in Python, ");
            print_or_exit("dns_lookup::LookupError in Rust\n");
            print_or_exit("  (without a network, the error can look the same)\n");
        }
    }

    print_or_exit("connecting to a port without a server: ");
    print_result(connect_without_server());

    print_or_exit("reading from a silent server: ");
    print_result(read_from_silent_server());
    Ok(())
}

/// Connects to a port that a socket is bound to, but does not listen on.
fn connect_without_server() -> io::Result<()> {
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    bound.bind(&SockAddr::from(LOOPBACK))?;
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    client.connect(&bound.local_addr()?)
}

/// Waits for one byte from a server that does not send anything.
fn read_from_silent_server() -> io::Result<()> {
    // The client can connect although this program does not call `accept`.
    let silent_server = TcpListener::bind(LOOPBACK)?;
    let mut client = TcpStream::connect(silent_server.local_addr()?)?;
    client.set_read_timeout(Some(TIMEOUT))?;
    client.read_exact(&mut [0; 1])
}

/// Prints an error, and its names in Python and in Rust.
fn print_result(result: io::Result<()>) {
    match result {
        Ok(()) => print_or_exit("no error this time\n"),
        Err(err) => {
            let kind = err.kind();
            let python = match kind {
                ErrorKind::ConnectionRefused => "ConnectionRefusedError",
                ErrorKind::WouldBlock | ErrorKind::TimedOut => "socket.timeout",
                _ => "OSError",
            };
            print_or_exit(format!("{err}\n"));
            print_or_exit(format!(
                "  {python} in Python, io::ErrorKind::{kind:?} in Rust\n"
            ));
        }
    }
}
