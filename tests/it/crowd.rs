//! `crowd`: what it shows of a design is what the design does.

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

/// The rows of a drawing: the columns of each, up to its answer.
fn answers(drawing: &str) -> Vec<usize> {
    let is_row = |line: &&str| line.starts_with("     ") && line.contains('●');
    let column = |line: &str| line.chars().position(|c| c == '●').unwrap();
    drawing.lines().filter(is_row).map(column).collect()
}

/// A staircase, a wall, and two walls of four; on one axis, and in the picture.
#[test]
fn the_three_designs_have_their_shapes() {
    let designs =
        "slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout";
    let svg = std::env::temp_dir().join(format!("crowd-{}.svg", std::process::id()));
    let file = svg.to_str().unwrap();
    let args = ["--compare", designs, "--delay", "0.3", "--svg", file];
    let drawing = stdout(&run("crowd", &args, ""));
    let mut columns = answers(&drawing);
    assert_eq!(columns.len(), 24, "{drawing}");
    assert!(drawing.lines().all(|line| line.chars().count() < 80), "{drawing}");
    for design in columns.chunks_mut(8) {
        design.sort_unstable(); // Whoever came first.
    }
    let step = columns[7] - columns[6];
    assert!(columns[..8].windows(2).all(|two| two[0] < two[1]), "{drawing}");
    assert!(columns[15] - columns[8] < step, "{drawing}");
    let (four, more) = columns[16..].split_at(4);
    assert!(four[3] - four[0] < step && more[3] - more[0] < step, "{drawing}");
    assert!(more[0] > four[3] && more[3] < columns[3], "{drawing}");
    for words in [": one at a time\n", ": all at once\n", ": 4 at once\n"] {
        assert!(drawing.contains(words), "{drawing}");
    }
    assert!(!drawing.contains('\x1b'), "not a terminal: {drawing}");

    let picture = std::fs::read_to_string(&svg).unwrap();
    std::fs::remove_file(&svg).unwrap();
    assert_eq!(picture.matches("class=\"answer\"").count(), 24 + 1, "{picture}");
    for part in ["<title ", "<desc ", "one at a time", "prefers-color-scheme"] {
        assert!(picture.contains(part), "{part}: {picture}");
    }
    assert!(picture.lines().all(|line| !line.trim().is_empty()), "a blank line");
}

/// The transcript of the header, but for the address and the last digits.
#[test]
fn the_header_shows_what_happens() {
    let server = Server::start("slow_thread_pool_timeout", &["0", "--delay", "1"]);
    let address = server.address.to_string();
    let drawing = stdout(&run("crowd", &[&address, "--clients", "5"], ""));
    // Times to a tenth of a second; a line is as long as it is, more or less.
    let shape = |text: &str| -> Vec<String> {
        let text = text.replace(&address, "1241");
        let number = |word: &str| word.parse().map(|time: f64| format!("{time:.1}"));
        let word = |word: &str| number(word).unwrap_or(word.replace("━━", ""));
        let line =
            |line: &str| -> Vec<_> { line.split_whitespace().map(word).collect() };
        text.lines().map(|text| line(text).join(" ")).collect()
    };
    let source = std::fs::read_to_string("examples/crowd/main.rs").unwrap();
    let header = source.lines().map_while(|line| line.strip_prefix("//!"));
    let shown = header.skip_while(|line| !line.starts_with(" $ ")).skip(1);
    let shown: Vec<_> = shown.take_while(|line| *line != " ```").collect();
    assert_eq!(shape(&drawing), shape(&shown.join("\n")), "{drawing}");
}

/// Who is silent for a while keeps a server of one client from the others, and four a pool of
/// four; nobody one that serves all, or one that has had enough of them.
#[test]
fn silent_clients_keep_others_waiting_as_the_design_says() {
    for (args, words) in [
        (&["listen_backlog", "--silent", "1"][..], "1 silent, 0 of 7 served"),
        (&["thread_pool", "--silent", "4"], "4 silent, 0 of 4 served"),
        (&["thread_pool", "--silent", "3"], "3 silent, 5 of 5 served"),
        (&["poll_server", "--silent", "4"], "4 silent, 4 of 4 served"),
    ] {
        let drawing = stdout(&run("crowd", args, ""));
        assert!(drawing.contains(words), "{drawing}");
    }
    let args = ["thread_pool_timeout", "--silent", "4", "--timeout", "1"];
    let output = run("crowd", &args, "");
    assert!(stderr(&output, 1).contains("4 got no answer"));
    let drawing = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers(&drawing).len(), 4, "{drawing}");
    assert!(drawing.contains("4 lost: the server closed"), "{drawing}");
}

/// Whether a server keeps a connection, closes it after an answer, or wants blocks.
#[test]
fn every_kind_of_server_is_talked_to() {
    for name in ["poll_server", "thread_pool", "recvall_server"] {
        let args = [name, "--clients", "2", "--messages", "3"];
        let drawing = stdout(&run("crowd", &args, ""));
        assert_eq!(answers(&drawing).len(), 2, "{name}: {drawing}");
        let args = [name, "--seconds", "0.3", "--clients", "2"];
        let table = stdout(&run("crowd", &args, ""));
        assert!(
            table.contains("\n  2 of 2 served beside 0 idle"),
            "{name}: {table}"
        );
        assert!(table.contains(" 0 errors"), "{name}: {table}");
    }
    // At an address, it is learned that the server closes.
    let server = Server::start("thread_pool", &["0"]);
    let address = server.address.to_string();
    let args = [address.as_str(), "--seconds", "0.3", "--clients", "2"];
    assert!(stdout(&run("crowd", &args, "")).contains(" 0 errors"));
}

#[test]
fn a_comparison_has_a_row_for_each() {
    let server = Server::start("thread_per_client", &["0"]);
    let places = format!("poll_server,{}", server.address);
    let args =
        ["--compare", &places, "--seconds", "0.5", "--clients", "3", "--idle", "20"];
    let table = stdout(&run("crowd", &args, ""));
    for name in places.split(',') {
        let row = table.lines().find(|line| line.starts_with(&format!("{name} ")));
        let cells: Vec<_> = row.expect(&table).split_whitespace().collect();
        assert!(cells[1].parse::<u64>().unwrap() > 0, "{table}");
    }
}

/// A client compares each answer, in a drawing and under load.
#[test]
fn other_bytes_than_those_of_the_answer_are_no_answer() {
    let mut mutant = Command::new(example("mutant"));
    let echo = Server::spawn(mutant.arg("0").env("MUTANT", "echo"));
    let address = echo.address.to_string();
    let output = run("crowd", &[&address, "--clients", "2"], "");
    assert!(stderr(&output, 1).contains("2 got no answer"));
    let drawing = String::from_utf8(output.stdout).unwrap();
    assert!(drawing.contains("2 lost: other bytes came"), "{drawing}");
    let args = [&address, "--seconds", "0.2", "--clients", "2"];
    let said = stderr(&run("crowd", &args, ""), 1);
    assert!(said.contains("other bytes came"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_probe_finds_the_end_of_the_queue() {
    let args = ["listen_backlog", "--backlog-probe", "--backlog", "3"];
    let said = stdout(&run("crowd", &args, ""));
    assert!(said.contains("\n4 connected at once"), "{said}");
    assert_eq!(said.matches(": nothing for ").count(), 3, "{said}");
    assert!(said.ends_with("\nseen on linux\n"), "{said}");
    let output = run("crowd", &["poll_server", "--backlog-probe"], "");
    assert!(stderr(&output, 1).contains("several"));
}

#[test]
fn what_goes_wrong_is_told_in_a_sentence() {
    let (_deaf, nobody) = deaf();
    let nobody = nobody.to_string();
    for args in [&[nobody.as_str()][..], &[&nobody, "--seconds", "1"]] {
        let said = stderr(&run("crowd", args, ""), 1);
        assert!(said.contains(&nobody), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let said = stderr(&run("crowd", &["udp_server"], ""), 1);
    assert!(said.contains("datagrams"), "{said}");
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
