//! `rude` performs one act with one client, and the list of its acts is true.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Output;
use std::thread;
use std::time::Duration;

use crate::harness::{Server, deaf, for_each_at_once, resets_show, run, skipped};
use crate::table::{SERVERS, server, servers};

#[track_caller]
fn stdout(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    assert_eq!(stderr, "");
    stdout
}

#[track_caller]
fn refused(args: &[&str]) -> String {
    let output = run("rude", args, "");
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Performs an act. Returns what `rude` prints.
#[track_caller]
fn perform(lesson: &str, server: &Server, act: &str) -> String {
    let address = server.address.to_string();
    let args = [lesson, &address, act, "--timeout", "1"];
    stdout(&run("rude", &args, ""), 0)
}

/// Returns the acts that suit a lesson, each with the line of the server's log.
fn acts(lesson: &str) -> Vec<(String, String)> {
    let list = stdout(&run("rude", &[lesson], ""), 0);
    let column = list.find(&format!("what {lesson} logs")).unwrap();
    // `é` has two bytes.
    let from = |line: &str| line.chars().skip(column).collect();
    let name = |line: &str| line.split(' ').next().unwrap().to_owned();
    list.lines().skip(1).map(|line| (name(line), from(line))).collect()
}

/// Returns the lines of the log that the list allows, each up to the part that it omits.
fn allowed(log: &str) -> Vec<&str> {
    let reset = "dropped: connection reset by the client";
    match log.strip_suffix(", or the same line as reset") {
        Some(other) => vec![other, reset],
        None => vec![log.trim_end_matches("(...)").trim_end_matches("...")],
    }
}

#[test]
fn the_list_of_acts_shows_what_each_server_logs() {
    if !resets_show() {
        return skipped("the log of each act", "a reset looks like a normal close");
    }
    for_each_at_once(servers(|row| !row.sleeps_by_default()), |row| {
        for (act, log) in acts(row.name) {
            // Most of the hundred clients do not fit into a queue of one connection.
            if act == "hundred" {
                continue;
            }
            let server = row.start();
            let printed = perform(row.name, &server, &act);
            let last = printed.lines().last().unwrap();
            assert!(last.starts_with("The server still serves: "), "{printed}");
            assert!(
                printed.lines().all(|line| line.chars().count() < 80),
                "{printed}"
            );

            let peer = printed.split("connects as ").nth(1).unwrap();
            let peer = peer.split(".\n").next().unwrap();
            if log == "(no line)" {
                assert_eq!(server.stderr.all(), [""; 0], "{}: {act}", row.name);
                continue;
            }
            // `disconnected` or `dropped`.
            let line = server.stderr.wait_for(1, &format!("{peer} d"));
            let is_true = allowed(&log).into_iter().any(|log| line.contains(log));
            assert!(is_true, "{}: {act}: {line}", row.name);
            if row.is_stream() {
                // One client performs the act, and then one client is polite.
                server.stderr.wait_for(2, " connected");
                assert_eq!(
                    server.stderr.count(" connected"),
                    2,
                    "{}: {act}",
                    row.name
                );
            }
        }
    });
}

/// Removes the port of the client, which differs from run to run.
fn without_port(text: &str) -> String {
    let (before, after) = text.split_once("127.0.0.1:").unwrap();
    before.to_owned() + after.trim_start_matches(|c: char| c.is_ascii_digit())
}

#[test]
fn the_header_shows_each_step_of_the_client() {
    let sequential = server("sequential_server").start();
    let printed = perform("sequential_server", &sequential, "half_character");
    let source = fs::read_to_string("examples/tools/rude.rs").unwrap();
    let source = source.replace("\r\n", "\n").replace("//! ", "");
    let (_, shown) = source.split_once("-- 1234 half_character\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    assert_eq!(without_port(&printed), without_port(shown));
}

#[test]
fn a_length_of_4_gib_is_sent_in_front_of_a_message() {
    let server = server("recvall_server").start();
    let printed = perform("recvall_server", &server, "lie");
    for step in [
        "  The client sends the length 4294967295, in 4 bytes.\n",
        "  The client receives the end of the stream.\n",
        "The server still serves: a new client receives 00 00 00 05 \"HELLO\".\n",
    ] {
        assert!(printed.contains(step), "{printed}");
    }
}

#[test]
fn a_hundred_clients_connect_at_the_same_time() {
    for name in ["udp_server", "poll_server", "thread_pool"] {
        let server = server(name).start();
        let address = server.address.to_string();
        let printed = stdout(&run("rude", &[name, &address, "hundred"], ""), 0);
        let sentence = "\n  Of 100 clients, 100 receive \"HELLO\".\n";
        assert!(printed.contains(sentence), "{name}: {printed}");
    }
}

/// The first client gets its reply, and then the server is gone.
#[test]
fn a_server_that_does_not_serve_after_the_act_is_exit_status_1() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        drop(listener);
        client.read_exact(&mut [0; 5]).unwrap();
        client.write_all(b"HELLO").unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    });
    let printed = stdout(&run("rude", &[&address, "polite"], ""), 1);
    server.join().unwrap();
    assert!(printed.contains("  The client receives \"HELLO\".\n"), "{printed}");
    let last = printed.lines().last().unwrap();
    let sentence = "The server does not serve: a new client receives an error: ";
    assert!(last.starts_with(sentence), "{printed}");
}

#[test]
fn the_acts_of_each_lesson_fit_into_a_terminal() {
    for row in SERVERS {
        let list = stdout(&run("rude", &[row.name], ""), 0);
        assert!(list.lines().all(|line| line.chars().count() < 80), "{list}");
        assert!((7..23).contains(&list.lines().count()), "{list}");
        let has = |act: &str| acts(row.name).iter().any(|(name, _)| name == act);
        assert_eq!(has("reset"), row.is_stream(), "{list}");
        assert_eq!(has("lie"), row.name == "recvall_server", "{list}");
    }
    // Without a lesson, the messages are plain text over TCP.
    let plain = run("rude", &[], "").stdout;
    assert_eq!(plain, run("rude", &["sequential_server"], "").stdout);
}

/// Returns whether the kernel reports that no program receives a datagram. Wine does not report it.
fn reports_a_refused_datagram() -> bool {
    let (_socket, address) = deaf();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    client.connect(address).unwrap();
    client.send(b"hello").unwrap();
    let err = client.recv(&mut [0]).unwrap_err();
    [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset].contains(&err.kind())
}

#[test]
fn a_mistake_is_one_sentence_and_exit_status_2() {
    let (_socket, address) = deaf();
    let address = address.to_string();
    let missing =
        format!("no server listens on {address}; start a server there first");
    let lesson = "'my_server' is not a port, and not a lesson of `check -- --list`";
    let act = "sequential_server has no act 'rest'; without an act, rude lists them";
    let udp = "udp_server has no act 'reset'; without an act, rude lists them";
    if reports_a_refused_datagram() {
        let first = refused(&["udp_server", &address, "polite"]);
        assert!(first.starts_with(&format!("Error: {missing}\n")), "{first}");
    } else {
        skipped("a missing datagram server", "the client gets no error here");
    }
    for (args, sentence) in [
        (&[&address, "reset"][..], missing.as_str()),
        (&[&address, "hundred"], &missing),
        (&["recvall_server", &address, "lie"], &missing),
        (&["my_server", &address, "reset"], lesson),
        (&[&address, "rest"], act),
        (&["udp_server", &address, "reset"], udp),
        (&[&address, "reset", "now"], "unexpected argument 'now'"),
    ] {
        let stderr = refused(args);
        let first = stderr.lines().next().unwrap();
        assert_eq!(first, format!("Error: {sentence}"), "{args:?}");
        assert!(
            stderr.contains("\nusage: cargo run --example rude -- ["),
            "{stderr}"
        );
    }
}
