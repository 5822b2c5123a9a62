//! The servers that read once, answer, and close.

use std::io::Write;

use crate::harness::{half_close, reset, rest};
use crate::table::{Kind, Row, servers};

fn one_message() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::OneMessage)
}

#[test]
fn one_message_is_answered_and_the_connection_closed() {
    for row in one_message() {
        let server = row.start();
        for text in ["hello", "straße", "ﬁ ΐ é €"] {
            let mut client = server.connect();
            client.write_all(text.as_bytes()).unwrap();
            assert_eq!(rest(&mut client), text.to_uppercase(), "{}", row.name);
        }
        server.stderr.wait_for(3, " connected");
        server.stderr.wait_for(3, " left");
    }
}

/// Closed with bytes unread, a connection would be reset, and the reply could be lost.
#[test]
fn five_thousand_bytes_get_the_whole_first_reply_then_an_end() {
    for row in one_message() {
        let server = row.start();
        for _ in 0..20 {
            let mut client = server.connect();
            client.write_all(&[b'a'; 5000]).unwrap();
            let answer = rest(&mut client);
            assert!((1..=4096).contains(&answer.len()), "{}", row.name);
            assert!(answer.bytes().all(|byte| byte == b'A'), "{}", row.name);
        }
    }
}

#[test]
fn a_character_cut_by_the_read_is_lost_and_nothing_else() {
    for row in one_message() {
        let server = row.start();
        let mut client = server.connect();
        client.write_all(b"caf\xc3").unwrap();
        assert_eq!(rest(&mut client), "CAF", "{}", row.name);

        // Across byte 4096: one `a`, then characters of two bytes.
        let mut client = server.connect();
        let text = format!("a{}", "é".repeat(2500));
        client.write_all(text.as_bytes()).unwrap();
        let answer = rest(&mut client);
        assert!(answer.len() < 4096, "{}", row.name);
        assert!(text.to_uppercase().starts_with(&answer), "{}", row.name);
    }
}

#[test]
fn bytes_that_are_not_utf8_cost_that_client_alone() {
    for row in one_message() {
        let server = row.start();
        // More of them than a pool has threads.
        for _ in 0..6 {
            let mut client = server.connect();
            client.write_all(b"good\xffbad").unwrap();
            assert_eq!(rest(&mut client), "GOOD", "{}", row.name);
        }
        server.stderr.wait_for(6, "dropped: not UTF-8");
        let mut client = server.connect();
        client.write_all(b"next").unwrap();
        assert_eq!(rest(&mut client), "NEXT", "{}", row.name);
    }
}

#[test]
fn who_leaves_without_a_word_or_resets_costs_nobody() {
    for row in one_message() {
        let server = row.start();
        for number in 0..30 {
            let mut client = server.connect();
            if row.backlog == 1 {
                // A queue of one overflows, and who is not let in tries a second later.
                server.stderr.wait_for(number + 1, " connected");
            }
            match number % 3 {
                0 => drop(client),
                1 => reset(client),
                _ => {
                    client.write_all(b"and gone").unwrap();
                    reset(client);
                }
            }
        }
        let mut client = server.connect();
        client.write_all(b"next").unwrap();
        assert_eq!(rest(&mut client), "NEXT", "{}", row.name);
    }
}

#[test]
fn a_half_closed_client_gets_its_answer() {
    for row in one_message() {
        let server = row.start();
        let mut client = server.connect();
        client.write_all(b"bye").unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "BYE", "{}", row.name);
    }
}
