//! The log lines of the servers that reply until the client closes its sending side.

use std::io::Write;

use crate::harness::{exchange, half_close, reset, resets_show, rest, skipped};
use crate::table::{Kind, Row, servers};

fn conversations() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::Conversation)
}

#[test]
fn connecting_and_disconnecting_are_logged() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        let peer = client.local_addr().unwrap();
        server.stderr.wait_for(1, &format!("{peer} connected"));
        exchange(&mut client, "straße", "STRASSE");
        drop(client);
        server.stderr.wait_for(1, &format!("{peer} disconnected"));
        assert_eq!(server.stderr.all().len(), 2, "{}", row.name);
    }
}

#[test]
fn invalid_bytes_are_logged() {
    for row in conversations() {
        let server = row.start();
        for (count, bytes) in
            [b"good\xff".as_slice(), b"cut \xe2\x82"].into_iter().enumerate()
        {
            let mut client = server.connect();
            client.write_all(bytes).unwrap();
            half_close(&client);
            rest(&mut client);
            server.stderr.wait_for(count + 1, "dropped: invalid UTF-8");
        }
    }
}

#[test]
fn a_reset_is_logged() {
    if !resets_show() {
        return skipped(
            "the log line for a reset",
            "here, a reset looks like a normal close",
        );
    }
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        exchange(&mut client, "hello", "HELLO");
        reset(client);
        server.stderr.wait_for(1, "dropped: connection reset by the client");
    }
}
