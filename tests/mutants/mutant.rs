//! Deliberately broken servers: what `check` must notice. Many of the flaws are those that the
//! slides' programs have when they are run.
//!
//! Not a slide, and no example to learn from, unless by what `check` says of it. The name of the
//! flaw is in the environment variable `MUTANT`; the arguments are those of the slide that
//! it stands for: `[IP:PORT]`, `[--delay 5]`, `[--timeout 20]`, `[--backlog 100]`.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, mem, str, thread};

use socket2::{Domain, Socket, Type};
use sockets101::{Args, Decoder, Failure, accept_within, get_block, hang_up};
use sockets101::{not_utf8, put_block, recvall};

fn main() -> Result<(), Failure> {
    let usage = "mutant [IP:PORT] [--delay 5] [--timeout 20] [--backlog 100]";
    let mut args = Args::new(usage);
    let delay = args.seconds("--delay", 0.0, 0.0);
    let timeout = args.seconds("--timeout", 20.0, 0.001);
    let _backlog = args.option("--backlog", 100);
    let address = args.listen_address(0);
    let flaw = env::var("MUTANT").map_err(|_| "MUTANT must name the flaw")?;

    if let Some(flaw) = flaw.strip_prefix("udp_") {
        let socket = UdpSocket::bind(address)?;
        println!("server ready on {}", socket.local_addr()?);
        return datagrams(flaw, &socket);
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(cfg!(not(windows)))?; // One flaw after another at one port.
    socket.bind(&address.into())?;
    socket.listen(100)?;
    let listener: TcpListener = socket.into();
    println!("server ready on {}", listener.local_addr()?);
    streams(&flaw, &listener, delay, timeout)
}

// Ways to serve clients: the designs of the workbook, and in each a place for the flaw.

/// One client after another.
fn in_a_row(
    listener: &TcpListener,
    mut serve: impl FnMut(TcpStream),
) -> Result<(), Failure> {
    loop {
        serve(listener.accept()?.0);
    }
}

/// A thread for each client.
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

/// So many threads.
fn pool(threads: usize, serve: impl Fn() + Sync) -> Result<(), Failure> {
    thread::scope(|pool| {
        for _ in 0..threads {
            pool.spawn(&serve);
        }
    });
    Ok(())
}

// Ways to talk with one client: the right ones.

/// Answers what each read gave until the client ends its side.
fn converse(client: TcpStream) {
    converse_with(client, |text| text.to_uppercase().into());
}

/// The same, with another idea of an answer.
fn converse_with(client: TcpStream, answer: impl Fn(&str) -> Vec<u8>) {
    let mut decoder = Decoder::default();
    let _ = each_read(&client, |mut client, bytes| {
        let (text, verdict) = decoder.feed(bytes);
        client.write_all(&answer(&text)).and(verdict)
    });
    hang_up(client);
}

/// Calls for each read, up to the end of the client's side.
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

/// Reads once and answers the good text at its beginning.
fn one_message(mut client: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.read(&mut buffer)?;
    let text =
        buffer[..length].utf8_chunks().next().map_or("", |chunk| chunk.valid());
    client.write_all(text.to_uppercase().as_bytes())
}

/// Answers a block.
fn block(client: &TcpStream, message: &[u8]) -> io::Result<()> {
    let text = str::from_utf8(message).map_err(|_| not_utf8())?;
    put_block(client, text.to_uppercase().as_bytes())
}

fn upper(text: &str) -> Vec<u8> {
    text.to_uppercase().into()
}

// The flaws.

fn datagrams(flaw: &str, socket: &UdpSocket) -> Result<(), Failure> {
    let length = match flaw {
        "small_buffer" => 1024,
        "large_buffer" => 65536,
        _ => 2048,
    };
    let mut buffer = vec![0; length];
    let mut peers = Vec::new();
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else { continue };
        let bytes = &buffer[..length];
        let answer = match (flaw, str::from_utf8(bytes)) {
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
        if flaw == "answers_another" && peers.len() == 1 {
            // One answer for all who ask meanwhile.
            thread::sleep(Duration::from_millis(5));
            socket.set_nonblocking(true)?;
            while let Ok((_, peer)) = socket.recv_from(&mut buffer) {
                peers.push(peer);
            }
            socket.set_nonblocking(false)?;
        }
        for peer in peers.drain(..) {
            let _ = socket.send_to(&answer, peer);
        }
    }
}

#[allow(clippy::too_many_lines)] // A list: each flaw stands alone.
fn streams(
    flaw: &str,
    listener: &TcpListener,
    delay: Duration,
    timeout: Duration,
) -> Result<(), Failure> {
    match flaw {
        // Conversations.
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
            hang_up(client);
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
            hang_up(client);
        }),
        "thread_dies_of_half_a_character" => together(listener, |client| {
            let result = each_read(&client, |mut client, bytes| {
                let text = str::from_utf8(bytes).map_err(|_| not_utf8())?;
                client.write_all(&upper(text))
            });
            // As in Python: the exception keeps the socket alive, and nobody closes it.
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
            let _ = each_read(&client, |mut client, bytes| {
                client.set_read_timeout(Some(Duration::from_millis(2)))?;
                let over = client.peek(&mut [0]).is_ok_and(|length| length == 0);
                client.set_read_timeout(None)?;
                if over {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                let (text, verdict) = decoder.feed(bytes);
                client.write_all(&upper(&text)).and(verdict)
            });
            hang_up(client);
        }),
        "no_end" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let end = each_read(&client, |mut client, bytes| {
                let (text, verdict) = decoder.feed(bytes);
                client.write_all(&upper(&text)).and(verdict)
            });
            if end.is_ok() { mem::forget(client) } else { hang_up(client) }
        }),
        "loses_the_rest" => together(listener, |client| {
            let (mut decoder, mut lost) = (Decoder::default(), false);
            let _ = each_read(&client, |mut client, bytes| {
                let (text, verdict) = decoder.feed(bytes);
                let answer = upper(&text);
                if lost {
                    return client.write_all(&answer).and(verdict);
                }
                client.set_nonblocking(true)?;
                lost = client
                    .write(&answer)
                    .map_or(true, |length| length < answer.len());
                client.set_nonblocking(false).and(verdict)
            });
            hang_up(client);
        }),
        "shared_text" => {
            let shared = Mutex::new(String::new());
            together(listener, move |client| {
                let mut decoder = Decoder::default();
                let _ = each_read(&client, |mut client, bytes| {
                    let (text, verdict) = decoder.feed(bytes);
                    if let Ok(mut shared) = shared.lock() {
                        *shared = text;
                    }
                    thread::sleep(Duration::from_micros(500));
                    let text = shared
                        .lock()
                        .map_or_else(|_| String::new(), |text| text.clone());
                    client.write_all(&upper(&text)).and(verdict)
                });
                hang_up(client);
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
                let (text, verdict) = decoder.feed(bytes);
                let _ = client.write_all(&upper(&text));
                verdict
            });
            if end.is_ok() && decoder.finish().is_err() {
                exit(1)
            }
            hang_up(client);
        }),
        "closes_on_the_unread" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let _ = each_read(&client, |mut client, bytes| {
                let (text, verdict) = decoder.feed(bytes);
                client.write_all(&upper(&text)).and(verdict)
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
            // After some hundred clients, every third one, as if it had the number of one
            // that has left.
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
            multiplex(listener, flaw)
        }

        // Slow ones. Without a flaw in its place, the sleep is in the thread of the client.
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

        // One message a connection.
        "stays_open" => together(listener, |client| {
            let _ = one_message(&client);
            mem::forget(client);
        }),
        "one_message_unread" => in_a_row(listener, |client| {
            let _ = one_message(&client);
        }),
        "pool_of_five" | "pool_of_three" => {
            pool(if flaw == "pool_of_five" { 5 } else { 3 }, || {
                loop {
                    // One that was reset in the queue can fail here.
                    let Ok((client, _)) = listener.accept() else { continue };
                    let _ = one_message(&client);
                    hang_up(client);
                }
            })
        }
        "pool_thread_dies_of_a_reset" => pool(4, || {
            while let Ok((client, _)) = listener.accept() {
                if one_message(&client).is_err() {
                    break;
                }
                hang_up(client);
            }
        }),
        "never_idle" | "idle_in_silence" | "idle_with_an_error"
        | "silence_for_ever" => pool(4, || {
            idle(flaw, listener, timeout);
        }),

        // Blocks.
        "recv_4" => in_a_row(listener, |mut client| {
            let mut prefix = [0; 4];
            if client.read(&mut prefix).is_ok_and(|length| length == 4)
                && prefix[0] == 0
            {
                let message = recvall(&client, u32::from_be_bytes(prefix) as usize);
                let _ = message.and_then(|message| block(&client, &message));
            }
            hang_up(client);
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
            hang_up(client);
        }),
        "believes_the_length" => in_a_row(listener, |client| {
            if let Ok(prefix) = recvall(&client, 4) {
                let length = prefix
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                let message = recvall(&client, length);
                let _ = message.and_then(|message| block(&client, &message));
            }
            hang_up(client);
        }),
        "empty_is_the_end" => in_a_row(listener, |client| {
            let message = get_block(&client).unwrap_or_default();
            if !message.is_empty() {
                let _ = block(&client, &message);
            }
            hang_up(client);
        }),
        "dies_of_an_end_inside" => in_a_row(listener, |client| {
            match get_block(&client) {
                Err(err) if err.kind() == ErrorKind::UnexpectedEof => exit(1),
                message => {
                    drop(message.and_then(|message| block(&client, &message)));
                }
            }
            hang_up(client);
        }),
        "lossy_block" => in_a_row(listener, |client| {
            if let Ok(message) = get_block(&client) {
                let _ =
                    put_block(&client, &upper(&String::from_utf8_lossy(&message)));
            }
            hang_up(client);
        }),
        "block_stays_open" => together(listener, |client| {
            let _ = get_block(&client).and_then(|message| block(&client, &message));
            mem::forget(client);
        }),
        _ => Err(format!("no flaw is called {flaw}").into()),
    }
}

/// A thread of a pool with a time limit.
fn idle(flaw: &str, listener: &TcpListener, timeout: Duration) {
    let _ = listener.set_nonblocking(true);
    let patience =
        if flaw == "never_idle" { Duration::from_secs(60) } else { timeout };
    while let Ok((client, _)) = accept_within(listener, patience) {
        let limit = if flaw == "silence_for_ever" { None } else { Some(timeout) };
        let _ = client.set_read_timeout(limit);
        let _ = one_message(&client);
        hang_up(client);
    }
    match flaw {
        "idle_in_silence" => {}
        "idle_with_an_error" => exit(1),
        _ => println!("Socket timed out, exiting thread"),
    }
}

/// All clients in one thread, by asking each again and again. What a send does not take is
/// not kept.
fn multiplex(listener: &TcpListener, flaw: &str) -> Result<(), Failure> {
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
            let (text, verdict) = decoder.feed(&buffer[..length]);
            let answer = upper(&text);
            let _ = client.set_nonblocking(flaw != "blocking_send");
            let sent = client.write(&answer).unwrap_or(0);
            let _ = client.set_nonblocking(true);
            if flaw == "dies_of_the_rest" && sent < answer.len() {
                exit(1)
            }
            verdict.is_ok()
        });
        thread::sleep(Duration::from_micros(200));
    }
}
