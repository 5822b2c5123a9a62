//! `recvall_server`, and the functions for length-prefixed messages.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use sockets101::{MAX_BLOCK, get_block, put_block};

use crate::harness::{Server, half_close, is_silent, rest};
use crate::table::server;

fn start() -> Server {
    server("recvall_server").start()
}

/// Sends one message on a new connection and returns the reply.
#[track_caller]
fn ask(server: &Server, text: &str) -> String {
    let mut client = server.connect();
    put_block(&client, text.as_bytes()).unwrap();
    let reply = get_block(&client).unwrap();
    assert_eq!(rest(&mut client), "", "bytes after the reply");
    String::from_utf8(reply).unwrap()
}

/// A stream that returns one byte at a time. A signal interrupts every second read.
struct Dribble<'a> {
    unread: &'a [u8],
    interrupted: bool,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(1);
        self.unread.read(&mut buffer[..length])
    }
}

#[test]
fn an_incomplete_message_is_logged_and_the_next_client_served() {
    let server = start();
    let cases: [(&[u8], &str); 4] = [
        (b"", "4 of 4 bytes missing"),
        (b"\0\0", "2 of 4 bytes missing"),
        (b"\x00\x00\x00\x0a", "10 of 10 bytes missing"),
        (b"\x00\x00\x00\x0a1234567", "3 of 10 bytes missing"),
    ];
    for (bytes, why) in cases {
        let mut client = server.connect();
        client.write_all(bytes).unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "");
        server.stderr.wait_for(
            1,
            &format!(
                "dropped: connection closed in the middle of a message ({why})"
            ),
        );
    }
    assert_eq!(ask(&server, "next"), "NEXT");
}

#[test]
fn a_length_takes_no_memory_until_its_bytes_arrive() {
    let server = start();
    assert_eq!(ask(&server, "warm"), "WARM");
    let before = server.memory();

    // The limit is less than 4 GiB. The server closes the connection immediately.
    let mut client = server.connect();
    client.write_all(b"\xff\xff\xff\xff").unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    server.stderr.wait_for(
        1,
        "dropped: message too long (4294967295 bytes; the limit is 16777216)",
    );

    // The server waits for a message of the largest size. This takes no memory.
    let mut client = server.connect();
    client.write_all(&u32::try_from(MAX_BLOCK).unwrap().to_be_bytes()).unwrap();
    client.write_all(b"ten bytes.").unwrap();
    assert!(is_silent(&client));
    if let (Some(before), Some(after)) = (before, server.memory()) {
        assert!(after < before + 4 * 1024 * 1024, "{before} bytes, then {after}");
    }
    half_close(&client);
    server.stderr.wait_for(1, "dropped: connection closed in the middle of a message (16777206 of 16777216 bytes missing)");

    assert_eq!(ask(&server, "next"), "NEXT");
}

#[test]
fn an_invalid_message_gets_no_reply() {
    let server = start();
    let mut client = server.connect();
    put_block(&client, b"good\xff").unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    server.stderr.wait_for(1, "dropped: invalid UTF-8");
    assert_eq!(ask(&server, "next"), "NEXT");
}

/// The reply can be longer than the message, and therefore longer than the limit.
#[test]
fn a_reply_that_is_too_long_is_not_sent() {
    let server = start();
    let mut client = server.connect();
    put_block(&client, "ΐ".repeat(MAX_BLOCK / 2).as_bytes()).unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    server.stderr.wait_for(
        1,
        "dropped: message too long (50331648 bytes; the limit is 16777216)",
    );
    assert_eq!(ask(&server, "next"), "NEXT");
}

#[test]
fn pieces_signals_and_more_messages_do_not_change_the_result() {
    let mut wire = Vec::new();
    put_block(&mut wire, b"first").unwrap();
    put_block(&mut wire, b"").unwrap();
    put_block(&mut wire, &[7; 100_000]).unwrap();
    let mut stream = Dribble { unread: &wire, interrupted: false };
    assert_eq!(get_block(&mut stream).unwrap(), b"first");
    assert_eq!(get_block(&mut stream).unwrap(), b"");
    assert_eq!(get_block(&mut stream).unwrap(), [7; 100_000]);
    let err = get_block(&mut stream).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn sending_and_receiving_have_the_same_limit() {
    let longest = vec![b'x'; MAX_BLOCK];
    let mut wire = Vec::new();
    put_block(&mut wire, &longest).unwrap();
    assert!(get_block(&wire[..]).unwrap() == longest);

    let mut wire = Vec::new();
    let err = put_block(&mut wire, &[&longest[..], b"x"].concat()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert!(err.to_string().contains("16777217"), "{err}");
    assert!(wire.is_empty(), "a part of a message was sent");

    let announced = u32::try_from(MAX_BLOCK + 1).unwrap().to_be_bytes();
    let err = get_block(&announced[..]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidData);
    assert!(err.to_string().contains("16777217"), "{err}");
}

/// The length and the message are sent with one write, so they arrive together.
#[test]
fn a_short_message_is_one_segment() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    put_block(&client, b"hello").unwrap();
    assert_eq!(peer.read(&mut [0; 100]).unwrap(), 9);
}
