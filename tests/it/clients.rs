//! The four clients, and every server met by one of them.

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

/// Exit status 1, and one sentence on stderr after any lines about waiting.
#[track_caller]
fn failed(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let lines: Vec<_> =
        stderr.lines().filter(|l| !l.starts_with("waiting")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0].to_owned()
}

fn client_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Datagram => "udp_client",
        Kind::Block => "block_client",
        Kind::OneMessage | Kind::Conversation => "tcp_client",
    }
}

#[test]
fn every_server_is_met_by_a_client() {
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
fn several_texts_get_several_answers_and_so_do_lines_of_standard_input() {
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
    assert!(stdout(&run("ttl_ping", &[&name], "")).ends_with("\n1 hops\n"));
}

#[test]
fn a_text_with_newlines_gets_its_whole_answer() {
    let server = server("poll_server").start();
    let address = server.address.to_string();
    let output = run("tcp_client", &[&address, "a\nb", "c"], "");
    assert_eq!(stdout(&output), "A\nB\nC\n");
}

/// It reads while it writes: otherwise both would wait for the other for ever.
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
fn nobody_there_is_one_sentence() {
    let (_deaf, address) = deaf();
    let address = address.to_string();
    for client in ["tcp_client", "block_client"] {
        let sentence = failed(&run(client, &[&address, "x"], ""));
        assert!(sentence.contains(&address), "{sentence}");
        assert!(sentence.contains("start a server"), "{sentence}");
    }
    // With datagrams, not every system says that nobody is there: then it is silence.
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
fn patience_ends() {
    let stream = TcpListener::bind("127.0.0.1:0").unwrap();
    let datagram = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mute = [
        ("tcp_client", stream.local_addr().unwrap()),
        ("block_client", stream.local_addr().unwrap()),
        ("udp_client", datagram.local_addr().unwrap()),
    ];
    for_each_at_once(mute.into_iter(), |(client, address)| {
        let args = [&address.to_string(), "x", "--patience", "1.3"];
        let output = run(client, &args, "");
        let sentence = failed(&output);
        assert!(sentence.contains("silent for 1.3 s"), "{sentence}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("waiting for an answer ..."), "{client}: {stderr}");
    });
}

/// A slow server is waited for, and the wait explained.
#[test]
fn a_slow_answer_is_announced() {
    for_each_at_once(servers(|row| row.options.contains(&"delay")), |row| {
        let server = row.start_with(&["--delay", "1.4"]);
        let output = run("tcp_client", &[&server.address.to_string(), "slow"], "");
        assert_eq!(stdout(&output), "SLOW\n", "{}", row.name);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, "waiting for an answer ...\n", "{}", row.name);
    });
}

#[test]
fn a_connection_that_ends_without_an_answer_is_one_sentence() {
    for row in servers(|row| row.kind == Kind::OneMessage) {
        let server = row.start();
        let output =
            run("tcp_client", &[&server.address.to_string(), "one", "two"], "");
        assert_eq!(output.stdout, b"ONE\n", "{}", row.name);
        failed(&output);
    }
    let server = server("recvall_server").start();
    failed(&run("tcp_client", &[&server.address.to_string(), "no block"], ""));
}

#[test]
fn what_still_comes_after_the_last_answer_is_printed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::scope(|both| {
        both.spawn(|| {
            let (mut client, _) = listener.accept().unwrap();
            receive(&mut client, "ask\n");
            client.write_all(b"answer\nand ").unwrap();
            assert_eq!(rest(&mut client), "");
            client.write_all(b"more").unwrap();
            half_close(&client);
        });
        let output = run("tcp_client", &[&address, "ask"], "");
        assert_eq!(stdout(&output), "answer\nand more");
    });
}

#[test]
fn ttl_ping_counts_one_hop_on_loopback() {
    let server = server("ttl_pong").start();
    let output = run("ttl_ping", &[&server.address.to_string()], "");
    assert_eq!(stdout(&output), "TTL 1: PONG\n1 hops\n");
}

#[test]
fn ttl_ping_says_what_came_back_and_gives_up() {
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = mute.local_addr().unwrap().to_string();
    let output = run("ttl_ping", &["--max", "2", &address], "");
    assert_eq!(output.stdout, b"TTL 1: nothing\nTTL 2: nothing\n");
    failed(&output);

    // An answer that is none.
    let other = server("udp_server").start();
    let output = run("ttl_ping", &["--max", "1", &other.address.to_string()], "");
    assert_eq!(output.stdout, b"TTL 1: something that is no PONG\n");
    failed(&output);
}

/// A PONG that comes after its second must not pass for the answer to the next try.
#[test]
fn a_late_pong_is_not_counted() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    thread::scope(|both| {
        both.spawn(|| {
            let mut buffer = [0; 100];
            let (_, first) = server.recv_from(&mut buffer).unwrap();
            let (_, second) = server.recv_from(&mut buffer).unwrap();
            assert_ne!(first, second, "one socket for both");
            server.send_to(b"PONG", first).unwrap();
            thread::sleep(Duration::from_millis(100));
            server.send_to(b"PONG", second).unwrap();
        });
        let output = run("ttl_ping", &[&address], "");
        assert_eq!(stdout(&output), "TTL 1: nothing\nTTL 2: PONG\n2 hops\n");
    });
}

/// A name that does not exist is no wrong argument: it may exist tomorrow.
#[test]
fn a_server_whose_name_is_unknown_is_one_sentence() {
    for client in ["udp_client", "tcp_client", "block_client"] {
        let sentence = failed(&run(client, &["nosuch.invalid:1", "x"], ""));
        assert!(
            sentence.contains("nosuch.invalid:1 could not be resolved: "),
            "{sentence}"
        );
    }
}
