//! The datagram servers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::harness::{PATIENCE, Server, skipped};
use crate::table::{Kind, Row, server, servers};

fn datagrams() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::Datagram)
}

/// A socket that talks with the server alone.
#[track_caller]
fn client(server: &Server) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

#[track_caller]
fn ask(client: &UdpSocket, message: &[u8]) -> Vec<u8> {
    client.send(message).unwrap();
    let mut buffer = [0; 65536];
    let length = client.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// What a server answers to a message that it does not drop.
fn expected(row: &Row, message: &str) -> Vec<u8> {
    match row.name {
        "udp_server_bytes" => message.to_ascii_uppercase().into(),
        "udp_server" => message.to_uppercase().into(),
        _ => b"PONG".into(),
    }
}

/// The server is there, and the next answer is that to the next question.
#[track_caller]
fn still_serves(row: &Row, server: &Server) {
    assert_eq!(ask(&client(server), b"still here"), expected(row, "still here"));
}

#[test]
fn the_text_server_prints_its_answers() {
    let server = server("udp_server").start();
    let client = client(&server);
    ask(&client, "hello".as_bytes());
    ask(&client, "straße".as_bytes());
    server.stdout.wait_for(1, "STRASSE");
    assert_eq!(server.stdout.all()[1..], ["HELLO", "STRASSE"]);
    assert_eq!(server.stderr.all(), [""; 0]);
}

#[test]
fn a_text_that_is_not_utf8_is_dropped() {
    let row = server("udp_server");
    let server = row.start();
    let client = client(&server);
    client.send(b"good\xff").unwrap();
    client.send(b"half \xc3").unwrap();
    assert_eq!(ask(&client, b"next"), b"NEXT");
    let peer = client.local_addr().unwrap();
    server.stderr.wait_for(2, &format!("{peer} dropped: not UTF-8"));
}

/// A reply can be three times as long as its message.
#[test]
fn a_longer_reply_arrives_whole() {
    let server = server("udp_server").start();
    let message = "ΐ".repeat(1024);
    let reply = ask(&client(&server), message.as_bytes());
    assert_eq!(reply, message.to_uppercase().as_bytes());
    assert_eq!(reply.len(), 6144);
}

/// The same port number at another address of this machine, as another server would have.
#[test]
fn its_own_port_number_is_not_answered() {
    for row in datagrams() {
        let server = row.start();
        let neighbour = (Ipv4Addr::new(127, 0, 0, 2), server.address.port());
        let neighbour = match UdpSocket::bind(neighbour) {
            Ok(socket) => socket,
            Err(err) => {
                return skipped("a datagram from the server's port number", err);
            }
        };
        neighbour.send_to(b"hello", server.address).unwrap();
        let why = format!("127.0.0.2:{} dropped: ", server.address.port());
        server.stderr.wait_for(1, &why);
        still_serves(&row, &server);
        neighbour.set_nonblocking(true).unwrap();
        let answer = neighbour.recv(&mut [0; 10]).map_err(|err| err.kind());
        assert_eq!(answer, Err(ErrorKind::WouldBlock), "{}", row.name);
    }
}

/// Who may make raw sockets can say that a datagram comes from anywhere.
#[test]
fn a_forged_sender_neither_ends_a_server_nor_sets_it_talking_to_itself() {
    let raw = Socket::new(Domain::IPV4, Type::from(3), Some(Protocol::UDP)); // SOCK_RAW
    let raw = match raw {
        Ok(raw) => raw,
        Err(err) => return skipped("datagrams with a forged sender", err),
    };
    for row in datagrams() {
        let server = row.start();
        let port = server.address.port();
        for forged in [0, port] {
            for message in [&b"forged"[..], b""] {
                let sent =
                    raw.send_to(&udp(forged, port, message), &server.address.into());
                if let Err(err) = sent {
                    return skipped("datagrams with a forged sender", err);
                }
            }
        }
        still_serves(&row, &server);
        // From port 0 it cannot be answered, from its own it must not be.
        server.stderr.wait_for(2, "127.0.0.1:0 dropped: ");
        server.stderr.wait_for(2, &format!("{} dropped: ", server.address));
        let spent = server.ticks();
        std::thread::sleep(Duration::from_millis(200));
        still_serves(&row, &server);
        if let (Some(before), Some(after)) = (spent, server.ticks()) {
            assert!(
                after - before < 10,
                "{}: {} ticks in 20",
                row.name,
                after - before
            );
        }
    }
}

/// A UDP header without a checksum, and the message. The system adds the IP header.
fn udp(from: u16, to: u16, message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + message.len()).unwrap();
    let mut datagram = Vec::new();
    for field in [from, to, length, 0] {
        datagram.extend(field.to_be_bytes());
    }
    datagram.extend(message);
    datagram
}

#[test]
fn they_listen_on_ipv6_when_asked() {
    for row in datagrams() {
        let loopback: SocketAddr = "[::1]:0".parse().unwrap();
        if let Err(err) = UdpSocket::bind(loopback) {
            return skipped("datagrams over IPv6", err);
        }
        let server = row.start_at("[::1]:0");
        let client = UdpSocket::bind(loopback).unwrap();
        client.connect(server.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(ask(&client, b"six"), expected(&row, "six"));
    }
}
