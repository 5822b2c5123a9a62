//! The servers that read once, answer, and close: what a client does not see, and where
//! exactly one read ends.

use std::io::Write;

use crate::harness::rest;
use crate::table::{Kind, Row, servers};

fn one_message() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::OneMessage)
}

#[test]
fn coming_and_leaving_and_bytes_that_are_not_utf8_are_told_of() {
    for row in one_message() {
        let server = row.start();
        for (message, event) in
            [(b"good".as_slice(), "left"), (b"good\xff", "dropped: not UTF-8")]
        {
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

/// Across byte 4096: one `a`, then characters of two bytes.
#[test]
fn a_character_cut_by_the_read_is_lost_and_nothing_else() {
    for row in one_message() {
        let server = row.start();
        let mut client = server.connect();
        let text = format!("a{}", "é".repeat(2500));
        client.write_all(text.as_bytes()).unwrap();
        let answer = rest(&mut client);
        assert!(answer.len() < 4096, "{}", row.name);
        assert!(text.to_uppercase().starts_with(&answer), "{}", row.name);
    }
}
