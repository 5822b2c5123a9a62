//! The servers that answer until the client ends its side.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::harness::{
    Server, exchange, half_close, is_silent, receive, reset, rest, skipped,
};
use crate::table::{Kind, Row, servers};

fn conversations() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::Conversation)
}

#[test]
fn several_messages_get_their_answers_in_order() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        exchange(&mut client, "hello", "HELLO");
        exchange(&mut client, "straße", "STRASSE");
        exchange(&mut client, "ﬁ ΐ é €", "FI \u{399}\u{308}\u{301} É €");
        exchange(&mut client, "1\n2\r\n\0", "1\n2\r\n\0");
        half_close(&client);
        assert_eq!(rest(&mut client), "", "{}", row.name);
        server.stderr.wait_for(1, " connected");
        server.stderr.wait_for(1, " left");
    }
}

/// TCP keeps the bytes and their order, not the borders between writes.
#[test]
fn a_text_sent_byte_by_byte_comes_out_whole() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        for byte in "aé€🦀ß\n".bytes() {
            client.write_all(&[byte]).unwrap();
        }
        receive(&mut client, "AÉ€🦀SS\n");

        // Half a character, and the other half when the server has surely read the first.
        exchange(&mut client, b"x\xc3", "X");
        assert!(is_silent(&client), "{}: answers half a character", row.name);
        exchange(&mut client, b"\xa9", "É");
    }
}

#[test]
fn bytes_that_are_not_utf8_end_that_conversation_and_no_other() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        client.write_all(b"good\xff").unwrap();
        assert_eq!(rest(&mut client), "GOOD", "{}", row.name);
        drop(client);
        server.stderr.wait_for(1, "dropped: not UTF-8");

        exchange(&mut server.connect(), "next", "NEXT");
    }
}

#[test]
fn an_end_inside_a_character_is_told_of() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        client.write_all(b"ok\xe2\x82").unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "OK", "{}", row.name);
        server.stderr.wait_for(1, "dropped: not UTF-8");
    }
}

/// Sends a long text and ends that side, and reads meanwhile: all the answers.
fn send_and_end(server: &Server, text: &str) -> String {
    let mut client = server.connect();
    let mut reader = client.try_clone().unwrap();
    thread::scope(|both| {
        both.spawn(|| {
            client.write_all(text.as_bytes()).unwrap();
            half_close(&client);
        });
        rest(&mut reader)
    })
}

/// Who has nothing more to say may still want to hear the answers.
#[test]
fn a_half_closed_client_gets_all_its_answers() {
    let text = "half-close ".repeat(100_000);
    for row in conversations() {
        let server = row.start();
        let answer = send_and_end(&server, &text);
        assert!(
            answer == text.to_uppercase(),
            "{}: {} bytes",
            row.name,
            answer.len()
        );
    }
}

/// The deck's poll server answers 11 of them.
#[test]
fn two_thousand_clients_that_ask_and_half_close_at_once_are_all_answered() {
    for row in conversations() {
        let server = row.start();
        for number in 0..2000 {
            let mut client = server.connect();
            let text = format!("client {number}");
            client.write_all(text.as_bytes()).unwrap();
            half_close(&client);
            assert_eq!(rest(&mut client), text.to_uppercase(), "{}", row.name);
        }
    }
}

#[test]
fn ten_mebibytes_come_back_byte_for_byte() {
    // Characters of one to four bytes, whose upper case is longer, shorter and as long.
    let line = "hello wörld, straße, ﬁne, ÿ, ΐ, €, 🦀, ǰ\n";
    let text = line.repeat(10 * 1024 * 1024 / line.len() + 1);
    let expected = text.to_uppercase();
    for row in conversations() {
        let server = row.start();
        let answer = send_and_end(&server, &text);
        let same = answer.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b);
        let same = same.count();
        assert!(
            answer == expected,
            "{}: the first {same} bytes are right",
            row.name
        );
    }
}

#[test]
fn a_reset_ends_that_client_and_no_other() {
    for row in conversations() {
        let server = row.start();
        for number in 0..100 {
            let mut client = server.connect();
            match number % 3 {
                0 => {}
                1 => client.write_all(b"and gone").unwrap(),
                _ => exchange(&mut client, "stay", "STAY"),
            }
            if row.backlog == 1 {
                // A queue of one overflows, and who is not let in tries a second later.
                server.stderr.wait_for(number + 1, " connected");
            }
            reset(client);
        }
        exchange(&mut server.connect(), "still here", "STILL HERE");
    }
}

#[test]
fn a_reset_is_called_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    reset(client);
    if peer.read(&mut [0]).is_ok() {
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

/// Many clients at once, each with its own words: nobody gets another's answer.
#[test]
fn clients_are_kept_apart() {
    for row in conversations().filter(|row| row.backlog == 100) {
        let server = row.start();
        thread::scope(|all| {
            for number in 0..20 {
                let server = &server;
                all.spawn(move || {
                    let mut client = server.connect();
                    for turn in 0..20 {
                        let text = format!("client {number}, turn {turn}: é\n");
                        exchange(&mut client, &text, text.to_uppercase());
                    }
                });
            }
        });
    }
}

/// A client that sends and never reads, until the system takes no more from it.
pub fn stuff(client: &mut TcpStream) -> usize {
    client.set_nonblocking(true).unwrap();
    let mut sent = 0;
    let chunk = [b'x'; 64 * 1024];
    let mut refused = 0;
    // The server may take some more while we look: full is when it stays full.
    while refused < 20 {
        refused += 1;
        if let Ok(n) = client.write(&chunk) {
            sent += n;
            refused = 0;
        } else {
            thread::sleep(Duration::from_millis(10));
        }
    }
    client.set_nonblocking(false).unwrap();
    sent
}

#[test]
fn what_was_taken_from_a_client_that_did_not_read_is_answered_when_it_does() {
    for row in conversations() {
        let server = row.start();
        let mut client = server.connect();
        let sent = stuff(&mut client);
        half_close(&client);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.len(), sent, "{}", row.name);
        assert!(answer.iter().all(|byte| *byte == b'X'), "{}", row.name);
    }
}
