//! `check`: it passes on every example, and fails on every broken server for its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Condvar, Mutex, OnceLock};
use std::{env, fs, thread};

use crate::harness::{
    deaf, example, finish, for_each_at_once, resets_show, run, skipped,
};
use crate::table::{Kind, SERVERS, server};
use names::BUGS;

#[path = "../mutants/names.rs"]
mod names;

/// How many run at the same time. Most of it is waiting for answers that do not come: so more
/// than there are processors, but not so many that a server that is well answers too late.
/// (Wine has one server for all its programs, which keeps them waiting earlier.)
const TOGETHER: usize = if cfg!(windows) { 2 } else { 20 };

/// Runs `check`, which takes the programs beside its own, with a flaw for those that are broken.
#[track_caller]
fn check(program: &Path, args: &[&str], flaw: &str) -> Output {
    static RUNNING: Mutex<usize> = Mutex::new(0);
    static ENDED: Condvar = Condvar::new();
    let running = RUNNING.lock().unwrap();
    *ENDED.wait_while(running, |running| *running == TOGETHER).unwrap() += 1;
    let output = finish(Command::new(program).args(args).env("MUTANT", flaw), "");
    *RUNNING.lock().unwrap() -= 1;
    ENDED.notify_one();
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn exit(output: &Output) -> Option<i32> {
    output.status.code()
}

/// The checks that failed, each with its reason.
fn failures(output: &Output) -> BTreeMap<String, String> {
    let stdout = stdout(output);
    let lines: Vec<_> = stdout.lines().collect();
    let failed = lines.windows(2).filter(|two| two[0].starts_with("FAILED "));
    let name = |line: &str| line.split_whitespace().nth(1).unwrap().to_owned();
    failed.map(|two| (name(two[0]), two[1].trim().to_owned())).collect()
}

/// The last line: so many of so many.
fn verdict(output: &Output) -> (usize, usize) {
    let stdout = stdout(output);
    let last = stdout.lines().last().unwrap_or_default();
    let (passed, all) = last.split_once(" of ").expect(&stdout);
    (passed.parse().unwrap(), all.parse().unwrap())
}

/// Every check of its kind is made, and none fails.
fn every_example_passes() {
    for_each_at_once(SERVERS.into_iter(), |row| {
        let output = check(&example("check"), &[row.name], "");
        let said = stdout(&output);
        assert_eq!(exit(&output), Some(0), "{said}");
        let (passed, all) = verdict(&output);
        assert_eq!(passed, all, "{said}");
        // A line to begin with, a line for each check, and the verdict: nothing is left out.
        assert_eq!(said.lines().count(), all + 2, "{said}");
        assert!(
            !said.contains('\x1b') && !said.contains('✓'),
            "not a terminal: {said}"
        );

        // It has left no server behind.
        let address = said.lines().next().unwrap().rsplit(' ').next().unwrap();
        if row.is_stream() {
            assert!(
                TcpStream::connect(address).is_err(),
                "{}: still there",
                row.name
            );
        }
    });
}

/// A server that somebody else has started. What only one of our own can show is left out,
/// and so is what would take minutes: each is said.
#[test]
fn a_server_at_an_address_is_checked_too() {
    let cases = [
        ("udp_server", "0", "0 left out"),
        ("recvall_server", "0", "0 left out"),
        ("poll_server", "0", "0 left out"),
        ("thread_pool_timeout", "0", "1 left out"),
        ("slow_thread_pool_timeout", "0", "2 left out"),
        ("slow_sequential_server", "0.02", "4 left out"),
    ];
    for_each_at_once(cases.into_iter(), |(name, delay, expected)| {
        let row = server(name);
        let options: &[&str] = if row.is_slow() { &["--delay", delay] } else { &[] };
        let server = row.start_with(options);
        let address = server.address.to_string();
        let output =
            check(&example("check"), &[name, &address, "--delay", delay], "");
        let said = stdout(&output);
        assert_eq!(exit(&output), Some(0), "{said}");
        let left_out = said.matches("\nleft out").count();
        assert_eq!(format!("{left_out} left out"), expected, "{said}");
    });
}

#[test]
fn without_a_slide_there_is_a_row_for_each() {
    let output = check(&example("check"), &["--only", "upper_case"], "");
    assert_eq!(exit(&output), Some(0));
    let rows = stdout(&output);
    assert_eq!(rows.lines().count(), SERVERS.len(), "{rows}");
    for (line, row) in rows.lines().zip(SERVERS) {
        assert!(line.starts_with(&format!("passed    {} ", row.name)), "{rows}");
        assert!(line.contains(" 1 of 1 "), "{rows}");
    }
    let output = check(
        &broken(),
        &["--only", "empty_datagram", "--timeout", "0.3"],
        "udp_forgets_empty",
    );
    assert_eq!(exit(&output), Some(1));
    let rows = stdout(&output);
    assert!(rows.starts_with("FAILED    udp_server_bytes "), "{rows}");
    assert_eq!(rows.matches(" of 1 ").count(), 3, "{rows}");
    assert!(
        rows.contains(" 0 of 1 ")
            && rows.contains("an empty datagram was not answered"),
        "{rows}"
    );
}

#[test]
fn wrong_arguments_and_nobody_there_are_one_sentence_and_status_2() {
    let (_deaf, address) = deaf();
    let address = address.to_string();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    fs::create_dir_all(&folder).unwrap();
    let alone = link(&example("check"), &folder.join("check"));
    for (program, args, part) in [
        (example("check"), ["no_such_slide", ""], "no_such_slide"),
        (example("check"), ["byte_order", ""], "byte_order"),
        (example("check"), ["tcp_server", &address], &*address),
        (example("check"), ["tcp_server", "no address"], "no address"),
        (example("check"), ["--only", "no_such_check"], "no_such_check"),
        (example("check"), ["udp_server", "--only=half_close"], "half_close"),
        (example("check"), ["poll_server", "--only=idle_end"], "idle_end"),
        (example("check"), ["tcp_server", "--timeout=0"], "--timeout"),
        (example("check"), ["tcp_server", "--bogus"], "--bogus"),
        #[cfg(not(feature = "event"))]
        (example("check"), ["event_server", ""], "--features event -- event_server"),
        (alone, ["tcp_server", ""], "cargo build --example tcp_server"),
    ] {
        let args: Vec<_> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        let output = check(&program, &args, "");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(exit(&output), Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("Error: ") && stderr.contains(part), "{stderr}");
        let sentences = stderr.lines().filter(|line| !line.starts_with("usage: "));
        assert_eq!(sentences.count(), 1, "{stderr}");
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}

/// Accepts, and never answers.
#[test]
fn a_mute_server_is_given_up() {
    let output =
        check(&broken(), &["thread_per_client", "--timeout", "0.5"], "mute");
    assert_eq!(exit(&output), Some(1));
    assert_eq!(verdict(&output).0, 0);
    assert!(stdout(&output).contains(" does not answer: "));
}

// The broken servers: `tests/mutants/mutant.rs`.

/// Which flaw, in place of which slide, and what must fail: names of checks, and a part of the
/// reason.
struct Mutant(&'static str, &'static str, &'static [(&'static str, &'static str)]);

const ECHO: &str = "nobody made them upper case";
const ASCII: &str = "upper case of bytes";
const PIECES: &str = "one recv is not one character";
const NOT_TEXT: &str = "bytes that are not UTF-8 were answered";
const ONE_RECV: &str = "one recv was taken for one message";
const OUTSIDE: &str = "recv stands outside the loop";
const OPEN: &str = "the connection stays open";
const UNTOLD: &str = "nobody told the client";
const UNREAD: &str = "closed with bytes still unread";
const AT_ONCE: &str = "it is not sequential";

#[rustfmt::skip]
const MUTANTS: &[Mutant] = &[
    Mutant("udp_echo", "udp_server", &[
        ("upper_case unicode datagram_2048 datagram_2049 several_messages kept_apart vanish", ECHO),
        ("cut_character", "half a character was answered"),
        ("not_utf8", NOT_TEXT)]),
    Mutant("udp_small_buffer", "udp_server", &[("datagram_2048 datagram_2049", "the buffer is shorter")]),
    Mutant("udp_large_buffer", "udp_server", &[("datagram_2049", "the buffer is longer")]),
    Mutant("udp_answers_another", "udp_server", &[("kept_apart", "an answer meant for another client")]),
    Mutant("udp_pongs_to_text", "ttl_pong", &[("any_bytes", "nobody asked for text here")]),
    Mutant("udp_answers_to_text", "udp_server_bytes", &[("any_bytes", "nobody asked for text here")]),
    Mutant("udp_forgets_empty", "udp_server", &[("empty_datagram", "an empty datagram was not answered")]),
    Mutant("udp_dies_of_bytes", "udp_server", &[
        ("cut_character", "the process died of half a character"),
        ("not_utf8", "the process died of bytes that are not UTF-8"),
        ("vanish", "the process died of a client that leaves")]),
    Mutant("udp_lossy", "udp_server", &[
        ("cut_character", "half a character was answered"),
        ("not_utf8", NOT_TEXT)]),

    Mutant("echo", "thread_per_client", &[
        ("upper_case unicode several_messages kept_apart byte_by_byte two_messages cut_character", ECHO),
        ("not_utf8 half_close silence reset vanish never_read megabyte last_word", ECHO),
        ("connections_200 coming_and_going", ECHO)]),
    Mutant("ascii", "thread_per_client", &[
        ("unicode byte_by_byte cut_character megabyte", ASCII),
        ("not_utf8 last_word", NOT_TEXT)]),
    Mutant("lossy", "thread_per_client", &[
        ("byte_by_byte cut_character megabyte", PIECES),
        ("not_utf8 last_word", NOT_TEXT)]),
    Mutant("one_recv_and_end", "thread_per_client", &[
        ("several_messages", OUTSIDE),
        ("kept_apart byte_by_byte", ONE_RECV),
        ("never_read", ""), // It takes all that comes for a second, or not all.
        ("cut_character", "the second half of é was taken for a whole message: one recv is not one character"),
        ("megabyte", ONE_RECV)]),
    Mutant("one_recv", "thread_per_client", &[
        ("several_messages", OUTSIDE),
        ("kept_apart byte_by_byte megabyte", ONE_RECV),
        ("cut_character", "the second means nothing alone"),
        ("not_utf8", UNTOLD),
        ("never_read", "still read from"),
        ("last_word", OPEN)]),
    Mutant("dies_of_half_a_character", "sequential_server", &[
        ("byte_by_byte", "the process died of a text in segments of one byte"),
        ("cut_character", "the process died of half a character"),
        ("not_utf8", "the process died of bytes that are not UTF-8"),
        ("vanish", "the process died of a client that leaves"),
        ("megabyte", "the process died of a text of 1 MiB"),
        ("last_word", "the process died of a client that still sends")]),
    Mutant("thread_dies_of_half_a_character", "thread_per_client", &[
        ("byte_by_byte", "the first half of é was taken for bad UTF-8"),
        ("cut_character", "the text before half of é was not answered"),
        ("not_utf8", UNTOLD),
        ("megabyte last_word", "no answer")]),
    // It answers nothing else either: the checks end with the first.
    Mutant("waits_for_a_line", "thread_per_client", &[("upper_case", "the server waits for a newline")]),
    Mutant("first_line_only", "thread_per_client", &[("two_messages", "what followed the first message in the segment was thrown away")]),
    Mutant("half_close_is_the_end", "poll_server", &[("half_close", "had ended its own side got no answer")]),
    Mutant("no_end", "thread_per_client", &[("half_close", "the server does not end its own")]),
    Mutant("shared_text", "thread_per_client", &[
        ("kept_apart", "an answer meant for another client"),
        ("coming_and_going ?never_read", "")]),
    Mutant("dies_of_a_reset", "thread_per_client", &[("reset", "the process died of a reset")]),
    Mutant("dies_of_a_cut_end", "thread_per_client", &[("vanish", "the process died of a client that leaves")]),
    Mutant("closes_on_the_unread", "thread_per_client", &[("last_word", UNREAD)]),
    Mutant("hundred_clients", "thread_per_client", &[("connections_200", "some connections are not served")]),
    Mutant("throws_out_newcomers", "poll_server", &[("coming_and_going", "an answer was lost while clients came and went")]),
    Mutant("in_a_row", "thread_per_client", &[
        ("silence", "silent clients keep the others waiting"),
        ("never_read", "a client that does not read blocks the others"),
        ("connections_200", "some connections are not served")]),
    Mutant("together", "sequential_server", &[("one_after_another", AT_ONCE)]),
    Mutant("blocking_send", "poll_server", &[
        ("never_read", "a client that does not read blocks the others: the send is blocking, or the socket was left blocking")]),
    // How much it takes before check stops depends on how fast the two are.
    Mutant("forgets_the_rest", "poll_server", &[("never_read", "lost")]),
    Mutant("loses_the_rest", "thread_per_client", &[("never_read", "a send may take fewer than it was given")]),
    Mutant("dies_of_the_rest", "poll_server", &[("never_read", "the process died of a client that does not read")]),
    Mutant("slow_in_turn", "slow_thread_per_client", &[("slow_clients", "slow clients wait for each other")]),
    Mutant("slow_together", "slow_sequential_server", &[
        ("one_after_another", AT_ONCE),
        ("slow_clients", "served at the same time")]),
    Mutant("in_a_row", "slow_sequential_server", &[("slow_clients", "nothing here takes its time")]),

    Mutant("stays_open", "tcp_server", &[
        ("one_message byte_by_byte cut_character last_word", OPEN),
        ("not_utf8", UNTOLD),
        ("half_close", "the server does not end its own"),
        ("one_after_another", AT_ONCE)]),
    Mutant("one_message_unread", "tcp_server", &[("last_word", UNREAD)]),
    Mutant("pool_of_five", "thread_pool", &[("pool_of_four", "there are more than four threads")]),
    Mutant("pool_of_three", "thread_pool", &[
        ("silence", "fewer than four threads"),
        ("pool_of_four", "did not come back to accept")]),
    Mutant("pool_thread_dies_of_a_reset", "thread_pool", &[("reset", "the process died of a reset")]),
    Mutant("never_idle", "thread_pool_timeout", &[("idle_end", "the program still waits")]),
    Mutant("idle_in_silence", "thread_pool_timeout", &[("idle_end", "each of the four threads says once")]),
    Mutant("idle_with_an_error", "thread_pool_timeout", &[("idle_end", "a thread whose time was over failed")]),
    Mutant("silence_forever", "thread_pool_timeout", &[("idle_end", "the time limit of accept is none for recv")]),

    Mutant("recv_4", "recvall_server", &[
        ("byte_by_byte", ONE_RECV),
        ("prefix_in_pieces", "one recv(4) was taken for the whole length")]),
    Mutant("recv_body", "recvall_server", &[
        ("byte_by_byte", ONE_RECV),
        ("cut_character", "the first half of é was taken for bad UTF-8"),
        ("two_messages", "other bytes came"),
        ("megabyte", ""),
        ("ends_inside", "nobody looked")]),
    Mutant("believes_the_length", "recvall_server", &[("announces_4_gib last_word", "the announced length was believed")]),
    Mutant("empty_is_the_end", "recvall_server", &[("empty_block", "it is a block with nothing in it")]),
    Mutant("dies_of_an_end_inside", "recvall_server", &[
        ("ends_inside", "the process died of a client that ends inside a block"),
        ("silence", "the process died of a client that says nothing"),
        ("vanish", "the process died of a client that leaves before its answer")]),
    Mutant("lossy_block", "recvall_server", &[("not_utf8", NOT_TEXT)]),
    Mutant("block_stays_open", "recvall_server", &[
        ("one_message two_messages", OPEN),
        ("not_utf8", UNTOLD),
        ("ends_inside", "is waited for"),
        ("announces_4_gib last_word", "the announced length was believed"),
        ("half_close", "the server does not end its own"),
        ("one_after_another", AT_ONCE)]),
];

/// A folder in which the broken server has the name of each slide, with a `check` beside it
/// that takes it for one.
fn broken() -> PathBuf {
    static CHECK: OnceLock<PathBuf> = OnceLock::new();
    let check = CHECK.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        fs::create_dir_all(&folder).unwrap();
        for row in SERVERS {
            link(&example("mutant"), &folder.join(row.name));
        }
        link(&example("check"), &folder.join("check"))
    });
    check.clone()
}

/// The same file under another name. Not a copy where it can be avoided: a program that is
/// still being written cannot be started, and another test's child may hold it open.
fn link(program: &Path, name: &Path) -> PathBuf {
    let name = name.with_extension(env::consts::EXE_EXTENSION);
    let _ = fs::remove_file(&name);
    fs::hard_link(program, &name)
        .or_else(|_| fs::copy(program, &name).map(drop))
        .unwrap();
    name
}

/// What this system does not let a client see.
fn invisible(Mutant(flaw, slide, _): &Mutant) -> Option<&'static str> {
    let by_reset = flaw.contains("reset") || flaw.contains("unread");
    if by_reset && !resets_show() {
        return Some("here a reset looks like any other end");
    }
    let by_length =
        flaw.ends_with("_buffer") && server(slide).kind == Kind::Datagram;
    (by_length && cfg!(windows))
        .then_some("Windows drops what is longer than the buffer")
}

/// Both at once, as most of it is waiting.
#[test]
fn every_example_passes_and_every_broken_server_fails_for_its_reason() {
    // Windows does not link a program that is running.
    broken();
    thread::scope(|both| {
        both.spawn(every_example_passes);
        every_broken_server_fails_the_checks_that_it_should_for_its_reason();
    });
}

fn every_broken_server_fails_the_checks_that_it_should_for_its_reason() {
    let (mut seen, unseen): (Vec<_>, Vec<_>) =
        MUTANTS.iter().partition(|mutant| invisible(mutant).is_none());
    for mutant in unseen {
        skipped(mutant.0, invisible(mutant).unwrap_or_default());
    }
    let check_one = |Mutant(flaw, slide, expected): &Mutant| {
        let output = check(&broken(), &[slide, "--timeout", "1.2"], flaw);
        let mut failed = failures(&output);
        let said = stdout(&output);
        for (checks, why) in *expected {
            for name in checks.split(' ') {
                // A check with a question mark fails only if two clients are at the
                // same line of the server at the same time.
                if let Some(sometimes) = name.strip_prefix('?') {
                    failed.remove(sometimes);
                    continue;
                }
                let reason = failed.remove(name);
                let reason = reason
                    .unwrap_or_else(|| panic!("{flaw}: {name} passes\n{said}"));
                assert!(reason.contains(why), "{flaw}: {name}: {reason}\n{said}");
            }
        }
        assert!(failed.is_empty(), "{flaw}: these fail too: {failed:#?}\n{said}");
        assert_eq!(exit(&output), Some(1), "{flaw}");
    };
    // Those that wait longest come first.
    seen.sort_by_key(|Mutant(.., expected)| {
        expected.iter().map(|(checks, _)| checks.split(' ').count()).max()
    });
    seen.reverse();
    for_each_at_once(seen.into_iter(), check_one);
}

/// Runs `mutant` with this value of its environment variable, or without a value.
fn mutant(bug: Option<&str>) -> Output {
    let mut command = Command::new(example("mutant"));
    command.arg("0").env_remove("MUTANT").envs(bug.map(|bug| ("MUTANT", bug)));
    finish(&mut command, "")
}

/// `mutant` lists exactly the bugs that the tests expect `check` to find, and the lesson of
/// each. (`mute` has a test of its own.)
#[test]
fn without_a_known_name_mutant_lists_its_bugs() {
    let mut tested = BTreeSet::from([("mute", "thread_per_client")]);
    tested.extend(MUTANTS.iter().map(|Mutant(bug, lesson, _)| (*bug, *lesson)));
    assert_eq!(
        BUGS.iter().map(|bug| (bug.name, bug.lesson)).collect::<BTreeSet<_>>(),
        tested
    );
    for bug in [None, Some("no_such_bug"), Some("")] {
        let output = mutant(bug);
        let stderr = String::from_utf8_lossy(&output.stderr);
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

/// A check that notices nothing is a defect, and so is one that is not in the list.
#[test]
fn every_check_notices_a_broken_server() {
    let list = stdout(&run("check", &["--list"], ""));
    let (slides, checks) = list.split_once("The checks:\n").unwrap();
    for row in SERVERS {
        assert!(
            slides.contains(&format!("  {}  {} ", row.lesson, row.name)),
            "{slides}"
        );
    }
    let listed: BTreeSet<_> =
        checks.lines().map(|l| l.split_whitespace().next().unwrap()).collect();
    let noticing = MUTANTS
        .iter()
        .flat_map(|mutant| mutant.2)
        .flat_map(|(names, _)| names.split(' '))
        .filter(|name| !name.starts_with('?'));
    assert_eq!(noticing.collect::<BTreeSet<_>>(), listed);
}
