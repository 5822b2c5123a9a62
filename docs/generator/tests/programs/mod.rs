//! Starts programs, and compares which checks they fail with a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;

use sockets101_book::failure::Failure;
use sockets101_book::lessons::Row;
use sockets101_book::steps::{cargo, example};
use sockets101_book::{reasons, top};

#[path = "../../../../tests/it/report.rs"]
mod report;

use report::{checks_with, reasons_of};

/// How many programs run at the same time. Most checks wait. But if too many run, a process
/// exits too late, and `check` reports what it saw before that.
const TOGETHER: usize = 4;

/// The option for the slow servers in these tests: their delay in seconds. With the 5 seconds of the lessons,
/// the checks would take minutes.
const DELAY: [&str; 2] = ["--delay", "1"];

/// The check that fails if a server serves only one client.
pub const ONE_CLIENT: &str = "first_client";

/// Prints on stderr that something is not tested here, and why. The test harness would hide the
/// output of `eprintln!`.
pub fn skipped(sentence: &str) {
    let _ = io::stderr().write_all(format!("skipped: {sentence}\n").as_bytes());
}

/// Returns true if `python3` can be started. Otherwise, prints what is not tested.
pub fn has_python(what: &str) -> bool {
    let version = Command::new("python3").arg("--version").output();
    let has_python = version.is_ok_and(|output| output.status.success());
    if !has_python {
        skipped(&format!("{what}: python3 is missing"));
    }
    has_python
}

/// Returns the text of what a program printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The arguments of cargo for all features of the workbook.
pub const FEATURES: [&str; 2] = ["--features", "async,event"];

/// Builds `check`, with all features, and the clients.
pub fn build_tools() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut tools = cargo();
        tools.args(["build", "--quiet", "--locked", "--example", "check"]);
        tools.args(FEATURES);
        for client in ["udp_client", "tcp_client", "block_client", "ttl_ping"] {
            tools.args(["--example", client]);
        }
        let output = tools.current_dir(top()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    });
}

/// A way to start a server.
#[derive(Clone)]
pub struct Program {
    /// What a report calls the program.
    pub title: String,
    /// The lesson whose checks the program makes.
    pub row: Row,
    /// The words of the command, without the address.
    pub command: Vec<String>,
    /// The arguments of the program, for `check`.
    pub arguments: &'static str,
    /// More arguments of `check`.
    pub options: &'static [&'static str],
    /// The checks that fail.
    pub fails: &'static [Failure],
}

impl Program {
    /// Returns a program that takes only its address.
    pub fn new(
        title: String,
        row: Row,
        command: Vec<String>,
        fails: &'static [Failure],
    ) -> Self {
        let options = if row.is_slow() { &DELAY[..] } else { &[] };
        Self { title, row, command, arguments: "{address}", options, fails }
    }

    /// Starts the program on a free port, without waiting.
    pub fn start(&self, is_unbuffered: bool) -> Running {
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
    pub fn check(&self, options: &[&str], arguments: &str) -> String {
        let words: Vec<_> =
            self.command.iter().map(|word| format!("\"{word}\"")).collect();
        let mut check = Command::new(example("check"));
        check.arg(self.row.name).args(options);
        check.args(["--run", &format!("{} {arguments}", words.join(" "))]);
        check.args(self.options);
        let output =
            check.env_remove("CARGO").stdin(Stdio::null()).output().unwrap();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Makes all checks with the program. Returns a report if other checks fail than those in
    /// the table, or for other reasons. The report has the lines for the table.
    fn differences(&self) -> Option<String> {
        let said = self.check(&[], self.arguments);
        let mut expected = BTreeMap::new();
        for failure in self.fails {
            expected.insert(failure.check.to_owned(), failure.reasons.join(" "));
        }
        let found = failures(&said);
        // `check` does not make most checks if the server serves only one client.
        let is_made =
            !said.contains("\nnot made ") || found.contains_key(ONE_CLIENT);
        let all_made = said.contains(" passed") && is_made;
        if all_made && found == expected {
            return None;
        }
        let mut rows = String::new();
        for (check, reasons) in &found {
            let reasons = reasons.replace(' ', "\", \"");
            let _ = writeln!(rows, "failure(\"{check}\", &[\"{reasons}\"]),");
        }
        Some(format!(
            "{}:\nexpected {expected:#?}\nfound\n{rows}\n{said}",
            self.title
        ))
    }
}

/// A running program. It is stopped when this value is dropped.
pub struct Running {
    pub child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Waits for the ready line. Returns the port.
    pub fn port(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let port = line.strip_prefix("server ready on 127.0.0.1:");
        let port = port.unwrap_or_else(|| panic!("no ready line: {line:?}"));
        port.trim_end().to_owned()
    }

    /// Waits until the program exits. Returns its lines on stdout, and the exit status.
    pub fn finish(&mut self) -> (String, ExitStatus) {
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
pub fn for_each(programs: Vec<Program>, action: impl Fn(&Program) + Sync) {
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

/// Returns the failed checks of a report, each with the names of its reasons.
pub fn failures(said: &str) -> BTreeMap<String, String> {
    let failed = checks_with("FAILED", said);
    failed.into_iter().map(|(name, text)| (name, reasons_of(&text))).collect()
}

/// Makes all checks with these programs. Panics if other checks fail than those in the table.
pub fn compare_all(mut programs: Vec<Program>) {
    // The slow servers take the longest time, so they come first.
    programs.sort_by_key(|program| !program.row.is_slow());
    let different = Mutex::new(Vec::new());
    for_each(programs, |program| {
        if program.differences().is_none() {
            println!("as in the table: {}", program.title);
        } else {
            different.lock().unwrap().push(program.clone());
        }
    });
    // On a busy machine, a process exits too late. The second try runs without the others.
    let mut wrong = String::new();
    for program in different.into_inner().unwrap() {
        skipped(&format!("the first try of {}, which differs", program.title));
        match program.differences() {
            None => println!("as in the table at the second try: {}", program.title),
            Some(report) => wrong += &report,
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
