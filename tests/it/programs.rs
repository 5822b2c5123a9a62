//! The programs that end, with or without a network.

use std::net::TcpListener;

use crate::harness::{deaf, run};

/// Standard output of a program that must succeed and complain about nothing.
#[track_caller]
fn output(name: &str, args: &[&str]) -> String {
    let output = run(name, args, "");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{name} {args:?}: {stderr}");
    assert_eq!(stderr, "", "{name} {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn byte_order_prints_the_lines_of_the_slide() {
    let expected = "\
hex(1234)                  0x4d2
pack('<i', 1234)           d2 04 00 00
pack('>i', 1234)           00 00 04 d2
pack('!i', 1234)           00 00 04 d2
unpack('>i', 00 00 04 d2)  1234
unpack('!i', 00 00 04 d2)  1234
unpack('<i', 00 00 04 d2)  -771489792
";
    assert_eq!(output("byte_order", &[]), expected);
}

#[test]
fn names_ipv4_asks_five_questions_and_has_an_answer_to_each() {
    let stdout = output("names_ipv4", &["localhost", "127.0.0.1"]);
    let lines: Vec<_> = stdout.lines().collect();
    let questions = [
        "gethostname(): ",
        "getfqdn(): ",
        "gethostbyname('localhost'): 127.0.0.1",
        "gethostbyaddr('127.0.0.1'): ",
        "gethostbyname(getfqdn()): ",
    ];
    assert_eq!(lines.len(), questions.len(), "{stdout}");
    for (line, question) in lines.iter().zip(questions) {
        assert!(line.starts_with(question), "{stdout}");
        assert!(!line.ends_with(": "), "{stdout}");
    }
}

/// `.invalid` never exists (RFC 6761): not without a network, and not with one.
#[test]
fn a_name_that_cannot_be_resolved_is_told_of_and_the_rest_goes_on() {
    let stdout = output("names_ipv4", &["nosuch.invalid", "192.0.2.1"]);
    let failed = |question: &str| {
        let line = stdout.lines().find(|line| line.starts_with(question)).unwrap();
        assert!(line.contains("could not be resolved: "), "{stdout}");
        assert!(!line.ends_with("resolved: "), "{stdout}");
    };
    failed("gethostbyname('nosuch.invalid')");
    failed("gethostbyaddr('192.0.2.1')");
    assert_eq!(stdout.lines().count(), 5, "{stdout}");

    let stdout = output("getaddrinfo", &["nosuch.invalid", "80"]);
    assert!(
        stdout.contains("('nosuch.invalid', '80'): could not be resolved: "),
        "{stdout}"
    );
    assert!(stdout.contains("\ngetaddrinfo('google.fr', '80'):"), "{stdout}");
    assert!(stdout.contains("\ngetaddrinfo('lincs.fr', '80'):"), "{stdout}");
    assert!(!stdout.contains("connecting"), "{stdout}");
}

#[test]
fn names_with_labels_that_are_too_long_are_no_more_than_unknown() {
    let long = format!("{}.example", "x".repeat(70));
    for name in ["names_ipv4", "getaddrinfo", "network_errors"] {
        assert!(
            output(name, &[&long]).contains("could not be resolved: "),
            "{name}"
        );
    }
}

#[test]
fn getaddrinfo_connects_to_one_entry_and_says_which() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stdout = output("getaddrinfo", &["127.0.0.1", &address.port().to_string()]);
    assert!(stdout.contains("AF_INET "), "{stdout}");
    assert!(stdout.contains(&format!("connecting to {address}\n")), "{stdout}");
    assert!(stdout.contains(&format!("\nconnected to {address}\n")), "{stdout}");
    // The second entry of an address with a bare port is not for a stream.
    assert!(stdout.contains("the second entry "), "{stdout}");
}

#[test]
fn getaddrinfo_says_why_it_could_not_connect() {
    let (_deaf, address) = deaf();
    let stdout = output("getaddrinfo", &["127.0.0.1", &address.port().to_string()]);
    let failed = format!("\ncould not connect to {address}: ");
    assert!(stdout.contains(&failed), "{stdout}");
}

#[test]
fn network_errors_makes_three_and_names_each_in_both_languages() {
    let stdout = output("network_errors", &["nosuch.invalid"]);
    let timed_out = if cfg!(windows) { "TimedOut" } else { "WouldBlock" };
    for (python, rust) in [
        ("socket.gaierror", "dns_lookup::LookupError"),
        ("ConnectionRefusedError", "io::ErrorKind::ConnectionRefused"),
        ("socket.timeout", &format!("io::ErrorKind::{timed_out}")),
    ] {
        let line = stdout.lines().find(|line| line.contains(python)).expect(&stdout);
        assert!(line.contains(rust), "{stdout}");
    }
    assert!(stdout.contains("could not be resolved: "), "{stdout}");
    assert!(stdout.contains("can look the same"), "{stdout}");
    assert!(!stdout.contains("does not exist"), "{stdout}");
}

/// Should the name exist one day, it says so and goes on.
#[test]
fn network_errors_does_not_insist() {
    let stdout = output("network_errors", &["localhost"]);
    assert!(stdout.contains("no error: "), "{stdout}");
    assert!(stdout.contains("ConnectionRefusedError"), "{stdout}");
}
