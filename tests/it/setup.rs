//! Starting a server, and being told why it does not start.

use std::io::Write;
use std::net::UdpSocket;
use std::process::Output;

use crate::harness::{Server, for_each_at_once, half_close, rest, run, skipped};
use crate::table::{Row, SERVERS, server, servers};

/// Programs that take arguments and are no servers.
const OTHERS: [&str; 9] = [
    "names_ipv4",
    "getaddrinfo",
    "byte_order",
    "network_errors",
    "udp_client",
    "tcp_client",
    "block_client",
    "ttl_ping",
    "crowd",
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ended with exit status 1 and one line on stderr, and said nothing else. `RUST_BACKTRACE`
/// is set in every run.
#[track_caller]
fn one_sentence(output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for word in ["panicked", "Caused by", "Os {", "backtrace", "kind:"] {
        assert!(!stderr.contains(word), "{stderr}");
    }
    stderr
}

/// Ended with exit status 2 and said what was wrong and how it is used.
#[track_caller]
fn refused(name: &str, args: &[&str]) -> String {
    let output = run(name, args, "");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{name} {args:?}: {stderr}");
    assert_eq!(text(&output.stdout), "", "{name} {args:?}");
    let lines: Vec<_> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{name} {args:?}: {stderr}");
    let usage = format!("usage: cargo run --example {name}");
    assert!(lines[1].starts_with(&usage), "{name} {args:?}: {stderr}");
    lines[0].to_owned()
}

#[test]
fn the_ready_line_comes_first_and_alone() {
    for row in SERVERS {
        let server = row.start();
        assert_ne!(server.address.port(), 0, "{}", row.name);
        assert!(server.address.ip().is_loopback(), "{}", row.name);
        assert_eq!(server.stdout.all().len(), 1, "{}", row.name);
        assert_eq!(server.stderr.all(), [""; 0], "{}", row.name);
    }
}

/// What runs without arguments is what the slide has: its port, on the address that only
/// this machine reaches, its queue, and its times. They are in the source, since the port may
/// be in use here, and nobody wants to wait for 20 seconds.
#[test]
fn the_defaults_are_those_of_the_slide() {
    for row in SERVERS {
        let source =
            std::fs::read_to_string(format!("examples/{}.rs", row.name)).unwrap();
        let mut expected = vec![
            format!("const PORT: u16 = {};", row.port),
            "listen_address(PORT)".to_owned(),
        ];
        if row.is_stream() {
            expected.push(format!(" = {};\n", row.backlog));
        }
        for (option, seconds) in [("delay", "5"), ("timeout", "20")] {
            if row.options.contains(&option) {
                expected.push(format!("[--{option} {seconds}]"));
                let constant = option.to_uppercase();
                expected.push(format!("const {constant}: f64 = {seconds}.0;"));
                expected.push(format!("args.seconds(\"--{option}\", {constant}, "));
            }
        }
        for part in expected {
            assert!(source.contains(&part), "{}: {part}", row.name);
        }
    }
}

#[test]
fn an_address_can_be_given_as_a_port_alone() {
    for row in SERVERS {
        let first = row.start();
        let port = first.address.port().to_string();
        drop(first);
        let again = row.start_at(&port);
        assert_eq!(
            again.address.to_string(),
            format!("127.0.0.1:{port}"),
            "{}",
            row.name
        );
    }
}

#[test]
fn all_interfaces_can_be_asked_for() {
    for row in SERVERS {
        let server = row.start_at("0.0.0.0:0");
        assert_eq!(server.address.ip().to_string(), "0.0.0.0", "{}", row.name);
    }
}

#[test]
fn a_port_that_is_taken_is_told_of_in_one_sentence() {
    for row in SERVERS {
        let first = row.start();
        let address = first.address.to_string();
        let sentence = one_sentence(&run(row.name, &[&address], ""));
        assert!(sentence.contains(&address), "{}: {sentence}", row.name);
        assert!(sentence.contains("another IP:PORT"), "{}: {sentence}", row.name);
    }
}

/// 192.0.2.1 is set aside for documentation (RFC 5737): no machine has it.
#[test]
fn an_address_of_somebody_else_is_told_of_in_one_sentence() {
    if UdpSocket::bind("192.0.2.1:0").is_ok() {
        return skipped("an address of somebody else", "this system binds to it");
    }
    for row in SERVERS {
        let sentence = one_sentence(&run(row.name, &["192.0.2.1:0"], ""));
        assert!(sentence.contains("cannot listen on 192.0.2.1:0"), "{sentence}");
    }
}

/// Started again at once, with a client of before still connected. (Not on Windows, where
/// the option that allows it means something else.)
#[test]
fn the_port_can_be_listened_at_again_at_once() {
    if cfg!(windows) {
        return skipped("a port again at once", "no SO_REUSEADDR on Windows");
    }
    for row in servers(Row::is_stream) {
        let mut server = row.start();
        let client = server.connect();
        server.stderr.wait_for(1, " connected");
        server.kill();
        let again = row.start_at(&server.address.to_string());
        drop(again.connect());
        again.stderr.wait_for(1, " connected");
        drop(client);
    }
}

/// Whatever its threads are doing, and whoever is connected.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_server() {
    for row in SERVERS {
        let mut server = row.start();
        if row.is_stream() {
            drop(server.connect());
            server.stderr.wait_for(1, " connected");
        }
        let _busy = row.is_stream().then(|| server.connect());
        server.interrupt();
        assert!(!server.wait().success(), "{}", row.name);
    }
}

#[test]
fn wrong_arguments_are_refused_with_a_sentence_and_the_usage_line() {
    for_each_at_once(SERVERS.into_iter(), |row| {
        for wrong in ["banana", "127.0.0.1", "127.0.0.1:65536", "-1", "", ":1234"] {
            refused(row.name, &["--", wrong]);
        }
        let sentence = refused(row.name, &["localhost:1234"]);
        assert!(sentence.contains("number"), "{}: {sentence}", row.name);
        refused(row.name, &["0", "1"]);
        refused(row.name, &["0", "--bogus"]);
        refused(row.name, &["--bogus=1"]);
        refused(row.name, &["-x"]);
        for option in ["backlog", "delay", "timeout"] {
            let option = format!("--{option}");
            refused(row.name, &[&option]);
            for wrong in ["", "x", "-1", "nan", "inf", "1e99", "5s"] {
                refused(row.name, &[&option, wrong]);
            }
            if !row.options.iter().any(|known| option.ends_with(known)) {
                refused(row.name, &[&option, "1"]);
            }
        }
        if row.options.contains(&"timeout") {
            refused(row.name, &["--timeout", "0"]);
        }
    });
    for name in OTHERS {
        refused(name, &["--bogus"]);
        refused(name, &["-x"]);
    }
    for client in ["udp_client", "tcp_client", "block_client"] {
        refused(client, &["banana", "text"]);
        refused(client, &["--patience", "0"]);
        refused(client, &["1234", "text", "--patience", "long"]);
    }
    refused("ttl_ping", &["1234", "text"]);
    refused("ttl_ping", &["--max", "0"]);
    refused("ttl_ping", &["--max", "256"]);
    refused("byte_order", &["1234"]);
    refused("names_ipv4", &["localhost", "not an address"]);
    refused("names_ipv4", &["localhost", "127.0.0.1", "more"]);
    refused("getaddrinfo", &["localhost", "80", "more"]);
    refused("network_errors", &["localhost", "more"]);
}

#[test]
fn options_stand_anywhere_and_in_both_spellings() {
    let row = server("slow_thread_pool_timeout");
    for args in [
        ["--delay", "0", "0", "--timeout", "0.2"].as_slice(),
        &["0", "--timeout=0.2", "--delay=0.0"],
        &["--delay=5", "--timeout", ".2", "--delay", "0", "--", "0"],
    ] {
        let mut server = Server::start(row.name, args);
        let mut client = server.connect();
        client.write_all(b"hi").unwrap();
        half_close(&client);
        assert_eq!(rest(&mut client), "HI");
        assert!(server.wait().success());
    }
}

#[test]
fn help_is_the_usage_line_with_every_option() {
    for row in SERVERS {
        let output = run(row.name, &["--help"], "");
        let stdout = text(&output.stdout);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", row.name);
        let usage = format!("usage: cargo run --example {}", row.name);
        assert!(stdout.starts_with(&usage), "{stdout}");
        assert!(stdout.contains(" -- [IP:PORT]"), "{stdout}");
        for option in ["backlog", "delay", "timeout"] {
            let known = row.options.contains(&option);
            assert_eq!(stdout.contains(&format!("[--{option} ")), known, "{stdout}");
        }
    }
    for name in OTHERS {
        let output = run(name, &["--help"], "");
        assert!(output.status.success() && output.stderr.is_empty(), "{name}");
        let usage = format!("usage: cargo run --example {name}");
        assert!(text(&output.stdout).starts_with(&usage), "{name}");
    }
}
