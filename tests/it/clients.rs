//! The four clients. Each server is tested with one of them.

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::process::Output;
use std::thread;
use std::time::Duration;

use crate::harness::{deaf, for_each_at_once, half_close, receive, rest, run};
use crate::table::{Design, Kind, server, servers};

#[track_caller]
fn stdout(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Checks that a client exited with status 1 and one sentence on stderr, and returns the
/// sentence. Lines that say that the client is waiting do not count.
#[track_caller]
fn failed(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let lines: Vec<_> =
        stderr.lines().filter(|l| !l.starts_with("waiting")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0].to_owned()
}

/// Returns the client for this kind of server.
pub fn client_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Datagram => "udp_client",
        Kind::Block => "block_client",
        Kind::OneMessage | Kind::Conversation => "tcp_client",
    }
}

#[test]
fn every_server_replies_to_its_client() {
    for row in servers(|row| row.name != "ttl_pong") {
        let server = row.start();
        let address = server.address.to_string();
        let output = run(client_of(row.kind), &[&address, "straße 1"], "");
        let expected = match row.name {
            "udp_server_bytes" => "STRAßE 1\n",
            _ => "STRASSE 1\n",
        };
        assert_eq!(stdout(&output), expected, "{}", row.name);
        assert!(output.stderr.is_empty(), "{}", row.name);
    }
}

#[test]
fn each_text_and_each_line_of_standard_input_gets_its_reply() {
    for row in servers(|row| row.kind != Kind::OneMessage && row.name != "ttl_pong")
    {
        let server = row.start();
        let address = server.address.to_string();
        let client = client_of(row.kind);
        let texts = run(client, &[&address, "--", "one", "two words", "", "-3"], "");
        assert_eq!(stdout(&texts), "ONE\nTWO WORDS\n\n-3\n", "{}", row.name);
        let lines = run(client, &[&address], "one\r\ntwo words\n\nlast");
        assert_eq!(stdout(&lines), "ONE\nTWO WORDS\n\nLAST\n", "{}", row.name);
        let nothing = run(client, &[&address], "");
        assert_eq!(stdout(&nothing), "", "{}", row.name);
    }
}

#[test]
fn the_address_may_be_a_port_or_a_name() {
    for row in servers(|row| row.name != "ttl_pong") {
        let server = row.start();
        let port = server.address.port();
        for address in [format!("{port}"), format!("localhost:{port}")] {
            let output = run(client_of(row.kind), &[&address, "x"], "");
            assert_eq!(stdout(&output), "X\n", "{} at {address}", row.name);
        }
    }
    let server = server("ttl_pong").start();
    let name = format!("localhost:{}", server.address.port());
    assert!(stdout(&run("ttl_ping", &[&name], "")).ends_with("\n1 hop\n"));
}

#[test]
fn a_text_with_newlines_gets_its_whole_reply() {
    let server = server("poll_server").start();
    let address = server.address.to_string();
    let output = run("tcp_client", &[&address, "a\nb", "c"], "");
    assert_eq!(stdout(&output), "A\nB\nC\n");
}

/// The client reads while it writes. Otherwise, the client and the server would wait for each
/// other forever.
#[test]
fn a_long_line_does_not_stop_the_client() {
    let line = "long ".repeat(2_000_000);
    for row in servers(|row| {
        row.kind == Kind::Conversation && row.design != Design::Sequential
    }) {
        let server = row.start();
        let output = run("tcp_client", &[&server.address.to_string()], &line);
        assert!(stdout(&output) == line.to_uppercase() + "\n", "{}", row.name);
    }
}

#[test]
fn a_missing_server_is_an_error_of_one_sentence() {
    let (_deaf, address) = deaf();
    let address = address.to_string();
    for client in ["tcp_client", "block_client"] {
        let sentence = failed(&run(client, &[&address, "x"], ""));
        assert!(sentence.contains(&address), "{sentence}");
        assert!(sentence.contains("start a server"), "{sentence}");
    }
    // With datagrams, not every kernel reports a closed port. Then the client times out.
    let free =
        UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let cases: [(&str, &[&str]); 2] = [
        ("udp_client", &[&free, "x", "--patience", "1"]),
        ("ttl_ping", &[&free, "--max", "1"]),
    ];
    for (client, args) in cases {
        let sentence = failed(&run(client, args, ""));
        assert!(sentence.contains(&free), "{sentence}");
    }
}

#[test]
fn the_clients_time_out() {
    let stream = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagram = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = [
        ("tcp_client", stream.local_addr().unwrap()),
        ("block_client", stream.local_addr().unwrap()),
        ("udp_client", datagram.local_addr().unwrap()),
    ];
    for_each_at_once(silent.into_iter(), |(client, address)| {
        let args = [&address.to_string(), "x", "--patience", "1.3"];
        let output = run(client, &args, "");
        let sentence = failed(&output);
        assert!(
            sentence.contains("timed out: nothing received for 1.3 s"),
            "{sentence}"
        );
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("waiting for a reply ..."), "{client}: {stderr}");
    });
}

/// The client waits for a slow server, and says so.
#[test]
fn the_client_says_that_it_waits_for_a_slow_reply() {
    for_each_at_once(servers(|row| row.options.contains(&"delay")), |row| {
        let server = row.start_with(&["--delay", "1.4"]);
        let output = run("tcp_client", &[&server.address.to_string(), "slow"], "");
        assert_eq!(stdout(&output), "SLOW\n", "{}", row.name);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, "waiting for a reply ...\n", "{}", row.name);
    });
}

#[test]
fn a_connection_that_closes_without_a_reply_is_an_error_of_one_sentence() {
    for row in servers(|row| row.kind == Kind::OneMessage) {
        let server = row.start();
        let output =
            run("tcp_client", &[&server.address.to_string(), "one", "two"], "");
        assert_eq!(output.stdout, b"ONE\n", "{}", row.name);
        failed(&output);
    }
    let server = server("recvall_server").start();
    failed(&run("tcp_client", &[&server.address.to_string(), "no length"], ""));
}

#[test]
fn bytes_after_the_last_reply_are_printed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        receive(&mut client, "request\n");
        client.write_all(b"reply\nand ").unwrap();
        assert_eq!(rest(&mut client), "");
        client.write_all(b"more").unwrap();
        half_close(&client);
    });
    let output = run("tcp_client", &[&address, "request"], "");
    assert_eq!(stdout(&output).trim_end(), "reply\nand more");
    server.join().unwrap();
}

/// A server of a student often sends a reply without a newline, and closes the connection.
#[test]
fn a_reply_without_a_newline_is_printed_when_the_server_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        receive(&mut client, "request\n");
        client.write_all(b"reply").unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "");
    });
    let output = run("tcp_client", &[&address, "request"], "");
    assert_eq!(stdout(&output).trim_end(), "reply");
    server.join().unwrap();
}

/// Or the server keeps the connection open. The client waits for a newline only for a short
/// time: with all of its patience, it would wait longer than this test.
#[test]
fn the_client_says_that_a_reply_has_no_newline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        receive(&mut client, "one\n");
        client.write_all(b"ONE").unwrap();
        receive(&mut client, "two\n");
        client.write_all(b"TWO").unwrap();
        assert_eq!(rest(&mut client), "");
    });
    let args = [&address, "one", "two", "--patience", "1000"];
    let output = run("tcp_client", &args, "");
    let printed = stdout(&output);
    assert_eq!(printed.split_whitespace().collect::<String>(), "ONETWO");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("newline"), "{stderr}");
    assert!(!stderr.contains("no reply"), "{stderr}");
    server.join().unwrap();
}

#[test]
fn ttl_ping_counts_one_hop_on_loopback() {
    let server = server("ttl_pong").start();
    let output = run("ttl_ping", &[&server.address.to_string()], "");
    assert_eq!(stdout(&output), "TTL 1: PONG\n1 hop\n");
}

#[test]
fn ttl_ping_prints_what_it_received_and_gives_up() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let output = run("ttl_ping", &["--max", "2", &address], "");
    assert_eq!(output.stdout, b"TTL 1: no reply\nTTL 2: no reply\n");
    failed(&output);

    // A reply that is not a PONG.
    let other = server("udp_server").start();
    let output = run("ttl_ping", &["--max", "1", &other.address.to_string()], "");
    assert_eq!(output.stdout, b"TTL 1: unexpected reply\n");
    failed(&output);
}

/// A PONG that arrives after more than a second is not the reply to the next datagram.
#[test]
fn a_late_pong_is_not_counted() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let mut buffer = [0; 100];
        let (_, first) = server.recv_from(&mut buffer).unwrap();
        let (_, second) = server.recv_from(&mut buffer).unwrap();
        assert_ne!(first, second, "one socket for both");
        server.send_to(b"PONG", first).unwrap();
        thread::sleep(Duration::from_millis(100));
        server.send_to(b"PONG", second).unwrap();
    });
    let output = run("ttl_ping", &[&address], "");
    assert_eq!(stdout(&output), "TTL 1: no reply\nTTL 2: PONG\n2 hops\n");
    server.join().unwrap();
}

/// An unknown name is not a wrong argument, because the name may exist tomorrow.
#[test]
fn an_unknown_name_is_an_error_of_one_sentence() {
    for client in ["udp_client", "tcp_client", "block_client"] {
        let sentence = failed(&run(client, &["nosuch.invalid:1", "x"], ""));
        assert!(
            sentence.contains("nosuch.invalid:1 could not be resolved: "),
            "{sentence}"
        );
    }
}
