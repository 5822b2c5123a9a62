//! What each design does to clients that come together, and to those who are rude.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::conversations::stuff;
use crate::harness::{
    PATIENCE, Server, exchange, half_close, is_silent, receive, rest,
};
use crate::table::{Design, Row, server, servers};

/// Asks one question over a connection of its own, and leaves.
#[track_caller]
fn visit(server: &Server, text: &str) {
    let mut client = server.connect();
    client.write_all(text.as_bytes()).unwrap();
    half_close(&client);
    assert_eq!(rest(&mut client), text.to_uppercase());
}

#[test]
fn a_sequential_server_serves_one_client_after_another() {
    for row in servers(|row| row.is_stream() && row.design == Design::Sequential) {
        let server = row.start();
        let mut first = server.connect();
        let mut second = server.connect();
        // A block, and a text as good as any other.
        let message = b"\x00\x00\x00\x02hi";
        second.write_all(message).unwrap();
        half_close(&second);
        assert!(is_silent(&second), "{}: the second before the first", row.name);
        first.write_all(message).unwrap();
        half_close(&first);
        assert_eq!(rest(&mut first), "\0\0\0\x02HI", "{}", row.name);
        assert_eq!(rest(&mut second), "\0\0\0\x02HI", "{}", row.name);
    }
}

#[test]
fn silent_clients_keep_nobody_waiting_where_there_is_one_thread_each_or_poll() {
    for row in servers(|row| row.design == Design::Together) {
        let server = row.start();
        let silent: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
        exchange(&mut server.connect(), "hello", "HELLO");
        drop(silent);
    }
}

#[test]
fn a_pool_of_four_serves_beside_three_silent_clients_and_not_beside_four() {
    for row in servers(|row| row.design == Design::Pool) {
        let server = row.start();
        let mut silent: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
        server.stderr.wait_for(3, " connected");
        for _ in 0..10 {
            visit(&server, "beside three");
        }

        silent.push(server.connect());
        server.stderr.wait_for(14, " connected");
        let mut fifth = server.connect();
        fifth.write_all(b"fifth").unwrap();
        assert!(is_silent(&fifth), "{}: more than four threads", row.name);
        silent.pop();
        receive(&mut fifth, "FIFTH");
    }
}

#[test]
fn a_client_that_never_reads_keeps_nobody_waiting_and_its_answers_are_bounded() {
    for row in servers(|row| row.design == Design::Together) {
        let server = row.start();
        exchange(&mut server.connect(), "warm", "WARM");
        let before = server.memory();
        let mut deaf: Vec<TcpStream> = (0..4).map(|_| server.connect()).collect();
        for client in &mut deaf {
            stuff(client);
            exchange(&mut server.connect(), "beside it", "BESIDE IT");
        }
        if let (Some(before), Some(after)) = (before, server.memory()) {
            let each = (after.saturating_sub(before)) / 4;
            assert!(each < 512 * 1024, "{}: {each} bytes a client", row.name);
        }
    }
}

/// Four slow clients at once: the order of the replies tells the design. The times are the
/// deck's, in units of the delay: 1 2 3 4 in a row, all 1 together.
#[test]
fn slow_servers_answer_in_a_row_or_together() {
    let delay = Duration::from_millis(300);
    let sequential = slow(server("slow_sequential_server"), delay, 4);
    for (number, time) in sequential.iter().enumerate() {
        let least = delay * u32::try_from(number + 1).unwrap();
        assert!(*time >= least, "{sequential:?}");
    }
    let together = slow(server("slow_thread_per_client"), delay, 4);
    assert!(together[3] < delay * 2, "one after another: {together:?}");
}

/// Eight slow clients at once: a pool of four answers four, and then four.
#[test]
fn a_slow_pool_answers_four_and_then_four() {
    let delay = Duration::from_millis(500);
    let times = slow(server("slow_thread_pool_timeout"), delay, 8);
    assert!(times[3] < delay * 2, "not four at once: {times:?}");
    assert!(times[4] >= delay * 2, "more than four at once: {times:?}");
    assert!(times[7] < delay * 3, "not four at once: {times:?}");
}

/// When each of so many clients that ask at the same time has its answer.
fn slow(row: Row, delay: Duration, clients: usize) -> Vec<Duration> {
    let server = row.start_with(&["--delay", &delay.as_secs_f64().to_string()]);
    let mut connected: Vec<_> = (0..clients).map(|_| server.connect()).collect();
    let start = Instant::now();
    for client in &mut connected {
        client.write_all(b"hi").unwrap();
        half_close(client);
    }
    let (sender, receiver) = mpsc::channel();
    thread::scope(|all| {
        for mut client in connected {
            let sender = sender.clone();
            all.spawn(move || {
                assert_eq!(rest(&mut client), "HI");
                sender.send(start.elapsed()).unwrap();
            });
        }
    });
    drop(sender);
    receiver.into_iter().collect()
}

/// Ten clients that connect, ask, leave and come back as fast as they can. The deck's poll
/// server loses a third of the answers.
#[test]
fn nobody_is_lost_in_the_coming_and_going() {
    let running: Vec<(Row, Server)> =
        servers(|row| row.backlog == 100).map(|row| (row, row.start())).collect();
    let visits: Vec<AtomicUsize> =
        running.iter().map(|_| AtomicUsize::new(0)).collect();
    let end = Instant::now() + Duration::from_secs(2);
    thread::scope(|all| {
        for ((row, server), visits) in running.iter().zip(&visits) {
            for number in 0..10 {
                all.spawn(move || {
                    while Instant::now() < end {
                        let turn = visits.fetch_add(1, Ordering::Relaxed);
                        let text = format!("{} {number} {turn}", row.name);
                        let mut client = match TcpStream::connect(server.address) {
                            // All ports of this machine are taken, by those who have left.
                            Err(err)
                                if err.kind() == ErrorKind::AddrNotAvailable =>
                            {
                                break;
                            }
                            connected => connected.unwrap(),
                        };
                        client.set_read_timeout(Some(PATIENCE)).unwrap();
                        exchange(&mut client, &text, text.to_uppercase());
                    }
                });
            }
        }
    });
    for ((row, _), visits) in running.iter().zip(visits) {
        assert!(visits.into_inner() > 20, "{}: hardly anybody came", row.name);
    }
}

/// The threads have names, and the lines about their clients say them.
#[test]
fn threads_carry_names() {
    for row in servers(|row| row.name.contains("thread")) {
        let server = row.start();
        let mut client = server.connect();
        client.write_all(b"hi").unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "HI");
        let line = server.stderr.wait_for(1, " left");
        let name = if row.design == Design::Pool { "worker-" } else { "client-1: " };
        assert!(line.starts_with(name), "{}: {line}", row.name);
        let peer = client.local_addr().unwrap();
        assert!(line.ends_with(&format!(": {peer} left")), "{}: {line}", row.name);
    }
}

/// `--backlog` is what `listen` gets. Linux lets one more connection complete.
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
    let server = server("listen_backlog").start_with(&["--backlog", "3"]);
    let _busy = server.connect();
    server.stderr.wait_for(1, " connected");
    let waiting: Vec<_> = (0..4).map(|_| server.connect()).collect();
    assert_eq!(queue(server.address.port()), waiting.len());
    let late =
        TcpStream::connect_timeout(&server.address, Duration::from_millis(300));
    assert_eq!(late.map_err(|err| err.kind()).err(), Some(ErrorKind::TimedOut));
}
