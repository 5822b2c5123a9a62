//! The datagram servers.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::harness::{PATIENCE, Server, skipped};
use crate::table::{Kind, Row, server, servers};

/// The reason in the log line for a datagram that could start a loop.
const OWN_PORT: &str = "sent from the server's own port number";

fn datagrams() -> impl Iterator<Item = Row> {
    servers(|row| row.kind == Kind::Datagram)
}

/// Returns a socket that only receives datagrams of the server.
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

/// Returns the reply to a valid message.
fn expected(row: &Row, message: &str) -> Vec<u8> {
    match row.name {
        "udp_server_bytes" => message.to_ascii_uppercase().into(),
        "udp_server" => message.to_uppercase().into(),
        _ => b"PONG".into(),
    }
}

/// Checks that the server is running and replies to the next request.
#[track_caller]
fn still_serves(row: &Row, server: &Server) {
    assert_eq!(ask(&client(server), b"still here"), expected(row, "still here"));
}

#[test]
fn the_text_server_prints_its_replies() {
    let server = server("udp_server").start();
    let client = client(&server);
    ask(&client, "hello".as_bytes());
    ask(&client, "straße".as_bytes());
    server.stdout.wait_for(1, "STRASSE");
    assert_eq!(server.stdout.all()[1..], ["HELLO", "STRASSE"]);
    assert_eq!(server.stderr.all(), [""; 0]);
}

#[test]
fn an_invalid_text_is_dropped() {
    let row = server("udp_server");
    let server = row.start();
    let client = client(&server);
    client.send(b"good\xff").unwrap();
    client.send(b"half \xc3").unwrap();
    assert_eq!(ask(&client, b"next"), b"NEXT");
    let peer = client.local_addr().unwrap();
    server.stderr.wait_for(2, &format!("{peer} dropped: invalid UTF-8"));
}

/// A reply can be three times as long as its message.
#[test]
fn a_long_reply_arrives_whole() {
    let server = server("udp_server").start();
    let message = "ΐ".repeat(1024);
    let reply = ask(&client(&server), message.as_bytes());
    assert_eq!(reply, message.to_uppercase().as_bytes());
    assert_eq!(reply.len(), 6144);
}

/// A datagram from the same port number but another address, as from another server.
#[test]
fn a_datagram_from_the_servers_own_port_number_gets_no_reply() {
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
        let why = format!("127.0.0.2:{} dropped: {OWN_PORT}", server.address.port());
        server.stderr.wait_for(1, &why);
        still_serves(&row, &server);
        neighbour.set_nonblocking(true).unwrap();
        let reply = neighbour.recv(&mut [0; 10]).map_err(|err| err.kind());
        assert_eq!(reply, Err(ErrorKind::WouldBlock), "{}", row.name);
    }
}

/// A program that may create raw sockets can send datagrams with any source address.
#[test]
fn a_forged_sender_does_not_stop_a_server_or_make_it_reply_to_itself() {
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
        // No datagram can be sent to port 0. A reply to its own port would be a loop.
        server
            .stderr
            .wait_for(2, "127.0.0.1:0 dropped: the reply could not be sent");
        server
            .stderr
            .wait_for(2, &format!("{} dropped: {OWN_PORT}", server.address));
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

/// Returns a UDP header without a checksum, and the message. The kernel adds the IP header.
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
