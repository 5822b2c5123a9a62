//! Bugs of the servers that reply to one length-prefixed message on each connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::{mem, str};

use sockets101::{Failure, close_gracefully, get_block, put_block, recvall};

use crate::{in_a_row, invalid_text, together, upper, wait_forever};

#[allow(clippy::too_many_lines)] // It is a list of independent bugs.
pub fn serve(bug: &str, listener: &TcpListener) -> Result<(), Failure> {
    match bug {
        "recv_4" => in_a_row(listener, |mut client| {
            let mut prefix = [0; 4];
            if client.read(&mut prefix).is_ok_and(|length| length == 4)
                && prefix[0] == 0
            {
                let message = recvall(&client, u32::from_be_bytes(prefix) as usize);
                let _ = message.and_then(|message| block(&client, &message));
            }
            close_gracefully(client);
        }),
        "recv_body" => in_a_row(listener, |mut client| {
            let mut body = vec![0; 1 << 21];
            if let Ok(prefix) = recvall(&client, 4) {
                if prefix[0] == 0 && prefix != [0; 4] {
                    let length = client.read(&mut body).unwrap_or(0);
                    let _ = block(&client, &body[..length]);
                } else if prefix == [0; 4] {
                    let _ = block(&client, b"");
                }
            }
            close_gracefully(client);
        }),
        "believes_the_length" | "limit_of_1_gib" => in_a_row(listener, |client| {
            if let Ok(prefix) = recvall(&client, 4) {
                let length = prefix
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                if bug == "believes_the_length" || length <= 1 << 30 {
                    let message = recvall(&client, length);
                    let _ = message.and_then(|message| block(&client, &message));
                }
            }
            close_gracefully(client);
        }),
        "signed_length" => in_a_row(listener, |client| {
            if let Ok(prefix) = recvall(&client, 4) {
                let length =
                    i32::from_be_bytes([0, 1, 2, 3].map(|place| prefix[place]));
                let message = recvall(&client, usize::try_from(length).unwrap_or(0));
                let _ = message.and_then(|message| block(&client, &message));
            }
            close_gracefully(client);
        }),
        "empty_is_the_end" => in_a_row(listener, |client| {
            let message = get_block(&client).unwrap_or_default();
            if !message.is_empty() {
                let _ = block(&client, &message);
            }
            close_gracefully(client);
        }),
        "dies_of_an_end_inside" => in_a_row(listener, |client| {
            match get_block(&client) {
                Err(err) if err.kind() == ErrorKind::UnexpectedEof => exit(1),
                message => {
                    drop(message.and_then(|message| block(&client, &message)));
                }
            }
            close_gracefully(client);
        }),
        "lossy_block" => in_a_row(listener, |client| {
            if let Ok(message) = get_block(&client) {
                let _ =
                    put_block(&client, &upper(&String::from_utf8_lossy(&message)));
            }
            close_gracefully(client);
        }),
        "block_stays_open" => together(listener, |client| {
            let _ = get_block(&client).and_then(|message| block(&client, &message));
            mem::forget(client);
        }),
        "block_reads_to_the_end" => in_a_row(listener, |mut client| {
            let mut all = Vec::new();
            let result = client.read_to_end(&mut all);
            let message = result.and_then(|_| get_block(&*all));
            let _ = message.and_then(|message| block(&client, &message));
            close_gracefully(client);
        }),
        // The length that a correct client sends is read as a very large one.
        "little_endian" => in_a_row(listener, |mut client| {
            let mut prefix = [0; 4];
            if client.read_exact(&mut prefix).is_ok() {
                let length = u32::from_le_bytes(prefix) as usize;
                if let Ok(message) = recvall(&client, length) {
                    let reply = upper(&String::from_utf8_lossy(&message));
                    let _ = client.write_all(&length_of(&reply).to_le_bytes());
                    let _ = client.write_all(&reply);
                }
            }
            close_gracefully(client);
        }),
        "writes_little_endian" => in_a_row(listener, |client| {
            reply_with(client, |reply| {
                length_of(reply.as_bytes()).to_le_bytes().into()
            });
        }),
        "no_prefix" => in_a_row(listener, |client| {
            reply_with(client, |_| Vec::new());
        }),
        "length_in_characters" => in_a_row(listener, |client| {
            reply_with(client, |reply| {
                let characters = reply.chars().count();
                length_of(&reply.as_bytes()[..characters]).to_be_bytes().into()
            });
        }),
        "length_with_prefix" => in_a_row(listener, |client| {
            reply_with(client, |reply| {
                (length_of(reply.as_bytes()) + 4).to_be_bytes().into()
            });
        }),
        "stops_after_a_megabyte" => in_a_row(listener, |client| {
            let message = get_block(&client);
            let is_long =
                message.as_ref().is_ok_and(|message| message.len() > 1_000_000);
            let _ = message.and_then(|message| block(&client, &message));
            close_gracefully(client);
            if is_long {
                wait_forever()
            }
        }),
        _ => Err(format!("no bug is called {bug}").into()),
    }
}

/// Replies to a length-prefixed message.
fn block(client: &TcpStream, message: &[u8]) -> io::Result<()> {
    let text = str::from_utf8(message).map_err(|_| invalid_text())?;
    put_block(client, text.to_uppercase().as_bytes())
}

/// Replies to a length-prefixed message. `prefix` makes the bytes in front of the reply.
fn reply_with(mut client: TcpStream, prefix: impl Fn(&str) -> Vec<u8>) {
    if let Ok(message) = get_block(&client) {
        if let Ok(text) = str::from_utf8(&message) {
            let reply = text.to_uppercase();
            let _ = client.write_all(&[&prefix(&reply), reply.as_bytes()].concat());
        }
    }
    close_gracefully(client);
}

/// Returns the length of a reply, which is not long here.
fn length_of(reply: &[u8]) -> u32 {
    u32::try_from(reply.len()).unwrap_or(u32::MAX)
}
