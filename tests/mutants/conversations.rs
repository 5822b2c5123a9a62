//! Bugs of the servers that reply to several requests on one connection.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use std::{mem, str, thread};

#[cfg(target_os = "linux")]
use rustix::{buffer::spare_capacity, event::epoll};
use socket2::{SockAddr, SockRef, Socket, Type};
use sockets101::{Decoder, Failure, close_gracefully, log_line};

use crate::{
    converse, converse_with, each_read, in_a_row, invalid_text, one_message, pool,
    send, together, upper, wait_forever,
};

#[allow(clippy::too_many_lines)] // It is a list of independent bugs.
pub fn serve(
    bug: &str,
    listener: &TcpListener,
    delay: Duration,
    timeout: Duration,
) -> Result<(), Failure> {
    if let Some(reply) = wrong_reply(bug) {
        return together(listener, move |client| converse_with(client, reply));
    }
    match bug {
        // Wrong replies.
        "latin_1" => together(listener, |client| {
            let _ = each_read(&client, |mut client, bytes| {
                let text: String =
                    bytes.iter().map(|byte| char::from(*byte)).collect();
                client.write_all(&upper(&text))
            });
            close_gracefully(client);
        }),
        "whole_buffer" => together(listener, |mut client| {
            let mut buffer = [0; 64];
            while client.read(&mut buffer).is_ok_and(|length| length > 0) {
                let reply = upper(&String::from_utf8_lossy(&buffer));
                if client.write_all(&reply).is_err() {
                    break;
                }
            }
            close_gracefully(client);
        }),
        "accumulates" => together(listener, |client| {
            let (mut decoder, mut all) = (Decoder::default(), String::new());
            let _ = each_read(&client, |client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                all += &text;
                send(client, &upper(&all), is_valid)
            });
            close_gracefully(client);
        }),
        "shared_decoder" => {
            let decoder = Mutex::new(Decoder::default());
            together(listener, move |client| {
                let _ = each_read(&client, |client, bytes| {
                    let result = decoder.lock().map(|mut shared| {
                        let result = shared.decode(bytes);
                        if !result.1 {
                            *shared = Decoder::default();
                        }
                        result
                    });
                    let (text, is_valid) = result.map_err(|_| invalid_text())?;
                    send(client, &upper(&text), is_valid)
                });
                close_gracefully(client);
            })
        }
        "greets" => together(listener, |mut client| {
            let _ = client.write_all(b"200 ready\n");
            converse(client);
        }),
        "good_text_lost" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let _ = each_read(&client, |client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                let reply = if is_valid { upper(&text) } else { Vec::new() };
                send(client, &reply, is_valid)
            });
            close_gracefully(client);
        }),

        // The first client.
        "accepts_once" => {
            converse(listener.accept()?.0);
            Ok(())
        }
        "dies_at_first" => in_a_row(listener, |mut client| {
            let _ = client.read(&mut [0; 4096]);
            panic!("TypeError: a bytes-like object is required, not 'str'");
        }),
        "never_notices_the_end" => in_a_row(listener, |mut client| {
            let mut buffer = [0; 4096];
            let mut decoder = Decoder::default();
            while let Ok(length) = client.read(&mut buffer) {
                let (text, _) = decoder.decode(&buffer[..length]);
                if client.write_all(&upper(&text)).is_err() {
                    break;
                }
                if length == 0 {
                    // Without this pause, the loop uses all of a CPU, and the tests that
                    // run at the same time become slow.
                    thread::sleep(Duration::from_millis(10));
                }
            }
        }),
        "reads_to_the_end" => together(listener, |mut client| {
            let mut text = String::new();
            let _ = client.read_to_string(&mut text);
            let _ = client.write_all(&upper(&text));
        }),
        "thread_fails" => together(listener, |mut client| {
            let _ = client.read(&mut [0; 4096]);
            close_gracefully(client);
        }),
        "never_accepts" => {
            // The queue of pending connections is short, and it is full from the start.
            SockRef::from(listener).listen(0)?;
            let address = SockAddr::from(listener.local_addr()?);
            let mut pending = Vec::new();
            for _ in 0..20 {
                let socket = Socket::new(address.domain(), Type::STREAM, None)?;
                socket.set_nonblocking(true)?;
                let _ = socket.connect(&address);
                pending.push(socket);
            }
            wait_forever()
        }

        // Clients that disconnect.
        "waits_for_a_first_message" => in_a_row(listener, |client| {
            while client.peek(&mut [0]).is_ok_and(|length| length == 0) {
                thread::sleep(Duration::from_millis(10));
            }
            converse(client);
        }),
        // The main thread waits for the first byte of each client.
        "reads_before_the_thread" => loop {
            let client = listener.accept()?.0;
            if client.peek(&mut [0]).is_ok() {
                thread::spawn(|| converse(client));
            }
        },
        "waits_after_a_reset" => in_a_row(listener, |client| {
            if client.peek(&mut [0]).is_err() {
                wait_forever()
            }
            converse(client);
        }),
        "killed_by_sigpipe" => together(listener, |client| {
            let mut decoder = Decoder::default();
            let _ = each_read(&client, |mut client, bytes| {
                let (text, is_valid) = decoder.decode(bytes);
                let reply = upper(&text);
                // A client that disconnects before its reply causes an error of the second
                // write, not of the first one.
                let (first, rest) = reply.split_at(reply.len().min(1));
                let mut result = client.write_all(first);
                if !rest.is_empty() {
                    thread::sleep(Duration::from_millis(2));
                    result = result.and_then(|()| client.write_all(rest));
                }
                if result.is_err() {
                    exit_by_sigpipe()
                }
                send(client, b"", is_valid)
            });
            close_gracefully(client);
        }),

        // Many clients.
        "thirty_clients" => {
            let mut threads = Vec::new();
            for _ in 0..30 {
                let client = listener.accept()?.0;
                threads.push(thread::spawn(move || converse(client)));
            }
            for thread in threads {
                let _ = thread.join();
            }
            Ok(())
        }
        "thirty_threads" => pool(30, || {
            while let Ok((client, _)) = listener.accept() {
                converse(client);
            }
        }),
        "leaks_sockets" => {
            let count = AtomicUsize::new(0);
            together(listener, move |client| {
                if count.fetch_add(1, SeqCst) >= 100 {
                    wait_forever()
                }
                mem::forget(client.try_clone());
                converse(client);
            })
        }
        // The connection stays in the queue, so the next call fails immediately, too.
        "retries_accept_at_once" => loop {
            match listener.accept() {
                Ok((client, _)) => drop(thread::spawn(|| converse(client))),
                Err(err) => log_line(format!("cannot accept: {err}")),
            }
        },
        "too_many_open" => {
            let present = AtomicUsize::new(0);
            together(listener, move |client| {
                if present.fetch_add(1, SeqCst) == 150 {
                    log_line("OSError: [Errno 24] Too many open files");
                    exit(1)
                }
                converse(client);
                present.fetch_sub(1, SeqCst);
            })
        }
        "skips_every_third" => {
            let (count, present) = (AtomicUsize::new(0), AtomicUsize::new(0));
            together(listener, move |client| {
                let number = count.fetch_add(1, SeqCst);
                if present.fetch_add(1, SeqCst) > 50 && number % 3 == 0 {
                    mem::forget(client);
                } else {
                    converse(client);
                }
                present.fetch_sub(1, SeqCst);
            })
        }
        "one_accept_for_each_event" => one_accept_for_each_event(listener),

        // Decoding, reading and closing.
        "mute" => together(listener, |client| {
            let _ = each_read(&client, |_, _| Ok(()));
        }),
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
        "decodes_each_read" => together(listener, |client| {
            let _ = each_read(&client, |client, bytes| {
                let (text, is_valid) = Decoder::default().decode(bytes);
                send(client, &upper(&text), is_valid)
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
        "together" | "one_family" => together(listener, converse),
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

        _ => crate::one_message::serve(bug, listener, delay, timeout),
    }
}

/// Returns the function that makes the reply, if the bug is only a wrong reply.
fn wrong_reply(bug: &str) -> Option<fn(&str) -> Vec<u8>> {
    Some(match bug {
        "echo" => |text| text.into(),
        "reverses" => |text| upper(&text.chars().rev().collect::<String>()),
        "capitalizes" => |text| {
            let (first, rest) =
                text.split_at(text.chars().next().map_or(0, char::len_utf8));
            (first.to_uppercase() + &rest.to_lowercase()).into()
        },
        "adds_a_newline" => |text| (text.to_uppercase() + "\n").into(),
        "adds_returns" => |text| upper(&text.replace('\n', "\r\n")),
        "adds_nul" => |text| (text.to_uppercase() + "\0").into(),
        "adds_more" => |text| (text.to_uppercase() + "!").into(),
        "replies_twice" => |text| upper(&text.repeat(2)),
        "nul_ends" => |text| upper(text.split('\0').next().unwrap_or("")),
        "bytes_repr" => {
            |text| upper(&format!("b'{}'", text.as_bytes().escape_ascii()))
        }
        "question_marks" => {
            |text| upper(&text.replace(|c: char| !c.is_ascii(), "?"))
        }
        "encodes_latin_1" => |text| {
            let upper = text.to_uppercase();
            upper.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
        },
        _ => return None,
    })
}

/// Exits as a C program does when it writes to a closed connection.
fn exit_by_sigpipe() -> ! {
    // Rust ignores this signal, but a program that replaces this one does not.
    #[cfg(unix)]
    let _ = std::process::Command::new("sh").args(["-c", "kill -PIPE $$"]).exec();
    exit(1)
}

/// Accepts one client for each event of an edge-triggered listener. A burst of connections is
/// only one event.
#[cfg(target_os = "linux")]
fn one_accept_for_each_event(listener: &TcpListener) -> Result<(), Failure> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let edge_triggered = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&epoll, listener, epoll::EventData::new_u64(0), edge_triggered)?;
    let mut events = Vec::with_capacity(1);
    loop {
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        events.clear();
        let client = listener.accept()?.0;
        thread::spawn(|| converse(client));
        // The other work of the event loop. More clients may connect meanwhile.
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(not(target_os = "linux"))]
fn one_accept_for_each_event(_listener: &TcpListener) -> Result<(), Failure> {
    Err("only Linux has edge-triggered events of epoll".into())
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
            let sent = match client.write(&reply) {
                Err(err) if err.kind() == ErrorKind::WouldBlock => 0,
                result => result.unwrap_or(reply.len()), // The client is gone.
            };
            let _ = client.set_nonblocking(true);
            if bug == "dies_of_the_rest" && sent < reply.len() {
                exit(1)
            }
            is_valid
        });
        thread::sleep(Duration::from_micros(200));
    }
}
