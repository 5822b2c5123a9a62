//! `crowd` shows what each design does to its clients.

use std::process::{Command, Output};

use crate::harness::{Server, deaf, example, run};

fn stdout(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}

/// Returns the columns of the replies, row by row.
fn replies(drawing: &str) -> Vec<Vec<usize>> {
    let is_row = |line: &&str| line.starts_with("  ") && line.contains('●');
    let columns = |line: &str| {
        let signs = line.chars().enumerate();
        signs.filter(|(_, sign)| *sign == '●').map(|(column, _)| column).collect()
    };
    drawing.lines().filter(is_row).map(columns).collect()
}

/// Three designs, next to each other on one time axis: a staircase, a wall, and two walls of
/// four. All of it fits into a terminal of 80 columns and 24 lines, with a prompt below.
#[test]
fn the_three_designs_have_their_shapes() {
    let designs =
        "slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout";
    let svg = std::env::temp_dir().join(format!("crowd-{}.svg", std::process::id()));
    let file = svg.to_str().unwrap();
    let args = ["--compare", designs, "--delay", "0.3", "--svg", file];
    let drawing = stdout(&run("crowd", &args, ""));
    assert!(drawing.lines().all(|line| line.chars().count() < 80), "{drawing}");
    assert!(drawing.lines().count() < 24, "{drawing}");

    let rows = replies(&drawing);
    assert!(rows.len() == 8 && rows.iter().all(|row| row.len() == 3), "{drawing}");
    let design = |number: usize| -> Vec<usize> {
        let mut columns: Vec<_> = rows.iter().map(|row| row[number]).collect();
        columns.sort_unstable(); // Whichever client came first.
        columns.iter().map(|column| column - number * 25).collect()
    };
    let (staircase, wall, walls) = (design(0), design(1), design(2));
    let (last, before) = (staircase[7], staircase[6]);
    let step = last - before;
    assert!(staircase.windows(2).all(|two| two[0] < two[1]), "{drawing}");
    assert!(wall[7] - wall[0] < step, "{drawing}");
    let (four, more) = walls.split_at(4);
    assert!(four[3] - four[0] < step && more[3] - more[0] < step, "{drawing}");
    assert!(more[0] > four[3] && more[3] < staircase[3], "{drawing}");
    for words in ["; one at a time\n", "; all at once\n", "; 4 at once\n"] {
        assert!(drawing.contains(words), "{drawing}");
    }
    assert!(!drawing.contains('\x1b'), "not a terminal: {drawing}");

    let picture = std::fs::read_to_string(&svg).unwrap();
    std::fs::remove_file(&svg).unwrap();
    assert_eq!(picture.matches("class=\"reply\"").count(), 24 + 1, "{picture}");
    for part in ["<title ", "<desc ", "one at a time", "prefers-color-scheme"] {
        assert!(picture.contains(part), "{part}: {picture}");
    }
    assert!(picture.lines().all(|line| !line.trim().is_empty()), "a blank line");
}

/// The header shows a real run. Only the address and the last digits differ.
#[test]
fn the_header_shows_what_happens() {
    let server = Server::start("slow_thread_pool_timeout", &["0", "--delay", "1"]);
    let address = server.address.to_string();
    let drawing = stdout(&run("crowd", &[&address, "--clients", "5"], ""));
    // Times to a tenth of a second; a line is as long as it is, more or less.
    let shape = |text: &str| -> Vec<String> {
        let text = text.replace(&address, "127.0.0.1:1241");
        let number = |word: &str| word.parse().map(|time: f64| format!("{time:.1}"));
        let word = |word: &str| number(word).unwrap_or(word.replace("━━", ""));
        let line =
            |line: &str| -> Vec<_> { line.split_whitespace().map(word).collect() };
        text.lines().map(|text| line(text).join(" ")).collect()
    };
    let source = std::fs::read_to_string("examples/tools/crowd/main.rs").unwrap();
    let header = source.lines().map_while(|line| line.strip_prefix("//!"));
    let shown = header.skip_while(|line| !line.contains("--example crowd")).skip(1);
    let shown: Vec<_> = shown.take_while(|line| *line != " ```").collect();
    assert_eq!(shape(&drawing), shape(&shown.join("\n")), "{drawing}");
}

/// One silent client blocks a sequential server, and four block a pool of four. No number blocks
/// a server that serves all clients. A timeout ends the wait.
#[test]
fn silent_clients_keep_others_waiting_as_the_design_says() {
    for (args, words) in [
        (
            &["listen_backlog", "--silent", "1"][..],
            "1 silent client; others that got a reply meanwhile: 0 of 7",
        ),
        (
            &["thread_pool", "--silent", "4"],
            "4 silent clients; others that got a reply meanwhile: 0 of 4",
        ),
        (
            &["thread_pool", "--silent", "3"],
            "3 silent clients; others that got a reply meanwhile: 5 of 5",
        ),
        (
            &["poll_server", "--silent", "4"],
            "4 silent clients; others that got a reply meanwhile: 4 of 4",
        ),
    ] {
        let drawing = stdout(&run("crowd", args, ""));
        assert!(drawing.contains(words), "{drawing}");
    }
    let args = ["thread_pool_timeout", "--silent", "4", "--timeout", "1"];
    let output = run("crowd", &args, "");
    assert!(stderr(&output, 1).contains("4 clients got no reply"));
    let drawing = String::from_utf8(output.stdout).unwrap();
    assert_eq!(replies(&drawing).len(), 4, "{drawing}");
    assert!(
        drawing.contains("4 clients got no reply: the server closed"),
        "{drawing}"
    );
}

/// A server can keep a connection, close it after a reply, or expect length-prefixed messages.
#[test]
fn every_kind_of_server_gets_its_kind_of_client() {
    for name in ["poll_server", "thread_pool", "recvall_server"] {
        let args = [name, "--clients", "2", "--messages", "3"];
        let drawing = stdout(&run("crowd", &args, ""));
        assert_eq!(replies(&drawing).len(), 2, "{name}: {drawing}");
        let args = [name, "--seconds", "0.3", "--clients", "2"];
        let table = stdout(&run("crowd", &args, ""));
        assert!(
            table.contains("\n  clients served: 2 of 2; connections: "),
            "{name}: {table}"
        );
        assert!(table.contains("errors: 0\n"), "{name}: {table}");
    }
    // A server that can sleep does not sleep while `crowd` measures its speed.
    let args = ["slow_thread_per_client", "--seconds", "0.3", "--clients", "2"];
    let table = stdout(&run("crowd", &args, ""));
    assert!(table.contains("\n  clients served: 2 of 2; "), "{table}");
    // At an address, crowd learns that the server closes the connection.
    let server = Server::start("thread_pool", &["0"]);
    let address = server.address.to_string();
    let args = [address.as_str(), "--seconds", "0.3", "--clients", "2"];
    assert!(stdout(&run("crowd", &args, "")).contains("errors: 0\n"));
}

#[test]
fn a_comparison_has_a_row_for_each() {
    let server = Server::start("thread_per_client", &["0"]);
    let rate = |cells: &[&str]| cells[1].parse::<f64>().unwrap();
    let mut first = None;
    let places = format!("poll_server,{}", server.address);
    let args =
        ["--compare", &places, "--seconds", "0.5", "--clients", "3", "--idle", "20"];
    let table = stdout(&run("crowd", &args, ""));
    for name in places.split(',') {
        let row = table.lines().find(|line| line.starts_with(&format!("{name} ")));
        let cells: Vec<_> = row.expect(&table).split_whitespace().collect();
        let first = *first.get_or_insert(rate(&cells));
        // A reader can compute the ratio from the printed numbers.
        assert!(rate(&cells) > 0.0, "{table}");
        assert_eq!(cells[2], format!("{:.2}", rate(&cells) / first), "{table}");
    }
}

/// A client compares each reply, in a drawing and under load.
#[test]
fn wrong_bytes_are_not_a_reply() {
    let mut mutant = Command::new(example("mutant"));
    let echo = Server::spawn(mutant.arg("0").env("MUTANT", "echo"));
    let address = echo.address.to_string();
    let output = run("crowd", &[&address, "--clients", "2"], "");
    assert!(stderr(&output, 1).contains("2 clients got no reply"));
    let drawing = String::from_utf8(output.stdout).unwrap();
    assert!(
        drawing.contains("2 clients got no reply: the reply had wrong bytes"),
        "{drawing}"
    );
    let args = [&address, "--seconds", "0.2", "--clients", "2"];
    let said = stderr(&run("crowd", &args, ""), 1);
    assert!(said.contains("the reply had wrong bytes"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_probe_finds_the_end_of_the_queue() {
    let args = ["listen_backlog", "--backlog-probe", "--backlog", "3"];
    let said = stdout(&run("crowd", &args, ""));
    assert!(said.contains("\n4 connections completed immediately"), "{said}");
    assert_eq!(said.matches(" waited ").count(), 3 + 1, "{said}");
    assert!(said.ends_with("\nmeasured on linux\n"), "{said}");
    let output = run("crowd", &["poll_server", "--backlog-probe"], "");
    assert!(stderr(&output, 1).contains("several"));
}

#[test]
fn an_error_is_one_sentence() {
    let (_deaf, address) = deaf();
    let address = address.to_string();
    for args in [&[address.as_str()][..], &[&address, "--seconds", "1"]] {
        let said = stderr(&run("crowd", args, ""), 1);
        assert!(said.contains(&address), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let said = stderr(&run("crowd", &["udp_server"], ""), 1);
    assert!(said.contains("UDP"), "{said}");
    for args in [
        &["127.0.0.1"][..],
        &["1", "2"],
        &["127.0.0.1:65536"],
        &["--clients", "0"],
        &["--seconds", "1", "--size", "0"],
        &["--seconds", "1", "--svg", "x"],
        &["--idle", "3"],
        &["--compare", ""],
    ] {
        let said = stderr(&run("crowd", args, ""), 2);
        assert!(said.contains("\nusage: cargo run --example crowd"), "{said}");
    }
}

/// The label of a server is an address, even if the user gives only a port.
#[test]
fn a_port_is_shown_as_an_address() {
    let server = Server::start("poll_server", &["0"]);
    let (address, port) =
        (server.address.to_string(), server.address.port().to_string());
    let drawing = stdout(&run("crowd", &[&port, "--clients", "1"], ""));
    assert!(
        drawing.contains(&format!("\n{address}: 1 client, 1 message each\n")),
        "{drawing}"
    );
    let table =
        stdout(&run("crowd", &[&port, "--seconds", "0.2", "--clients", "1"], ""));
    assert!(table.contains(&format!("\n{address} ")), "{table}");
}

/// In a picture, no line of the time axis crosses a text.
#[test]
fn no_line_crosses_a_text_of_a_picture() {
    let svg =
        std::env::temp_dir().join(format!("crowd-{}-2.svg", std::process::id()));
    let file = svg.to_str().unwrap();
    let args =
        ["--compare", "poll_server,thread_pool", "--clients", "5", "--svg", file];
    stdout(&run("crowd", &args, ""));
    let picture = std::fs::read_to_string(&svg).unwrap();
    std::fs::remove_file(&svg).unwrap();
    let number = |line: &str, before: &str, after: char| -> f64 {
        let rest = line.split_once(before).unwrap().1;
        rest.split(after).next().unwrap().parse().unwrap()
    };
    let is = |line: &&str, class: &str| line.contains(&format!("class=\"{class}\""));
    let texts = picture
        .lines()
        .filter(|line| line.starts_with("<text ") && !is(line, "number"));
    let texts: Vec<_> = texts.map(|line| number(line, " y=\"", '"')).collect();
    let lines = picture.lines().filter(|line| is(line, "grid"));
    let mut count = 0;
    for line in lines {
        // M, x, top, V, bottom.
        let top = number(line.split_once(" d=\"").unwrap().1, " ", 'V');
        let bottom = number(line, "V", '"');
        // A text of 14 px is above its `y`, and its descenders are up to 4 px below.
        let crossed = texts.iter().find(|y| top < **y + 4.0 && **y - 12.0 < bottom);
        assert_eq!(crossed, None, "{line}\n{picture}");
        count += 1;
    }
    assert!(count > 2, "{picture}");
}

/// A reader that has closed the pipe is not an error. A full disk is, and no server stays.
#[cfg(target_os = "linux")]
#[test]
fn a_closed_or_full_output_is_not_a_panic() {
    use std::fs::File;
    use std::process::Stdio;
    let full =
        || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let closed = || {
        let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let pipe = reader.stdin.take().unwrap();
        reader.wait().unwrap();
        Stdio::from(pipe)
    };
    let crowd = ["poll_server", "--clients", "2"];
    let load = ["poll_server", "--clients", "2", "--seconds", "0.2"];
    let check = ["udp_server", "--only", "unicode"];
    for (name, args) in [
        ("crowd", &crowd[..]),
        ("crowd", &load),
        ("check", &check),
        ("check", &["--list"]),
    ] {
        for (pipe, code) in [(closed(), Some(0)), (full(), None)] {
            let mut command = Command::new(example(name));
            command.args(args).env_remove("CARGO").stdin(Stdio::null());
            let output =
                command.stdout(pipe).stderr(Stdio::piped()).spawn().unwrap();
            let output = output.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!said.contains("panicked"), "{name}: {said}");
            assert!(
                code.is_none_or(|code| output.status.code() == Some(code)),
                "{said}"
            );
            let sentences = usize::from(code.is_none());
            assert_eq!(said.lines().count(), sentences, "{name} {args:?}: {said}");
            assert_eq!(
                output.status.success(),
                code.is_some(),
                "{name} {args:?}: {said}"
            );
        }
    }
}
