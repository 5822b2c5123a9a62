//! `recvall_server`, and the blocks themselves.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use sockets101::{MAX_BLOCK, get_block, put_block};

use crate::harness::{Server, half_close, is_silent, rest};
use crate::table::server;

fn start() -> Server {
    server("recvall_server").start()
}

/// One exchange over a connection of its own.
#[track_caller]
fn ask(server: &Server, text: &str) -> String {
    let mut client = server.connect();
    put_block(&client, text.as_bytes()).unwrap();
    let answer = get_block(&client).unwrap();
    assert_eq!(rest(&mut client), "", "more than one block came");
    String::from_utf8(answer).unwrap()
}

/// A stream that gives a byte at a time, with a signal before each.
struct Dribble<'a> {
    left: &'a [u8],
    signal: bool,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.signal = !self.signal;
        if self.signal {
            return Err(ErrorKind::Interrupted.into());
        }
        let some = buffer.len().min(1);
        self.left.read(&mut buffer[..some])
    }
}

#[test]
fn a_client_that_ends_inside_a_block_is_told_of_and_the_next_one_served() {
    let server = start();
    let cases: [(&[u8], &str); 4] = [
        (b"", "4 of 4 bytes left"),
        (b"\0\0", "2 of 4 bytes left"),
        (b"\x00\x00\x00\x0a", "10 of 10 bytes left"),
        (b"\x00\x00\x00\x0a1234567", "3 of 10 bytes left"),
    ];
    for (bytes, why) in cases {
        let mut client = server.connect();
        client.write_all(bytes).unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "");
        server.stderr.wait_for(1, &format!("dropped: {why}"));
    }
    assert_eq!(ask(&server, "next"), "NEXT");
}

#[test]
fn an_announced_length_costs_nothing_until_its_bytes_come() {
    let server = start();
    assert_eq!(ask(&server, "warm"), "WARM");
    let before = server.memory();

    // 4 GiB is over the limit, and refused at once.
    let mut client = server.connect();
    client.write_all(b"\xff\xff\xff\xff").unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    server.stderr.wait_for(1, "dropped: a block of 4294967295 bytes");

    // The most that is allowed is waited for, and takes no memory meanwhile.
    let mut client = server.connect();
    client.write_all(&u32::try_from(MAX_BLOCK).unwrap().to_be_bytes()).unwrap();
    client.write_all(b"ten bytes.").unwrap();
    assert!(is_silent(&client));
    if let (Some(before), Some(after)) = (before, server.memory()) {
        assert!(after < before + 4 * 1024 * 1024, "{before} bytes, then {after}");
    }
    half_close(&client);
    server.stderr.wait_for(1, "dropped: 16777206 of 16777216 bytes left");

    assert_eq!(ask(&server, "next"), "NEXT");
}

#[test]
fn a_block_that_is_not_utf8_gets_no_reply() {
    let server = start();
    let mut client = server.connect();
    put_block(&client, b"good\xff").unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    server.stderr.wait_for(1, "dropped: not UTF-8");
    assert_eq!(ask(&server, "next"), "NEXT");
}

/// The reply can be longer than the message, and then than a block may be.
#[test]
fn a_reply_that_is_no_block_any_more_is_not_sent() {
    let server = start();
    let mut client = server.connect();
    put_block(&client, "ΐ".repeat(MAX_BLOCK / 2).as_bytes()).unwrap();
    assert_eq!(rest(&mut client), "");
    drop(client);
    server.stderr.wait_for(1, "dropped: a block of 50331648 bytes");
    assert_eq!(ask(&server, "next"), "NEXT");
}

#[test]
fn neither_cuts_nor_signals_nor_the_next_block_make_a_difference() {
    let mut wire = Vec::new();
    put_block(&mut wire, b"first").unwrap();
    put_block(&mut wire, b"").unwrap();
    put_block(&mut wire, &[7; 100_000]).unwrap();
    let mut stream = Dribble { left: &wire, signal: false };
    assert_eq!(get_block(&mut stream).unwrap(), b"first");
    assert_eq!(get_block(&mut stream).unwrap(), b"");
    assert_eq!(get_block(&mut stream).unwrap(), [7; 100_000]);
    let err = get_block(&mut stream).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn both_ends_keep_to_the_limit() {
    let longest = vec![b'x'; MAX_BLOCK];
    let mut wire = Vec::new();
    put_block(&mut wire, &longest).unwrap();
    assert!(get_block(&wire[..]).unwrap() == longest);

    let mut wire = Vec::new();
    let err = put_block(&mut wire, &[&longest[..], b"x"].concat()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert!(err.to_string().contains("16777217"), "{err}");
    assert!(wire.is_empty(), "a refused block is not sent in part");

    let announced = u32::try_from(MAX_BLOCK + 1).unwrap().to_be_bytes();
    let err = get_block(&announced[..]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidData);
    assert!(err.to_string().contains("16777217"), "{err}");
}

/// A block is one write: its length does not travel alone.
#[test]
fn a_short_block_is_one_segment() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    put_block(&client, b"hello").unwrap();
    assert_eq!(peer.read(&mut [0; 100]).unwrap(), 9);
}
