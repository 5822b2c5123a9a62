//! The servers that answer until the client ends its side: what a client does not see.

use std::io::Write;

use crate::harness::{exchange, half_close, reset, resets_show, rest, skipped};
use crate::table::{Kind, Row, servers};

fn conversations() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::Conversation)
}

#[test]
fn coming_and_leaving_are_told_of() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        let peer = client.local_addr().unwrap();
        server.stderr.wait_for(1, &format!("{peer} connected"));
        exchange(&mut client, "straße", "STRASSE");
        drop(client);
        server.stderr.wait_for(1, &format!("{peer} left"));
        assert_eq!(server.stderr.all().len(), 2, "{}", row.name);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_told_of() {
    for row in conversations() {
        let server = row.start();
        for (count, bytes) in
            [b"good\xff".as_slice(), b"cut \xe2\x82"].into_iter().enumerate()
        {
            let mut client = server.connect();
            client.write_all(bytes).unwrap();
            half_close(&client);
            rest(&mut client);
            server.stderr.wait_for(count + 1, "dropped: not UTF-8");
        }
    }
}

#[test]
fn a_reset_is_called_one() {
    if !resets_show() {
        return skipped(
            "what a reset is called",
            "here it looks like any other end",
        );
    }
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        exchange(&mut client, "hello", "HELLO");
        reset(client);
        server.stderr.wait_for(1, "dropped: reset");
    }
}
