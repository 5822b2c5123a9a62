//! Bugs of the servers that reply to datagrams.

use std::net::UdpSocket;
use std::process::exit;
use std::time::Duration;
use std::{str, thread};

use sockets101::Failure;

use crate::upper;

/// Serves all clients. The names of these bugs begin with `udp_`, which is not in `bug`.
pub fn serve(bug: &str, socket: &UdpSocket) -> Result<(), Failure> {
    let length = match bug {
        "small_buffer" => 1024,
        "large_buffer" => 65536,
        _ => 2048,
    };
    let mut buffer = vec![0; length];
    let mut peers = Vec::new();
    let other_socket = UdpSocket::bind((socket.local_addr()?.ip(), 0))?;
    let (mut first_peer, mut count) = (None, 0);
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
        let bytes = &buffer[..length];
        let reply = match (bug, str::from_utf8(bytes)) {
            ("exits_after_55", _) if count == 55 => return Ok(()),
            ("echo", _) => bytes.to_vec(),
            ("pongs_to_text" | "answers_to_text", Err(_))
            | ("forgets_empty", Ok("")) => continue,
            ("pongs_to_text", _) => b"PONG".to_vec(),
            ("answers_to_text", _) => bytes.to_ascii_uppercase(),
            ("dies_of_bytes", Err(_)) => exit(1),
            ("lossy", _) => upper(&String::from_utf8_lossy(bytes)),
            (_, Err(_)) => continue,
            // The rest of the buffer has NUL bytes or an older message.
            ("whole_buffer", _) => upper(&String::from_utf8_lossy(&buffer)),
            ("counts_characters", Ok(text)) => {
                let mut reply = upper(text);
                reply.truncate(text.chars().count());
                reply
            }
            (_, Ok(text)) => upper(text),
        };
        count += 1;
        let first_peer = *first_peer.get_or_insert(peer);
        peers.push(if bug == "one_peer" { first_peer } else { peer });
        if bug == "answers_another" && peers.len() == 1 {
            // All clients that send at this moment get the same reply.
            thread::sleep(Duration::from_millis(5));
            socket.set_nonblocking(true)?;
            while let Ok((_, peer)) = socket.recv_from(&mut buffer) {
                peers.push(peer);
            }
            socket.set_nonblocking(false)?;
        }
        for peer in peers.drain(..) {
            let socket = if bug == "other_port" { &other_socket } else { socket };
            let _ = socket.send_to(&reply, peer);
        }
    }
}
