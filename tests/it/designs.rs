//! Properties of the designs that a client cannot see.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::harness::{exchange, for_each_at_once, half_close, rest};
use crate::table::{Design, servers};

/// The server keeps a bounded number of bytes. It does not try to send them all the time.
#[test]
fn the_replies_to_a_client_that_never_reads_are_bounded() {
    for_each_at_once(servers(|row| row.design == Design::Together), |row| {
        let server = row.start();
        exchange(&mut server.connect(), "warm", "WARM");
        let before = server.memory();
        let mut silent: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
        for client in &mut silent {
            stuff(client);
        }
        if let (Some(before), Some(after)) = (before, server.memory()) {
            let each = (after.saturating_sub(before)) / 4;
            assert!(each < 512 * 1024, "{}: {each} bytes a client", row.name);
        }
        let before = server.ticks();
        thread::sleep(Duration::from_millis(300));
        if let (Some(before), Some(after)) = (before, server.ticks()) {
            assert!(after - before <= 3, "{}: {} ticks", row.name, after - before);
        }
    });
}

/// Sends until the kernel takes no more bytes. Never reads.
fn stuff(client: &mut TcpStream) -> usize {
    client.set_nonblocking(true).unwrap();
    let mut sent = 0;
    let chunk = [b'x'; 64 * 1024];
    let mut refused = 0;
    // The server may take more bytes meanwhile, so try several times.
    while refused < 20 {
        refused += 1;
        if let Ok(n) = client.write(&chunk) {
            sent += n;
            refused = 0;
        } else {
            thread::sleep(Duration::from_millis(10));
        }
    }
    client.set_nonblocking(false).unwrap();
    sent
}

/// The log lines begin with the names of the threads.
#[test]
fn threads_carry_names() {
    for row in servers(|row| row.name.contains("thread")) {
        let server = row.start();
        let mut client = server.connect();
        client.write_all(b"hi").unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "HI");
        let line = server.stderr.wait_for(1, " disconnected");
        let name = if row.design == Design::Pool { "worker-" } else { "client-1: " };
        assert!(line.starts_with(name), "{}: {line}", row.name);
        let peer = client.local_addr().unwrap();
        assert!(
            line.ends_with(&format!(": {peer} disconnected")),
            "{}: {line}",
            row.name
        );
    }
}

/// `listen` gets the value of `--backlog`. Linux completes one more connection.
#[cfg(target_os = "linux")]
#[test]
fn the_backlog_is_what_was_asked_for() {
    let queue = |port: u16| {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let listening = format!("0100007F:{port:04X} 00000000:0000 0A ");
        let line =
            table.lines().find(|line| line.contains(&listening)).unwrap().to_owned();
        let waiting = line.split_once(" 0A ").unwrap().1.split(':').nth(1).unwrap();
        usize::from_str_radix(&waiting[..8], 16).unwrap()
    };
    let server =
        crate::table::server("listen_backlog").start_with(&["--backlog", "3"]);
    let _busy = server.connect();
    server.stderr.wait_for(1, " connected");
    let waiting: Vec<_> = (0..4).map(|_| server.connect()).collect();
    assert_eq!(queue(server.address.port()), waiting.len());
    let late =
        TcpStream::connect_timeout(&server.address, Duration::from_millis(300));
    assert_eq!(
        late.map_err(|err| err.kind()).err(),
        Some(std::io::ErrorKind::TimedOut)
    );
}
