//! The promises of all stream servers.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use sockets101::{get_block, put_block};

use crate::harness::{exchange, for_each_at_once, rest, skipped};
use crate::table::{Design, Kind, Row, servers};

/// The graceful close: the server closes a connection while bytes still arrive. The client
/// receives the reply and then the end of the stream, not a reset. A server that serves all
/// clients in one thread does not close gracefully.
#[test]
fn a_client_that_is_dropped_while_it_sends_gets_the_reply_and_the_end() {
    for row in servers(Row::closes_gracefully) {
        let server = row.start();
        for _ in 0..5 {
            let mut client = server.connect();
            // Invalid bytes, or a message that is too long, and then many more bytes.
            let (message, reply) = match row.kind {
                Kind::Block => (&b"\xff\xff\xff\xff"[..], ""),
                _ => (&b"good\xff"[..], "GOOD"),
            };
            client.write_all(&[message, &[b'x'; 100_000]].concat()).unwrap();
            assert_eq!(rest(&mut client), reply, "{}", row.name);
            // The server does not reply any more, but it still reads.
            for _ in 0..5 {
                client.write_all(&[b'x'; 10_000]).expect(row.name);
            }
        }
    }
}

/// The server waits at most a second for a client that does not close its sending side.
#[test]
fn a_silent_client_cannot_delay_the_close_forever() {
    for_each_at_once(servers(Row::closes_gracefully), |row| {
        let server = row.start();
        let mut stays = server.connect();
        stays.write_all(b"\xff\xff\xff\xff").unwrap();
        assert_eq!(rest(&mut stays), "", "{}", row.name);
        server.stderr.wait_for(1, "dropped: ");

        let mut next = server.connect();
        if row.kind == Kind::Block {
            put_block(&next, b"next").unwrap();
            assert_eq!(get_block(&next).unwrap(), b"NEXT");
        } else {
            exchange(&mut next, b"next", b"NEXT");
        }
        drop(stays);
    });
}

/// The server waits one second in total, not one second for each read. So a client that sends
/// one byte at a time cannot delay the close for longer than a silent client.
#[test]
fn a_slow_client_cannot_delay_the_close_forever() {
    let sequential =
        servers(|row| row.is_stream() && row.design == Design::Sequential);
    for_each_at_once(sequential, |row| {
        let server = row.start();
        let mut drips = server.connect();
        drips.write_all(b"\xff\xff\xff\xff").unwrap();
        assert_eq!(rest(&mut drips), "", "{}", row.name);
        let start = Instant::now();
        while drips.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(100));
            assert!(start.elapsed() < Duration::from_secs(10), "{}", row.name);
        }
        server.stderr.wait_for(1, "dropped: ");
    });
}

#[test]
fn they_listen_on_ipv6_when_asked() {
    if let Err(err) = TcpListener::bind("[::1]:0") {
        return skipped("streams over IPv6", err);
    }
    for row in servers(Row::is_stream) {
        let server = row.start_at("[::1]:0");
        assert!(server.address.is_ipv6(), "{}", row.name);
        drop(server.connect());
        server.stderr.wait_for(1, "[::1]:");
    }
}
