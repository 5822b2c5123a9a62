//! `check`: every lesson passes its checks, and every broken server fails for its reason.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::harness::{
    PATIENCE, Server, deaf, example, finish, for_each_at_once, resets_show, run,
    skipped,
};
use crate::reasons::{REASONS, RUST_WORDS};
use crate::report::{checks_with, reasons_of, rows};
use crate::table::{Kind, SERVERS, server};
use names::BUGS;

#[path = "../mutants/names.rs"]
mod names;

/// The number of checks that run at the same time. Most of them wait, so this is more than the
/// number of processors. But if there are too many, a correct server replies too late. (In
/// Wine, all programs share one server, so they wait for each other earlier.)
const TOGETHER: usize = if cfg!(windows) { 2 } else { 8 };

/// One of the `TOGETHER` checks that may run. Dropping it lets the next one run, also after a
/// panic.
struct Running;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Running {
    fn wait() -> Self {
        let running = RUNNING.lock().unwrap();
        *ENDED.wait_while(running, |running| *running >= TOGETHER).unwrap() += 1;
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap() -= 1;
        ENDED.notify_one();
    }
}

/// Runs `check`, which starts the programs in its own folder. `bug` is for the broken servers.
#[track_caller]
fn check(program: &Path, args: &[&str], bug: &str) -> Output {
    let _running = Running::wait();
    finish(Command::new(program).args(args).env("MUTANT", bug), "")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn exit(output: &Output) -> Option<i32> {
    output.status.code()
}

/// Returns the last line.
fn summary(said: &str) -> &str {
    said.lines().last().unwrap_or_default()
}

/// Returns the names of all checks.
fn listed() -> BTreeSet<String> {
    let list = stdout(&run("check", &["--list"], ""));
    let (lessons, checks) = list.split_once("The checks:\n").unwrap();
    for row in SERVERS {
        let lesson =
            if row.lesson == 0 { "-".into() } else { row.lesson.to_string() };
        let start = format!("  {lesson}  {} ", row.name);
        assert!(lessons.contains(&start), "{lessons}");
    }
    let mut make_tasks: BTreeSet<_> = SERVERS.iter().map(|row| row.make).collect();
    make_tasks.remove("");
    make_tasks.remove("stops"); // The server `stop_server` passes this check.
    assert_eq!(checks.matches("(only with --make)\n").count(), make_tasks.len());
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    checks.lines().map(name).collect()
}

/// Makes a folder with `check` and a program for each lesson. Returns the path of `check`.
fn folder(name: &str, program: impl Fn(&'static str) -> PathBuf) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for row in SERVERS {
        link(&program(row.name), &folder.join(row.name));
    }
    link(&example("check"), &folder.join("check"))
}

/// Gives a program another name, in one step. This is a hard link where possible. While a copy
/// is written, no process can start it, because a child of another test can hold it open.
fn link(program: &Path, name: &Path) -> PathBuf {
    let name = name.with_extension(env::consts::EXE_EXTENSION);
    let new = name.with_extension("new");
    let _ = fs::remove_file(&new);
    fs::hard_link(program, &new)
        .or_else(|_| fs::copy(program, &new).map(drop))
        .unwrap();
    // On Windows, the file of a program is locked until its process has exited. A rename does
    // nothing if both names already belong to the same file.
    let end = Instant::now() + Duration::from_secs(20);
    while let Err(err) = fs::rename(&new, &name) {
        let is_locked = err.kind() == io::ErrorKind::PermissionDenied;
        assert!(is_locked && Instant::now() < end, "{}: {err}", name.display());
        thread::sleep(Duration::from_millis(20));
    }
    let _ = fs::remove_file(&new);
    name
}

/// Returns the `check` of a folder in which each lesson is a broken server.
fn broken() -> &'static Path {
    static CHECK: OnceLock<PathBuf> = OnceLock::new();
    CHECK.get_or_init(|| folder("mutants", |_| example("mutant")))
}

/// Returns the command lines of the processes that run a program of this folder. Only Linux has
/// them in files.
fn running(folder: &Path) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else {
        skipped(
            "whether programs are left running",
            "the folder /proc does not exist",
        );
        return Vec::new();
    };
    let path = |process: fs::DirEntry| process.path().join("cmdline");
    let lines = processes.flatten().map(path).flat_map(fs::read_to_string);
    lines.filter(|line| line.contains(folder.to_str().unwrap())).collect()
}

/// Waits until no program of this folder runs.
#[track_caller]
fn expect_none_running(folder: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !running(folder).is_empty() {
        assert!(Instant::now() < deadline, "still running: {:?}", running(folder));
        thread::sleep(Duration::from_millis(20));
    }
}

// The lessons.

/// Returns true under Wine, where `.ci/windows` sets this variable. All programs share one server
/// process there, so what a program sends or prints can come too late. A bug fails twice.
fn is_wine() -> bool {
    env::var_os("WINEPREFIX").is_some()
}

/// All checks that suit a lesson are named, and none fails.
#[test]
fn every_lesson_passes() {
    let program = folder("lessons", example);
    let made = Mutex::new(BTreeSet::new());
    for_each_at_once(SERVERS.into_iter(), |row| {
        let mut output = check(&program, &[row.name], "");
        if is_wine() && exit(&output) != Some(0) {
            skipped("the first try of a lesson", stdout(&output));
            output = check(&program, &[row.name], "");
        }
        let said = stdout(&output);
        assert_eq!(exit(&output), Some(0), "{said}{}", stderr(&output));
        assert_eq!(said.lines().next(), Some(row.name), "{said}");
        assert!(!said.contains('\x1b') && !said.contains('✓'), "{said}");
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
        let mut names = checks_with("passed", &said);
        names.extend(checks_with("by design", &said));
        let all = names.len();
        let summary = summary(&said);
        assert_eq!(summary, format!("{all} of {all} checks passed"), "{said}");
        made.lock().unwrap().extend(names.into_keys());
    });
    let mut made = made.into_inner().unwrap();
    // The solutions of the make tasks pass these checks. The tests of the book compare.
    made.extend(SERVERS.iter().map(|row| row.make.to_owned()));
    made.remove("");
    assert_eq!(made, listed());
    assert_eq!(running(program.parent().unwrap()), [""; 0]);
}

/// Some checks are only for a server that `check` starts, and some would take minutes with a
/// slow server. The report names these checks.
#[test]
fn a_server_at_an_address_is_checked_too() {
    let cases = [
        ("udp_server", "0", &[][..]),
        ("recvall_server", "0", &[]),
        ("poll_server", "0", &[]),
        ("thread_pool_timeout", "0", &["idle_end"]),
        ("slow_thread_pool_timeout", "0", &["idle_end", "slow_clients"]),
        (
            "slow_sequential_server",
            "0.02",
            &["coming_and_going", "connections_200", "megabyte", "never_read"],
        ),
    ];
    for_each_at_once(cases.into_iter(), |(name, delay, expected)| {
        let row = server(name);
        let options: &[&str] = if row.is_slow() { &["--delay", delay] } else { &[] };
        let server = row.start_with(options);
        let address = server.address.to_string();
        let args = [&[name, &address][..], options].concat();
        let output = check(&example("check"), &args, "");
        let said = stdout(&output);
        assert_eq!(exit(&output), Some(0), "{said}{}", stderr(&output));
        let title = format!("{address}, checked as {name}\n");
        assert!(said.starts_with(&title), "{said}");
        let skipped: Vec<_> = checks_with("skipped", &said).into_keys().collect();
        let suiting = |name: &&&str| name != &&"coming_and_going" || row.backlog > 1;
        let expected: Vec<_> = expected.iter().filter(suiting).copied().collect();
        assert_eq!(skipped, expected, "{said}");
        let end = match skipped.len() {
            0 => " passed".to_owned(),
            count => format!(" passed, {count} skipped"),
        };
        assert!(summary(&said).ends_with(&end), "{said}");
    });
}

/// A check of a make task that needs an option is not made at an address, or without `{options}`.
#[test]
fn a_check_of_a_make_task_without_its_option_is_skipped() {
    let server = server("sequential_server").start();
    let address = server.address.to_string();
    let command = line("sequential_server", "{port}");
    let args = ["sequential_server", "--make", "--only", "session_limit"];
    for (more, reason) in [
        (&[&*address][..], "only for a server that check starts (--own or --run)"),
        (&["--run", &command], "the program does not take the option --limit"),
    ] {
        let output = check(&example("check"), &[&args[..], more].concat(), "");
        let said = stdout(&output);
        assert_eq!(exit(&output), Some(0), "{said}{}", stderr(&output));
        assert_eq!(checks_with("skipped", &said)["session_limit"], reason);
        assert_eq!(summary(&said), "0 of 0 checks passed, 1 skipped");
    }
}

/// `check` cannot start this server again, so it says which checks were not made.
#[test]
fn a_server_at_an_address_that_exits_is_waited_for() {
    let mut command = Command::new(example("mutant"));
    command.arg("0").env("MUTANT", "dies_of_half_a_character");
    let server = Server::spawn(&mut command);
    let address = server.address.to_string();
    let args = ["sequential_server", &address, "--timeout", "0.5"];
    let output = check(&example("check"), &args, "");
    let said = stdout(&output);
    assert_eq!(exit(&output), Some(1), "{said}");
    let failed = checks_with("FAILED", &said);
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["byte_by_byte"], "{said}");
    assert!(checks_with("not made", &said).contains_key("silence"), "{said}");
    assert!(summary(&said).ends_with("; start it again"), "{said}");
}

#[test]
fn without_a_lesson_there_is_a_row_for_each() {
    let output = check(&example("check"), &["--only", "first_client"], "");
    let said = stdout(&output);
    assert_eq!(exit(&output), Some(0), "{said}{}", stderr(&output));
    assert_eq!(said.lines().count(), SERVERS.len(), "{said}");
    for (line, row) in said.lines().zip(SERVERS) {
        assert!(line.starts_with(&format!("passed    {} ", row.name)), "{said}");
        assert!(line.contains(" 1 of 1 check passed ("), "{said}");
    }
    let args = ["--only", "empty_datagram", "--timeout", "0.3"];
    let output = check(broken(), &args, "udp_forgets_empty");
    let said = stdout(&output);
    assert_eq!(exit(&output), Some(1), "{said}");
    assert!(said.starts_with("FAILED    udp_server_bytes "), "{said}");
    assert_eq!(said.matches(" 0 of 1 check passed (").count(), 3, "{said}");
    let failed = &checks_with("FAILED", &said)["empty_datagram"];
    assert_eq!(reasons_of(failed), "NO_END_OF_ANYTHING");
}

/// `--long` shows what was expected and what came.
#[test]
fn the_long_form_shows_each_check() {
    let args = ["udp_server", "--only", "first_client", "--long"];
    let said = stdout(&check(&example("check"), &args, ""));
    let row = &rows(&said)[0];
    assert_eq!(row.0, "passed");
    assert!(row.1.starts_with("first_client: one client asks"), "{said}");
    assert!(row.1.contains("expected \"NEXT\", came \"NEXT\""), "{said}");

    let output = check(broken(), &args, "udp_echo");
    let said = stdout(&output);
    assert_eq!(exit(&output), Some(1), "{said}");
    let row = &rows(&said)[0];
    assert_eq!(row.0, "FAILED");
    let wanted = "expected \"HELLO, WORLD\", came \"hello, world\"";
    assert!(row.1.contains(wanted), "{said}");
    assert!(row.1.contains(" Convert the text to upper case."), "{said}");
}

/// A general reason is followed by the expected bytes and those that came.
#[test]
fn different_bytes_are_side_by_side() {
    let args = ["thread_per_client", "--only", "first_client"];
    let said = stdout(&check(broken(), &args, "reverses"));
    let failed = &checks_with("FAILED", &said)["first_client"];
    assert_eq!(reasons_of(failed), "OTHER_BYTES");
    let bytes = "\n          expected \"HELLO, WORLD\"\
                 \n          got      \"DLROW ,OLLEH\"\n";
    assert!(said.contains(bytes), "{said}");
}

/// If the reader has closed the pipe, the exit status still says whether a check failed. A full
/// disk is an error. No server stays.
#[cfg(target_os = "linux")]
#[test]
fn a_closed_or_full_output_ends_check() {
    let program = folder("outputs", example);
    let closed = || {
        let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let pipe = reader.stdin.take().unwrap();
        reader.wait().unwrap();
        Stdio::from(pipe)
    };
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    for (program, pipe, code, lines) in [
        (&*program, closed(), Some(0), 0),
        (broken(), closed(), Some(1), 0),
        (&*program, Stdio::from(full), Some(2), 1),
    ] {
        let mut command = Command::new(program);
        command.args(["udp_server", "--timeout", "0.5"]).env_remove("CARGO");
        command.env("MUTANT", "udp_echo");
        command.stdin(Stdio::null()).stdout(pipe).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let stderr = stderr(&output);
        assert_eq!(exit(&output), code, "{stderr}");
        assert_eq!(stderr.lines().count(), lines, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        if code != Some(1) {
            // Other tests run the programs of the other folder.
            expect_none_running(program.parent().unwrap());
        }
    }
}

// Wrong arguments.

#[test]
fn wrong_arguments_and_a_missing_server_are_one_sentence_and_status_2() {
    let (_deaf, address) = deaf();
    let address = address.to_string();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    fs::create_dir_all(&folder).unwrap();
    let alone = link(&example("check"), &folder.join("check"));
    let check_here = example("check");
    let cases = [
        (&check_here, &["no_such_lesson"][..], "no_such_lesson"),
        (&check_here, &["byte_order"], "byte_order"),
        (&check_here, &["my_server"], "check -- tcp_server --own my_server"),
        (&check_here, &["1234"], "check -- tcp_server 1234"),
        (&check_here, &["tcp_server", &address], &address),
        (&check_here, &["tcp_server", "no address"], "no address"),
        (&check_here, &["--only", "no_such_check"], "no_such_check"),
        (&check_here, &["udp_server", "--only=half_close"], "half_close"),
        (&check_here, &["poll_server", "--only=idle_end"], "idle_end"),
        (&check_here, &["tcp_server", "--timeout=0"], "--timeout"),
        (&check_here, &["tcp_server", "--bogus"], "--bogus"),
        (&check_here, &["--own", "tcp_server"], "name the lesson"),
        (&check_here, &["tcp_server", "--make"], "give your own: --own NAME"),
        (
            &check_here,
            &["ttl_pong", "--make", "1"],
            "one: tcp_server, recvall_server,",
        ),
        (&check_here, &["thread_pool", "--only=crash"], "'crash' is the check of a"),
        (&check_here, &["tcp_server", "--watch"], "--own NAME or --run COMMAND"),
        (&check_here, &["tcp_server", "--own", "a", "--run", "b"], "not both"),
        (&check_here, &["tcp_server", "--run", "server"], "{port}"),
        (&check_here, &["tcp_server", "--own", "x/my_x.rs"], "--own my_x"),
        (&check_here, &["tcp_server", "--own", ""], "--own needs a value"),
        (&check_here, &["tcp_server", "--run", ""], "--run needs a value"),
        (&check_here, &["tcp_server", "--only", ""], "--only needs a value"),
        (&check_here, &["sequential"], "do you mean sequential_server?"),
        (
            &check_here,
            &["tcp_server", "--own", "my_no_such_file"],
            "save your program",
        ),
        #[cfg(not(feature = "event"))]
        (&check_here, &["event_server"], "--features event -- event_server"),
        #[cfg(not(feature = "async"))]
        (&check_here, &["async_server", "--make", "1"], "--features async -- "),
        (&check_here, &["stop_server", "--make", "1"], "does not have a make task"),
        (&alone, &["tcp_server"], "cargo build --example tcp_server"),
    ];
    for_each_at_once(cases.into_iter(), |(program, args, part)| {
        let output = check(program, args, "");
        let stderr = stderr(&output);
        assert_eq!(exit(&output), Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("Error: ") && stderr.contains(part), "{stderr}");
        let sentences = stderr.lines().filter(|line| !line.starts_with("usage: "));
        assert_eq!(sentences.count(), 1, "{stderr}");
        assert_eq!(stdout(&output), "", "{args:?}");
    });
}

/// The server listens, but the lesson needs the other protocol.
#[test]
fn a_server_of_the_other_protocol_is_recognised() {
    for (name, lesson) in
        [("tcp_server", "udp_server"), ("udp_server", "tcp_server")]
    {
        let server = server(name).start();
        let address = server.address.to_string();
        let args = [lesson, &address, "--timeout", "0.5"];
        let output = check(&example("check"), &args, "");
        let stderr = stderr(&output);
        assert_eq!(exit(&output), Some(2), "{stderr}{}", stdout(&output));
        assert!(stderr.contains(&format!("; check it as {name}")), "{stderr}");
    }
}

// Your own program.

#[test]
fn an_own_program_is_graded() {
    let args = ["sequential_server", "--own", "sequential_server"];
    let output = check(&example("check"), &args, "");
    let said = stdout(&output);
    assert_eq!(exit(&output), Some(0), "{said}{}", stderr(&output));
    let title = "sequential_server, checked as sequential_server\n";
    assert!(said.starts_with(title), "{said}");
    assert!(summary(&said).ends_with(" checks passed"), "{said}");
}

/// Another program takes the part of Cargo, because a file with an error in `examples/` would
/// disturb the other tests.
#[test]
fn an_own_program_that_does_not_build_is_not_started() {
    let mut command = Command::new(example("check"));
    command.args(["tcp_server", "--own", "tcp_server"]);
    command.env("CARGO", example("mutant")).env_remove("MUTANT");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let stderr = stderr(&output);
    assert_eq!(exit(&output), Some(2), "{stderr}");
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines.len() > 1, "the words of the compiler are missing: {stderr}");
    assert!(lines[lines.len() - 1].contains("does not build; correct"), "{stderr}");
    assert_eq!(stdout(&output), "");
}

/// The program's error is in the sentence.
#[test]
fn an_own_program_that_exits_at_once_cannot_be_checked() {
    let args = ["tcp_server", "--own", "tcp_server"];
    let mut output = check(broken(), &args, "no_such_bug");
    if is_wine() && !stderr(&output).contains("It wrote:\n  ") {
        skipped("the first try of a program that exits", stderr(&output));
        output = check(broken(), &args, "no_such_bug");
    }
    let stderr = stderr(&output);
    assert_eq!(exit(&output), Some(2), "{stderr}");
    assert!(stderr.contains("exited before it was ready"), "{stderr}");
    assert!(stderr.contains("It wrote:\n  "), "{stderr}");
    assert_eq!(stdout(&output), "");
}

/// A program can print an address that is written in its source. If another server listens
/// there, `check` must not check that server.
#[cfg(unix)]
#[test]
fn a_ready_line_with_the_address_of_another_server_is_an_error() {
    let other = server("tcp_server").start();
    let check_there = folder("liar", example);
    let own = check_there.with_file_name("poll_server");
    fs::remove_file(&own).unwrap();
    // Another process writes the file, so that no child of this one can hold it open.
    let script = "printf '#!/bin/sh\necho server ready on %s\nsleep 60\n' $1 > $0; chmod +x $0";
    let address = other.address.to_string();
    let write = ["-c", script, own.to_str().unwrap(), &address];
    assert!(Command::new("sh").args(write).status().unwrap().success());
    let output = check(&check_there, &["tcp_server", "--own", "poll_server"], "");
    let stderr = stderr(&output);
    assert_eq!(exit(&output), Some(2), "{stderr}{}", stdout(&output));
    let expected = format!("another program listens on {address}, the address in");
    assert!(stderr.contains(&expected), "{stderr}");
}

#[test]
fn what_an_own_program_writes_is_below_its_failure() {
    let args = ["tcp_server", "--own", "tcp_server"];
    let output = check(broken(), &args, "dies_at_first");
    let said = stdout(&output);
    assert_eq!(exit(&output), Some(1), "{said}");
    let failed = &checks_with("FAILED", &said)["first_client"];
    assert_eq!(reasons_of(failed), "DIES_AT_FIRST");
    assert!(failed.ends_with(" (exit status 101)"), "{said}");
    assert!(said.contains("\n          | thread 'main' "), "{said}");
    assert!(said.contains("\n          | TypeError: a bytes-like obj"), "{said}");
    assert!(summary(&said).starts_with("0 of 1 check passed, "), "{said}");
}

/// This check starts a second process, with another timeout. What that process writes is below
/// the failure, too.
#[test]
fn what_a_second_process_writes_is_below_its_failure() {
    let args = ["thread_pool_timeout", "--only", "idle_end"];
    let said = stdout(&check(broken(), &args, "silence_ends_threads"));
    assert!(
        said.contains("\n          | Socket timed out, exiting thread"),
        "{said}"
    );
}

/// A student's Rust program has `read`, not `recv`.
#[test]
fn a_program_in_rust_gets_the_words_of_rust() {
    let lesson = ["poll_server", "--only", "half_close"];
    let command = line("mutant", "{port}");
    for (program, says) in [
        (
            ["--own", "poll_server"],
            "A read of 0 bytes means the end of the requests.",
        ),
        (["--run", &command], "b'' means the end of the requests."),
    ] {
        let args = [&lesson[..], &program].concat();
        let said = stdout(&check(broken(), &args, "half_close_is_the_end"));
        let failed = &checks_with("FAILED", &said)["half_close"];
        assert!(failed.contains(says), "{said}");
        assert_eq!(reasons_of(failed), "REQUESTS_END");
    }
}

/// In both forms, a reason has short sentences. The form for Rust has no words of Python.
#[test]
fn all_reasons_have_a_form_for_rust() {
    let python = [
        "recv ",
        "recv(",
        "recv.",
        "recv,",
        "recvfrom",
        "sendall",
        "b'",
        "exception",
        "target=",
        "args=",
        "strip",
        "decode()",
        "str(data)",
        "!I",
        "SOCK_",
        "strlen",
        "capitalize",
        "None",
        "except",
        "Python",
        "fork",
        "struct.",
    ];
    for (name, reason) in REASONS {
        let says = reason.says_in_rust();
        for word in python {
            assert!(!says.contains(word), "{name}: {word:?} in {says:?}");
        }
        for sentence in says.split(". ").chain(reason.says.split(". ")) {
            let words = sentence.split(' ').count();
            assert!(words <= 20, "{name}: {words} words in {sentence:?}");
        }
    }
    for (word, _) in RUST_WORDS {
        let is_used = REASONS.iter().any(|(_, reason)| reason.says.contains(word));
        assert!(is_used, "no reason says {word:?}");
    }
}

/// Returns the command line that starts an example with these arguments.
fn line(name: &str, args: &str) -> String {
    format!("{} {args}", example(name).display())
}

/// Returns whether `check` can end the programs that a shell has started. The `taskkill` of Wine
/// ends one process only.
fn ends_trees() -> bool {
    let help = || Command::new("taskkill").arg("/?").output().unwrap().stdout;
    !cfg!(windows) || String::from_utf8_lossy(&help()).to_lowercase().contains("/t")
}

#[test]
fn a_command_is_graded() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fixed = port.to_string();
    let timeout = "thread_pool_timeout";
    let slow = "slow_thread_per_client";
    let mut cases = vec![
        (vec!["udp_server"], line("udp_server", "{port}"), " passed"),
        (vec!["udp_server"], line("udp_server", "{address}"), " passed"),
        (vec!["recvall_server", &fixed], line("recvall_server", &fixed), " passed"),
        (
            vec![timeout, "--only", "idle_end"],
            line(timeout, "{port} {options}"),
            "1 of 1 check passed",
        ),
        (vec![timeout], line(timeout, "{port}"), ", 1 skipped"),
        (
            vec![slow, "--only", "slow_clients"],
            line(slow, "{port} {options}"),
            "1 of 1 check passed",
        ),
    ];
    if ends_trees() {
        let tcp_server = line("tcp_server", "{address}");
        let command = format!("echo hello && {tcp_server}");
        cases.push((vec!["tcp_server"], command, " passed"));
    } else {
        skipped("a command line with two programs", "taskkill has no option /T");
    }
    for_each_at_once(cases.into_iter(), |(mut args, command, end)| {
        args.extend(["--run", &command]);
        let output = check(&example("check"), &args, "");
        let said = stdout(&output);
        assert_eq!(exit(&output), Some(0), "{said}{}", stderr(&output));
        let title = said.lines().next().unwrap();
        assert!(title.starts_with(&command), "{said}");
        assert!(title.ends_with(&format!(", checked as {}", args[0])), "{said}");
        assert!(summary(&said).ends_with(end), "{said}");
    });
}

/// A command that does not start a server is not a failed check.
#[test]
fn a_command_that_fails_cannot_be_checked() {
    let args = ["tcp_server", "--run", "no-such-program {port}"];
    let output = check(&example("check"), &args, "");
    let stderr = stderr(&output);
    assert_eq!(exit(&output), Some(2), "{stderr}");
    assert!(stderr.contains(" before it called listen"), "{stderr}");
    assert!(stderr.contains("no-such-program"), "{stderr}");
    assert_eq!(stdout(&output), "");
}

/// A `check` that does not exit by itself. It is killed when this value is dropped, and the
/// guard then ends its server.
struct Watching {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Watching {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).env_remove("CARGO");
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line that starts with `start`. Returns all lines since the last call.
    #[track_caller]
    fn until(&mut self, start: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| {
                panic!("no line starts with {start:?}: {:#?}", self.seen)
            });
            let is_last = line.starts_with(start);
            self.seen.push(line);
            if is_last {
                return self.seen.drain(..).collect::<Vec<_>>().join("\n");
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each time that the file is saved, `--watch` grades it and shows what is new.
#[test]
fn watch_grades_each_time_that_the_file_is_saved() {
    let program = folder("watched", example);
    let folder = program.parent().unwrap();
    // The command contains only this path, so a save of this file is a save of the program.
    let own = link(&example("mutant"), &folder.join("my_server"));
    let command = format!("{} {{port}}", own.display());
    let args = ["udp_server", "--watch", "--run", &command, "--timeout", "1"];
    let mut watch = Watching::start(
        Command::new(&program).args(args).env("MUTANT", "udp_lossy"),
    );
    let waiting = "Waiting until you save the file";
    let said = watch.until(waiting);
    assert!(
        said.contains("The first failure:\nFAILED    cut_character: "),
        "{said}"
    );
    assert!(said.contains("\n9 of 11 checks passed\n"), "{said}");
    assert!(!said.contains(" now: "), "{said}");

    link(&example("udp_server"), &own);
    let said = watch.until(waiting);
    assert!(said.contains("\npassed now: cut_character, not_utf8\n"), "{said}");
    assert!(
        said.contains("\n11 of 11 checks passed\nAll checks passed. "),
        "{said}"
    );
    let next = SERVERS.iter().skip_while(|row| row.name != "udp_server").nth(1);
    assert!(said.contains(&format!(": {}\n", next.unwrap().name)), "{said}");

    link(&example("mutant"), &own);
    let said = watch.until(waiting);
    assert!(said.contains("\nfailed now: cut_character, not_utf8\n"), "{said}");

    #[cfg(unix)]
    interrupt(&watch.child);
    #[cfg(windows)]
    watch.child.kill().unwrap();
    assert!(crate::harness::wait(&mut watch.child).is_some());
    expect_none_running(folder);
}

/// Sends the signal of Ctrl-C. Without `unsafe`, only another program can send it.
#[cfg(unix)]
fn interrupt(child: &Child) {
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
}

/// No program can catch SIGKILL, so the guard must notice the end of `check`. The shell of this
/// command starts two programs, and both must end.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_running_after_sigkill() {
    let program = folder("killed", example);
    let folder = program.parent().unwrap();
    let (one, two) = (folder.join("udp_server"), folder.join("poll_server"));
    let command = format!("{} 0 & {} {{port}}", one.display(), two.display());
    let args = ["slow_sequential_server", "--run", &command, "--timeout", "5"];
    let mut check = Watching::start(Command::new(&program).args(args));
    let runs = |path: &Path| {
        let start = format!("{}\0", path.display());
        running(folder).iter().any(|line| line.starts_with(&start))
    };
    let deadline = Instant::now() + PATIENCE;
    while !runs(&one) || !runs(&two) {
        assert!(Instant::now() < deadline, "{:?}", running(folder));
        thread::sleep(Duration::from_millis(5));
    }
    check.child.kill().unwrap();
    check.child.wait().unwrap();
    expect_none_running(folder);
}

// The broken servers: `tests/mutants/mutant.rs`.

/// A bug, the lesson that the server claims to be, and the checks that must fail, each with its
/// reason.
///
/// `A B` are two sentences. `A or B` is one of the two, where the result depends on time. A
/// check with a question mark fails only if two clients are at the same line of the server at
/// the same time. A check with `=` is the only one that is made, because all of them would take
/// several seconds more.
struct Mutant(&'static str, &'static str, &'static [(&'static str, &'static str)]);

#[rustfmt::skip]
const MUTANTS: &[Mutant] = &[
    Mutant("udp_echo", "udp_server", &[
        ("first_client unicode nul_bytes datagram_2048 datagram_2049 several_messages kept_apart vanish", "SAME_BYTES"),
        ("cut_character", "HALF_ANSWERED"),
        ("not_utf8", "INVALID_ANSWERED")]),
    Mutant("udp_small_buffer", "udp_server", &[("datagram_2048 datagram_2049", "SHORT_BUFFER")]),
    Mutant("udp_large_buffer", "udp_server", &[("datagram_2049", "LONG_BUFFER")]),
    Mutant("udp_answers_another", "udp_server", &[("kept_apart", "OF_ANOTHER")]),
    Mutant("udp_pongs_to_text", "ttl_pong", &[("any_bytes", "NO_TEXT_ASKED")]),
    Mutant("udp_answers_to_text", "udp_server_bytes", &[("any_bytes", "NO_TEXT_ASKED")]),
    Mutant("udp_forgets_empty", "udp_server", &[("empty_datagram", "NO_END_OF_ANYTHING")]),
    Mutant("udp_dies_of_bytes", "udp_server", &[("cut_character not_utf8 vanish", "DIED")]),
    Mutant("udp_lossy", "udp_server", &[
        ("cut_character", "HALF_ANSWERED"),
        ("not_utf8", "INVALID_ANSWERED")]),
    Mutant("udp_whole_buffer", "udp_server", &[
        ("first_client unicode nul_bytes empty_datagram several_messages kept_apart vanish", "WHOLE_BUFFER"),
        ("cut_character", "HALF_ANSWERED"),
        ("not_utf8", "INVALID_ANSWERED")]),
    Mutant("udp_counts_characters", "udp_server", &[("unicode", "CUT_REPLY")]),
    Mutant("udp_other_port", "udp_server", &[("first_client", "OTHER_PORT")]),
    Mutant("udp_one_peer", "udp_server", &[("first_client", "ONE_PEER")]),
    Mutant("udp_exits_after_55", "udp_server", &[("kept_apart", "COUNT")]),

    Mutant("mute", "thread_per_client", &[("first_client", "NO_ANSWER")]),
    Mutant("accepts_once", "sequential_server", &[("first_client", "ACCEPTS_ONCE")]),
    Mutant("dies_at_first", "tcp_server", &[("first_client", "DIES_AT_FIRST")]),
    Mutant("never_notices_the_end", "sequential_server", &[("first_client", "NO_END_SEEN")]),
    Mutant("greets", "thread_per_client", &[("first_client", "GREETS")]),
    Mutant("reads_to_the_end", "thread_per_client", &[("first_client", "WAITS_FOR_THE_END")]),
    Mutant("thread_fails", "thread_per_client", &[("first_client", "AN_ERROR")]),
    // The first client can connect before the queue of the server is full.
    Mutant("never_accepts", "thread_per_client", &[("first_client", "NO_CONNECTION or NO_ANSWER")]),
    Mutant("waits_for_a_line", "thread_per_client", &[("first_client", "WAITS_FOR_A_LINE")]),

    Mutant("echo", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart byte_by_byte two_messages", "SAME_BYTES"),
        ("cut_character not_utf8 half_close silence reset vanish never_read megabyte last_word", "SAME_BYTES"),
        ("connections_200 coming_and_going", "SAME_BYTES")]),
    Mutant("ascii", "thread_per_client", &[
        ("unicode byte_by_byte cut_character megabyte", "NOT_DECODED"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("lossy", "thread_per_client", &[
        ("byte_by_byte cut_character megabyte", "REPLACED"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("capitalizes", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart two_messages", "LOWER_OR_TITLE"),
        ("cut_character not_utf8 half_close silence reset vanish never_read megabyte last_word", "LOWER_OR_TITLE"),
        ("connections_200 coming_and_going", "LOWER_OR_TITLE")]),
    Mutant("adds_a_newline", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart byte_by_byte two_messages", "ADDS_NEWLINE"),
        ("cut_character half_close silence reset vanish never_read megabyte", "ADDS_NEWLINE"),
        ("connections_200 coming_and_going", "ADDS_NEWLINE"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("adds_returns", "thread_per_client", &[("two_messages", "CRLF")]),
    Mutant("adds_nul", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart two_messages", "NUL_SENT"),
        ("cut_character half_close silence reset vanish never_read", "NUL_SENT"),
        ("connections_200 coming_and_going", "NUL_SENT"),
        ("byte_by_byte megabyte", "NUL_SENT"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("adds_more", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart two_messages", "MORE_BYTES"),
        ("cut_character half_close silence reset vanish never_read", "MORE_BYTES"),
        ("connections_200 coming_and_going", "MORE_BYTES"),
        ("byte_by_byte megabyte", "OTHER_BYTES"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("replies_twice", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart two_messages", "TWICE"),
        ("cut_character half_close silence reset vanish never_read", "TWICE"),
        ("megabyte", "TWICE or OTHER_BYTES"),
        ("connections_200 coming_and_going", "TWICE"),
        ("byte_by_byte", "OTHER_BYTES"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("shared_decoder", "thread_per_client", &[
        ("cut_character", "SHARED_HALF"),
        ("vanish", "AN_ERROR")]),
    Mutant("accumulates", "thread_per_client", &[
        ("several_messages kept_apart", "ACCUMULATES"),
        ("byte_by_byte", "OTHER_BYTES"),
        ("cut_character", "ACCUMULATES"),
        ("never_read", "MORE_BYTES or OTHER_BYTES"),
        ("megabyte", "OTHER_BYTES")]),
    Mutant("whole_buffer", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart byte_by_byte two_messages", "WHOLE_BUFFER"),
        ("cut_character half_close silence reset vanish never_read", "WHOLE_BUFFER"),
        ("connections_200 coming_and_going", "WHOLE_BUFFER"),
        ("megabyte", "REPLACED"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("bytes_repr", "thread_per_client", &[
        ("first_client unicode nul_bytes several_messages kept_apart byte_by_byte two_messages", "BYTES_REPR"),
        ("cut_character not_utf8 half_close silence reset vanish never_read megabyte last_word", "BYTES_REPR"),
        ("connections_200 coming_and_going", "BYTES_REPR")]),
    Mutant("question_marks", "thread_per_client", &[
        ("unicode byte_by_byte megabyte", "QUESTION_MARKS"),
        ("cut_character", "QUESTION_MARKS")]),
    Mutant("latin_1", "thread_per_client", &[
        ("unicode byte_by_byte cut_character megabyte", "LATIN_1"),
        ("not_utf8 last_word", "INVALID_ANSWERED")]),
    Mutant("encodes_latin_1", "thread_per_client", &[
        ("unicode byte_by_byte megabyte", "LATIN_1"),
        ("cut_character", "LATIN_1")]),
    Mutant("nul_ends", "thread_per_client", &[("nul_bytes", "NUL_ENDS")]),
    Mutant("reverses", "thread_per_client", &[
        ("first_client unicode several_messages kept_apart two_messages", "OTHER_BYTES"),
        ("cut_character not_utf8 half_close silence reset vanish never_read megabyte last_word", "OTHER_BYTES"),
        ("connections_200 coming_and_going", "OTHER_BYTES"),
        ("nul_bytes", "OTHER_BYTES")]),
    Mutant("good_text_lost", "thread_per_client", &[
        ("not_utf8", "GOOD_LOST"),
        ("last_word", "GOOD_LOST")]),

    Mutant("one_recv_and_end", "thread_per_client", &[
        ("several_messages", "OUTSIDE"),
        ("kept_apart byte_by_byte megabyte", "ONE_RECV"),
        ("never_read", "UNBOUND or ONE_RECV"),
        ("cut_character", "OUTSIDE")]),
    Mutant("one_recv", "thread_per_client", &[
        ("several_messages", "OUTSIDE"),
        ("kept_apart byte_by_byte megabyte", "ONE_RECV"),
        ("cut_character", "HALF_LOST"),
        ("not_utf8 last_word", "UNTOLD"),
        ("never_read", "UNBOUND")]),
    Mutant("dies_of_half_a_character", "sequential_server", &[
        ("byte_by_byte cut_character not_utf8 vanish megabyte last_word", "DIED")]),
    Mutant("decodes_each_read", "thread_per_client", &[("=cut_character", "SECOND_HALF")]),
    Mutant("thread_dies_of_half_a_character", "thread_per_client", &[
        ("byte_by_byte", "FIRST_HALF"),
        ("cut_character", "HALF_HELD"),
        ("not_utf8 last_word", "UNTOLD"),
        ("megabyte", "FIRST_HALF")]),
    Mutant("first_line_only", "thread_per_client", &[("two_messages", "THROWN_AWAY")]),
    Mutant("half_close_is_the_end", "poll_server", &[("half_close", "REQUESTS_END")]),
    Mutant("no_end", "thread_per_client", &[("half_close", "NO_OWN_END")]),
    Mutant("shared_text", "thread_per_client", &[
        ("kept_apart", "OF_ANOTHER"),
        ("?coming_and_going ?never_read", "any")]),
    Mutant("dies_of_a_reset", "thread_per_client", &[("reset", "DIED")]),
    Mutant("dies_of_a_cut_end", "thread_per_client", &[("vanish", "DIED")]),
    Mutant("waits_for_a_first_message", "sequential_server", &[("silence", "STILL_HELD")]),
    Mutant("waits_after_a_reset", "sequential_server", &[("reset", "NEXT_WAITS")]),
    Mutant("killed_by_sigpipe", "thread_per_client", &[("vanish", "SIGPIPE")]),
    Mutant("closes_on_the_unread", "thread_per_client", &[("last_word", "UNREAD")]),
    Mutant("hundred_clients", "thread_per_client", &[("connections_200", "ONLY_N")]),
    Mutant("thirty_clients", "thread_per_client", &[
        ("not_utf8 reset", "COUNT"),
        ("connections_200", "COUNT or EXITED or NOT_SERVED EXITED"),
        ("coming_and_going", "COUNT or EXITED")]),
    Mutant("thirty_threads", "thread_per_client", &[("=connections_200", "ONLY_N")]),
    Mutant("leaks_sockets", "thread_per_client", &[
        ("never_read", "COUNT"),
        ("connections_200", "NOT_SERVED"),
        ("coming_and_going", "NOT_SERVED or MIXED_UP")]),
    Mutant("too_many_open", "thread_per_client", &[("connections_200", "FEW_DESCRIPTORS")]),
    Mutant("skips_every_third", "thread_per_client", &[("=connections_200", "NOT_SERVED or ONLY_N")]),
    Mutant("one_accept_for_each_event", "poll_server", &[
        ("kept_apart", "ONE_EVENT"),
        ("silence", "ONE_EVENT"),
        ("coming_and_going", "ONE_EVENT or MIXED_UP")]),
    Mutant("throws_out_newcomers", "poll_server", &[("coming_and_going", "MIXED_UP")]),
    Mutant("in_a_row", "thread_per_client", &[
        ("cut_character silence never_read connections_200", "ONE_AT_A_TIME")]),
    Mutant("reads_before_the_thread", "thread_per_client", &[("silence", "SILENCE_BLOCKS")]),
    Mutant("together", "sequential_server", &[("one_after_another", "NOT_SEQUENTIAL")]),
    Mutant("blocking_send", "poll_server", &[("never_read", "BLOCKED")]),
    // It depends on the speed of the two programs how much the server takes.
    Mutant("forgets_the_rest", "poll_server", &[("never_read", "UNBOUND or LOST")]),
    Mutant("loses_the_rest", "thread_per_client", &[("=never_read", "LOST")]),
    Mutant("dies_of_the_rest", "poll_server", &[("never_read", "DIED")]),
    Mutant("slow_in_turn", "slow_thread_per_client", &[("slow_clients", "IN_TURN")]),
    Mutant("slow_together", "slow_sequential_server", &[
        ("one_after_another", "NOT_SEQUENTIAL"),
        ("slow_clients", "ALL_AT_ONCE")]),
    Mutant("in_a_row", "slow_sequential_server", &[("slow_clients", "NOT_SLOW")]),

    Mutant("stays_open", "tcp_server", &[
        ("one_message byte_by_byte cut_character last_word", "NOT_CLOSED"),
        ("not_utf8", "UNTOLD"),
        ("half_close", "NO_OWN_END"),
        ("one_after_another", "NOT_SEQUENTIAL")]),
    Mutant("one_message_unread", "tcp_server", &[("last_word", "UNREAD")]),
    Mutant("unread_after_shutdown", "tcp_server", &[("last_word", "UNREAD")]),
    Mutant("drains_forever", "tcp_server", &[("last_word", "ENDLESS_DRAIN")]),
    Mutant("drains_while_bytes_come", "tcp_server", &[("last_word", "ENDLESS_DRAIN")]),
    Mutant("sleeps_before_it_closes", "tcp_server", &[("=last_word", "UNREAD")]),
    Mutant("one_message_stripped", "tcp_server", &[
        ("kept_apart two_messages", "STRIPPED"),
        ("cut_character", "REPLACED"),
        ("not_utf8", "INVALID_ANSWERED")]),
    Mutant("one_line", "tcp_server", &[("first_client", "WAITS_FOR_A_LINE")]),
    Mutant("closes_too_early", "tcp_server", &[("first_client", "UNREAD")]),
    Mutant("pool_of_five", "thread_pool", &[("pool_of_four", "MORE_THAN_FOUR")]),
    Mutant("pool_of_three", "thread_pool", &[("silence pool_of_four", "FEWER")]),
    Mutant("pool_with_a_lock", "thread_pool", &[("silence pool_of_four", "FEWER")]),
    Mutant("pool_threads_wait_after_a_reset", "thread_pool", &[("reset", "THREADS_GONE")]),
    Mutant("pool_waits_for_a_first_message", "thread_pool", &[("pool_of_four", "NOT_RELEASED")]),
    Mutant("pool_thread_dies_of_a_reset", "thread_pool", &[("reset", "EXITED")]),
    Mutant("never_idle", "thread_pool_timeout", &[("idle_end", "NEVER_ENDS")]),
    Mutant("idle_in_silence", "thread_pool_timeout", &[("idle_end", "NOT_SAID")]),
    Mutant("silence_ends_threads", "thread_pool_timeout", &[("idle_end", "THREADS_GONE")]),
    Mutant("idle_with_an_error", "thread_pool_timeout", &[("idle_end", "ENDED_BADLY")]),
    Mutant("silence_forever", "thread_pool_timeout", &[("idle_end", "NO_LIMIT")]),
    Mutant("silence_for_a_second", "thread_pool_timeout", &[("idle_end", "OTHER_TIME")]),
    Mutant("slow_two_at_a_time", "slow_thread_pool_timeout", &[
        ("slow_clients", "NOT_FOUR"),
        ("?idle_end", "NO_LIMIT")]),

    Mutant("recv_4", "recvall_server", &[
        ("byte_by_byte", "ONE_RECV"),
        ("prefix_in_pieces", "ONE_RECV_4")]),
    // The length of the first read of a long message differs from time to time.
    Mutant("recv_body", "recvall_server", &[
        ("byte_by_byte", "ONE_RECV"),
        ("two_messages", "MORE_BYTES or OTHER_BYTES"),
        ("cut_character", "ONE_RECV"),
        ("ends_inside", "CUT_ANSWERED"),
        ("megabyte", "ONE_RECV")]),
    Mutant("signed_length", "recvall_server", &[("announces_4_gib last_word", "NEGATIVE")]),
    Mutant("believes_the_length", "recvall_server", &[("announces_4_gib last_word", "BELIEVED")]),
    Mutant("limit_of_1_gib", "recvall_server", &[("=announces_4_gib", "BELIEVED")]),
    Mutant("empty_is_the_end", "recvall_server", &[("empty_block", "EMPTY_BLOCK")]),
    Mutant("dies_of_an_end_inside", "recvall_server", &[("ends_inside silence vanish", "DIED")]),
    Mutant("lossy_block", "recvall_server", &[("not_utf8", "INVALID_ANSWERED")]),
    Mutant("block_stays_open", "recvall_server", &[
        ("one_message two_messages", "NOT_CLOSED"),
        ("not_utf8", "UNTOLD"),
        ("ends_inside", "STILL_WAITS"),
        ("announces_4_gib last_word", "BELIEVED"),
        ("half_close", "NO_OWN_END"),
        ("one_after_another", "NOT_SEQUENTIAL")]),
    Mutant("little_endian", "recvall_server", &[("first_client", "WRONG_ORDER")]),
    Mutant("writes_little_endian", "recvall_server", &[("first_client", "WRONG_ORDER")]),
    Mutant("block_reads_to_the_end", "recvall_server", &[("first_client", "WAITS_FOR_THE_END")]),
    Mutant("no_prefix", "recvall_server", &[
        ("first_client unicode nul_bytes one_message kept_apart byte_by_byte two_messages", "NO_PREFIX"),
        ("cut_character not_utf8 ends_inside announces_4_gib half_close silence reset vanish", "NO_PREFIX"),
        ("megabyte connections_200 one_after_another", "NO_PREFIX"),
        ("empty_block", "NO_PREFIX or EMPTY_BLOCK"),
        ("prefix_in_pieces", "NO_PREFIX")]),
    Mutant("length_in_characters", "recvall_server", &[
        ("unicode byte_by_byte cut_character megabyte", "LENGTH_IN_CHARACTERS")]),
    Mutant("length_with_prefix", "recvall_server", &[
        ("first_client unicode nul_bytes one_message kept_apart byte_by_byte two_messages", "LENGTH_WITH_PREFIX"),
        ("cut_character not_utf8 empty_block ends_inside announces_4_gib half_close", "LENGTH_WITH_PREFIX"),
        ("silence reset vanish megabyte connections_200 one_after_another", "LENGTH_WITH_PREFIX"),
        ("prefix_in_pieces", "LENGTH_WITH_PREFIX")]),
    Mutant("stops_after_a_megabyte", "recvall_server", &[("=megabyte", "STOPS_SERVING")]),

    #[cfg(feature = "async")]
    Mutant("sleeps_in_a_task", "async_server", &[("=slow_clients", "IN_TURN")]),
    Mutant("one_family", "dual_stack", &[("both_families", "ONE_FAMILY")]),
    Mutant("stop_never", "stop_server", &[("=stops", "STILL_ACCEPTS")]),
    Mutant("stop_and_listens", "stop_server", &[("=stops", "STILL_ACCEPTS")]),
    Mutant("stop_at_once", "stop_server", &[("=stops", "CUT_ON_STOP")]),
    Mutant("stop_without_a_limit", "stop_server", &[("=stops", "NEVER_STOPS")]),
    Mutant("stop_with_an_error", "stop_server", &[("=stops", "STOPS_BADLY")]),
    Mutant("stop_at_the_end", "stop_server", &[("=stops", "STOPS_AT_THE_END")]),

    Mutant("make_line_read_once", "tcp_server --make", &[("line_in_pieces", "EARLY_REPLY")]),
    Mutant("make_line_without_end", "tcp_server --make", &[("line_in_pieces", "ENDLESS_LINE")]),
    Mutant("make_line_needs_its_newline", "tcp_server --make", &[("line_in_pieces", "REQUESTS_END")]),
    Mutant("make_line_without_newline", "tcp_server --make", &[("line_in_pieces", "NO_NEWLINE")]),
    Mutant("make_line_ends_with", "tcp_server --make", &[("line_in_pieces", "NEWLINE_INSIDE")]),
    Mutant("make_line_of_4096", "tcp_server --make", &[("line_in_pieces", "SHORT_LINE")]),
    Mutant("make_one_block", "recvall_server --make", &[("several_blocks", "ONE_BLOCK")]),
    Mutant("make_blocks_recv_4", "recvall_server --make", &[("several_blocks", "ONE_RECV_4")]),
    Mutant("make_blocks_with_new_readers", "recvall_server --make", &[("several_blocks", "THROWN_AWAY")]),
    Mutant("make_limit_after_the_read", "sequential_server --make", &[("session_limit", "OVER_LIMIT")]),
    Mutant("make_limit_of_all_clients", "sequential_server --make", &[("session_limit", "OVER_LIMIT")]),
    Mutant("make_idle_since_accept", "poll_server --make", &[("idle_client", "CUT_TOO_EARLY")]),
    Mutant("make_idle_if_all_are", "poll_server --make", &[("idle_client", "STAYS_IDLE")]),
    Mutant("make_idle_if_another_sends", "poll_server --make", &[("idle_client", "STAYS_IDLE")]),
    Mutant("make_idle_late", "poll_server --make", &[("idle_client", "CUT_TOO_LATE")]),
    #[cfg(feature = "async")]
    Mutant("make_idle_in_a_reply", "async_server --make", &[("idle_client", "CUT_TOO_EARLY")]),
    Mutant("make_busy_for_each_family", "dual_stack --make", &[("too_many_clients", "NOT_BUSY")]),
    Mutant("make_busy_frees_a_place", "thread_per_client --make", &[("too_many_clients", "NOT_BUSY")]),
    Mutant("make_busy_in_turn", "thread_per_client --make", &[("too_many_clients", "SILENCE_BLOCKS")]),
    Mutant("make_busy_forever", "thread_per_client --make", &[("too_many_clients", "STAYS_BUSY")]),
    Mutant("make_busy_too_early", "thread_per_client --make", &[("too_many_clients", "STAYS_BUSY")]),
    Mutant("make_busy_counts_the_refused", "thread_per_client --make", &[("too_many_clients", "STAYS_BUSY")]),
    Mutant("make_busy_unread", "thread_per_client --make", &[("too_many_clients", "UNREAD")]),
    Mutant("make_crash_ends_a_thread", "thread_pool --make", &[("crash", "BUG_ENDS_THREADS")]),
    Mutant("make_crash_is_repaired", "thread_pool --make", &[("crash", "CRASH_ANSWERED")]),
    Mutant("make_last_worker_exits", "thread_pool_timeout --make", &[("last_worker", "LAST_EXITS")]),
    Mutant("make_last_worker_is_held", "thread_pool_timeout --make", &[("last_worker", "NO_LIMIT")]),
    Mutant("make_last_worker_is_not_alone", "thread_pool_timeout --make", &[("last_worker", "ALL_STAY")]),
];

/// A bug for which `check` prints a sentence instead of a report: the server has the wrong
/// protocol. `a_server_of_the_other_protocol_is_recognised` tests the sentence.
const OTHER_PROTOCOL: (&str, &str) = ("together", "udp_server");

/// A bug that `check` cannot find. It shows only if the server has no file descriptor left, and
/// then a correct server does not serve 200 clients either. `limits.rs` tests this bug, and the
/// page about the errors of `accept` shows it.
const ONLY_UNDER_A_LIMIT: (&str, &str) =
    ("retries_accept_at_once", "thread_per_client");

/// This reason is only for a network that does not report that a datagram was refused. The
/// loopback interface reports it.
const NOT_ON_LOOPBACK: &str = "TCP_SERVER_THERE";

/// Returns the reason why a bug does not show on this operating system.
fn invisible(Mutant(bug, lesson, _): &Mutant) -> Option<&'static str> {
    let by_reset = ["reset", "unread", "too_early"];
    if by_reset.iter().any(|part| bug.contains(part)) && !resets_show() {
        return Some("a reset looks like a normal close here");
    }
    if *bug == "one_accept_for_each_event" && !cfg!(target_os = "linux") {
        return Some("only Linux has epoll");
    }
    if *bug == "killed_by_sigpipe" && cfg!(windows) {
        return Some("Windows has no signals");
    }
    let is_datagram =
        bug.starts_with("udp_") && server(lesson).kind == Kind::Datagram;
    (bug.ends_with("_buffer") && is_datagram && cfg!(windows))
        .then_some("Windows discards a datagram that is longer than the buffer")
}

#[test]
fn every_broken_server_fails_for_its_reason() {
    let (mut visible, others): (Vec<_>, Vec<_>) =
        MUTANTS.iter().partition(|mutant| invisible(mutant).is_none());
    for mutant in others {
        skipped(mutant.0, invisible(mutant).unwrap_or_default());
    }
    if cfg!(windows) {
        // Wine starts programs slowly: all broken servers would take seven minutes.
        let all = visible.len();
        visible = visible.into_iter().step_by(4).collect();
        skipped(
            "most of the broken servers",
            format!("{} of {all} run", visible.len()),
        );
    }
    // The longest runs come first: many failures, but few in which the process exits.
    visible.sort_by_key(|Mutant(.., expected)| {
        let long = expected.iter().filter(|(_, why)| *why != "DIED");
        let checks = long.map(|(checks, _)| checks.split(' ').count());
        std::cmp::Reverse(checks.sum::<usize>())
    });
    let doubtful = Mutex::new(Vec::new());
    for_each_at_once(visible.into_iter(), |mutant| {
        if !differences(mutant).is_empty() {
            doubtful.lock().unwrap().push(mutant);
        }
    });
    // On a busy machine, a correct reply can come too late. A second run, alone, decides.
    let mut doubtful = doubtful.into_inner().unwrap();
    if is_wine() {
        doubtful.retain(|mutant| !differences(mutant).is_empty());
    }
    let wrong: Vec<_> = doubtful.into_iter().flat_map(differences).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns what differs from the table in the report about a broken server.
fn differences(Mutant(bug, lesson, expected): &Mutant) -> Vec<String> {
    let start = line("mutant", "{address} {options}");
    let mut args = vec![*lesson, "--timeout", "1.2"];
    if let Some(lesson) = lesson.strip_suffix(" --make") {
        // All checks of all these servers would take ten seconds more.
        let only = ["--make", "--only", expected[0].0, "--run", &start];
        args = [&[lesson, "--timeout", "0.8"], &only[..]].concat();
    } else if let Some(only) = expected[0].0.strip_prefix('=') {
        args.extend(["--only", only]);
    }
    let output = check(broken(), &args, bug);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    let mut failed = checks_with("FAILED", &said);
    let mut found = Vec::new();
    for (checks, allowed) in *expected {
        for name in checks.trim_start_matches('=').split(' ') {
            let (name, must_fail) =
                name.strip_prefix('?').map_or((name, true), |name| (name, false));
            let Some(text) = failed.remove(name) else {
                if must_fail {
                    found.push(format!("{bug}: {name} does not fail"));
                }
                continue;
            };
            let reasons = reasons_of(&text);
            let is_allowed =
                *allowed == "any" || allowed.split(" or ").any(|one| one == reasons);
            if !is_allowed {
                found.push(format!(
                    "{bug}: {name}: {reasons}, but expected {allowed}"
                ));
            }
        }
    }
    for (name, text) in failed {
        found.push(format!("{bug}: {name} fails, too: {}", reasons_of(&text)));
    }
    if exit(&output) != Some(1) {
        found.push(format!("{bug}: {}", output.status));
    }
    if !found.is_empty() {
        found.push(said);
    }
    found
}

/// Runs `mutant` with this value of its environment variable, or without a value.
fn mutant(bug: Option<&str>) -> Output {
    let mut command = Command::new(example("mutant"));
    command.arg("0").env_remove("MUTANT").envs(bug.map(|bug| ("MUTANT", bug)));
    finish(&mut command, "")
}

/// `mutant` lists exactly the bugs that the tests know, and the lesson of each.
#[test]
fn without_a_known_name_mutant_lists_its_bugs() {
    let mut tested = BTreeSet::from([OTHER_PROTOCOL, ONLY_UNDER_A_LIMIT]);
    tested.extend(MUTANTS.iter().map(|Mutant(bug, lesson, _)| (*bug, *lesson)));
    assert_eq!(
        BUGS.iter().map(|bug| (bug.name, bug.lesson)).collect::<BTreeSet<_>>(),
        tested
    );
    for bug in [None, Some("no_such_bug"), Some("")] {
        let output = mutant(bug);
        let stderr = stderr(&output);
        assert_eq!(exit(&output), Some(2), "{stderr}");
        assert_eq!(stdout(&output), "");
        let mut lines = stderr.lines();
        let sentence = lines.next().unwrap();
        assert!(sentence.starts_with("Error: "), "{stderr}");
        assert!(sentence.contains(bug.unwrap_or_default()), "{stderr}");
        let listed = lines.skip(1).map(|line| line.split_once(' ').unwrap());
        let listed: BTreeSet<_> =
            listed.map(|(bug, lesson)| (bug, lesson.trim())).collect();
        assert_eq!(listed, tested);
    }
}

/// A check that never fails is useless.
#[test]
fn every_check_notices_something() {
    let failing = MUTANTS.iter().flat_map(|mutant| mutant.2);
    let failing =
        failing.flat_map(|(names, _)| names.trim_start_matches('=').split(' '));
    let failing = failing.filter(|name| !name.starts_with('?')).map(str::to_owned);
    assert_eq!(failing.collect::<BTreeSet<_>>(), listed());
}

/// A reason that no bug causes is not tested.
#[test]
fn every_reason_is_shown_by_a_bug() {
    let reasons = MUTANTS.iter().flat_map(|mutant| mutant.2);
    let shown: BTreeSet<_> =
        reasons.flat_map(|(_, reasons)| reasons.split(' ')).collect();
    let missing = REASONS.iter().map(|(name, _)| *name);
    let missing: Vec<_> = missing.filter(|name| !shown.contains(name)).collect();
    assert_eq!(missing, [NOT_ON_LOOPBACK]);
}
