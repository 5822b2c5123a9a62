//! The pools whose threads exit after a timeout.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{PATIENCE, for_each_at_once, rest};
use crate::table::{Row, server, servers};

const EXITING: &str = "Socket timed out, exiting thread";

fn with_timeout() -> impl Iterator<Item = Row> {
    servers(|row| row.options.contains(&"timeout"))
}

#[test]
fn a_silent_client_is_dropped_after_the_same_time() {
    for row in with_timeout() {
        let mut server = row.start_with(&["--timeout", "0.3"]);
        let mut silent = server.connect();
        assert_eq!(rest(&mut silent), "", "{}", row.name);
        drop(silent);
        server.stderr.wait_for(1, "dropped: timed out: nothing received for 0.3 s");
        assert!(server.wait().success(), "{}", row.name);
    }
}

/// A connection that another thread accepts does not extend the timeout. With few clients,
/// the pool shrinks, as on the slide, and the other threads go on serving.
#[test]
fn threads_without_a_client_exit_while_others_serve() {
    let row = server("slow_thread_pool_timeout");
    let mut server = row.start_with(&["--timeout", "0.5", "--delay", "1"]);
    let mut client = server.connect();
    client.write_all(b"hi").unwrap();
    server.stdout.wait_for(3, EXITING);
    assert_eq!(server.stderr.count(" disconnected"), 0);
    assert_eq!(rest(&mut client), "HI");
    assert!(server.wait().success());
    server.stdout.wait_for(4, EXITING);
}

/// A thread that accepts no client within the timeout exits, even if other threads have
/// clients: as on the slide.
#[test]
fn with_few_clients_the_pool_shrinks() {
    for_each_at_once(with_timeout(), |row| {
        let server = row.start_with(&[&["--timeout", "1"], row.no_delay()].concat());
        let end = Instant::now() + PATIENCE;
        while server.stdout.count(EXITING) == 0 {
            assert!(Instant::now() < end, "{}: no thread has timed out", row.name);
            // On a busy machine, all threads may exit before the next client connects.
            let Ok(mut client) = TcpStream::connect(server.address) else { break };
            let _ = client.write_all(b"hi");
            let _ = client.read(&mut [0; 2]);
            drop(client);
            thread::sleep(Duration::from_millis(250));
        }
        server.stdout.wait_for(1, EXITING);
    });
}
