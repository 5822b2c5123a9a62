//! `crowd`: what it shows of a design is what the design does.

use std::process::Output;

use crate::harness::{Server, deaf, run};

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
    for design in columns.chunks_mut(8) {
        design.sort_unstable(); // Whoever came first.
    }
    let step = columns[7] - columns[6];
    assert!(columns[..8].windows(2).all(|two| two[0] < two[1]), "{drawing}");
    assert!(columns[15] - columns[8] < step, "{drawing}");
    let (four, more) = columns[16..].split_at(4);
    assert!(four[3] - four[0] < step && more[3] - more[0] < step, "{drawing}");
    assert!(more[0] > four[3] && more[3] < columns[3], "{drawing}");
    for words in [": one at a time", ": all at once", ": 4 at once"] {
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

/// Whether a server keeps a connection, closes it after an answer, or wants blocks.
#[test]
fn every_kind_of_server_is_talked_to() {
    for name in ["poll_server", "thread_pool", "recvall_server"] {
        let args = [name, "--clients", "2", "--messages", "3"];
        let drawing = stdout(&run("crowd", &args, ""));
        assert_eq!(answers(&drawing).len(), 2, "{name}: {drawing}");
        let args = [name, "--seconds", "0.3", "--clients", "2"];
        let table = stdout(&run("crowd", &args, ""));
        assert!(table.contains(": 2 of 2 clients served"), "{name}: {table}");
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

#[cfg(target_os = "linux")]
#[test]
fn the_probe_finds_the_end_of_the_queue() {
    let args = ["listen_backlog", "--backlog-probe", "--backlog", "3"];
    let said = stdout(&run("crowd", &args, ""));
    assert!(said.contains("\n4 connected at once"), "{said}");
    assert_eq!(said.matches(": nothing for ").count(), 3, "{said}");
    assert!(said.ends_with("seen on linux: listen(3) lets 4 wait\n"), "{said}");
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
