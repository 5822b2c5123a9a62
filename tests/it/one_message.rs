//! The servers that read once, reply, and close the connection: their log lines, and the
//! end of the one read.

use std::io::Write;

use crate::harness::rest;
use crate::table::{Kind, Row, servers};

fn one_message() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::OneMessage)
}

#[test]
fn disconnecting_and_invalid_bytes_are_logged() {
    for row in one_message() {
        let server = row.start();
        for (message, event) in [
            (b"good".as_slice(), "disconnected"),
            (b"good\xff", "dropped: invalid UTF-8"),
        ] {
            let mut client = server.connect();
            let peer = client.local_addr().unwrap();
            client.write_all(message).unwrap();
            assert_eq!(rest(&mut client), "GOOD", "{}", row.name);
            drop(client);
            server.stderr.wait_for(1, &format!("{peer} connected"));
            server.stderr.wait_for(1, &format!("{peer} {event}"));
        }
    }
}

/// The text is one `a`, then characters of two bytes, so one of them is cut after byte 4096.
#[test]
fn a_character_cut_by_the_read_is_lost_and_nothing_else() {
    for row in one_message() {
        let server = row.start();
        let mut client = server.connect();
        let text = format!("a{}", "é".repeat(2500));
        client.write_all(text.as_bytes()).unwrap();
        let reply = rest(&mut client);
        assert!(reply.len() < 4096, "{}", row.name);
        assert!(text.to_uppercase().starts_with(&reply), "{}", row.name);
    }
}
