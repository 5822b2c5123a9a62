//! Servers with one bug each, which `check` must find. The lecture's programs have many of
//! these bugs.
//!
//! This is not a lesson. Do not learn from its code, but from what `check` says about it.
//! Without a name, this program lists all bugs. The environment variable `MUTANT` names one:
//!
//! ```text
//! $ MUTANT=echo cargo run --example mutant -- 1237
//! server ready on 127.0.0.1:1237
//! ```
//!
//! In another terminal:
//!
//! ```text
//! $ cargo run --example check -- thread_per_client 1237
//! ```
//!
//! Arguments: those of the lesson that the server claims to be: `[IP:PORT]`, `[--delay 5]`,
//! `[--timeout 20]`, `[--backlog 100]`.

mod names;

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, mem, str, thread};

use socket2::{Domain, SockAddr, Socket, Type};
use sockets101::{
    Args, Decoder, Failure, accept_within, close_gracefully, get_block,
};
use sockets101::{log_line, print_line, put_block, recvall};

use names::BUGS;

fn main() -> Result<(), Failure> {
    let usage = "mutant [IP:PORT] [--delay 5] [--timeout 20] [--backlog 100]";
    let mut args = Args::new(usage);
    let delay = args.seconds("--delay", 0.0);
    let timeout = args.timeout("--timeout", 20.0);
    let _backlog = args.option("--backlog", 100);
    let address = args.listen_address(0);

    let bug = env::var("MUTANT").unwrap_or_default();
    if !BUGS.iter().any(|known| known.name == bug) {
        list_and_exit(&bug);
    }
    if let Some(bug) = bug.strip_prefix("udp_") {
        let socket = UdpSocket::bind(address)?;
        print_line(format!("server ready on {}", socket.local_addr()?));
        return datagrams(bug, &socket);
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // You can try one bug after another on the same port.
    if !cfg!(windows) {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(100)?;
    let listener = TcpListener::from(socket);
    print_line(format!("server ready on {}", listener.local_addr()?));
    streams(&bug, &listener, delay, timeout)
}

/// Says that `MUTANT` does not name a bug, and lists the bugs.
fn list_and_exit(bug: &str) -> ! {
    let mut text = String::from(
        "Error: set the environment variable MUTANT to the name of a bug",
    );
    if !bug.is_empty() {
        let _ = write!(text, " ('{bug}' is not in the list)");
    }
    text += "; for example: MUTANT=echo cargo run --example mutant -- 1237\n";
    let _ = write!(
        text,
        "{:<32}LESSON (cargo run --example check -- LESSON 1237)",
        "BUG"
    );
    for bug in BUGS {
        let _ = write!(text, "\n{:<32}{}", bug.name, bug.lesson);
    }
    log_line(text);
    exit(2)
}

// The designs of the workbook. Each has a place for the bug.

/// Serves one client after another.
fn in_a_row(
    listener: &TcpListener,
    mut serve: impl FnMut(TcpStream),
) -> Result<(), Failure> {
    loop {
        serve(listener.accept()?.0);
    }
}

/// Serves each client in a new thread.
fn together(
    listener: &TcpListener,
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) -> Result<(), Failure> {
    let serve = Arc::new(serve);
    loop {
        let (client, serve) = (listener.accept()?.0, serve.clone());
        thread::spawn(move || serve(client));
    }
}

/// Runs `serve` in each of `threads` threads.
fn pool(threads: usize, serve: impl Fn() + Sync) -> Result<(), Failure> {
    thread::scope(|pool| {
        for _ in 0..threads {
            pool.spawn(&serve);
        }
    });
    Ok(())
}

// Correct ways to serve one client.

/// Replies to each read until the client closes its sending side.
fn converse(client: TcpStream) {
    converse_with(client, |text| text.to_uppercase().into());
}

/// Does what `converse` does, with a different function that makes the reply.
fn converse_with(client: TcpStream, reply: impl Fn(&str) -> Vec<u8>) {
    let mut decoder = Decoder::default();
    let _ = each_read(&client, |client, bytes| {
        let (text, is_valid) = decoder.decode(bytes);
        send(client, &reply(&text), is_valid)
    });
    close_gracefully(client);
}

/// Sends a reply. Returns an error if the request was not valid, so that the caller closes
/// the connection.
fn send(mut client: &TcpStream, reply: &[u8], is_valid: bool) -> io::Result<()> {
    client.write_all(reply)?;
    if is_valid { Ok(()) } else { Err(invalid_text()) }
}

fn invalid_text() -> io::Error {
    io::Error::other("invalid UTF-8")
}

/// Calls `call` for each read until the client closes its sending side.
fn each_read(
    mut client: &TcpStream,
    mut call: impl FnMut(&TcpStream, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    while let length @ 1.. = client.read(&mut buffer)? {
        call(client, &buffer[..length])?;
    }
    Ok(())
}

/// Reads once and replies to the valid text before the first invalid byte.
fn one_message(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer)?;
    let text =
        buffer[..length].utf8_chunks().next().map_or("", |chunk| chunk.valid());
    client.write_all(text.to_uppercase().as_bytes())
}

/// Replies to a length-prefixed message.
fn block(client: &TcpStream, message: &[u8]) -> io::Result<()> {
    let text = str::from_utf8(message).map_err(|_| invalid_text())?;
    put_block(client, text.to_uppercase().as_bytes())
}

fn upper(text: &str) -> Vec<u8> {
    text.to_uppercase().into()
}

// The bugs.

fn datagrams(bug: &str, socket: &UdpSocket) -> Result<(), Failure> {
    let length = match bug {
        "small_buffer" => 1024,
        "large_buffer" => 65536,
        _ => 2048,
    };
    let mut buffer = vec![0; length];
    let mut peers = Vec::new();
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
        let bytes = &buffer[..length];
        let reply = match (bug, str::from_utf8(bytes)) {
            ("echo", _) => bytes.to_vec(),
            ("pongs_to_text" | "answers_to_text", Err(_))
            | ("forgets_empty", Ok("")) => continue,
            ("pongs_to_text", _) => b"PONG".to_vec(),
            ("answers_to_text", _) => bytes.to_ascii_uppercase(),
            ("dies_of_bytes", Err(_)) => exit(1),
            ("lossy", _) => upper(&String::from_utf8_lossy(bytes)),
            (_, Err(_)) => continue,
            (_, Ok(text)) => upper(text),
        };
        peers.push(peer);
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
            let _ = socket.send_to(&reply, peer);
        }
    }
}

#[allow(clippy::too_many_lines)] // It is a list of independent bugs.
fn streams(
    bug: &str,
    listener: &TcpListener,
    delay: Duration,
    timeout: Duration,
) -> Result<(), Failure> {
    match bug {
        // Several requests on one connection.
        "mute" => together(listener, |client| {
            let _ = each_read(&client, |_, _| Ok(()));
        }),
        "echo" => {
            together(listener, |client| converse_with(client, |text| text.into()))
        }
        "ascii" => together(listener, |client| {
            let _ = each_read(&client, |mut client, bytes| {
                client.write_all(&bytes.to_ascii_uppercase())
            });
        }),
        "lossy" => together(listener, |client| {
            let _ = each_read(&client, |mut client, bytes| {
                client.write_all(&upper(&String::from_utf8_lossy(bytes)))
            });
        }),
        "one_recv_and_end" => together(listener, |client| {
            let _ = one_message(&client);
            close_gracefully(client);
        }),
        "one_recv" => together(listener, |client| {
            let _ = one_message(&client);
            let _ = each_read(&client, |_, _| Ok(()));
        }),
        "dies_of_half_a_character" => in_a_row(listener, |client| {
            let _ = each_read(&client, |mut client, bytes| {
                let Ok(text) = str::from_utf8(bytes) else { exit(1) };
                client.write_all(&upper(text))
            });
            close_gracefully(client);
        }),
        "thread_dies_of_half_a_character" => together(listener, |client| {
            let result = each_read(&client, |mut client, bytes| {
                let text = str::from_utf8(bytes).map_err(|_| invalid_text())?;
                client.write_all(&upper(text))
            });
            // In Python, the exception keeps a reference to the socket, so the socket stays
            // open.
            if result.is_err() {
                mem::forget(client);
            }
        }),
        "waits_for_a_line" => together(listener, |client| {
            for line in BufReader::new(&client).lines().map_while(Result::ok) {
                let _ = (&client).write_all(&upper(&(line + "\n")));
            }
        }),
        "first_line_only" => together(listener, |client| {
            converse_with(client, |text| {
                upper(text.split_inclusive('\n').next().unwrap_or(""))
            });
        }),
        "half_close_is_the_end" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let _ = each_read(&client, |client, bytes| {
                client.set_read_timeout(Some(Duration::from_millis(2)))?;
                let over = client.peek(&mut [0]).is_ok_and(|length| length == 0);
                client.set_read_timeout(None)?;
                if over {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                let (text, is_valid) = decoder.decode(bytes);
                send(client, &upper(&text), is_valid)
            });
            close_gracefully(client);
        }),
        "no_end" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let end = each_read(&client, |client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                send(client, &upper(&text), is_valid)
            });
            if end.is_ok() { mem::forget(client) } else { close_gracefully(client) }
        }),
        "loses_the_rest" => together(listener, |client| {
            let (mut decoder, mut lost) = (Decoder::default(), false);
            let _ = each_read(&client, |mut client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                let reply = upper(&text);
                if lost {
                    return send(client, &reply, is_valid);
                }
                client.set_nonblocking(true)?;
                lost =
                    client.write(&reply).map_or(true, |length| length < reply.len());
                client.set_nonblocking(false)?;
                send(client, b"", is_valid)
            });
            close_gracefully(client);
        }),
        "shared_text" => {
            let shared = Mutex::new(String::new());
            together(listener, move |client| {
                let mut decoder = Decoder::default();
                let _ = each_read(&client, |client, bytes| {
                    let (text, is_valid) = decoder.decode(bytes);
                    if let Ok(mut shared) = shared.lock() {
                        *shared = text;
                    }
                    thread::sleep(Duration::from_micros(500));
                    let text = shared
                        .lock()
                        .map_or_else(|_| String::new(), |text| text.clone());
                    send(client, &upper(&text), is_valid)
                });
                close_gracefully(client);
            })
        }
        "dies_of_a_reset" => together(listener, |client| {
            if client.peek(&mut [0]).is_err() {
                exit(1)
            }
            converse(client);
        }),
        "dies_of_a_cut_end" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let end = each_read(&client, |mut client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                let _ = client.write_all(&upper(&text));
                send(client, b"", is_valid)
            });
            if end.is_ok() && decoder.finish().is_err() {
                exit(1)
            }
            close_gracefully(client);
        }),
        "closes_on_the_unread" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let _ = each_read(&client, |client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                send(client, &upper(&text), is_valid)
            });
        }),
        "hundred_clients" => {
            let present = AtomicUsize::new(0);
            together(listener, move |client| {
                if present.fetch_add(1, SeqCst) < 100 {
                    converse(client);
                } else {
                    mem::forget(client);
                }
                present.fetch_sub(1, SeqCst);
            })
        }
        "throws_out_newcomers" => {
            // After some hundred clients, disconnects every third one, as if it had the
            // number of a client that has disconnected.
            let count = AtomicUsize::new(0);
            together(listener, move |client| {
                let number = count.fetch_add(1, SeqCst);
                if number < 350 || number % 3 > 0 {
                    converse(client);
                }
            })
        }
        "in_a_row" => in_a_row(listener, converse),
        "together" => together(listener, converse),
        "blocking_send" | "forgets_the_rest" | "dies_of_the_rest" => {
            multiplex(listener, bug)
        }

        // Slow servers. The correct one sleeps in the thread of the client.
        "slow_together" => together(listener, move |client| {
            converse_with(client, |text| {
                thread::sleep(delay);
                upper(text)
            });
        }),
        "slow_in_turn" => {
            let turn = Mutex::new(());
            together(listener, move |client| {
                converse_with(client, |text| {
                    let _turn = turn.lock();
                    thread::sleep(delay);
                    upper(text)
                });
            })
        }

        // One message on each connection.
        "stays_open" => together(listener, |client| {
            let _ = one_message(&client);
            mem::forget(client);
        }),
        "one_message_unread" => in_a_row(listener, |client| {
            let _ = one_message(&client);
        }),
        "pool_of_five" | "pool_of_three" => {
            pool(if bug == "pool_of_five" { 5 } else { 3 }, || {
                loop {
                    // The client may have reset the connection before this call.
                    let Ok((client, _)) = listener.accept() else { continue };
                    let _ = one_message(&client);
                    close_gracefully(client);
                }
            })
        }
        "pool_thread_dies_of_a_reset" => pool(4, || {
            while let Ok((client, _)) = listener.accept() {
                if one_message(&client).is_err() {
                    break;
                }
                close_gracefully(client);
            }
        }),
        "never_idle" | "idle_in_silence" | "idle_with_an_error"
        | "silence_forever" => pool(4, || {
            idle(bug, listener, timeout);
        }),

        // Length-prefixed messages.
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
        "believes_the_length" => in_a_row(listener, |client| {
            if let Ok(prefix) = recvall(&client, 4) {
                let length = prefix
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                let message = recvall(&client, length);
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
        _ => Err(format!("no bug is called {bug}").into()),
    }
}

/// Runs one thread of a pool that stops when it is idle.
fn idle(bug: &str, listener: &TcpListener, timeout: Duration) {
    let _ = listener.set_nonblocking(true);
    let accept_timeout =
        if bug == "never_idle" { Duration::from_secs(60) } else { timeout };
    while let Ok((client, _)) = accept_within(listener, accept_timeout) {
        let read_timeout =
            if bug == "silence_forever" { None } else { Some(timeout) };
        let _ = client.set_read_timeout(read_timeout);
        let _ = one_message(&client);
        close_gracefully(client);
    }
    match bug {
        "idle_in_silence" => {}
        "idle_with_an_error" => exit(1),
        _ => print_line("Socket timed out, exiting thread"),
    }
}

/// Serves all clients in one thread, by trying each of them again and again. Bytes that
/// `send` does not take are lost.
fn multiplex(listener: &TcpListener, bug: &str) -> Result<(), Failure> {
    let mut clients: Vec<(TcpStream, Decoder)> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    listener.set_nonblocking(true)?;
    loop {
        if let Ok((client, _)) = listener.accept() {
            client.set_nonblocking(true)?;
            clients.push((client, Decoder::default()));
        }
        clients.retain_mut(|(client, decoder)| {
            let length = match client.read(&mut buffer) {
                Err(err) => return err.kind() == ErrorKind::WouldBlock,
                Ok(0) => return false,
                Ok(length) => length,
            };
            let (text, is_valid) = decoder.decode(&buffer[..length]);
            let reply = upper(&text);
            let _ = client.set_nonblocking(bug != "blocking_send");
            let sent = client.write(&reply).unwrap_or(0);
            let _ = client.set_nonblocking(true);
            if bug == "dies_of_the_rest" && sent < reply.len() {
                exit(1)
            }
            is_valid
        });
        thread::sleep(Duration::from_micros(200));
    }
}
