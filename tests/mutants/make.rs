//! Bugs of the servers that the make tasks ask for. `check` needs the option `--make` for them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::str;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sockets101::{
    Decoder, Failure, accept_within, close_gracefully, get_block, put_block,
};

use crate::{
    converse, each_read, in_a_row, invalid_text, one_message, pool, send, together,
    upper,
};

/// The largest length of a line.
const LINE: u64 = 64 * 1024;

/// The options of the extended servers. 0 means that the server does not have a limit.
pub struct Options {
    /// The number of bytes that get a reply in one session.
    pub limit: usize,
    /// The number of clients that are served at the same time.
    pub clients: usize,
    pub timeout: Duration,
}

#[allow(clippy::too_many_lines)] // It is a list of independent bugs.
pub fn serve(
    bug: &str,
    listener: &TcpListener,
    options: &Options,
) -> Result<(), Failure> {
    let &Options { limit, clients, timeout } = options;
    match bug {
        "line_read_once" => in_a_row(listener, |client| {
            let _ = one_message(&client);
            close_gracefully(client);
        }),
        "line_without_end"
        | "line_needs_its_newline"
        | "line_without_newline"
        | "line_ends_with"
        | "line_of_4096" => in_a_row(listener, |client| {
            let _ = line(bug, &client);
            close_gracefully(client);
        }),
        "one_block" | "blocks_recv_4" | "blocks_with_new_readers" => {
            in_a_row(listener, |client| {
                let _ = blocks(bug, &client);
                close_gracefully(client);
            })
        }
        "limit_after_the_read" | "limit_of_all_clients" => {
            let of_all = AtomicUsize::new(0);
            in_a_row(listener, |client| {
                let of_one = AtomicUsize::new(0);
                let is_of_all = bug == "limit_of_all_clients";
                let total = if is_of_all { &of_all } else { &of_one };
                let _ = limited(bug, &client, limit, total);
                close_gracefully(client);
            })
        }
        "idle_since_accept"
        | "idle_if_all_are"
        | "idle_if_another_sends"
        | "idle_late" => {
            let (bug, last) = (bug.to_owned(), Mutex::new(Instant::now()));
            together(listener, move |client| {
                let _ = until_idle(&bug, &client, timeout, &last);
                close_gracefully(client);
            })
        }
        "busy_in_turn" => {
            let mut threads: Vec<JoinHandle<()>> = Vec::new();
            in_a_row(listener, |mut client| {
                threads.retain(|thread| !thread.is_finished());
                if clients == 0 || threads.len() < clients {
                    threads.push(thread::spawn(|| converse(client)));
                } else {
                    // The next client waits until this client is gone.
                    let _ = client.write_all(b"BUSY");
                    close_gracefully(client);
                }
            })
        }
        "busy_frees_a_place"
        | "busy_forever"
        | "busy_too_early"
        | "busy_unread"
        | "busy_counts_the_refused"
        | "busy_for_each_family" => {
            let (bug, counts) = (bug.to_owned(), [const { AtomicUsize::new(0) }; 2]);
            let is_early = bug == "busy_too_early" && clients > 0;
            let served = if is_early { clients - 1 } else { clients };
            together(listener, move |mut client| {
                let is_other = bug == "busy_for_each_family" && is_ipv4(&client);
                let count = &counts[usize::from(is_other)];
                if count.fetch_add(1, SeqCst) < served || clients == 0 {
                    converse(client);
                } else {
                    let _ = client.write_all(b"BUSY\n");
                    if bug == "busy_unread" {
                        drop(client);
                    } else {
                        close_gracefully(client);
                    }
                    if bug == "busy_frees_a_place" {
                        count.fetch_sub(1, SeqCst);
                    }
                }
                if bug != "busy_forever" {
                    count.fetch_sub(1, SeqCst);
                }
            })
        }
        "crash_ends_a_thread" | "crash_is_repaired" => pool(4, || {
            loop {
                let Ok((client, _)) = listener.accept() else { continue };
                let is_repaired = bug == "crash_is_repaired" || !is_crash(&client);
                assert!(is_repaired, "a simulated bug");
                let _ = one_message(&client);
                close_gracefully(client);
            }
        }),
        "last_worker_exits" | "last_worker_is_held" | "last_worker_is_not_alone" => {
            listener.set_nonblocking(true)?;
            pool(4, || {
                loop {
                    match accept_within(listener, timeout) {
                        Ok((client, _)) => {
                            if bug != "last_worker_is_held" {
                                let _ = client.set_read_timeout(Some(timeout));
                            }
                            let _ = one_message(&client);
                            close_gracefully(client);
                        }
                        Err(_) if bug == "last_worker_exits" => break,
                        Err(_) => {}
                    }
                }
            })
        }
        _ => Err(format!("no bug is called make_{bug}").into()),
    }
}

/// Replies to one line.
fn line(bug: &str, mut client: &TcpStream) -> io::Result<()> {
    let limit = match bug {
        "line_without_end" => u64::MAX,
        "line_of_4096" => 4096,
        _ => LINE,
    };
    let mut line = Vec::new();
    let mut reader = BufReader::new(client).take(limit);
    reader.read_until(b'\n', &mut line)?;
    // The next bytes can be in the buffer already.
    while bug == "line_ends_with" && !reader.get_ref().buffer().is_empty() {
        reader.read_until(b'\n', &mut line)?;
    }
    let is_complete = line.ends_with(b"\n") || line.len() as u64 == limit;
    if bug == "line_needs_its_newline" && !is_complete {
        return Ok(());
    }
    let mut text = str::from_utf8(&line).map_err(|_| invalid_text())?;
    if bug == "line_without_newline" {
        text = text.trim_end_matches('\n');
    }
    client.write_all(&upper(text))
}

/// Replies to length-prefixed messages until the client closes its sending side.
fn blocks(bug: &str, mut client: &TcpStream) -> io::Result<()> {
    loop {
        let message = match bug {
            "one_block" => get_block(client)?,
            "blocks_recv_4" => {
                let mut prefix = [0; 4];
                if client.read(&mut prefix)? < 4 {
                    return Ok(());
                }
                get_block(prefix.chain(client))?
            }
            // A reader can take more bytes than one message. They are lost with it.
            _ => get_block(BufReader::new(client))?,
        };
        let text = str::from_utf8(&message).map_err(|_| invalid_text())?;
        put_block(client, &upper(text))?;
        if bug == "one_block" {
            return Ok(());
        }
    }
}

/// Replies until the limit is reached.
fn limited(
    bug: &str,
    client: &TcpStream,
    limit: usize,
    total: &AtomicUsize,
) -> io::Result<()> {
    let mut decoder = Decoder::default();
    each_read(client, |client, bytes| {
        let before = total.fetch_add(bytes.len(), SeqCst);
        let mut bytes = bytes;
        if limit > 0 && bug == "limit_of_all_clients" {
            bytes = &bytes[..bytes.len().min(limit.saturating_sub(before))];
        }
        let (text, is_valid) = decoder.decode(bytes);
        let is_over = limit > 0 && before + bytes.len() >= limit;
        send(client, &upper(&text), is_valid && !is_over)
    })
}

/// Replies until the client has been idle for the timeout.
fn until_idle(
    bug: &str,
    mut client: &TcpStream,
    timeout: Duration,
    last: &Mutex<Instant>,
) -> io::Result<()> {
    let (accepted, mut own) = (Instant::now(), Instant::now());
    if let Ok(mut last) = last.lock() {
        *last = own;
    }
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    client.set_read_timeout(Some(Duration::from_millis(20)))?;
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                own = Instant::now();
                if let Ok(mut last) = last.lock() {
                    *last = own;
                }
                let (text, is_valid) = decoder.decode(&buffer[..length]);
                send(client, &upper(&text), is_valid)?;
            }
            Err(err) => {
                let of_any = last.lock().map_or(timeout, |last| last.elapsed());
                let is_idle = match bug {
                    "idle_since_accept" => accepted.elapsed() > timeout,
                    "idle_if_all_are" => of_any > timeout,
                    // The event loop waits for the whole timeout after each event.
                    "idle_late" => {
                        let is_event = of_any < Duration::from_millis(60);
                        own.elapsed() > timeout && (is_event || of_any > timeout)
                    }
                    // The event loop looks for idle clients after each read.
                    _ => own.elapsed() > timeout && of_any < timeout / 2,
                };
                if is_idle {
                    return Err(err);
                }
            }
        }
    }
}

fn is_ipv4(client: &TcpStream) -> bool {
    client.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_ipv4())
}

/// Returns true if the text of the client is `crash`.
fn is_crash(client: &TcpStream) -> bool {
    let mut text = [0; 5];
    client.peek(&mut text).is_ok() && text == *b"crash"
}
