//! Checks a computer before a class.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;
use std::{env, env::consts::EXE_SUFFIX, fs};

use crate::lesson::all;
use crate::lessons::SERVERS;
use crate::student::top;
use crate::text::{paragraph, wrapped};
use crate::words::counted;

/// The oldest compiler that builds the workbook: 1.85.
const OLDEST: (u32, u32) = (1, 85);

/// The programs without a server, and the folder of each source.
const OTHERS: [(&str, &str); 11] = [
    ("names_ipv4", "examples/names_ipv4.rs"),
    ("getaddrinfo", "examples/getaddrinfo.rs"),
    ("byte_order", "examples/byte_order.rs"),
    ("network_errors", "examples/network_errors.rs"),
    ("udp_client", "examples/clients/udp_client.rs"),
    ("tcp_client", "examples/clients/tcp_client.rs"),
    ("block_client", "examples/clients/block_client.rs"),
    ("ttl_ping", "examples/clients/ttl_ping.rs"),
    ("check", "examples/tools/check"),
    ("crowd", "examples/tools/crowd"),
    ("rude", "examples/tools/rude.rs"),
];

/// An address that is reserved for documentation (RFC 5737). This program sends nothing to it.
const ELSEWHERE: &str = "192.0.2.1:9";

/// The most names in one sentence.
const MOST_NAMES: usize = 4;

/// What was found.
#[derive(Default)]
struct Findings {
    text: String,
    missing: usize,
}

impl Findings {
    fn ok(&mut self, sentence: &str) {
        self.text += &wrapped("ok       ", sentence);
    }

    /// Adds something that is worth knowing, but not necessary.
    fn note(&mut self, sentence: &str) {
        self.text += &wrapped("note     ", sentence);
    }

    /// Adds something that is necessary for a class.
    fn missing(&mut self, sentence: &str) {
        self.text += &wrapped("missing  ", sentence);
        self.missing += 1;
    }
}

/// Makes all checks. Returns what to print, and whether this computer is ready.
pub fn preflight() -> (String, bool) {
    let mut findings = Findings::default();
    check_compiler(&mut findings);
    check_crates(&mut findings);
    check_programs(&mut findings);
    check_steps(&mut findings);
    check_ports(&mut findings);
    check_python(&mut findings);
    check_network(&mut findings);
    check_own_files(&mut findings);
    check_backtrace(&mut findings);
    let is_ready = findings.missing == 0;
    if is_ready {
        findings.text += "This computer is ready.\n";
    } else {
        let things = counted(findings.missing, "thing");
        let verb = if findings.missing == 1 { "is" } else { "are" };
        findings.text += &paragraph(format!("{things} {verb} missing."));
    }
    (findings.text, is_ready)
}

/// Runs a command. Returns the first line of its stdout. Returns what went wrong if it fails.
fn first_line(command: &mut Command) -> Result<String, String> {
    let output = command.current_dir(top()).stdin(Stdio::null()).output();
    let output = output.map_err(|err| err.to_string())?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(stderr.lines().next().unwrap_or_default().to_owned());
    }
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(stdout.lines().next().unwrap_or_default().to_owned())
}

/// Returns the program `cargo`. If cargo runs this program, it is the same one.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn check_compiler(findings: &mut Findings) {
    let advice = "install Rust from https://rustup.rs";
    match first_line(Command::new("rustc").arg("--version")) {
        Err(why) => findings.missing(&format!("rustc does not run ({why}); {advice}")),
        Ok(line) => {
            let is_old = version(&line).is_some_and(|found| found < OLDEST);
            let (major, minor) = OLDEST;
            if is_old {
                let advice = "run `rustup update`";
                findings.missing(&format!("{line} is older than {major}.{minor}; {advice}"));
            } else {
                findings.ok(&line);
            }
        }
    }
    match first_line(cargo().arg("--version")) {
        Ok(line) => findings.ok(&line),
        Err(why) => findings.missing(&format!("cargo does not run ({why}); {advice}")),
    }
}

/// Returns the two numbers of a line such as `rustc 1.85.0 (4d91de4e4 2025-02-17)`.
fn version(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.split(' ').nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// For this command, cargo needs the same crates as for a build, but it compiles nothing.
fn check_crates(findings: &mut Findings) {
    let mut tree = cargo();
    tree.args(["tree", "--offline", "--locked"]);
    if first_line(&mut tree).is_ok() {
        findings.ok("all crates are on this computer, so a build needs no network");
    } else {
        let what = "some crates are not on this computer";
        findings.missing(&format!("{what}; run `cargo fetch` while you have a network"));
    }
}

/// Checks that all programs are built, and that they are newer than their sources.
fn check_programs(findings: &mut Findings) {
    let mut sources: Vec<(&str, String)> = Vec::new();
    for row in SERVERS {
        if row.lesson > 0 {
            sources.push((row.name, format!("examples/{}.rs", row.name)));
        }
    }
    for (name, source) in OTHERS {
        sources.push((name, source.to_owned()));
    }
    let library = changed(&top().join("src"));
    let mut missing = Vec::new();
    let mut old = Vec::new();
    for (name, source) in &sources {
        let program = env::current_exe().unwrap_or_default();
        let program = program.with_file_name(format!("{name}{EXE_SUFFIX}"));
        let Some(built) = changed(&program) else {
            missing.push(*name);
            continue;
        };
        if changed(&top().join(source)).max(library) > Some(built) {
            old.push(*name);
        }
    }
    let advice = "run `cargo build --examples`";
    if !missing.is_empty() {
        findings.missing(&format!("not built: {}; {advice}", names(&missing)));
    } else if !old.is_empty() {
        findings.missing(&format!("older than their sources: {}; {advice}", names(&old)));
    } else {
        findings.ok(&format!("all {} programs are built", sources.len()));
    }
}

/// Returns when a file changed, or when the latest file in a folder changed.
fn changed(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return fs::metadata(path).ok()?.modified().ok();
    }
    let mut latest = None;
    for entry in fs::read_dir(path).ok()?.flatten() {
        latest = latest.max(changed(&entry.path()));
    }
    latest
}

/// Formats some of the names.
fn names(names: &[&str]) -> String {
    let first = names[..names.len().min(MOST_NAMES)].join(", ");
    if names.len() <= MOST_NAMES {
        return first;
    }
    format!("{first} and {} more", names.len() - MOST_NAMES)
}

fn check_steps(findings: &mut Findings) {
    let mut count = 0;
    for lesson in all() {
        if let Err(failure) = lesson.texts() {
            findings.missing(&format!("{failure:?}"));
            return;
        }
        count += lesson.last();
    }
    findings.ok(&format!("all {count} steps of {} are there", counted(all().len(), "lesson")));
}

/// Checks that the servers can listen on the ports of the lessons.
fn check_ports(findings: &mut Findings) {
    let mut ports: Vec<(u16, bool)> = Vec::new();
    for row in SERVERS {
        if !ports.contains(&(row.port, row.is_stream())) {
            ports.push((row.port, row.is_stream()));
        }
    }
    ports.sort_unstable();
    let mut busy = Vec::new();
    for (port, is_stream) in &ports {
        let (protocol, result) = if *is_stream {
            ("TCP", TcpListener::bind(("127.0.0.1", *port)).err())
        } else {
            ("UDP", UdpSocket::bind(("127.0.0.1", *port)).err())
        };
        if let Some(err) = result {
            busy.push(format!("{port} ({protocol}: {})", err.kind()));
        }
    }
    let (Some((first, _)), Some((last, _))) = (ports.first(), ports.last()) else { return };
    if busy.is_empty() {
        findings.ok(&format!("the ports of the lessons, {first} to {last}, are free"));
        return;
    }
    let find = if cfg!(windows) {
        "netstat -ano"
    } else if cfg!(target_os = "macos") {
        "lsof -nP -i"
    } else {
        "ss -tulnp"
    };
    let what = format!("a server cannot listen on {}", busy.join(", "));
    let advice =
        format!("run `{find}`, find the line with this port, and stop the program in this line");
    findings.missing(&format!("{what}; {advice}"));
}

fn check_python(findings: &mut Findings) {
    let python = if cfg!(windows) { "python" } else { "python3" };
    if let Ok(line) = first_line(Command::new(python).arg("--version")) {
        findings.ok(&line);
    } else {
        let what = format!("{python} does not run");
        findings
            .note(&format!("{what}; only the Python versions and one step of lesson 13 need it"));
    }
}

/// Finds the address of this computer. `connect` of a UDP socket chooses it and sends nothing.
fn check_network(findings: &mut Findings) {
    let address = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect(ELSEWHERE)?;
        socket.local_addr()
    });
    if let Ok(address) = address {
        let ip = address.ip();
        findings.ok(&format!("the address of this computer for other computers is {ip}"));
    } else {
        let what = "this computer does not have a network";
        findings.note(&format!("{what}; only names on the internet need one"));
    }
}

/// Lists the student's own programs, because a demonstration should begin without them.
fn check_own_files(findings: &mut Findings) {
    let mut own = Vec::new();
    for entry in fs::read_dir(top().join("examples")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("my_") && name.strip_suffix(".rs").is_some() {
            own.push(name);
        }
    }
    own.sort();
    if own.is_empty() {
        findings.ok("the folder examples has no my_*.rs, so all paths begin at the start");
        return;
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let advice = "for a demonstration from the start, move such files to another folder";
    findings.note(&format!("the folder examples has {}; {advice}", names(&own)));
}

fn check_backtrace(findings: &mut Findings) {
    if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        let advice = "unset the variable in your terminal";
        findings.note(&format!("RUST_BACKTRACE is set, so a panic prints many lines; {advice}"));
    }
}
