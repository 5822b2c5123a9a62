//! Servers that run out of file descriptors, or that have a thousand clients.
#![cfg(unix)]

use std::env;
use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use sockets101::is_about_one_peer;

use crate::harness::{
    Server, example, exchange, for_each_at_once, is_silent, receive, reset, skipped,
};
use crate::table::{Design, Row, servers};

/// There are 30 clients and 24 file descriptors. (The server may have inherited one or two of
/// them.) The server serves the clients that it has accepted. The others wait until a client
/// disconnects. The server says why, at most once a second.
#[test]
fn without_file_descriptors_a_server_keeps_serving_and_accepts_again_later() {
    for_each_at_once(servers(|row| row.design == Design::Together), |row| {
        let server =
            Server::start_limited(row.name, &[&["0"], row.no_delay()].concat(), 24);
        let start = Instant::now();
        let mut clients: Vec<TcpStream> =
            (0..30).map(|_| server.connect()).collect();
        server.stderr.wait_for(1, "cannot accept: ");
        server.stderr.wait_for(10, " connected");
        assert!(server.stderr.count(" connected") < 24, "{}", row.name);

        let spent = server.ticks();
        exchange(&mut clients[0], "hello", "HELLO");
        assert!(is_silent(&clients[29]), "{}", row.name);
        let last = &mut clients[29];
        last.write_all(b"at last").unwrap();
        // The server pauses for a second, then it prints the second line.
        server.stderr.wait_for(2, "cannot accept: ");
        if let (Some(before), Some(after)) = (spent, server.ticks()) {
            assert!(after - before < 50, "{}: {} ticks", row.name, after - before);
        }

        clients.drain(..15);
        receive(&mut clients[14], "AT LAST");
        exchange(&mut clients[0], "me too", "ME TOO");
        let said = server.stderr.count("cannot accept: ");
        let seconds = start.elapsed().as_secs();
        assert!(said as u64 <= seconds + 1, "{}: {said} in {seconds} s", row.name);
    });
}

/// The bug `retries_accept_at_once` of `mutant`: the test above would notice its log. No check
/// can notice it, because a correct server does not serve all clients either.
#[test]
fn a_server_that_retries_accept_at_once_fills_its_log() {
    let script = "ulimit -n 24 && exec \"$0\" 0";
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(example("mutant"));
    let server = Server::spawn(command.env("MUTANT", "retries_accept_at_once"));
    let mut clients: Vec<TcpStream> = (0..30).map(|_| server.connect()).collect();
    server.stderr.wait_for(500, "cannot accept: ");
    // It still serves its clients, and accepts again later.
    exchange(&mut clients[0], "hello", "HELLO");
    clients.drain(..15);
    exchange(&mut clients[14], "at last", "AT LAST");
}

/// The server does not pause if clients reset their connections in the queue. The same is true for
/// an IPv6 address. On Linux, `accept` succeeds for such a connection, so this test is for the other
/// operating systems.
#[test]
fn a_reset_in_the_queue_is_not_an_error_of_the_server() {
    let addresses = ["127.0.0.1:0", "[::1]:0"].into_iter().filter(|address| {
        let result = TcpListener::bind(address);
        if let Err(err) = &result {
            skipped("a reset in the queue", format!("{address}: {err}"));
        }
        result.is_ok()
    });
    for_each_at_once(addresses, |address| {
        let server = Server::start("sequential_server", &[address]);
        let first = server.connect();
        server.stderr.wait_for(1, " connected");
        reset(server.connect());
        let mut last = server.connect();
        drop(first);
        exchange(&mut last, "hello", "HELLO");
        assert_eq!(server.stderr.count("cannot accept: "), 0, "{address}");
    });
}

/// The error of `accept` for a connection without an address, as macOS returns it, is about one
/// client. The error of a socket that does not listen is not.
#[test]
fn a_connection_without_an_address_is_about_one_peer() {
    assert!(is_about_one_peer(&ErrorKind::InvalidInput.into()));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let err = TcpListener::from(socket).accept().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert!(!is_about_one_peer(&err));
}

/// A process often has a limit of 1,024 file descriptors. Without `unsafe`, only a shell can
/// raise the limit of this program, so the test starts itself again from a shell.
#[test]
fn one_thread_serves_a_thousand_clients_at_once() {
    const RAISED: &str = "SOCKETS101_TEST_DESCRIPTORS";
    const NAME: &str = "limits::one_thread_serves_a_thousand_clients_at_once";
    if env::var_os(RAISED).is_none() {
        let raise = "ulimit -n 3000 2>/dev/null || ulimit -n $(ulimit -H -n); exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.arg("-c").arg(raise).arg(env::current_exe().unwrap());
        let status =
            command.args(["--exact", NAME]).env(RAISED, "yes").status().unwrap();
        assert!(status.success());
        return;
    }
    for row in servers(|row| row.is_stream() && !row.closes_gracefully()) {
        serve_a_thousand(row);
    }
}

fn serve_a_thousand(row: Row) {
    let server = row.start();
    let mut clients = Vec::new();
    while clients.len() < 1000 {
        // The backlog is 100. With more pending connections, the test would have to wait
        // until TCP retransmits a SYN.
        clients.extend((0..50).map(|_| server.connect()));
        server.stderr.wait_for(clients.len(), " connected");
    }
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            client
                .write_all(format!("client {number}, {round}\n").as_bytes())
                .unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            receive(client, format!("CLIENT {number}, {round}\n"));
        }
    }
    if let Some(memory) = server.memory() {
        assert!(memory < 32 * 1024 * 1024, "{memory} bytes");
    }
    // All clients disconnect at the same time. The next client is served.
    drop(clients);
    exchange(&mut server.connect(), "next", "NEXT");
    server.stderr.wait_for(1000, " disconnected");
}

/// A server whose clients send nothing uses no CPU time.
#[test]
fn an_idle_server_uses_no_cpu_time() {
    let running: Vec<_> =
        servers(Row::is_stream).map(|row| (row, row.start())).collect();
    let idle: Vec<_> = running.iter().map(|(_, server)| server.connect()).collect();
    let before: Vec<_> = running.iter().map(|(_, server)| server.ticks()).collect();
    thread::sleep(Duration::from_millis(300));
    for ((row, server), before) in running.iter().zip(before) {
        if let (Some(before), Some(after)) = (before, server.ticks()) {
            assert!(after - before <= 3, "{}: {} ticks", row.name, after - before);
        }
    }
    drop(idle);
}
