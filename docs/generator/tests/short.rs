//! The programs in short: they build, they talk to our clients, and each fails exactly the
//! checks that the table says.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use sockets101_book::lessons::{Kind, Row, SERVERS};
use sockets101_book::puzzle::PUZZLES;
use sockets101_book::script::PATHS;
use sockets101_book::steps::{Scratch, Short, cargo, example, shorts};
use sockets101_book::{read, top};

#[allow(dead_code)] // Each test uses a part of it.
mod programs;

use programs::{
    Program, build_tools, compare_all, failures, for_each, has_python, skipped, text,
};

/// The largest width of a line. Two programs fit side by side.
const COLUMNS: usize = 60;

/// The functions of the library that every program in short may use.
const HELPERS: [&str; 3] = ["recvall", "put_block", "get_block"];

/// The function of the library that only lessons 17 and 18 may use in addition.
const ACCEPT: &str = "accept_within";

const RUST: &str = "Rust";
const PYTHON: &str = "Python";

/// What a test changes in a program before it runs the program: the old text and the new text.
type Change = (&'static str, &'static str);

const RUST_DELAY: Change = (
    "DELAY: Duration = Duration::from_secs(5)",
    "DELAY: Duration = Duration::from_secs(1)",
);
const PYTHON_DELAY: Change = ("    sleep(5", "    sleep(1");
const RUST_TIMEOUT: Change = (
    "TIMEOUT: Duration = Duration::from_secs(20)",
    "TIMEOUT: Duration = Duration::from_secs(1)",
);
const PYTHON_TIMEOUT: Change = ("settimeout(20)", "settimeout(1)");

/// Returns the path of the Rust program in the project.
fn rust_file(short: &Short) -> String {
    format!("examples/steps/{}/{}.rs", short.row.name, short.number)
}

/// Returns the path of the Python program in the project.
fn python_file(short: &Short) -> String {
    format!("docs/python/short/{}.py", short.row.name)
}

/// Returns the names of the entries of a folder.
fn entries(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(top().join(folder)).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

// The text of the programs.

#[test]
fn every_server_has_a_program_in_short_in_both_languages() {
    let lessons = SERVERS.iter().filter(|row| row.lesson > 0).map(|row| row.name);
    let table = shorts().into_iter().map(|short| short.row.name);
    assert_eq!(table.collect::<Vec<_>>(), lessons.collect::<Vec<_>>());

    let mut folders: BTreeSet<_> =
        shorts().iter().map(|short| short.row.name.to_owned()).collect();
    folders.insert("rustfmt.toml".to_owned());
    assert_eq!(entries("examples/steps"), folders);
    for short in &shorts() {
        assert!(top().join(rust_file(short)).is_file(), "{}", rust_file(short));
    }
    let mut python: BTreeSet<_> =
        shorts().iter().map(|short| format!("{}.py", short.row.name)).collect();
    python.extend(
        entries("docs/python/short")
            .into_iter()
            .filter(|name| name == "__pycache__"),
    );
    assert_eq!(entries("docs/python/short"), python);
}

/// Splits a Rust program into its header and its other lines.
fn split_rust(source: &str) -> (String, Vec<&str>) {
    let header = source.lines().map_while(|line| line.strip_prefix("//! "));
    let header: Vec<_> = header.collect();
    let rest = source.lines().skip(header.len()).collect();
    (header.join(" "), rest)
}

/// Splits a Python program into its header and its other lines.
fn split_python(source: &str) -> (String, Vec<&str>) {
    let rest = source.strip_prefix("\"\"\"").unwrap();
    let (header, rest) = rest.split_once("\"\"\"\n").unwrap();
    (header.replace('\n', " "), rest.lines().collect())
}

/// Returns the number of lines that are neither blank nor a comment.
fn code_lines(lines: &[&str], comment: &str) -> usize {
    let lines = lines.iter().map(|line| line.trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with(comment)).count()
}

#[test]
fn the_programs_are_short_and_narrow() {
    for short in &shorts() {
        let (rust, python) =
            (read(&rust_file(short)).unwrap(), read(&python_file(short)).unwrap());
        for (file, source) in
            [(rust_file(short), &rust), (python_file(short), &python)]
        {
            for line in source.lines() {
                assert!(line.chars().count() <= COLUMNS, "{file}: {line}");
            }
        }
        let (rust_header, rust) = split_rust(&rust);
        let (python_header, python) = split_python(&python);
        assert_eq!(rust_header, python_header, "{}", short.row.name);
        assert!(rust_header.ends_with('.'), "{rust_header}");
        assert!(!rust_header.contains(". "), "one sentence: {rust_header}");
        let length = code_lines(&python, "#");
        assert!(
            (10..=25).contains(&length),
            "{}: {length} lines of Python",
            short.row.name
        );
        let length = code_lines(&rust, "//");
        assert!(length <= 50, "{}: {length} lines of Rust", short.row.name);
    }
}

#[test]
fn the_programs_have_the_addresses_and_queues_of_the_lessons() {
    for short in &shorts() {
        let Row { port, backlog, .. } = short.row;
        let (rust, python) =
            (read(&rust_file(short)).unwrap(), read(&python_file(short)).unwrap());
        let address = format!("\"127.0.0.1:{port}\"");
        assert!(
            rust.contains(&format!("const ADDRESS: &str = {address};")),
            "{}",
            short.row.name
        );
        assert!(
            python.contains(&format!(
                "ADDRESS = sys.argv[1] if sys.argv[1:] else {address}\n"
            )),
            "{}",
            short.row.name
        );
        for source in [rust, python] {
            let listen = source.contains(&format!(".listen({backlog})"));
            assert_eq!(listen, backlog > 0, "{}: listen({backlog})", short.row.name);
        }
    }
}

/// The reader must see the idea, so the programs use only a few functions of the library.
#[test]
fn the_programs_use_few_helpers() {
    for short in &shorts() {
        for (file, start) in [
            (rust_file(short), "use sockets101::"),
            (python_file(short), "from sockets101 import "),
        ] {
            let source = read(&file).unwrap();
            for line in source.lines().filter_map(|line| line.strip_prefix(start)) {
                let names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                for name in names.filter(|name| !name.is_empty()) {
                    let may_accept = short.row.options.contains(&"timeout");
                    let is_allowed =
                        HELPERS.contains(&name) || (name == ACCEPT && may_accept);
                    assert!(is_allowed, "{file}: {name}");
                }
            }
            assert!(source.matches("sockets101").count() <= 1, "{file}");
        }
    }
}

/// A student's `cargo build` and `cargo test` do not build the programs in short.
#[test]
fn the_programs_are_not_examples_of_the_package() {
    let mut metadata = cargo();
    metadata.args(["metadata", "--offline", "--no-deps", "--format-version", "1"]);
    let output = metadata.current_dir(top()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let targets = text(&output.stdout).replace("\\\\", "/");
    assert!(targets.contains("examples/tcp_server.rs"));
    assert!(!targets.contains("examples/steps/"));
}

// How the programs run.

/// The package with all programs in Rust, in all forms.
fn scratch() -> &'static Scratch {
    static BUILT: OnceLock<Scratch> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut sources = Vec::new();
        for short in &shorts() {
            for form in forms(short) {
                let changes = changes(short, *form, true);
                sources.push((
                    name(short, *form),
                    changed(&rust_file(short), &changes),
                ));
            }
        }
        Scratch::build("short", &sources).unwrap_or_else(|err| panic!("{err}"))
    })
}

/// Writes a Python program that differs from that of the project. Returns its path.
fn write(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.py"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Waits until no other test of this file runs programs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The form of a program in short.
#[derive(Clone, Copy)]
enum Form {
    /// As the reader sees it, but a slow server sleeps for 1 second instead of 5.
    Quick,
    /// Like `Quick`, but the timeout is 1 second instead of 20.
    Brief,
}

/// Returns what this form changes in the Rust or the Python program.
fn changes(short: &Short, form: Form, is_rust: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    if short.row.is_slow() {
        changes.push(if is_rust { RUST_DELAY } else { PYTHON_DELAY });
    }
    if matches!(form, Form::Brief) {
        changes.push(if is_rust { RUST_TIMEOUT } else { PYTHON_TIMEOUT });
    }
    changes
}

/// Returns a program with these changes.
fn changed(file: &str, changes: &[Change]) -> String {
    let mut source = read(file).unwrap();
    for (old, new) in changes {
        assert_eq!(source.matches(old).count(), 1, "{file}: {old}");
        source = source.replace(old, new);
    }
    source
}

/// Returns the name of a program of this form.
fn name(short: &Short, form: Form) -> String {
    let start = if matches!(form, Form::Brief) { "brief_" } else { "" };
    format!("{start}{}", short.row.name)
}

/// Returns the forms in which the tests run a program.
fn forms(short: &Short) -> &'static [Form] {
    let has_timeout = short.row.options.contains(&"timeout");
    if has_timeout { &[Form::Quick, Form::Brief] } else { &[Form::Quick] }
}

/// Returns the programs in this form, in both languages.
fn programs(form: Form) -> Vec<Program> {
    build_tools();
    let mut programs = Vec::new();
    let has_python = has_python("the programs in short in Python");
    for short in shorts() {
        if matches!(form, Form::Brief) && forms(&short).len() == 1 {
            continue;
        }
        let program = |language, command| {
            let title = format!("{} ({language})", short.row.name);
            Program::new(title, short.row, command, short.fails)
        };
        let rust = scratch().program(&name(&short, form));
        programs.push(program(RUST, vec![rust.to_str().unwrap().to_owned()]));
        let changes = changes(&short, form, false);
        let mut python =
            top().join(python_file(&short)).to_str().unwrap().to_owned();
        if !changes.is_empty() {
            python =
                write(&name(&short, form), &changed(&python_file(&short), &changes));
        }
        let has_poll = !cfg!(windows) || short.row.name != "poll_server";
        if has_python && has_poll {
            programs.push(program(PYTHON, vec!["python3".to_owned(), python]));
        }
    }
    programs
}

/// Returns true if the program is in this language.
fn is_in(program: &Program, language: &str) -> bool {
    program.title.ends_with(&format!("({language})"))
}

#[test]
fn the_programs_talk_to_the_clients() {
    let _alone = alone();
    for_each(programs(Form::Quick), |program| {
        let row = program.row;
        let (client, arguments, expected) = match row.kind {
            _ if row.name == "ttl_pong" => {
                ("ttl_ping", &[][..], "TTL 1: PONG\n1 hop\n")
            }
            Kind::Datagram => ("udp_client", &["hello"][..], "HELLO\n"),
            Kind::Block => ("block_client", &["hello"][..], "HELLO\n"),
            Kind::OneMessage | Kind::Conversation => {
                ("tcp_client", &["hello"][..], "HELLO\n")
            }
        };
        let mut running = program.start(true);
        let port = running.port();
        let mut command = Command::new(example(client));
        let output = command
            .arg(&port)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stdout = text(&output.stdout).replace("\r\n", "\n");
        assert_eq!(stdout, expected, "{}: {}", program.title, text(&output.stderr));
        assert!(output.status.success(), "{}", program.title);
    });
}

/// The threads of lessons 17 and 18 exit when no client comes.
#[test]
fn without_a_client_the_timeout_servers_exit() {
    let _alone = alone();
    for_each(programs(Form::Brief), |program| {
        let title = &program.title;
        let (lines, status) = program.start(false).finish();
        let (ready, others) = lines.split_once('\n').unwrap();
        assert!(ready.starts_with("server ready on 127.0.0.1:"), "{title}: {ready}");
        // Python writes the end of a line separately, so the lines of two threads can mix.
        let others = others.replace('\n', "");
        assert_eq!(others, "Socket timed out, exiting thread".repeat(4), "{title}");
        assert!(status.success(), "{title}: {status}");
    });
}

/// The timeout of `accept` does not hold for a client. `check` looks for that only if the
/// program takes options. These programs ignore them, and have their own timeout of 20 seconds.
#[test]
fn a_silent_client_keeps_its_thread() {
    let _alone = alone();
    let mut programs = programs(Form::Quick);
    programs.retain(|program| program.row.options.contains(&"timeout"));
    for_each(programs, |program| {
        let said = program.check(&["--only", "idle_end"], "{address} {options}");
        let expected =
            BTreeMap::from([("idle_end".to_owned(), "NO_LIMIT".to_owned())]);
        assert_eq!(failures(&said), expected, "{}: {said}", program.title);
    });
}

/// With a wrong line instead of the right one, the program fails a check.
#[test]
fn the_wrong_lines_of_a_puzzle_are_wrong() {
    let _alone = alone();
    let mut wrong = Vec::new();
    for mut program in programs(Form::Quick) {
        let puzzle = PUZZLES.iter().find(|puzzle| puzzle.lesson == program.row.name);
        let Some(puzzle) = puzzle else { continue };
        if !is_in(&program, PYTHON) {
            continue;
        }
        let source =
            read(&format!("docs/python/short/{}.py", puzzle.lesson)).unwrap();
        for (number, line) in puzzle.wrong.iter().enumerate() {
            let is_right =
                |text: &&str| text.trim_start().starts_with(line.instead_of);
            let right = source.lines().find(is_right).unwrap().trim_start();
            let name = format!("{}_{number}", puzzle.lesson);
            program.command[1] = write(&name, &source.replace(right, line.line));
            wrong.push((program.clone(), line.check));
        }
    }
    assert_eq!(wrong.len(), 2 * PUZZLES.len());
    thread::scope(|scope| {
        for (program, check) in wrong {
            scope.spawn(move || {
                let said = program.check(&["--only", check], "{address}");
                let failed = failures(&said).contains_key(check);
                assert!(failed, "{}: {said}", program.command[1]);
            });
        }
    });
}

/// The test of the steps makes the checks with each program in Rust that is a step of a path.
#[test]
fn the_programs_fail_exactly_the_checks_of_the_table() {
    if !cfg!(target_os = "linux") {
        let what = "which checks the programs in short fail";
        skipped(&format!("{what}: the table shows what happens on Linux"));
        return;
    }
    let _alone = alone();
    let mut programs = programs(Form::Quick);
    programs.retain(|program| {
        let is_step = PATHS.iter().any(|path| path.lesson == program.row.name);
        !is_step || is_in(program, PYTHON)
    });
    compare_all(programs);
}
