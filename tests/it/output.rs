//! Programs whose stdout or stderr is closed or full: none of them panics.
//!
//! This happens often: `| head -1` closes a pipe, and a disk can be full.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use std::{io::Read, thread};

use crate::clients::client_of;
use crate::harness::{PATIENCE, example, for_each_at_once, run, skipped, wait};
use crate::table::{Kind, Row, SERVERS, server, servers};

/// The programs that only print and exit, with arguments that need no network.
const PRINTING: [(&str, &[&str]); 4] = [
    ("byte_order", &[]),
    ("names_ipv4", &["localhost", "127.0.0.1"]),
    ("getaddrinfo", &["localhost", "80"]),
    ("network_errors", &["localhost"]),
];

/// A place to which a program cannot write.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Sink {
    /// A pipe that its reader has closed.
    ClosedPipe,
    /// The device `/dev/full`, which behaves like a full disk. Only Linux and some other
    /// systems have it.
    FullDisk,
}

impl Sink {
    /// Returns the sinks that exist here.
    fn all() -> Vec<Self> {
        if open_full().is_none() {
            skipped("a full disk", "/dev/full does not exist here");
            return vec![Self::ClosedPipe];
        }
        vec![Self::ClosedPipe, Self::FullDisk]
    }

    fn open(self) -> Stdio {
        match self {
            Self::ClosedPipe => closed_pipe(),
            Self::FullDisk => open_full().unwrap(),
        }
    }
}

fn open_full() -> Option<Stdio> {
    if cfg!(windows) {
        return None; // In Wine, the path would exist.
    }
    let file = OpenOptions::new().write(true).open("/dev/full").ok()?;
    Some(Stdio::from(file))
}

/// Returns the write end of a pipe. A program that does not read has been the reader, and
/// has exited.
fn closed_pipe() -> Stdio {
    let mut reader = Command::new(example("byte_order"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pipe = reader.stdin.take().unwrap();
    assert!(wait(&mut reader).unwrap().success());
    Stdio::from(pipe)
}

/// Runs a program that exits by itself, and returns its status and what it prints on stderr.
#[track_caller]
fn run_into(sink: Sink, name: &str, args: &[&str]) -> Output {
    let mut child = Command::new(example(name))
        .args(args)
        .stdin(Stdio::null())
        .stdout(sink.open())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = wait(&mut child).unwrap_or_else(|| panic!("{name} does not exit"));
    Output { status, stdout: Vec::new(), stderr: all_of(child.stderr.take()) }
}

fn all_of(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Checks how a program exited that could not print: on a closed pipe quietly and with status
/// 0, on a full disk with one sentence and status 1.
#[track_caller]
fn check_exit(sink: Sink, output: &Output, name: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{name}: {stderr}");
    if sink == Sink::ClosedPipe {
        assert_eq!(output.status.code(), Some(0), "{name}: {stderr}");
        assert_eq!(stderr, "", "{name}");
    } else {
        assert_eq!(output.status.code(), Some(1), "{name}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{name}: {stderr}");
        assert!(
            stderr.starts_with("Error: cannot write to stdout"),
            "{name}: {stderr}"
        );
    }
}

#[test]
fn a_program_that_only_prints_exits_with_the_right_status() {
    for sink in Sink::all() {
        for (name, args) in PRINTING {
            check_exit(sink, &run_into(sink, name, args), name);
        }
    }
}

#[test]
fn help_does_not_panic() {
    let names = SERVERS.iter().map(|row| row.name);
    let names = names.chain(PRINTING.map(|(name, _)| name));
    let others = ["udp_client", "tcp_client", "block_client", "ttl_ping"];
    for name in names.chain(others).chain(["crowd", "check"]) {
        for sink in Sink::all() {
            check_exit(sink, &run_into(sink, name, &["--help"]), name);
        }
    }
}

/// An error message that cannot be printed does not change the exit status.
#[test]
fn a_closed_stderr_does_not_change_the_exit_status() {
    for (name, args, status) in [
        ("tcp_server", &["banana"][..], 2),
        ("tcp_server", &["192.0.2.1:0"], 1),
        ("tcp_client", &["nosuch.invalid:1", "x"], 1),
        ("network_errors", &["localhost"], 0),
    ] {
        for sink in Sink::all() {
            let mut child = Command::new(example(name))
                .args(args)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(sink.open())
                .spawn()
                .unwrap();
            let exit = wait(&mut child).unwrap();
            assert_eq!(exit.code(), Some(status), "{name} {args:?}");
        }
    }
}

/// The replies arrive, so the message must not say that there was no reply.
#[test]
fn a_client_that_cannot_print_does_not_blame_the_server() {
    for row in servers(|_| true) {
        let server = row.start();
        let address = server.address.to_string();
        for sink in Sink::all() {
            let output = run_into(sink, client_for(&row), &request(&row, &address));
            check_exit(sink, &output, row.name);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(!stderr.contains("no reply"), "{}: {stderr}", row.name);
        }
    }
}

fn client_for(row: &Row) -> &'static str {
    if row.name == "ttl_pong" { "ttl_ping" } else { client_of(row.kind) }
}

/// Returns the arguments of a client that makes one request.
fn request<'a>(row: &Row, address: &'a str) -> Vec<&'a str> {
    if row.name == "ttl_pong" { vec![address] } else { vec![address, "hello"] }
}

/// A server that cannot print its ready line. Therefore, the tests choose its port, and try to
/// connect until the server listens.
struct Silent {
    child: Child,
    address: SocketAddr,
}

impl Silent {
    /// Starts a server and waits until it replies. If `stderr` is `None`, stderr is a pipe.
    #[track_caller]
    fn start(
        row: &Row,
        options: &[&str],
        stdout: Sink,
        stderr: Option<Sink>,
    ) -> Self {
        // Another program can take the port before the server does. Then the server exits.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let child = Command::new(example(row.name))
                .arg(address.to_string())
                .args(options)
                .stdin(Stdio::null())
                .stdout(stdout.open())
                .stderr(stderr.map_or_else(Stdio::piped, Sink::open))
                .spawn()
                .unwrap();
            let mut server = Self { child, address };
            if server.replies(row) && server.is_running() {
                return server;
            }
        }
        panic!("{} exits", row.name);
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Makes requests until the server replies. Returns false if the server exits.
    #[track_caller]
    fn replies(&mut self, row: &Row) -> bool {
        let expected = if row.name == "ttl_pong" { "PONG" } else { "HELLO" };
        let address = self.address.to_string();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = run(client_for(row), &request(row, &address), "");
            if String::from_utf8_lossy(&output.stdout).contains(expected) {
                return true;
            }
            if !self.is_running() {
                return false;
            }
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(Instant::now() < deadline, "{}: {stderr}", row.name);
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_cannot_print_goes_on_serving() {
    for sink in Sink::all() {
        for_each_at_once(SERVERS.into_iter(), |row| {
            let mut server = Silent::start(&row, row.no_delay(), sink, None);
            for _ in 0..3 {
                assert!(server.replies(&row), "{} exits", row.name);
            }
            assert!(server.is_running(), "{}", row.name);
            server.child.kill().unwrap();
            let stderr = all_of(server.child.stderr.take());
            let stderr = String::from_utf8_lossy(&stderr);
            assert!(!stderr.contains("panicked"), "{}: {stderr}", row.name);
            // The log does not need stdout.
            let logs = row.kind != Kind::Datagram;
            assert_eq!(
                stderr.contains(" connected"),
                logs,
                "{}: {stderr}",
                row.name
            );
        });
    }
}

#[test]
fn a_server_that_cannot_log_goes_on_serving() {
    for sink in Sink::all() {
        for_each_at_once(SERVERS.into_iter(), |row| {
            let mut server = Silent::start(&row, row.no_delay(), sink, Some(sink));
            for _ in 0..3 {
                assert!(server.replies(&row), "{} exits", row.name);
            }
            assert!(server.is_running(), "{}", row.name);
        });
    }
}

/// Each thread of this pool prints a line on stdout before it exits.
#[test]
fn a_pool_that_cannot_print_exits_with_status_0() {
    for sink in Sink::all() {
        let row = server("thread_pool_timeout");
        let mut server = Silent::start(&row, &["--timeout", "1"], sink, None);
        let exit = wait(&mut server.child).expect("the pool does not exit");
        let stderr = all_of(server.child.stderr.take());
        assert!(exit.success(), "{}", String::from_utf8_lossy(&stderr));
    }
}
