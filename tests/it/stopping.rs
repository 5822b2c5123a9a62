//! `stop_server` stops at the line `quit`, after its clients have finished.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Server, example, exchange, is_silent, rest};

/// The option with which the server waits longer than a test does.
const LONG: &[&str] = &["--grace", "600"];

fn start(args: &[&str], stdin: impl Into<Stdio>) -> Server {
    let mut command = Command::new(example("stop_server"));
    Server::spawn_with(command.arg("0").args(args), stdin.into())
}

/// Types a line.
fn say(server: &mut Server, line: &str) {
    server.input().write_all(line.as_bytes()).unwrap();
}

#[test]
fn without_clients_it_stops_immediately() {
    let long = [b"x".repeat(1000).as_slice(), b"\nquit\n"].concat();
    for line in [
        b"quit\n".as_slice(),
        b"quit\r\n",
        b" quit",
        b"a\n\nQuit\nquit\n",
        b"\xff\nquit\n",
        &long,
    ] {
        let mut server = start(LONG, Stdio::piped());
        server.input().write_all(line).unwrap();
        assert!(server.wait().success(), "{line:?}");
        let said = server.stdout.all();
        let expected = [
            "stopping; connected clients: 0",
            "stopped; clients served: 0, cut off: 0",
        ];
        assert_eq!(said[1..], expected, "{line:?}");
    }
}

#[test]
fn an_endless_line_needs_no_memory() {
    const LENGTH: usize = 32 << 20;
    let mut server = start(LONG, Stdio::piped());
    let mut input = server.input();
    input.write_all(&vec![b'x'; LENGTH]).unwrap();
    if let Some(memory) = server.memory() {
        assert!(memory < 16 << 20, "{memory} bytes");
    }
    input.write_all(b"\nquit\n").unwrap();
    assert!(server.wait().success());
}

#[test]
fn connected_clients_finish_and_new_ones_are_refused() {
    let mut server = start(LONG, Stdio::piped());
    drop(server.connect());
    server.stderr.wait_for(1, "disconnected");
    let mut client = server.connect();
    exchange(&mut client, "before", "BEFORE");
    say(&mut server, "quit\n");
    server.stdout.wait_for(1, "stopping; connected clients: 1");
    assert!(TcpStream::connect(server.address).is_err());
    exchange(&mut client, "after", "AFTER");
    // The client has not disconnected, so the server waits for it.
    assert!(is_silent(&client) && server.is_running());
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    assert!(server.wait().success());
    server.stdout.wait_for(1, "stopped; clients served: 2, cut off: 0");
}

/// The server has accepted these bytes before the line `quit`. The client reads them late.
#[test]
fn a_long_reply_arrives_completely() {
    const LENGTH: usize = 8 << 20;
    let mut server = start(LONG, Stdio::piped());
    let mut client = server.connect();
    let mut sender = client.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            sender.write_all(&[b'x'; LENGTH]).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        client.read_exact(&mut [0; 1]).unwrap();
        say(&mut server, "quit\n");
        server.stdout.wait_for(1, "stopping; connected clients: 1");
        assert_eq!(rest(&mut client), "X".repeat(LENGTH - 1));
    });
    drop(client);
    assert!(server.wait().success());
    server.stdout.wait_for(1, "stopped; clients served: 1, cut off: 0");
}

#[test]
fn a_client_that_stays_is_cut_off() {
    let mut server = start(&["--grace", "0.3"], Stdio::piped());
    let mut client = server.connect();
    exchange(&mut client, "hello", "HELLO");
    let time = Instant::now();
    say(&mut server, "quit\n");
    assert!(server.wait().success());
    assert!(time.elapsed() >= Duration::from_millis(300));
    server.stdout.wait_for(1, "stopped; clients served: 0, cut off: 1");
    assert_eq!(rest(&mut client), "");
}

/// Tests and services start a server in this way. The end of the input must not stop it.
#[test]
fn the_end_of_an_input_that_is_not_a_terminal_is_ignored() {
    let empty = start(&[], Stdio::null());
    let closed = start(&[], Stdio::piped());
    let text = start(&[], File::open("Cargo.toml").unwrap());
    let mut servers = vec![empty, closed, text];
    drop(servers[1].input());
    // Only Unix can open a folder as a file. Each read of it fails.
    if cfg!(unix) {
        servers.push(start(&[], File::open("src").unwrap()));
    }
    for server in &mut servers {
        let mut client = server.connect();
        exchange(&mut client, "hello", "HELLO");
        // This takes longer than the server waits between two looks at the input.
        assert!(is_silent(&client) && server.is_running());
        // The thread that reads the input must not use the CPU.
        if let Some(before) = server.ticks() {
            thread::sleep(Duration::from_millis(300));
            assert!(server.ticks().unwrap() - before < 10);
        }
    }
}
