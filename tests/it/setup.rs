//! How a server starts, and what it says if it cannot start.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Output;

use crate::harness::{Server, example, finish, for_each_at_once};
use crate::harness::{exchange, half_close, rest, run, skipped};
use crate::table::{Row, SERVERS, server, servers};

/// The programs that take arguments and are not servers.
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

/// The clients that send texts.
const CLIENTS: [&str; 3] = ["udp_client", "tcp_client", "block_client"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Checks that a program exited with status 1 and one line on stderr, and returns this line.
/// `RUST_BACKTRACE` is set in every run.
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

/// Checks that a program exits with status 2 and prints an error message and its usage.
/// Returns the error message.
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
        // The second line of this server says that other machines can reach it.
        let lines = if row.listen_ip().is_unspecified() { 2 } else { 1 };
        server.stdout.wait_for(lines, "");
        assert_eq!(server.stdout.all().len(), lines, "{}", row.name);
        assert_eq!(server.stderr.all(), [""; 0], "{}", row.name);
    }
}

/// Other machines cannot reach a server on a loopback address, so the server does not warn.
#[test]
fn only_a_server_for_other_machines_says_so() {
    let server = Server::start("dual_stack", &["127.0.0.1:0"]);
    exchange(&mut server.connect(), "hello", "HELLO");
    assert_eq!(server.stdout.all().len(), 1);
}

/// Without arguments, a server has the port, the backlog and the times of the slide. This test
/// reads the sources, because a program may use the port here, and 20 seconds are too long.
#[test]
fn the_defaults_are_those_of_the_slide() {
    for row in SERVERS {
        let folder = if row.lesson == 0 { "examples/beyond" } else { "examples" };
        let source =
            std::fs::read_to_string(format!("{folder}/{}.rs", row.name)).unwrap();
        let mut expected = vec![
            format!("const PORT: u16 = {};", row.port),
            if row.listen_ip().is_unspecified() {
                "args.listen_address_at(Ipv6Addr::UNSPECIFIED.into(), PORT)"
            } else {
                "args.listen_address(PORT)"
            }
            .to_owned(),
        ];
        if row.is_stream() {
            expected.push(format!(" = {};\n", row.backlog));
        }
        let delay = if row.sleeps_by_default() { "5" } else { "0" };
        for (option, seconds) in
            [("delay", delay), ("timeout", "20"), ("grace", "5")]
        {
            if row.options.contains(&option) {
                expected.push(format!("[--{option} {seconds}]"));
                let constant = option.to_uppercase();
                expected.push(format!("const {constant}: f64 = {seconds}.0;"));
                let call = if option == "timeout" { "timeout" } else { "seconds" };
                expected.push(format!("args.{call}(\"--{option}\", {constant})"));
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
        let port = first.address.port();
        drop(first);
        let again = row.start_at(&port.to_string());
        let address = SocketAddr::new(row.listen_ip(), port);
        let ready = format!("server ready on {address}");
        assert_eq!(again.stdout.all()[0], ready, "{}", row.name);
    }
}

#[test]
fn all_interfaces_can_be_asked_for() {
    for row in SERVERS {
        let server = row.start_at("0.0.0.0:0");
        let first = &server.stdout.all()[0];
        assert!(first.starts_with("server ready on 0.0.0.0:"), "{first}");
    }
}

#[test]
fn a_port_in_use_is_an_error_of_one_sentence() {
    for row in SERVERS {
        let first = row.start();
        let address = first.address.to_string();
        let sentence = one_sentence(&run(row.name, &[&address], ""));
        assert!(sentence.contains(&address), "{}: {sentence}", row.name);
        // Two reasons have the same error: a program, or the state TIME_WAIT.
        for part in ["cannot listen on", "program", "SO_REUSEADDR", "minute"] {
            assert!(sentence.contains(part), "{}: {part}: {sentence}", row.name);
        }
    }
}

/// 192.0.2.1 is reserved for documentation (RFC 5737), so this machine does not have it.
#[test]
fn an_address_of_another_machine_is_an_error_of_one_sentence() {
    if UdpSocket::bind("192.0.2.1:0").is_ok() {
        return skipped("an address of another machine", "here, bind succeeds");
    }
    for row in SERVERS {
        let sentence = one_sentence(&run(row.name, &["192.0.2.1:0"], ""));
        assert!(sentence.contains("cannot listen on 192.0.2.1:0"), "{sentence}");
        assert!(sentence.contains("this machine"), "{sentence}");
        assert!(!sentence.contains("program"), "{sentence}");
    }
}

#[test]
fn a_port_without_permission_is_an_error_of_one_sentence() {
    let denied = TcpListener::bind("127.0.0.1:80").map_err(|err| err.kind());
    if !matches!(denied, Err(ErrorKind::PermissionDenied)) {
        return skipped(
            "a port without permission",
            "port 80 is permitted or in use",
        );
    }
    for row in servers(Row::is_stream) {
        let sentence = one_sentence(&run(row.name, &["80"], ""));
        assert!(sentence.contains("1024"), "{}: {sentence}", row.name);
        assert!(!sentence.contains("program"), "{}: {sentence}", row.name);
    }
}

/// Each error has its own advice. Not every machine can produce each of them.
#[test]
fn the_advice_fits_the_error() {
    let address = "127.0.0.1:80".parse().unwrap();
    let kinds = [
        (ErrorKind::AddrInUse, "SO_REUSEADDR"),
        (ErrorKind::PermissionDenied, "from 1024"),
        (ErrorKind::AddrNotAvailable, "this machine"),
        (ErrorKind::Other, "another IP:PORT"),
    ];
    for (kind, advice) in kinds {
        let failure = sockets101::cannot_listen(address, &io::Error::from(kind));
        let sentence = format!("{failure:?}");
        assert!(
            sentence.starts_with("cannot listen on 127.0.0.1:80: "),
            "{sentence}"
        );
        for (_, other) in kinds {
            assert_eq!(sentence.contains(other), other == advice, "{sentence}");
        }
    }
}

/// `::1:1300` is the most common mistake with IPv6.
#[test]
fn an_ipv6_address_without_brackets_is_named_as_the_mistake() {
    let names = SERVERS.iter().map(|row| row.name).chain(CLIENTS);
    for_each_at_once(names.chain(["ttl_ping"]), |name| {
        for wrong in ["::1:1300", "2001:db8::1:1300"] {
            let sentence = refused(name, &[wrong]);
            let (ip, _) = wrong.rsplit_once(':').unwrap();
            for part in ["brackets", &format!("[{ip}]:1300")] {
                assert!(sentence.contains(part), "{name}: {sentence}");
            }
        }
    });
}

/// An address such as `fe80::1` needs the name of a network interface, too. The loopback
/// interface does not have this address, so the kernel refuses it, but the argument is valid.
#[cfg(target_os = "linux")]
#[test]
fn an_ipv6_address_may_name_an_interface() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skipped("an address with an interface", "no IPv6 here");
    }
    for row in SERVERS {
        let sentence = one_sentence(&run(row.name, &["[fe80::1%lo]:0"], ""));
        assert!(sentence.contains("cannot listen on [fe80::1%"), "{sentence}");
        refused(row.name, &["[fe80::1%no_such_interface]:0"]);
        refused(row.name, &["[fe80::1%lo]:65536"]);
        refused(row.name, &["[127.0.0.1%lo]:0"]);
    }
    for client in CLIENTS {
        let args = ["[fe80::1%lo]:1300", "x", "--patience", "0.5"];
        let stderr = text(&run(client, &args, "").stderr);
        assert!(stderr.contains("[fe80::1%"), "{client}: {stderr}");
        assert!(!stderr.contains("usage"), "{client}: {stderr}");
    }

    // If an interface has a link-local address, a server and a client can use it.
    let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap();
    let Some(line) = table.lines().find(|line| line.starts_with("fe80")) else {
        return skipped("a link-local address", "no interface has one");
    };
    let fields: Vec<_> = line.split_whitespace().collect();
    let bits = u128::from_str_radix(fields[0], 16).unwrap();
    let host = format!("{}%{}", std::net::Ipv6Addr::from(bits), fields[5]);
    let server = server("tcp_server").start_at(&format!("[{host}]:0"));
    let address = format!("[{host}]:{}", server.address.port());
    let output = run("tcp_client", &[&address, "link-local"], "");
    assert_eq!(text(&output.stdout), "LINK-LOCAL\n", "{address}");
}

#[test]
fn a_client_refuses_port_0() {
    for client in CLIENTS.iter().chain(&["ttl_ping"]) {
        for address in ["0", "127.0.0.1:0", "[::1]:0", "localhost:0"] {
            let sentence = refused(client, &[address]);
            let expected = "Error: expected a port from 1 to 65535, got '0'";
            assert_eq!(sentence, expected, "{client}");
        }
    }
}

/// The broken servers: without the name of a bug, `mutant` lists all bugs.
#[test]
fn mutant_without_a_bug_lists_the_bugs() {
    for name in ["", "no_such_bug"] {
        let mut mutant = std::process::Command::new(example("mutant"));
        let output = finish(mutant.arg("0").env("MUTANT", name), "");
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(text(&output.stdout), "");
        assert!(stderr.starts_with("Error: ") && stderr.contains(name), "{stderr}");
        // Each line has the name of a bug, and the lesson that it is checked as.
        let mut bugs = 0;
        for line in stderr.lines() {
            if let [_, lesson] = line.split_whitespace().collect::<Vec<_>>()[..] {
                assert!(SERVERS.iter().any(|row| row.name == lesson), "{line}");
                bugs += 1;
            }
        }
        assert!(bugs > 30, "{stderr}");
    }
}

/// A server can start again immediately, even if a client of the previous server is still
/// connected. (Not on Windows, where `SO_REUSEADDR` means something else.)
#[test]
fn a_server_can_listen_on_its_port_again_immediately() {
    if cfg!(windows) {
        return skipped("an immediate restart", "no SO_REUSEADDR on Windows");
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

/// One client has disconnected, another one is connected.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_a_server() {
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
        let expected = "expected IP:PORT or PORT, got 'localhost:1234'";
        assert!(sentence.contains(expected), "{}: {sentence}", row.name);
        assert!(!sentence.contains("brackets"), "{}: {sentence}", row.name);
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
            let sentence = refused(row.name, &["--timeout", "0"]);
            let expected = "expected --timeout from 0.001 to 1000000 seconds, got 0";
            assert!(sentence.ends_with(expected), "{}: {sentence}", row.name);
        }
    });
    for name in OTHERS {
        refused(name, &["--bogus"]);
        refused(name, &["-x"]);
    }
    for client in CLIENTS {
        refused(client, &["banana", "text"]);
        refused(client, &["--patience", "0"]);
        refused(client, &["1234", "text", "--patience", "long"]);
    }
    refused("ttl_ping", &["1234", "text"]);
    refused("ttl_ping", &["--max", "0"]);
    refused("ttl_ping", &["--max", "256"]);
    let sentence = refused("byte_order", &["1234"]);
    assert_eq!(sentence, "Error: unexpected argument '1234'");
    let sentence = refused("names_ipv4", &["localhost", "abc"]);
    assert_eq!(sentence, "Error: 'abc' is not a valid value for IP");
    let sentence = refused("crowd", &["banana:x"]);
    assert_eq!(sentence, "Error: 'banana:x' is not a valid value for SERVER");
    refused("names_ipv4", &["localhost", "127.0.0.1", "more"]);
    refused("getaddrinfo", &["localhost", "80", "more"]);
    refused("network_errors", &["localhost", "more"]);
}

#[test]
fn options_may_come_anywhere_and_have_two_spellings() {
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
