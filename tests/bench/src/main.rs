//! Compares the speed of our servers with servers in plain C and in Python.
//!
//! ```text
//! $ cargo run --release -p sockets101-bench
//! ```
//!
//! prints tables, and writes them and eight charts to `docs/src/generated/bench`. It needs
//! Linux, two processors, `cc`, `python3` and `taskset`. It takes half an hour, and the
//! machine should do nothing else during this time. `--short` takes a minute and only shows
//! that the benchmark works. It writes to `target/bench`.
//!
//! The server runs on one core, and `crowd` on another one. The servers take turns in each
//! round, so that other load on the machine slows down all of them. A figure is the median
//! of its rounds. A ratio is computed for each round, and then the median is taken.

mod chart;
mod report;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::{env, fs, thread};

use chart::{EVENT, OURS, PYTHON, REFERENCE, Style, TASKS};

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// The environment variable of the process that may open many file descriptors.
const RAISED: &str = "SOCKETS101_BENCH_DESCRIPTORS";

/// The language of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    C,
    Rust,
    Python,
}
use Language::{C, Python, Rust};

#[derive(Clone, Copy)]
struct Server {
    language: Language,
    program: &'static str,
    /// The name in tables and charts.
    name: &'static str,
    style: Style,
}

impl Server {
    const fn new(
        language: Language,
        program: &'static str,
        name: &'static str,
        style: Style,
    ) -> Self {
        Self { language, program, name, style }
    }

    fn in_table(&self) -> String {
        if self.language == Rust {
            format!("`{}`", self.name)
        } else {
            self.name.into()
        }
    }

    /// Returns the name in a ratio: `C` for `C, poll(2)`.
    fn in_ratio(&self) -> String {
        let name = self.in_table();
        name.split(',').next().unwrap_or_default().to_owned()
    }
}

/// The servers that are compared. The others are compared with the first two.
const POLL: &[Server] = &[
    Server::new(C, "poll_server", "C, poll(2)", REFERENCE),
    Server::new(Python, "poll_server", "Python", PYTHON),
    Server::new(Rust, "poll_server", "poll_server", OURS),
    Server::new(Rust, "event_server", "event_server", EVENT),
];
const THREADS: &[Server] = &[
    Server::new(C, "thread_per_client", "C, pthreads", REFERENCE),
    Server::new(Python, "thread_per_client", "Python", PYTHON),
    Server::new(Rust, "thread_per_client", "thread_per_client", OURS),
];

const BEYOND: &[Server] = &[
    Server::new(Rust, "thread_per_client", "thread_per_client", OURS),
    Server::new(Python, "async_server", "asyncio", PYTHON),
    Server::new(Rust, "event_server", "event_server", EVENT),
    Server::new(Rust, "async_server", "async_server", TASKS),
];

/// The number of clients that send requests, and of idle clients.
#[derive(Clone, Copy)]
struct Crowd {
    active: u16,
    idle: u16,
}

/// The last one has 10,000 connections, to measure their memory.
const FOR_POLL: &[Crowd] = &[
    Crowd { active: 1, idle: 0 },
    Crowd { active: 10, idle: 0 },
    Crowd { active: 100, idle: 0 },
    Crowd { active: 1000, idle: 0 },
    Crowd { active: 10, idle: 1000 },
    Crowd { active: 10, idle: 9000 },
    Crowd { active: 10, idle: 9990 },
];
/// The first three, because a lesson needs at most a hundred threads.
const FOR_THREADS: &[Crowd] = FOR_POLL.split_at(3).0;

impl Crowd {
    fn connections(self) -> u16 {
        self.active + self.idle
    }

    fn in_words(self) -> String {
        let [active, idle] =
            [self.active, self.idle].map(f64::from).map(report::grouped);
        if self.idle == 0 { active } else { format!("{active} + {idle} idle") }
    }
}

/// The figures of one server with one crowd.
struct Figures {
    /// Requests per second.
    rate: f64,
    /// The 99th percentile of the reply times, in microseconds.
    p99: f64,
    /// The largest amount of memory that the server used, in MiB.
    memory: f64,
    /// The rate divided by the rates of the first two servers in the same round.
    rate_ratios: [f64; 2],
}

/// A crowd, and the figures of each server of a group with it.
struct Scene {
    crowd: Crowd,
    figures: Vec<Figures>,
}

struct Group {
    servers: &'static [Server],
    scenes: Vec<Scene>,
}

struct Bench {
    top: PathBuf,
    target: PathBuf,
    rounds: usize,
    /// The length of a round, in seconds.
    seconds: &'static str,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|err| {
        eprintln!("Error: {err}");
        ExitCode::FAILURE
    })
}

fn run() -> Anyhow<ExitCode> {
    let args: Vec<_> = env::args().skip(1).collect();
    let is_short = args == ["--short"];
    if !is_short && !args.is_empty() {
        return Err(
            "usage: cargo run --release -p sockets101-bench [-- --short]".into()
        );
    }
    let executable = env::current_exe()?;
    if env::var_os(RAISED).is_none() {
        // Rust has no safe call that raises the limit, so a shell raises it.
        let raise = "ulimit -n 20000 2>/dev/null || ulimit -n $(ulimit -H -n); exec \"$0\" \"$@\"";
        let mut again = Command::new("sh");
        again.args(["-c", raise]).arg(executable).args(args).env(RAISED, "yes");
        let is_done = again.status()?.success();
        return Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let target = executable.ancestors().nth(2).ok_or("no target folder")?.to_owned();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let pages = top.join("docs/src/generated/bench");
    let folder = if is_short { target.join("bench") } else { pages };
    let (rounds, seconds) = if is_short { (1, "0.2") } else { (7, "1") };
    let bench = Bench { top, target, rounds, seconds };

    let caption = bench.caption()?;
    bench.build()?;
    let results = [
        bench.group(POLL, FOR_POLL)?,
        bench.group(THREADS, FOR_THREADS)?,
        bench.group(BEYOND, FOR_POLL)?,
    ];
    let tables = report::tables(&results) + "\n" + &caption + "\n";
    println!("\n{tables}");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("table.md"), tables)?;
    for chart in report::charts(&results) {
        fs::write(folder.join(chart.name).with_extension("svg"), chart.draw())?;
    }
    let place = folder.strip_prefix(&bench.top).unwrap_or(&folder);
    println!("written to {}", place.display());
    Ok(ExitCode::SUCCESS)
}

impl Bench {
    /// Returns how and on which machine the figures were measured. The error says what is
    /// missing.
    fn caption(&self) -> Anyhow<String> {
        let cores = thread::available_parallelism()?.get();
        if cores < 2 {
            return Err(
                "this needs two processors, one for the server and one for its load"
                    .into(),
            );
        }
        first_line("taskset")?;
        let [cc, python, rustc] = ["cc", "python3", "rustc"].map(first_line);
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name\t: "));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let lock = fs::read_to_string(self.top.join("Cargo.lock"))?;
        let version = |name: &str| {
            let rest =
                lock.split(&format!("name = \"{name}\"\nversion = \"")).nth(1);
            rest.and_then(|rest| rest.split('"').next()).unwrap_or("?").to_owned()
        };
        Ok(format!(
            "{}, {cores} cores{}, Linux {}; {}, {}, {}, rustix {}, mio {}, tokio {}. The server and \
             its load run on one core each. Messages have 64 bytes. Each client sends its next \
             request after the reply. A figure is the median of its rounds ({} of {} s). A \
             ratio is computed in each round, and then the median is taken.",
            model.unwrap_or("An unknown processor"),
            if cpu.contains(" hypervisor") { " of a virtual machine" } else { "" },
            kernel.split('-').next().unwrap_or_default().trim(),
            rustc?.split(" (").next().unwrap_or_default(),
            cc?,
            python?,
            version("rustix"),
            version("mio"),
            version("tokio"),
            self.rounds,
            self.seconds,
        ))
    }

    /// Builds the examples in release mode, and the C servers.
    fn build(&self) -> Anyhow<()> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--quiet", "--release", "--features=async,event"]);
        cargo.arg("--target-dir").arg(&self.target).current_dir(&self.top);
        let ours = [POLL, THREADS, BEYOND].concat();
        let ours = ours.iter().filter(|server| server.language == Rust);
        for name in ours.map(|server| server.program).chain(["crowd"]) {
            cargo.args(["--example", name]);
        }
        succeed(&mut cargo)?;
        fs::create_dir_all(self.target.join("bench"))?;
        for name in ["poll_server", "thread_per_client"] {
            let mut cc = Command::new("cc");
            cc.args(["-std=c99", "-O2", "-Wall", "-Wextra", "-pthread", "-o"]);
            cc.arg(self.target.join("bench").join(name));
            cc.arg(self.top.join("tests/c").join(name).with_extension("c"));
            succeed(&mut cc)?;
        }
        Ok(())
    }

    /// Measures all scenes of a group. In each round, the servers take turns.
    fn group(&self, servers: &'static [Server], crowds: &[Crowd]) -> Anyhow<Group> {
        let mut scenes = Vec::new();
        for crowd in crowds.iter().copied() {
            let mut rounds = Vec::new();
            for _ in 0..self.rounds {
                rounds.push(self.round(servers, crowd)?);
            }
            let figures = |server: usize| {
                let middle = |part: fn(&Figures) -> f64| {
                    median(rounds.iter().map(|round| part(&round[server])).collect())
                };
                Figures {
                    rate: middle(|figures| figures.rate),
                    p99: middle(|figures| figures.p99),
                    memory: middle(|figures| figures.memory),
                    rate_ratios: [
                        middle(|figures| figures.rate_ratios[0]),
                        middle(|figures| figures.rate_ratios[1]),
                    ],
                }
            };
            let scene =
                Scene { crowd, figures: (0..servers.len()).map(figures).collect() };
            eprintln!("{}", report::progress(servers, &scene));
            scenes.push(scene);
        }
        Ok(Group { servers, scenes })
    }

    /// Measures each server once, one after another.
    fn round(&self, servers: &[Server], crowd: Crowd) -> Anyhow<Vec<Figures>> {
        let one = |server: &Server| {
            let what = |err| {
                format!("{}, clients: {}: {err}", server.name, crowd.in_words())
            };
            self.one(server, crowd).map_err(what)
        };
        let mut figures = servers.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        let (first, second) = (figures[0].rate, figures[1].rate);
        for one in &mut figures {
            one.rate_ratios = [one.rate / first, one.rate / second];
        }
        Ok(figures)
    }

    /// Starts a server, sends it requests once, and stops it.
    fn one(&self, server: &Server, crowd: Crowd) -> Anyhow<Figures> {
        let server = Running::start(self.command(server))?;
        let mut load = pinned(1, &self.target.join("release/examples/crowd"));
        load.args([&server.address, "--seconds", self.seconds, "--size", "64"]);
        load.args(["--clients", &crowd.active.to_string()]);
        load.args(["--idle", &crowd.idle.to_string()]);
        load.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = load.output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let last = why.lines().last().unwrap_or("crowd failed");
            return Err(last.trim_start_matches("Error: ").into());
        }
        let said = String::from_utf8_lossy(&output.stdout);
        let row = said.lines().find(|line| line.starts_with(&server.address));
        let row = row.unwrap_or_default();
        let Crowd { active, idle } = crowd;
        if !said.contains(&format!(
            "; connections: {active}; idle connections: {idle}\n"
        )) {
            return Err(format!("not all clients were connected: {said}").into());
        }
        let cells: Vec<_> = row.split_whitespace().collect();
        // A name, requests/s, a ratio, and p50, p90, p99 and max in µs.
        let [_, rate, _, _, _, p99, _] = cells[..] else {
            return Err(format!("crowd's row has not seven columns: {row:?}").into());
        };
        let (rate, p99): (f64, f64) = (rate.parse()?, p99.parse()?);
        Ok(Figures { rate, p99, memory: server.memory()?, rate_ratios: [1.0; 2] })
    }

    fn command(&self, server: &Server) -> Command {
        let name = server.program;
        match server.language {
            C => pinned(0, &self.target.join("bench").join(name)),
            Rust => pinned(0, &self.target.join("release/examples").join(name)),
            Python => {
                let program = self.top.join("docs/python").join(name);
                let mut command = pinned(0, Path::new("python3"));
                command.arg(program.with_extension("py"));
                command
            }
        }
    }
}

/// Returns a command that runs on this core only.
fn pinned(core: u8, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

/// Returns the first line of a program's version.
fn first_line(program: &str) -> Anyhow<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.map_err(|err| format!("this needs {program}: {err}"))?;
    if !output.status.success() {
        return Err(format!("this needs {program}, which does not run").into());
    }
    let said = String::from_utf8(output.stdout)?;
    Ok(said.lines().next().unwrap_or_default().to_owned())
}

fn succeed(command: &mut Command) -> Anyhow<()> {
    let status = command.status().map_err(|err| format!("{command:?}: {err}"))?;
    let failed = || format!("{command:?}: {status}").into();
    if status.success() { Ok(()) } else { Err(failed()) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A running server. It is killed when this value is dropped.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(mut command: Command) -> Anyhow<Self> {
        // The log lines are discarded, because a terminal would be slower than the server.
        command.arg("0").stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let mut server = Self { child, address: String::new() };
        let mut line = String::new();
        // The server prints nothing else, so the pipe need not stay open.
        BufReader::new(stdout.ok_or("no pipe")?).read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("server ready on ");
        let failed =
            || format!("the server does not start; to see why, run {command:?}");
        address.ok_or_else(failed)?.clone_into(&mut server.address);
        Ok(server)
    }

    /// Returns the largest amount of memory that the server used, in MiB.
    fn memory(&self) -> Anyhow<f64> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.ok_or("the server has stopped")?.parse::<f64>()? / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
