//! The programs in short: they build, they talk to our clients, and each fails exactly the
//! checks that the table says.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::{BTreeMap, BTreeSet};
use std::env::{self, consts::EXE_SUFFIX};
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use sockets101_book::puzzle::PUZZLES;
use sockets101_book::reasons;
use sockets101_book::script::{SHORT, Short};
use sockets101_book::{read, top};

// The skip is for rustfmt, which would format this file with the settings of this folder.
#[allow(dead_code, unexpected_cfgs)] // This package does not have the feature `event`.
#[rustfmt::skip]
#[path = "../../../examples/tools/common/lessons.rs"]
mod lessons;
#[path = "../../../tests/it/report.rs"]
mod report;

use lessons::{Kind, Row, SERVERS};
use report::{checks_with, reasons_of};

/// The largest width of a line. Two programs fit side by side.
const COLUMNS: usize = 60;

/// How many programs run at the same time. Most checks wait. But if too many run, a process
/// exits too late, and `check` reports what it saw before that.
const TOGETHER: usize = 4;

/// The functions of the library that every program in short may use.
const HELPERS: [&str; 3] = ["recvall", "put_block", "get_block"];

/// The function of the library that only lessons 17 and 18 may use in addition.
const ACCEPT: &str = "accept_within";

/// The delay of the slow servers in these tests, in seconds. With the 5 seconds of the lessons,
/// the checks would take minutes.
const DELAY: &str = "1";

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

/// Prints on stderr that something is not tested here, and why. The test harness would hide the
/// output of `eprintln!`.
fn skipped(sentence: &str) {
    let _ = io::stderr().write_all(format!("skipped: {sentence}\n").as_bytes());
}

/// Returns the path of the Rust program in the project.
fn rust_file(short: &Short) -> String {
    format!("examples/steps/{}/{}.rs", short.lesson, short.file)
}

/// Returns the path of the Python program in the project.
fn python_file(short: &Short) -> String {
    format!("docs/python/short/{}.py", short.lesson)
}

fn row(short: &Short) -> Row {
    SERVERS.into_iter().find(|row| row.name == short.lesson).unwrap()
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
    let table = SHORT.iter().map(|short| short.lesson);
    assert_eq!(table.collect::<Vec<_>>(), lessons.collect::<Vec<_>>());

    let mut folders: BTreeSet<_> =
        SHORT.iter().map(|short| short.lesson.to_owned()).collect();
    folders.insert("rustfmt.toml".to_owned());
    assert_eq!(entries("examples/steps"), folders);
    for short in &SHORT {
        assert!(top().join(rust_file(short)).is_file(), "{}", rust_file(short));
    }
    let mut python: BTreeSet<_> =
        SHORT.iter().map(|short| format!("{}.py", short.lesson)).collect();
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
    for short in &SHORT {
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
        assert_eq!(rust_header, python_header, "{}", short.lesson);
        assert!(rust_header.ends_with('.'), "{rust_header}");
        assert!(!rust_header.contains(". "), "one sentence: {rust_header}");
        let length = code_lines(&python, "#");
        assert!(
            (10..=25).contains(&length),
            "{}: {length} lines of Python",
            short.lesson
        );
        let length = code_lines(&rust, "//");
        assert!(length <= 50, "{}: {length} lines of Rust", short.lesson);
    }
}

#[test]
fn the_programs_have_the_addresses_and_queues_of_the_lessons() {
    for short in &SHORT {
        let Row { port, backlog, .. } = row(short);
        let (rust, python) =
            (read(&rust_file(short)).unwrap(), read(&python_file(short)).unwrap());
        let address = format!("\"127.0.0.1:{port}\"");
        assert!(
            rust.contains(&format!("const ADDRESS: &str = {address};")),
            "{}",
            short.lesson
        );
        assert!(
            python.contains(&format!(
                "ADDRESS = sys.argv[1] if sys.argv[1:] else {address}\n"
            )),
            "{}",
            short.lesson
        );
        for source in [rust, python] {
            let listen = source.contains(&format!(".listen({backlog})"));
            assert_eq!(listen, backlog > 0, "{}: listen({backlog})", short.lesson);
        }
    }
}

/// The reader must see the idea, so the programs use only a few functions of the library.
#[test]
fn the_programs_use_few_helpers() {
    for short in &SHORT {
        for (file, start) in [
            (rust_file(short), "use sockets101::"),
            (python_file(short), "from sockets101 import "),
        ] {
            let source = read(&file).unwrap();
            for line in source.lines().filter_map(|line| line.strip_prefix(start)) {
                let names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
                for name in names.filter(|name| !name.is_empty()) {
                    let may_accept = row(short).options.contains(&"timeout");
                    let is_allowed =
                        HELPERS.contains(&name) || (name == ACCEPT && may_accept);
                    assert!(is_allowed, "{file}: {name}");
                }
            }
            assert!(source.matches("sockets101").count() <= 1, "{file}");
        }
    }
}

#[test]
fn rustfmt_changes_nothing() {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt
        .arg("--check")
        .args(SHORT.iter().map(|short| top().join(rust_file(short))));
    match rustfmt.output() {
        Ok(output) => assert!(output.status.success(), "{}", text(&output.stdout)),
        Err(err) => {
            skipped(&format!("the format of the programs in short: rustfmt: {err}"));
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns the folder of this test in the target folder.
fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("short")
}

/// Writes a file, unless it already has this text. Cargo would build an unchanged file again.
fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
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
    if row(short).is_slow() {
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
    format!("{start}{}", short.lesson)
}

/// Returns the forms in which the tests run a program.
fn forms(short: &Short) -> &'static [Form] {
    let has_timeout = row(short).options.contains(&"timeout");
    if has_timeout { &[Form::Quick, Form::Brief] } else { &[Form::Quick] }
}

/// Builds all Rust programs with one call of cargo, without a warning, as a student's files
/// would be built. Also builds `check` and the clients.
fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = scratch();
        for short in &SHORT {
            for form in forms(short) {
                let source =
                    changed(&rust_file(short), &changes(short, *form, true));
                write(
                    &folder.join(format!("src/bin/{}.rs", name(short, *form))),
                    &source,
                );
            }
        }
        write(&folder.join("Cargo.toml"), &manifest());
        let lock = read("Cargo.lock").unwrap();
        let _ = fs::create_dir_all(&folder);
        fs::write(folder.join("Cargo.lock"), lock).unwrap();
        let mut programs = cargo();
        programs.args(["build", "--quiet", "--offline", "--bins", "--target-dir"]);
        programs.arg(folder.join("target")).current_dir(&folder);
        let output = programs.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "");

        let mut tools = cargo();
        tools.args(["build", "--quiet", "--locked", "--example", "check"]);
        for client in ["udp_client", "tcp_client", "block_client", "ttl_ping"] {
            tools.args(["--example", client]);
        }
        let output = tools.current_dir(top()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    });
}

/// Returns the manifest of the scratch package. The versions of the crates are those of the
/// workbook.
fn manifest() -> String {
    let workbook = read("Cargo.toml").unwrap();
    let crates = workbook.lines().filter(|line| {
        line.starts_with("rustix =") || line.starts_with("socket2 =")
    });
    let crates: Vec<_> = crates.collect();
    format!(
        "[package]\nname = \"short\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         rust-version = \"1.85\"\n\n\
         [dependencies]\nsockets101 = {{ path = '{}' }}\n{}\n\n\
         [lints.rust]\nwarnings = \"deny\"\n\n[workspace]\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").display(),
        crates.join("\n")
    )
}

/// Returns the path of an example of the workbook.
fn example(name: &str) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| top().join("target"), PathBuf::from);
    target.join("debug/examples").join(format!("{name}{EXE_SUFFIX}"))
}

/// A way to start a program in short.
#[derive(Clone)]
struct Program {
    short: &'static Short,
    language: &'static str,
    /// The words of the command, without the address.
    command: Vec<String>,
}

/// Returns the programs in this form, in both languages. Builds those in Rust.
fn programs(form: Form) -> Vec<Program> {
    build();
    let mut programs = Vec::new();
    let has_python = Command::new("python3")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_python {
        skipped("the programs in short in Python: python3 is missing");
    }
    for short in &SHORT {
        if matches!(form, Form::Brief) && forms(short).len() == 1 {
            continue;
        }
        let rust = scratch()
            .join("target/debug")
            .join(format!("{}{EXE_SUFFIX}", name(short, form)));
        let rust = rust.to_str().unwrap().to_owned();
        programs.push(Program { short, language: "Rust", command: vec![rust] });
        let changes = changes(short, form, false);
        let mut python = top().join(python_file(short));
        if !changes.is_empty() {
            python = scratch().join(format!("{}.py", name(short, form)));
            write(&python, &changed(&python_file(short), &changes));
        }
        let python = python.to_str().unwrap().to_owned();
        let has_poll = !cfg!(windows) || short.lesson != "poll_server";
        if has_python && has_poll {
            let command = vec!["python3".to_owned(), python];
            programs.push(Program { short, language: "Python", command });
        }
    }
    programs
}

impl Program {
    /// Returns the name of the program in a report.
    fn title(&self) -> String {
        format!("{} ({})", self.short.lesson, self.language)
    }

    /// Starts the program on a free port, without waiting.
    fn start(&self, is_unbuffered: bool) -> Running {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).arg("127.0.0.1:0");
        if is_unbuffered {
            // Otherwise, Python writes its output to the pipe only when it exits.
            command.env("PYTHONUNBUFFERED", "1");
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Running { child, stdout }
    }

    /// Makes the checks with the program. Returns what `check` printed.
    fn check(&self, options: &[&str], arguments: &str) -> String {
        let words: Vec<_> =
            self.command.iter().map(|word| format!("\"{word}\"")).collect();
        let mut check = Command::new(example("check"));
        check.arg(self.short.lesson).args(options);
        check.args(["--run", &format!("{} {arguments}", words.join(" "))]);
        if row(self.short).is_slow() {
            check.args(["--delay", DELAY]);
        }
        let output =
            check.env_remove("CARGO").stdin(Stdio::null()).output().unwrap();
        text(&output.stdout) + &text(&output.stderr)
    }
}

/// A running program. It is stopped when this value is dropped.
struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Waits for the ready line. Returns the port.
    fn port(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let port = line.strip_prefix("server ready on 127.0.0.1:");
        let port = port.unwrap_or_else(|| panic!("no ready line: {line:?}"));
        port.trim_end().to_owned()
    }

    /// Waits until the program exits. Returns its lines on stdout, and the exit status.
    fn finish(&mut self) -> (String, ExitStatus) {
        let mut lines = String::new();
        self.stdout.read_to_string(&mut lines).unwrap();
        (lines.replace("\r\n", "\n"), self.child.wait().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does something with each of these programs, with several of them at the same time.
fn for_each(programs: Vec<Program>, action: impl Fn(&Program) + Sync) {
    let queue = Mutex::new(programs.into_iter());
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(program) = next else { break };
                    action(&program);
                }
            });
        }
    });
}

#[test]
fn the_programs_talk_to_the_clients() {
    let _alone = alone();
    for_each(programs(Form::Quick), |program| {
        let row = row(program.short);
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
        assert_eq!(
            stdout,
            expected,
            "{}: {}",
            program.title(),
            text(&output.stderr)
        );
        assert!(output.status.success(), "{}", program.title());
    });
}

/// The threads of lessons 17 and 18 exit when no client comes.
#[test]
fn without_a_client_the_timeout_servers_exit() {
    let _alone = alone();
    for_each(programs(Form::Brief), |program| {
        let title = program.title();
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
    programs.retain(|program| row(program.short).options.contains(&"timeout"));
    for_each(programs, |program| {
        let said = program.check(&["--only", "idle_end"], "{address} {options}");
        let expected =
            BTreeMap::from([("idle_end".to_owned(), "NO_LIMIT".to_owned())]);
        assert_eq!(failures(&said), expected, "{}: {said}", program.title());
    });
}

/// With a wrong line instead of the right one, the program fails a check.
#[test]
fn the_wrong_lines_of_a_puzzle_are_wrong() {
    let _alone = alone();
    let mut wrong = Vec::new();
    for mut program in programs(Form::Quick) {
        let puzzle =
            PUZZLES.iter().find(|puzzle| puzzle.lesson == program.short.lesson);
        let (Some(puzzle), "Python") = (puzzle, program.language) else { continue };
        let source = read(&python_file(program.short)).unwrap();
        for (number, line) in puzzle.wrong.iter().enumerate() {
            let is_right =
                |text: &&str| text.trim_start().starts_with(line.instead_of);
            let right = source.lines().find(is_right).unwrap().trim_start();
            let path = scratch().join(format!("{}_{number}.py", puzzle.lesson));
            write(&path, &source.replace(right, line.line));
            program.command[1] = path.to_str().unwrap().to_owned();
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

// What `check` says.

/// Returns the failed checks of a report, each with the names of its reasons.
fn failures(said: &str) -> BTreeMap<String, String> {
    let failed = checks_with("FAILED", said);
    failed.into_iter().map(|(name, text)| (name, reasons_of(&text))).collect()
}

/// Makes all checks with a program. Returns a report if other checks fail than those in the
/// table, or for other reasons.
fn differences(program: &Program) -> Option<String> {
    let said = program.check(&[], "{address}");
    let mut expected = BTreeMap::new();
    for failure in program.short.fails {
        expected.insert(failure.check.to_owned(), failure.reasons.join(" "));
    }
    let found = failures(&said);
    let all_made = said.contains(" passed") && !said.contains("\nnot made ");
    if all_made && found == expected {
        return None;
    }
    let title = program.title();
    Some(format!("{title}:\nexpected {expected:#?}\nfound {found:#?}\n{said}"))
}

#[test]
fn the_programs_fail_exactly_the_checks_of_the_table() {
    if !cfg!(target_os = "linux") {
        let what = "which checks the programs in short fail";
        skipped(&format!("{what}: the table shows what happens on Linux"));
        return;
    }
    let _alone = alone();
    let mut programs = programs(Form::Quick);
    // The slow servers take the longest time, so they come first.
    programs.sort_by_key(|program| !row(program.short).is_slow());
    let different = Mutex::new(Vec::new());
    for_each(programs, |program| {
        if differences(program).is_some() {
            different.lock().unwrap().push(program.clone());
        }
    });
    // On a busy machine, a process exits too late. The second try runs without the others.
    let mut wrong = String::new();
    for program in different.into_inner().unwrap() {
        wrong += &differences(&program).unwrap_or_default();
    }
    assert!(wrong.is_empty(), "{wrong}");
}
