//! README and the headers of the examples must show what really happens.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;

use crate::harness::{Server, for_each_at_once, run};
use crate::table::SERVERS;

/// The lessons, in the order of the lecture.
const LESSONS: [&str; 18] = [
    "udp_server_bytes",
    "udp_server",
    "ttl_pong",
    "tcp_server",
    "names_ipv4",
    "getaddrinfo",
    "byte_order",
    "network_errors",
    "recvall_server",
    "sequential_server",
    "listen_backlog",
    "slow_sequential_server",
    "poll_server",
    "thread_per_client",
    "slow_thread_per_client",
    "thread_pool",
    "thread_pool_timeout",
    "slow_thread_pool_timeout",
];
/// The servers beyond the lecture. Some of them need a feature.
const BEYOND: [&str; 4] =
    ["event_server", "async_server", "stop_server", "dual_stack"];
/// The server beyond the lecture that does not have a Python version.
const ONLY_IN_RUST: &str = "event_server";
const TOOLS: [&str; 5] = ["check", "crowd", "exercise", "live", "rude"];
const CLIENTS: [&str; 4] = ["udp_client", "tcp_client", "block_client", "ttl_ping"];

/// Returns the names of the Rust files in a folder, except the student's own files.
fn files(folder: &str) -> BTreeSet<String> {
    files_in(folder, "rs")
}

fn files_in(folder: &str, language: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources =
        entries.filter(|path| path.extension().is_some_and(|e| e == language));
    let names =
        sources.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| !name.starts_with("my_")).collect()
}

fn source(name: &str) -> String {
    let path = if CLIENTS.contains(&name) {
        format!("examples/clients/{name}.rs")
    } else if BEYOND.contains(&name) {
        format!("examples/beyond/{name}.rs")
    } else if name == "rude" {
        "examples/tools/rude.rs".to_owned()
    } else if TOOLS.contains(&name) {
        format!("examples/tools/{name}/main.rs")
    } else {
        format!("examples/{name}.rs")
    };
    fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

/// Returns the text of the `//!` header.
fn header(name: &str) -> String {
    let source = source(name);
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n")
        .collect()
}

/// Returns the number of lines that are neither blank nor a comment.
fn code_lines(source: &str) -> usize {
    let lines = source.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn readme_lists_the_lessons_in_order_and_no_others() {
    let readme = fs::read_to_string("README.md").unwrap();
    let mut rows = Vec::new();
    for line in readme.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if let [_, number, _, command, sentence, _] = cells[..] {
            if let Ok(number) = number.parse::<usize>() {
                rows.push(command.trim_matches('`').to_owned());
                assert_eq!(number, rows.len(), "{line}");
                assert!(!sentence.is_empty(), "{line}");
            }
        }
    }
    let expected = LESSONS.map(|name| format!("cargo run --example {name}"));
    assert_eq!(rows, expected);
    assert_eq!(files("examples"), LESSONS.map(str::to_owned).into());
    assert_eq!(files("examples/beyond"), BEYOND.map(str::to_owned).into());
    for name in BEYOND {
        let command = format!("`cargo run --example {name}");
        assert!(readme.contains(&command), "{name}");
    }
    assert_eq!(files("examples/clients"), CLIENTS.map(str::to_owned).into());
    for client in CLIENTS {
        assert!(
            readme.contains(&format!("`cargo run --example {client} -- ")),
            "{client}"
        );
    }
    for tool in TOOLS {
        let command = format!("--example {tool} -- ");
        let commands = ["\n$ cargo run ", "\n$ cargo run -q "];
        let is_shown =
            |start: &&str| readme.contains(&(start.to_string() + &command));
        assert!(commands.iter().any(is_shown), "{tool}");
    }
}

/// Returns the value of a constant. Python writes a `Duration` as a number of seconds.
fn in_seconds(value: &str) -> String {
    let duration = value.strip_prefix("Duration::").unwrap_or(value);
    let (unit, number) =
        duration.trim_end_matches(')').split_once('(').unwrap_or(("", value));
    match (unit, number.parse::<f64>()) {
        ("from_millis", Ok(number)) => (number / 1000.0).to_string(),
        (_, Ok(number)) => number.to_string(),
        _ => value.to_owned(),
    }
}

#[test]
fn every_lesson_has_a_python_version() {
    let versions =
        LESSONS.iter().chain(&BEYOND).filter(|name| **name != ONLY_IN_RUST);
    let versions: BTreeSet<_> = versions.map(|name| (*name).to_owned()).collect();
    assert_eq!(files_in("docs/python", "py"), versions);
    for (number, name) in LESSONS.iter().enumerate() {
        let header = header(name);
        let (_, title) = header.split_once("\nSlide ").unwrap();
        let title = &title[..title.find('.').unwrap()];
        assert!(title.starts_with(&format!("{}, ", number + 1)), "{name}: {title}");
        let slide = format!("\nSlide {title}");
        assert!(python_version(name).contains(&slide), "{name}: {slide}");
    }
    for name in &versions {
        let python = python_version(name);
        assert!(
            python.contains(&format!("python3 docs/python/{name}.py")),
            "{name}"
        );
        for constant in [
            "PORT",
            "BACKLOG",
            "THREADS",
            "TIMEOUT",
            "DELAY",
            "GRACE",
            "TICK",
            "PAUSE",
            "BUFFER_SIZE",
        ] {
            let value = |source: &str, start: &str| {
                let line = source.lines().find(|line| line.starts_with(start))?;
                Some(in_seconds(line.split(" = ").nth(1)?.trim_end_matches(';')))
            };
            let rust = value(&source(name), &format!("const {constant}: "));
            assert_eq!(
                value(&python, &format!("{constant} = ")),
                rust,
                "{name}: {constant}"
            );
        }
    }
}

/// Returns the Python version of a program.
fn python_version(name: &str) -> String {
    fs::read_to_string(format!("docs/python/{name}.py")).unwrap()
}

/// Functions of the lessons that Python does not need, because it has a method or a value for
/// the same purpose.
const RUST_ONLY: [(&str, &str); 2] =
    [("byte_order", "hex"), ("getaddrinfo", "socket_type")];

/// Functions that only Python needs. Rust has `sink` of tokio instead of `discard`.
const PYTHON_ONLY: [(&str, &str); 2] =
    [("async_server", "discard"), ("stop_server", "is_terminal")];

/// Returns the names of the functions of a program, in their order.
fn functions(source: &str, keyword: &str) -> Vec<String> {
    let names = source.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        let name = line.strip_prefix(keyword)?.split('(').next()?;
        Some(name.split('<').next()?.to_owned())
    });
    names.collect()
}

/// A reader can lay the two versions side by side, function by function.
#[test]
fn both_versions_have_the_same_functions_in_the_same_order() {
    let names = LESSONS.iter().chain(&BEYOND).filter(|name| **name != ONLY_IN_RUST);
    for name in names {
        let mut rust = functions(&source(name), "fn ");
        rust.retain(|function| !RUST_ONLY.contains(&(name, function)));
        let mut python = functions(&python_version(name), "def ");
        python.retain(|function| {
            let is_extra = PYTHON_ONLY.contains(&(name, function));
            function != "__init__" && !is_extra // Rust has no constructors.
        });
        assert_eq!(rust, python, "{name}");
    }
}

#[test]
fn every_server_is_in_the_table_of_the_tests() {
    for row in SERVERS {
        let beyond = BEYOND.contains(&row.name);
        assert!(beyond || LESSONS.contains(&row.name), "{}", row.name);
    }
    for name in LESSONS {
        let is_server = source(name).contains("server ready on");
        assert_eq!(is_server, SERVERS.iter().any(|row| row.name == name), "{name}");
    }
}

#[test]
fn every_header_has_all_its_parts() {
    for (number, name) in LESSONS.iter().enumerate() {
        let header = header(name);
        let slide = format!("\nSlide {}, \"", number + 1);
        assert!(header.contains(&slide), "{name}: {slide}");
    }
    for name in LESSONS.iter().chain(&BEYOND).chain(&CLIENTS).chain(&TOOLS) {
        let header = header(name);
        let first = header.split("\n\n").next().unwrap();
        assert!(first.ends_with('.') || first.ends_with('?'), "{name}: {first}");
        let command = format!("\n$ cargo run --example {name}");
        assert!(header.contains(&command), "{name}");
        assert!(
            header.contains("\nArgument")
                || header.contains("\nThis program does not have arguments."),
            "{name}"
        );
        let facts = header.split_once("\nWhat to try").expect(name).1;
        let facts = facts.lines().filter(|line| line.starts_with("- ")).count();
        assert!((2..=4).contains(&facts), "{name}: {facts} facts");
    }
    for row in SERVERS {
        let header = header(row.name);
        assert!(header.contains(&format!("`0.0.0.0:{}`", row.port)), "{}", row.name);
        for option in row.options {
            assert!(header.contains(&format!("`[--{option} ")), "{}", row.name);
        }
    }
}

/// The programs that may have more than 75 lines of code. Two ideas in one line would be
/// harder to read than another line.
const LONGER: [(&str, usize); 7] = [
    ("poll_server", 158),
    ("event_server", 180), // It has the loop of `poll_server`, and sets for the events.
    ("async_server", 99),
    ("stop_server", 120), // It has two threads more, and a second loop for the end.
    ("dual_stack", 85),
    ("slow_thread_pool_timeout", 86), // It has two options.
    ("tcp_client", 115),              // It reads and writes at the same time.
];

/// A reader must see a lesson on one screen, or on a few.
#[test]
fn every_example_keeps_to_its_length() {
    let length = |name: &str| code_lines(&source(name));
    for name in LESSONS.iter().chain(&BEYOND).chain(&CLIENTS) {
        let longer = LONGER.iter().find(|(longer, _)| longer == name);
        let most = longer.map_or(75, |(_, most)| *most);
        assert!(length(name) <= most, "{name}: {} lines of code", length(name));
    }
    let mut lengths = LESSONS.map(length);
    lengths.sort_unstable();
    assert!(lengths[8] + lengths[9] < 2 * 55, "median of {lengths:?}");

    assert!(length("rude") < 160, "rude: {} lines of code", length("rude"));
    for (folder, limit) in [
        ("src", 445),
        ("examples/tools/check", 2600),
        ("examples/tools/crowd", 1110),
        ("examples/tools/live", 2400),
        ("examples/tools/exercise", 1300),
        ("examples/tools/common", 1800),
    ] {
        let path = |name: &String| format!("{folder}/{name}.rs");
        let lines = |name| code_lines(&fs::read_to_string(path(name)).unwrap());
        let length: usize = files(folder).iter().map(lines).sum();
        assert!(length < limit, "{folder}: {length} lines of code");
    }
}

/// A command with its output, as a header or README shows it.
struct Transcript {
    name: String,
    args: Vec<String>,
    output: Vec<String>,
}

/// Returns the commands that the code blocks of a text show, with their output.
fn transcripts(text: &str) -> Vec<Transcript> {
    let mut all: Vec<Transcript> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if let Some(command) = line.strip_prefix("$ cargo run --example ") {
            let command = command.replace(" --features event", "");
            let command = command.replace(" --features async", "");
            let mut words = words(&command).into_iter().filter(|word| word != "--");
            let name = words.next().unwrap();
            all.push(Transcript { name, args: words.collect(), output: Vec::new() });
        } else if inside && !line.starts_with("$ ") {
            if let Some(transcript) = all.last_mut() {
                transcript.output.push(line.to_owned());
            }
        }
    }
    all
}

/// Splits a command at spaces, except between double quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, part) in command.split('"').enumerate() {
        if number % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
        } else {
            let mut pieces = part.split(' ');
            words.last_mut().unwrap().push_str(pieces.next().unwrap_or_default());
            words.extend(pieces.map(str::to_owned));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Replaces what differs from run to run: the port of a client, and the number of the thread
/// that serves it.
fn normalised(line: &str) -> String {
    let is_number = |word: &str| word.parse::<u16>().is_ok_and(|port| port >= 2000);
    let words = line.split(' ').map(|word| match word.rsplit_once(':') {
        Some((ip, port)) if is_number(port) => format!("{ip}:PORT"),
        _ if word.starts_with("worker-") => "worker-N:".to_owned(),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Removes the time that a check took, and the port.
fn untimed(lines: &[String]) -> Vec<String> {
    let cut = |line: &String| normalised(line.split(" (").next().unwrap());
    lines.iter().map(cut).collect()
}

fn sorted(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<_> = lines.iter().map(|line| normalised(line)).collect();
    lines.sort();
    lines
}

/// Runs a client as the transcript shows it, but with the address of `server` instead of
/// `port`. Compares the output.
#[track_caller]
fn check_client(client: &Transcript, port: &str, server: &Server) {
    // The transcript of `dual_stack` has an IPv4 client.
    let address = format!("127.0.0.1:{}", server.address.port());
    let args = client
        .args
        .iter()
        .map(|arg| if arg == port { &address } else { arg.as_str() });
    let output = run(&client.name, &args.collect::<Vec<_>>(), "");
    let printed =
        String::from_utf8([output.stderr, output.stdout].concat()).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines, client.output, "{}", client.name);
}

/// Starts the server of a transcript on a free port and checks the client. Then compares what
/// the server prints. A terminal shows stdout and stderr mixed, and the threads run at the
/// same time, so the order of the lines does not matter.
#[track_caller]
fn check(server: &Transcript, client: &Transcript) {
    let port = server.output[0].rsplit_once(':').unwrap().1;
    let mut args = vec!["0"];
    args.extend(server.args.iter().map(String::as_str));
    let running = Server::start(&server.name, &args);
    check_client(client, port, &running);

    let shown = &server.output[1..];
    for event in [" connected", " disconnected"] {
        let count = shown.iter().filter(|line| line.ends_with(event)).count();
        running.stderr.wait_for(count, event);
    }
    for line in shown.iter().filter(|line| !line.contains("127.0.0.1")) {
        running
            .stdout
            .wait_for(shown.iter().filter(|other| *other == line).count(), line);
    }
    let printed = [&running.stdout.all()[1..], &running.stderr.all()].concat();
    assert_eq!(sorted(&printed), sorted(shown), "{}", server.name);
}

#[test]
fn the_headers_show_what_happens() {
    for_each_at_once(SERVERS.into_iter(), |row| {
        let [server, client] = &transcripts(&header(row.name))[..] else {
            panic!("{}: expected two transcripts", row.name);
        };
        let address = SocketAddr::new(row.listen_ip(), row.port);
        let ready = format!("server ready on {address}");
        assert_eq!((server.name.as_str(), &server.output[0]), (row.name, &ready));
        check(server, client);
    });
    for name in CLIENTS {
        let header = header(name);
        // The transcript is that of the client. The text names the server, too.
        let mut commands = header.split("`cargo run --example ").skip(1);
        let server = commands.next().expect(name).split('`').next().unwrap();
        let row = SERVERS.into_iter().find(|row| row.name == server).expect(name);
        let [client] = &transcripts(&header)[..] else {
            panic!("{name}: expected one transcript");
        };
        check_client(client, &row.port.to_string(), &row.start());
    }
    let [check] = &transcripts(&header("check"))[..] else { panic!() };
    let args: Vec<_> = check.args.iter().map(String::as_str).collect();
    let printed = String::from_utf8(run("check", &args, "").stdout).unwrap();
    let printed: Vec<_> = printed.lines().map(str::to_owned).collect();
    assert_eq!(untimed(&printed), untimed(&check.output));
    let [byte_order] = &transcripts(&header("byte_order"))[..] else { panic!() };
    let printed = String::from_utf8(run("byte_order", &[], "").stdout).unwrap();
    assert_eq!(printed.lines().collect::<Vec<_>>(), byte_order.output);
}

#[test]
fn readme_shows_what_happens() {
    let readme = fs::read_to_string("README.md").unwrap();
    let [server, client, ..] = &transcripts(&readme)[..] else { panic!() };
    check(server, client);
    assert!(readme.contains("\n$ cargo test\n"));
}
