//! The programs that print and exit, with or without a network.

use std::net::TcpListener;

use crate::harness::{deaf, run};

/// Returns the standard output of a program that must succeed and print nothing on stderr.
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
fn names_ipv4_makes_five_lookups_and_prints_each_result() {
    let stdout = output("names_ipv4", &["localhost", "127.0.0.1"]);
    let lines: Vec<_> = stdout.lines().collect();
    let lookups = [
        "gethostname(): ",
        "getfqdn(): ",
        "gethostbyname('localhost'): 127.0.0.1",
        "gethostbyaddr('127.0.0.1'): ",
        "gethostbyname(getfqdn()): ",
    ];
    assert_eq!(lines.len(), lookups.len(), "{stdout}");
    for (line, lookup) in lines.iter().zip(lookups) {
        assert!(line.starts_with(lookup), "{stdout}");
        assert!(!line.ends_with(": "), "{stdout}");
    }
}

/// Names that end with `.invalid` never exist (RFC 6761), with or without a network.
#[test]
fn after_a_name_that_cannot_be_resolved_the_program_goes_on() {
    let stdout = output("names_ipv4", &["nosuch.invalid", "192.0.2.1"]);
    let failed = |lookup: &str| {
        let line = stdout.lines().find(|line| line.starts_with(lookup)).unwrap();
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
fn names_with_labels_that_are_too_long_cannot_be_resolved() {
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
    // The second entry is not for a stream. Windows does not return a second entry.
    assert!(stdout.contains("second entry"), "{stdout}");
}

#[test]
fn getaddrinfo_says_why_it_could_not_connect() {
    let (_deaf, address) = deaf();
    let stdout = output("getaddrinfo", &["127.0.0.1", &address.port().to_string()]);
    let failed = format!("\ncould not connect to {address}: ");
    assert!(stdout.contains(&failed), "{stdout}");
}

#[test]
fn network_errors_causes_three_errors_and_names_each_in_both_languages() {
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

/// If the name exists, the program says so and continues.
#[test]
fn network_errors_continues_if_there_is_no_error() {
    let stdout = output("network_errors", &["localhost"]);
    assert!(stdout.contains("no error: "), "{stdout}");
    assert!(stdout.contains("ConnectionRefusedError"), "{stdout}");
}
