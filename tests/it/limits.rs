//! Out of descriptors, and a thousand clients.
#![cfg(unix)]

use std::env;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Server, exchange, for_each_at_once, is_silent, receive};
use crate::table::{Design, Row, servers};

/// Thirty clients, and 24 descriptors, of which one or two may be inherited. Those who are
/// connected are served, the others wait until somebody leaves, and the server says why, at
/// most once a second.
#[test]
fn out_of_descriptors_a_server_keeps_serving_and_takes_clients_again_when_it_can() {
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
        // The second line is a second of doing nothing later.
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

/// This program's own limit may be lower than a thousand, and without `unsafe` only a shell
/// can raise it: so the test runs itself once more under one.
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
    for row in servers(|row| row.is_stream() && !row.has_last_word()) {
        serve_a_thousand(row);
    }
}

fn serve_a_thousand(row: Row) {
    let server = row.start();
    let mut clients = Vec::new();
    while clients.len() < 1000 {
        // A backlog of 100 is not overrun, or the test would wait for the repetitions.
        clients.extend((0..50).map(|_| server.connect()));
        server.stderr.wait_for(clients.len(), " connected");
    }
    for turn in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            client
                .write_all(format!("client {number}, {turn}\n").as_bytes())
                .unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            receive(client, format!("CLIENT {number}, {turn}\n"));
        }
    }
    if let Some(memory) = server.memory() {
        assert!(memory < 32 * 1024 * 1024, "{memory} bytes");
    }
    // They all leave at once, and the next one is served.
    drop(clients);
    exchange(&mut server.connect(), "next", "NEXT");
    server.stderr.wait_for(1000, " left");
}

/// While nobody says anything, a server does nothing.
#[test]
fn an_idle_server_uses_no_processor() {
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
