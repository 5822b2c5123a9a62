//! Bugs of the servers that reply to one message on each connection, and of the pools.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpListener};
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use sockets101::{Failure, accept_within, close_gracefully, print_line};

use crate::{blocks, in_a_row, one_message, pool, together, upper, wait_forever};

#[allow(clippy::too_many_lines)] // It is a list of independent bugs.
pub fn serve(
    bug: &str,
    listener: &TcpListener,
    delay: Duration,
    timeout: Duration,
) -> Result<(), Failure> {
    match bug {
        "stays_open" => together(listener, |client| {
            let _ = one_message(&client);
            mem::forget(client);
        }),
        "one_message_unread" => in_a_row(listener, |client| {
            let _ = one_message(&client);
        }),
        "unread_after_shutdown" => in_a_row(listener, |client| {
            let _ = one_message(&client);
            let _ = client.shutdown(Shutdown::Write);
        }),
        "drains_forever" => in_a_row(listener, |mut client| {
            let _ = one_message(&client);
            let _ = client.shutdown(Shutdown::Write);
            while client.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {}
        }),
        // The timeout begins again with each read.
        "drains_while_bytes_come" => in_a_row(listener, |mut client| {
            let _ = one_message(&client);
            let _ = client.shutdown(Shutdown::Write);
            let _ = client.set_read_timeout(Some(Duration::from_secs(1)));
            while client.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {}
        }),
        "sleeps_before_it_closes" => in_a_row(listener, |client| {
            let _ = one_message(&client);
            let _ = client.shutdown(Shutdown::Write);
            thread::sleep(Duration::from_secs(1));
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
        "never_idle"
        | "idle_in_silence"
        | "idle_with_an_error"
        | "silence_ends_threads"
        | "silence_forever"
        | "silence_for_a_second" => pool(4, || {
            idle(bug, listener, timeout);
        }),
        "one_message_stripped" => in_a_row(listener, |mut client| {
            let mut buffer = [0; 4096];
            let length = client.read(&mut buffer).unwrap_or(0);
            let text = String::from_utf8_lossy(&buffer[..length]);
            let _ = client.write_all(&upper(text.trim()));
            close_gracefully(client);
        }),
        "one_line" => in_a_row(listener, |mut client| {
            let mut line = String::new();
            if BufReader::new(&client).read_line(&mut line).is_ok() {
                let _ = client.write_all(&upper(&line));
            }
            close_gracefully(client);
        }),
        // The kernel sends a reset, because bytes are unread.
        "closes_too_early" => in_a_row(listener, |mut client| {
            let _ = client.read(&mut [0; 2]);
        }),
        "pool_with_a_lock" => {
            let turn = Mutex::new(());
            pool(4, || {
                loop {
                    let _turn = turn.lock();
                    let Ok((client, _)) = listener.accept() else { continue };
                    let _ = one_message(&client);
                    close_gracefully(client);
                }
            })
        }
        "pool_threads_wait_after_a_reset" => pool(4, || {
            while let Ok((client, _)) = listener.accept() {
                if one_message(&client).is_err() {
                    wait_forever()
                }
                close_gracefully(client);
            }
        }),
        "pool_waits_for_a_first_message" => pool(4, || {
            while let Ok((client, _)) = listener.accept() {
                while client.peek(&mut [0]).is_ok_and(|length| length == 0) {
                    thread::sleep(Duration::from_millis(10));
                }
                let _ = one_message(&client);
                close_gracefully(client);
            }
        }),
        "slow_two_at_a_time" => {
            listener.set_nonblocking(true)?;
            let (turns, count) =
                ([Mutex::new(()), Mutex::new(())], AtomicUsize::new(0));
            pool(4, || {
                // Two threads share each of the locks.
                let turn = &turns[count.fetch_add(1, SeqCst) % 2];
                while let Ok((client, _)) = accept_within(listener, timeout) {
                    let _ = client.set_read_timeout(Some(timeout));
                    if client.peek(&mut [0]).is_ok_and(|length| length > 0) {
                        let _turn = turn.lock();
                        thread::sleep(delay);
                    }
                    let _ = one_message(&client);
                    close_gracefully(client);
                }
                print_line("Socket timed out, exiting thread");
            })
        }
        _ => blocks::serve(bug, listener),
    }
}

/// Runs one thread of a pool that stops when it is idle.
fn idle(bug: &str, listener: &TcpListener, timeout: Duration) {
    let _ = listener.set_nonblocking(true);
    let accept_timeout =
        if bug == "never_idle" { Duration::from_secs(60) } else { timeout };
    while let Ok((client, _)) = accept_within(listener, accept_timeout) {
        let read_timeout = match bug {
            "silence_forever" => None,
            "silence_for_a_second" => Some(Duration::from_secs(1)),
            _ => Some(timeout),
        };
        let _ = client.set_read_timeout(read_timeout);
        let result = one_message(&client);
        close_gracefully(client);
        let is_silent =
            result.is_err_and(|err| err.kind() != io::ErrorKind::ConnectionReset);
        if bug == "silence_ends_threads" && is_silent {
            break;
        }
    }
    match bug {
        "idle_in_silence" => {}
        "idle_with_an_error" => exit(1),
        _ => print_line("Socket timed out, exiting thread"),
    }
}
