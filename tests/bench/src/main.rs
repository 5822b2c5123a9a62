//! Measures the servers beside plain C and beside Python.
//!
//! ```text
//! $ cargo run --release -p sockets101-bench
//! ```
//!
//! prints a table, and writes it and its charts to `docs/src/generated/bench`. On Linux, with
//! `cc`, `python3` and `taskset`; it takes ten minutes, in which the machine should do nothing
//! else. With `--short` it only shows that all of this works: it takes a minute, proves
//! nothing, and writes to `target/bench`.
//!
//! The server has a core, and `crowd` another. Those that are compared take turns, so that a
//! machine that is busy for a while is so for all of them; a figure is the median of its rounds.

// Counts of clients and rounded figures: all of them small, none negative.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
#![allow(clippy::cast_sign_loss)]

mod chart;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::{env, fs, thread};

use chart::{Chart, Line};

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// Set in the process that may have many descriptors.
const RAISED: &str = "SOCKETS101_BENCH_DESCRIPTORS";

/// The servers, by the names that the table has for them. The first of each group is what the
/// others are divided by.
const POLL: [&str; 4] =
    ["poll_server.c", "poll_server", "poll_server.py", "event_server"];
const THREADS: [&str; 3] =
    ["thread_per_client.c", "thread_per_client", "thread_per_client.py"];

/// Active clients, and idle ones.
type Crowd = (usize, usize);
const ALL: [Crowd; 6] =
    [(1, 0), (10, 0), (100, 0), (1000, 0), (10, 1000), (10, 9000)];
const FOR_THREADS: [Crowd; 3] = [(1, 0), (10, 0), (100, 0)];
/// For the memory that 10,000 connections take.
const MANY: Crowd = (1, 9999);

/// What a run of the load says of a server.
#[derive(Clone, Copy, Default)]
struct Figures {
    rate: f64,
    /// The rate, divided by that of the first of its group in the same round.
    ratio: f64,
    /// In microseconds.
    p99: f64,
    /// The most it had in use, in MiB.
    memory: f64,
}

/// All figures, in their order.
type Results = BTreeMap<(usize, usize, Crowd, usize), Figures>;

struct Bench {
    top: PathBuf,
    target: PathBuf,
    short: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(err) => {
            eprintln!("Error: {err}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Anyhow<ExitCode> {
    let args: Vec<_> = env::args().skip(1).collect();
    if args.iter().any(|arg| arg != "--short") {
        return Err(
            "usage: cargo run --release -p sockets101-bench [-- --short]".into()
        );
    }
    if env::var_os(RAISED).is_none() {
        // Without `unsafe`, only a shell can raise its own limit.
        let raise = "ulimit -n 20000 2>/dev/null || ulimit -n $(ulimit -H -n); exec \"$0\" \"$@\"";
        let mut again = Command::new("sh");
        again.arg("-c").arg(raise).arg(env::current_exe()?).args(&args);
        let status = again.env(RAISED, "yes").status()?;
        return Ok(if status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let executable = env::current_exe()?;
    let target = executable.ancestors().nth(2).ok_or("no target folder")?.to_owned();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let bench = Bench { top, target, short: !args.is_empty() };
    bench.build()?;
    let results = bench.measure()?;
    let table = table(&results, &bench.caption()?);
    println!("\n{table}");
    let folder = if bench.short {
        bench.target.join("bench")
    } else {
        bench.top.join("docs/src/generated/bench")
    };
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("table.md"), table)?;
    for chart in charts(&results) {
        fs::write(folder.join(format!("{}.svg", chart.name)), chart.draw())?;
    }
    println!(
        "written to {}",
        folder.strip_prefix(&bench.top).unwrap_or(&folder).display()
    );
    Ok(ExitCode::SUCCESS)
}

impl Bench {
    /// The examples as they are released, and the servers in C.
    fn build(&self) -> Anyhow<()> {
        let mut cargo =
            Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.top).args([
            "build",
            "--quiet",
            "--release",
            "--features=event",
        ]);
        cargo.arg("--target-dir").arg(&self.target);
        for name in ["poll_server", "thread_per_client", "event_server", "crowd"] {
            cargo.args(["--example", name]);
        }
        succeed(&mut cargo)?;
        fs::create_dir_all(self.target.join("bench"))?;
        for name in ["poll_server", "thread_per_client"] {
            let mut cc = Command::new("cc");
            cc.args(["-std=c99", "-O2", "-Wall", "-Wextra", "-pthread", "-o"]);
            cc.arg(self.target.join("bench").join(name));
            succeed(
                cc.arg(self.top.join("tests/c").join(name).with_extension("c")),
            )?;
        }
        Ok(())
    }

    fn command(&self, server: &str) -> Command {
        let examples = self.target.join("release/examples");
        let twin = |name: &str| {
            let mut python = Command::new("python3");
            python.arg(self.top.join("docs/python").join(name));
            python
        };
        match server {
            "poll_server.c" => Command::new(self.target.join("bench/poll_server")),
            "thread_per_client.c" => {
                Command::new(self.target.join("bench/thread_per_client"))
            }
            "poll_server.py" => twin("poll_server.py"),
            "thread_per_client.py" => twin("thread_per_client.py"),
            name => Command::new(examples.join(name)),
        }
    }

    fn measure(&self) -> Anyhow<Results> {
        let rounds = if self.short { 1 } else { 7 };
        let seconds = if self.short { "0.2" } else { "1" };
        let mut results = Results::new();
        let scenes = ALL.iter().map(|crowd| (0, *crowd));
        let scenes = scenes.chain([(0, MANY)]);
        for (group, crowd) in scenes.chain(FOR_THREADS.map(|crowd| (1, crowd))) {
            let servers = group_of(group);
            let mut seen: Vec<Vec<Figures>> = vec![Vec::new(); servers.len()];
            for _ in 0..if crowd == MANY { 1 } else { rounds } {
                for (server, seen) in servers.iter().zip(&mut seen) {
                    seen.push(self.patiently(server, crowd, seconds)?);
                }
            }
            for (place, first) in seen[0].clone().iter().enumerate() {
                for seen in &mut seen {
                    seen[place].ratio = seen[place].rate / first.rate;
                }
            }
            for (number, seen) in seen.iter().enumerate() {
                let middle = |part: fn(&Figures) -> f64| {
                    let mut all: Vec<f64> = seen.iter().map(part).collect();
                    all.sort_by(f64::total_cmp);
                    all[all.len() / 2]
                };
                let figures = Figures {
                    rate: middle(|f| f.rate),
                    ratio: middle(|f| f.ratio),
                    p99: middle(|f| f.p99),
                    memory: middle(|f| f.memory),
                };
                let rate = figures.rate;
                eprintln!(
                    "{:>24}  {:<20} {rate:>9.0}",
                    words(crowd),
                    servers[number]
                );
                results.insert((group, crowd.1, crowd, number), figures);
            }
        }
        Ok(results)
    }

    /// As often as it takes to connect them all: a queue that overflowed costs a second,
    /// and `crowd` waits no longer than that for the first connection.
    fn patiently(
        &self,
        server: &str,
        crowd: Crowd,
        seconds: &str,
    ) -> Anyhow<Figures> {
        for _ in 0..9 {
            if let Ok(figures) = self.one(server, crowd, seconds) {
                return Ok(figures);
            }
        }
        self.one(server, crowd, seconds)
    }

    /// Starts a server, loads it once, and ends it.
    fn one(
        &self,
        server: &str,
        (clients, idle): Crowd,
        seconds: &str,
    ) -> Anyhow<Figures> {
        let mut server = Server::start(&self.command(server))?;
        let mut load =
            pinned(1, &Command::new(self.target.join("release/examples/crowd")));
        load.args([&server.address, "--seconds", seconds, "--size", "64"]);
        load.args(["--clients", &clients.to_string(), "--idle", &idle.to_string()]);
        let output = load.stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("crowd: {said}{why}").into());
        }
        let row = said.lines().find_map(|line| line.strip_prefix(&server.address));
        let cells: Vec<_> = row.ok_or("crowd: no row")?.split_whitespace().collect();
        let [rate, _ratio, times @ ..] = &cells[..] else { return Err(said.into()) };
        // Four times: p50, p90, p99, max; a unit may be a word of its own.
        let p99 = microseconds(times, 2).ok_or("crowd: no p99")?;
        Ok(Figures {
            rate: rate.parse()?,
            p99,
            memory: server.memory()?,
            ratio: 1.0,
        })
    }

    fn caption(&self) -> Anyhow<String> {
        let first = |command: &mut Command| -> Anyhow<String> {
            let said = String::from_utf8(command.output()?.stdout)?;
            Ok(said.lines().next().unwrap_or_default().to_owned())
        };
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name\t: "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let cores = thread::available_parallelism()?;
        let rustc = first(Command::new("rustc").arg("--version"))?;
        let cc = first(Command::new("cc").arg("--version"))?;
        let python = first(Command::new("python3").arg("--version"))?;
        let (rounds, seconds) = if self.short { (1, "0.2") } else { (7, "1") };
        Ok(format!(
            "{} ({cores} cores), Linux {}; {rustc}, {cc}, {python}. Messages of 64 bytes; each \
             client asks when it has its answer; server and load on a core each. Medians of \
             {rounds} rounds of {seconds} s; the ratio is that of each round.",
            model.unwrap_or("an unknown processor"),
            kernel.split('-').next().unwrap_or_default().trim(),
        ))
    }
}

fn group_of(group: usize) -> &'static [&'static str] {
    if group == 0 { &POLL } else { &THREADS }
}

fn words((clients, idle): Crowd) -> String {
    match idle {
        0 => format!("{} active", grouped(clients)),
        _ => format!("{} active, {} idle", grouped(clients), grouped(idle)),
    }
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The time in this place of a list in which `250 µs` may be one word or two.
fn microseconds(times: &[&str], place: usize) -> Option<f64> {
    let text = times.join(" ");
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = text.trim_start();
    for current in 0.. {
        let end = rest.find(|c| !number(c))?;
        let value: f64 = rest[..end].parse().ok()?;
        rest = rest[end..].trim_start();
        let end = rest.find([' ', '0']).unwrap_or(rest.len());
        let unit = rest[..end].trim();
        rest = rest[end..].trim_start();
        if current == place {
            let factor = match unit {
                "ns" => 0.001,
                "µs" | "us" => 1.0,
                "ms" => 1e3,
                "s" => 1e6,
                _ => return None,
            };
            return Some(value * factor);
        }
    }
    None
}

/// Runs on one core only.
fn pinned(core: usize, command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", &core.to_string()]);
    pinned.arg(command.get_program()).args(command.get_args());
    pinned
}

fn succeed(command: &mut Command) -> Anyhow<()> {
    let status = command.status().map_err(|err| format!("{command:?}: {err}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}

/// A running server. It is killed when this goes.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(command: &Command) -> Anyhow<Self> {
        let mut pinned = pinned(0, command);
        pinned.arg("0").stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = pinned.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let mut server = Self { child, address: String::new() };
        let mut stdout = BufReader::new(stdout.ok_or("no pipe")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("server ready on ");
        let address = address.ok_or_else(|| format!("{pinned:?}: {line:?}"))?;
        address.clone_into(&mut server.address);
        // Somebody has to keep its pipe open.
        thread::spawn(move || stdout.read_to_string(&mut String::new()));
        Ok(server)
    }

    /// The most memory that it had in use, in MiB.
    fn memory(&mut self) -> Anyhow<f64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .ok_or("no VmHWM")?;
        Ok(kib.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three digits, which is more than a figure is worth.
fn rounded(value: f64) -> String {
    match value {
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => {
            let unit = 10_f64.powf(value.log10().floor() - 2.0);
            grouped(((value / unit).round() * unit).round() as usize)
        }
    }
}

fn table(results: &Results, caption: &str) -> String {
    let mut text =
        "| connections | server | requests/s | to C | p99, µs | memory, MiB |\n\
                    |---|---|---:|---:|---:|---:|\n"
            .to_owned();
    for ((group, _, crowd, number), figures) in results {
        let Figures { rate, ratio, p99, memory } = *figures;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {} | {} |",
            words(*crowd),
            group_of(*group)[*number],
            rounded(rate),
            ratio,
            rounded(p99),
            rounded(memory)
        );
    }
    text + "\n" + caption + "\n"
}

fn charts(results: &Results) -> Vec<Chart<'static>> {
    let lines = |groups: &[usize], crowds: &[Crowd], y: fn(&Figures) -> f64| {
        let mut lines = Vec::new();
        for group in groups {
            for (number, name) in group_of(*group).iter().enumerate() {
                let point = |crowd: &Crowd| {
                    let figures = results.get(&(*group, crowd.1, *crowd, number))?;
                    Some(((crowd.0 + crowd.1) as f64, y(figures)))
                };
                lines.push(Line {
                    name,
                    points: crowds.iter().filter_map(point).collect(),
                });
            }
        }
        lines
    };
    let active = &ALL[..4];
    let idle = [ALL[1], ALL[4], ALL[5]];
    vec![
        Chart {
            name: "active",
            title: "How many requests a second, when all clients ask at once?",
            x: "clients, all of them active",
            y: "requests/s",
            lines: lines(&[0], active, |f| f.rate),
        },
        Chart {
            name: "threads",
            title: "How many requests a second, with a thread for each client?",
            x: "clients, all of them active",
            y: "requests/s",
            lines: lines(&[1], active, |f| f.rate),
        },
        Chart {
            name: "idle",
            title: "What do idle connections cost the ten clients that ask?",
            x: "connections, ten of them active",
            y: "requests/s",
            lines: lines(&[0], &idle, |f| f.rate),
        },
        Chart {
            name: "latency",
            title: "How long does the slowest answer in a hundred take?",
            x: "connections, ten of them active",
            y: "p99, µs",
            lines: lines(&[0], &idle, |f| f.p99),
        },
        Chart {
            name: "memory",
            title: "How much memory do connections take?",
            x: "connections, most of them idle",
            y: "MiB",
            lines: lines(&[0], &[ALL[0], ALL[1], ALL[4], MANY], |f| f.memory),
        },
    ]
}
