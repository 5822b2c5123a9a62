//! What every stream server promises.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use sockets101::{get_block, put_block};

use crate::harness::{exchange, for_each_at_once, rest, skipped};
use crate::table::{Design, Kind, Row, servers};

/// The last word: with bytes still coming, the reply arrives and then an end, no reset. All
/// promise it but those that serve everybody in one thread.
#[test]
fn who_is_dropped_while_still_sending_gets_the_reply_and_an_end() {
    for row in servers(Row::has_last_word) {
        let server = row.start();
        for _ in 0..5 {
            let mut client = server.connect();
            // Not UTF-8, or a block that is too long, and then much more.
            let (message, reply) = match row.kind {
                Kind::Block => (&b"\xff\xff\xff\xff"[..], ""),
                _ => (&b"good\xff"[..], "GOOD"),
            };
            client.write_all(&[message, &[b'x'; 100_000]].concat()).unwrap();
            assert_eq!(rest(&mut client), reply, "{}", row.name);
            // Nobody answers any more, but what it still sends is taken.
            for _ in 0..5 {
                client.write_all(&[b'x'; 10_000]).expect(row.name);
            }
        }
    }
}

/// A client that never ends its side is waited for no longer than a second.
#[test]
fn nobody_can_hold_the_last_word_for_ever() {
    for_each_at_once(servers(Row::has_last_word), |row| {
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

/// The second is one in all, and not one for each read: a client that drips cannot hold a
/// server for longer than one that is silent.
#[test]
fn nobody_can_hold_the_last_word_by_dripping() {
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
