//! Bugs of a server that stops at the line `quit`.

use std::io;
use std::net::TcpListener;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use sockets101::{Failure, accept_within};

use crate::{converse, wait_forever};

/// How long the server waits before it looks again.
const TICK: Duration = Duration::from_millis(20);

pub fn serve(
    bug: &str,
    listener: TcpListener,
    grace: Duration,
) -> Result<(), Failure> {
    listener.set_nonblocking(true)?;
    let waits = bug != "at_the_end";
    let quit = thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if line == "quit" {
                return;
            }
        }
        if waits {
            wait_forever();
        }
    });
    let connected = Arc::new(AtomicUsize::new(0));
    while bug == "never" || !quit.is_finished() {
        if let Ok((client, _)) = accept_within(&listener, TICK) {
            let connected = connected.clone();
            connected.fetch_add(1, SeqCst);
            thread::spawn(move || {
                converse(client);
                connected.fetch_sub(1, SeqCst);
            });
        }
    }
    // The kernel still completes handshakes.
    if bug != "and_listens" {
        drop(listener);
    }
    let deadline = Instant::now() + grace;
    let waits = || bug != "at_once" && connected.load(SeqCst) > 0;
    while waits() && (bug == "without_a_limit" || Instant::now() < deadline) {
        thread::sleep(TICK);
    }
    if bug == "with_an_error" {
        exit(1);
    }
    Ok(())
}
