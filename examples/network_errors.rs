//! Three ways in which the network says no: each is made to happen, and caught by its
//! kind.
//!
//! Slide 8, "network exceptions". In a terminal:
//!
//! ```text
//! $ cargo run --example network_errors
//! looking up nonexistent.com: could not be resolved: Name or service not known
//!   socket.gaierror in Python, dns_lookup::LookupError in Rust
//!   (no network and no such name can look the same)
//! connecting where nobody listens: Connection refused (os error 111)
//!   ConnectionRefusedError in Python, io::ErrorKind::ConnectionRefused in Rust
//! reading where nobody writes, for 200ms: Resource temporarily unavailable (os error 11)
//!   socket.timeout in Python, io::ErrorKind::WouldBlock in Rust
//! ```
//!
//! Argument: `[HOST=nonexistent.com]`, a name that should not exist.
//!
//! What to look for:
//!
//! - The Python exceptions are kinds of `OSError`. In Rust that is `std::io::Error`, whose
//!   `kind()` tells them apart; dns-lookup has an error of its own for names. Both are
//!   values, and the compiler warns of one that nobody looks at.
//! - A name that could not be resolved need not be a name that does not exist. Pull the
//!   cable out and run it again: the system may say the very same.
//! - "Refused" is an answer, and a quick one: that machine is there, and nobody listens at
//!   that port. A machine that is not there answers nothing, and `connect` can take
//!   minutes to give up.
//! - A read that runs out of time is called `WouldBlock` on Unix and `TimedOut` on
//!   Windows. A program that is to run on both looks for both.

// ANCHOR: program
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use dns_lookup::getaddrinfo;
use socket2::{Domain, Socket, Type};
use sockets101::{Args, Failure, unresolved};

/// The slide's name and service.
const HOST: &str = "nonexistent.com";
const SERVICE: &str = "www";

/// This machine, any free port.
const LOOPBACK: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

/// How long to wait for somebody who says nothing.
const TIME_LIMIT: Duration = Duration::from_millis(200);

fn main() -> Result<(), Failure> {
    let mut args = Args::new("network_errors [HOST=nonexistent.com]");
    let host = args.positional(HOST.to_owned());
    args.finish();

    ask(&format!("looking up {host}"));
    match getaddrinfo(Some(&host), Some(SERVICE), None) {
        Ok(_) => println!("no error: today there is such a name"),
        Err(err) => {
            println!("{}", unresolved(&err));
            println!("  socket.gaierror in Python, dns_lookup::LookupError in Rust");
            println!("  (no network and no such name can look the same)");
        }
    }
    ask("connecting where nobody listens");
    report(refused());
    ask(&format!("reading where nobody writes, for {TIME_LIMIT:?}"));
    report(timed_out());
    Ok(())
}

/// The question is printed before its answer is waited for.
fn ask(question: &str) {
    print!("{question}: ");
    let _ = io::stdout().flush();
}

/// Connects to a socket that has a port and does not listen there.
fn refused() -> io::Result<()> {
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    deaf.bind(&LOOPBACK.into())?;
    let caller = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    caller.connect(&deaf.local_addr()?)
}

/// Reads from a connection of this program with itself.
fn timed_out() -> io::Result<()> {
    let silent = TcpListener::bind(LOOPBACK)?;
    let mut stream = TcpStream::connect(silent.local_addr()?)?;
    stream.set_read_timeout(Some(TIME_LIMIT))?;
    stream.read(&mut [0; 1]).map(|_| ())
}

/// Tells an error by its kind.
fn report(outcome: io::Result<()>) {
    let Err(err) = outcome else { return println!("no error this time") };
    let python = match err.kind() {
        ErrorKind::ConnectionRefused => "ConnectionRefusedError",
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "socket.timeout",
        _ => "OSError",
    };
    println!("{err}\n  {python} in Python, io::ErrorKind::{:?} in Rust", err.kind());
}
// ANCHOR_END: program
