//! Servers with one bug each, which `check` must find. The lecture's programs have many of
//! these bugs.
//!
//! This is not a lesson. Do not learn from its code, but from what `check` says about it.
//! Without a name, this program lists all bugs. The environment variable `MUTANT` names one:
//!
//! ```text
//! $ MUTANT=echo cargo run --example mutant -- 1237
//! server ready on 127.0.0.1:1237
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example check -- thread_per_client 1237
//! ```
//!
//! The bugs of the make tasks need the option `--make` of `check`. Some of them show only if
//! `check` starts the server with an option:
//!
//! ```text
//! $ export MUTANT=make_busy_forever
//! $ cargo run --example check -- thread_per_client --make \
//!     --run "cargo run --example mutant -- {port} {options}"
//! ```
//!
//! Arguments: those of the lesson that the server claims to be: `[IP:PORT]`, `[--delay 5]`,
//! `[--timeout 20]`, `[--backlog 100]`, `[--grace 5]`. The make tasks have two
//! more: `[--limit 0]`, `[--clients 0]`.

mod beyond;
mod blocks;
mod conversations;
mod datagrams;
mod make;
mod names;
mod one_message;
#[cfg(feature = "async")]
mod tasks;

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::exit;
use std::sync::Arc;
use std::{env, thread};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{Args, Decoder, Failure, close_gracefully, log_line, print_line};

use names::BUGS;

fn main() -> Result<(), Failure> {
    let usage = "mutant [IP:PORT] [--delay 5] [--timeout 20] [--backlog 100] \
                 [--grace 5] [--limit 0] [--clients 0]";
    let mut args = Args::new(usage);
    let delay = args.seconds("--delay", 0.0);
    let timeout = args.timeout("--timeout", 20.0);
    let _backlog = args.option("--backlog", 100);
    let grace = args.seconds("--grace", 5.0);
    let (limit, clients) = (args.option("--limit", 0), args.option("--clients", 0));
    let address = args.listen_address(0);

    let bug = env::var("MUTANT").unwrap_or_default();
    if !BUGS.iter().any(|known| known.name == bug) {
        list_and_exit(&bug);
    }
    if let Some(bug) = bug.strip_prefix("udp_") {
        let socket = UdpSocket::bind(address)?;
        print_line(format!("server ready on {}", socket.local_addr()?));
        return datagrams::serve(bug, &socket);
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // You can try one bug after another on the same port.
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(bug == "one_family")?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(100)?;
    let listener = TcpListener::from(socket);
    print_line(format!("server ready on {}", listener.local_addr()?));
    #[cfg(feature = "async")]
    if ["sleeps_in_a_task", "make_idle_in_a_reply"].contains(&bug.as_str()) {
        return tasks::serve(&bug, listener, delay, timeout);
    }
    if let Some(bug) = bug.strip_prefix("stop_") {
        return beyond::serve(bug, listener, grace);
    }
    if let Some(bug) = bug.strip_prefix("make_") {
        return make::serve(
            bug,
            &listener,
            &make::Options { limit, clients, timeout },
        );
    }
    conversations::serve(&bug, &listener, delay, timeout)
}

/// Says that `MUTANT` does not name a bug, and lists the bugs.
fn list_and_exit(bug: &str) -> ! {
    let mut text = String::from(
        "Error: set the environment variable MUTANT to the name of a bug",
    );
    if !bug.is_empty() {
        let _ = write!(text, " ('{bug}' is not in the list)");
    }
    text += "; for example: MUTANT=echo cargo run --example mutant -- 1237\n";
    let _ = write!(
        text,
        "{:<32}LESSON (cargo run --example check -- LESSON 1237)",
        "BUG"
    );
    for bug in BUGS {
        let _ = write!(text, "\n{:<32}{}", bug.name, bug.lesson);
    }
    log_line(text);
    exit(2)
}

// The designs of the workbook. Each has a place for the bug.

/// Serves one client after another.
fn in_a_row(
    listener: &TcpListener,
    mut serve: impl FnMut(TcpStream),
) -> Result<(), Failure> {
    loop {
        serve(listener.accept()?.0);
    }
}

/// Serves each client in a new thread.
fn together(
    listener: &TcpListener,
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) -> Result<(), Failure> {
    let serve = Arc::new(serve);
    loop {
        let (client, serve) = (listener.accept()?.0, serve.clone());
        thread::spawn(move || serve(client));
    }
}

/// Runs `serve` in each of `threads` threads.
fn pool(threads: usize, serve: impl Fn() + Sync) -> Result<(), Failure> {
    thread::scope(|pool| {
        for _ in 0..threads {
            pool.spawn(&serve);
        }
    });
    Ok(())
}

// Correct ways to serve one client.

/// Replies to each read until the client closes its sending side.
fn converse(client: TcpStream) {
    converse_with(client, |text| text.to_uppercase().into());
}

/// Does what `converse` does, with a different function that makes the reply.
fn converse_with(client: TcpStream, reply: impl Fn(&str) -> Vec<u8>) {
    let mut decoder = Decoder::default();
    let _ = each_read(&client, |client, bytes| {
        let (text, is_valid) = decoder.decode(bytes);
        send(client, &reply(&text), is_valid)
    });
    close_gracefully(client);
}

/// Sends a reply. Returns an error if the request was not valid, so that the caller closes
/// the connection.
fn send(mut client: &TcpStream, reply: &[u8], is_valid: bool) -> io::Result<()> {
    client.write_all(reply)?;
    if is_valid { Ok(()) } else { Err(invalid_text()) }
}

fn invalid_text() -> io::Error {
    io::Error::other("invalid UTF-8")
}

/// Calls `call` for each read until the client closes its sending side.
fn each_read(
    mut client: &TcpStream,
    mut call: impl FnMut(&TcpStream, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while let length @ 1.. = client.read(&mut buffer)? {
        call(client, &buffer[..length])?;
    }
    Ok(())
}

/// Reads once and replies to the valid text before the first invalid byte.
fn one_message(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer)?;
    let text =
        buffer[..length].utf8_chunks().next().map_or("", |chunk| chunk.valid());
    client.write_all(text.to_uppercase().as_bytes())
}

fn upper(text: &str) -> Vec<u8> {
    text.to_uppercase().into()
}

/// Never returns. The process goes on, but this thread does not.
fn wait_forever() -> ! {
    loop {
        thread::park();
    }
}
