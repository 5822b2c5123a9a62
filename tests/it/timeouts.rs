//! The pools whose threads end when nobody comes.

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
        server.stderr.wait_for(1, "dropped: silent for 0.3 s");
        assert!(server.wait().success(), "{}", row.name);
    }
}

/// A client that another thread took does not stop the clock: under light traffic the pool
/// shrinks, as on the slide, and goes on serving.
#[test]
fn threads_that_win_no_client_end_while_others_serve() {
    let row = server("slow_thread_pool_timeout");
    let mut server = row.start_with(&["--timeout", "0.5", "--delay", "1"]);
    let mut client = server.connect();
    client.write_all(b"hi").unwrap();
    server.stdout.wait_for(3, EXITING);
    assert_eq!(server.stderr.count(" left"), 0);
    assert_eq!(rest(&mut client), "HI");
    assert!(server.wait().success());
    server.stdout.wait_for(4, EXITING);
}

/// A thread that wins no client for its time ends, though others are in use: as on the slide.
#[test]
fn under_light_traffic_the_pool_shrinks() {
    for_each_at_once(with_timeout(), |row| {
        let server = row.start_with(&[&["--timeout", "1"], row.no_delay()].concat());
        let end = Instant::now() + PATIENCE;
        while server.stdout.count(EXITING) == 0 {
            assert!(Instant::now() < end, "{}: nobody's time is over", row.name);
            // On a busy machine the next client may come too late for all of them.
            let Ok(mut client) = TcpStream::connect(server.address) else { break };
            let _ = client.write_all(b"hi");
            let _ = client.read(&mut [0; 2]);
            drop(client);
            thread::sleep(Duration::from_millis(250));
        }
        server.stdout.wait_for(1, EXITING);
    });
}
