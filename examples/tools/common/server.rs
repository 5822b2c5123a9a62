//! Starts a server as a process, reads its ready line, and stops it.

mod guard;

use std::collections::VecDeque;
use std::env::{self, consts::EXE_SUFFIX};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sockets101::{Failure, show_waiting};

use guard::END_OF_INPUT;
pub use guard::{guard_if_asked, status_words};

/// The longest time from the start of a server to its ready line.
const START: Duration = Duration::from_secs(10);

/// The longest time from the end of a server to the end of its guard.
const STOP: Duration = Duration::from_secs(5);

/// The number of lines that are kept of each server, because a server can log millions of lines.
const KEPT: usize = 1000;

/// The longest line of a server, in bytes. The rest counts as another line, because a server can
/// write a line that never ends.
const LONGEST: u64 = 500;

/// The number of lines of a server that a sentence quotes.
const QUOTED: usize = 5;

/// The features of the package, and whether this program was built with them.
const FEATURES: [(&str, bool); 2] =
    [("async", cfg!(feature = "async")), ("event", cfg!(feature = "event"))];

/// What the first line of a server must be.
const READY: &str = "server ready on ";

/// Returns the path of the source of an example.
pub fn source_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.rs"))
}

/// Returns an error if the package does not have this example of a student.
pub fn find_own(name: &str) -> Result<(), Failure> {
    let path = source_path(name);
    if path.is_file() {
        return Ok(());
    }
    Err(format!("the file {} does not exist; save your program there", path.display()).into())
}

/// Builds the examples if cargo runs this program. Otherwise, the programs in this program's
/// folder are used as they are.
pub fn build<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    let Some(mut build) = build_command(names) else {
        return Ok(());
    };
    if build.status()?.success() {
        return Ok(());
    }
    Err("the example does not build; correct the errors above, and try again".into())
}

/// Builds the examples like [`build`], but prints nothing. Returns what the compiler says if it
/// reports an error.
pub fn build_quietly<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let Some(mut build) = build_command(names) else {
        return Ok(());
    };
    let output = match build.output() {
        Ok(output) => output,
        Err(err) => return Err(format!("cannot start cargo: {err}")),
    };
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Returns the command that builds the examples, if cargo runs this program.
fn build_command<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Command> {
    let mut build = Command::new(env::var_os("CARGO")?);
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet"]);
    for name in names {
        build.args(["--example", name]);
    }
    for (feature, is_on) in FEATURES {
        if is_on {
            build.args(["--features", feature]);
        }
    }
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    build.stdin(Stdio::null());
    Some(build)
}

/// The program of a server.
#[derive(Clone)]
pub enum Program {
    /// A lesson's server. Cargo has built it, and it is in this program's folder.
    Example(String),
    /// A student's example, for example `examples/my_server.rs`, in the same folder.
    Own(String),
    /// A command line for the shell of the operating system. `{address}`, `{port}` and
    /// `{options}` in it are replaced.
    Command(String),
}

/// How to start a server.
#[derive(Clone)]
pub struct Launch {
    pub program: Program,
    /// Options such as `--delay=0`.
    pub options: Vec<String>,
    /// The fixed address of the server, if it has one. Otherwise, an example gets port 0 and says
    /// in its ready line where it listens. A command gets a free port at each start.
    pub address: Option<SocketAddr>,
    /// The IP address to listen on if the server does not have a fixed address.
    pub ip: IpAddr,
    /// True if the server reads lines from its standard input. Otherwise, the input is empty.
    pub reads_lines: bool,
}

/// A running server. The server is stopped when this value is dropped.
pub struct Server {
    guard: Child,
    /// The pipe to the guard. The guard stops the server when this end is closed.
    pipe: Option<ChildStdin>,
    pub address: SocketAddr,
    /// What the server writes. The lines can be read after the server has been stopped, too.
    pub written: Arc<Written>,
}

impl Server {
    /// Starts a server. Waits for the ready line if only the ready line says where the server
    /// listens.
    pub fn start(launch: &Launch) -> Result<Self, Failure> {
        let server = Self::start_with(launch, Stdio::piped())?;
        if launch.address.is_some() || !matches!(launch.program, Program::Own(_)) {
            return Ok(server);
        }
        // The ready line of a student's program can have an address that is written in its
        // source. If the address is in use after the program has stopped, another program
        // listens there.
        let address = server.address;
        let used = in_use(address);
        drop(server);
        if used.contains(&true) && in_use(address) == used {
            let other =
                format!("another program listens on {address}, the address in the ready line");
            return Err(format!("{other}; print the address that local_addr returns").into());
        }
        Self::start_with(launch, Stdio::piped())
    }

    /// Starts a server like [`Server::start`], but discards what it writes on stderr. The log
    /// lines then cost this program no time.
    pub fn start_without_log(launch: &Launch) -> Result<Self, Failure> {
        Self::start_with(launch, Stdio::null())
    }

    fn start_with(launch: &Launch, stderr: Stdio) -> Result<Self, Failure> {
        let needs_ready_line =
            launch.address.is_none() && !matches!(launch.program, Program::Command(_));
        let address = match launch.address {
            Some(address) => address,
            None if needs_ready_line => SocketAddr::new(launch.ip, 0),
            None => SocketAddr::new(launch.ip, free_port()?),
        };
        let mut command = launch.command(address)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let mut guard = command.spawn()?;
        let pipe = guard.stdin.take();
        let written = Arc::new(Written::default());
        collect(guard.stdout.take(), &written, true);
        collect(guard.stderr.take(), &written, false);
        let mut server = Self { guard, pipe, address: reachable(address), written };
        if !launch.reads_lines {
            server.end_input();
        }
        if let Program::Example(name) | Program::Own(name) = &launch.program {
            if needs_ready_line {
                server.address = server.ready_address(name)?;
            }
        }
        Ok(server)
    }

    /// Waits for the ready line, and returns its address.
    fn ready_address(&mut self, name: &str) -> Result<SocketAddr, Failure> {
        let what = format!("the ready line of {name}");
        let Some(line) = show_waiting(&what, || self.written.first_line(START)) else {
            return Err(self.no_ready_line(name));
        };
        let Some(address) = line.strip_prefix(READY) else {
            let first = format!("the first line of {name} on stdout is {line:?}");
            let advice = "print other lines later, or with eprintln!";
            return Err(format!("{first}, but it must be `{READY}IP:PORT`; {advice}").into());
        };
        let Ok(address) = address.parse::<SocketAddr>() else {
            let example = "print the address that local_addr returns, for example 127.0.0.1:1234";
            return Err(format!("{what} has {address:?} in place of an address; {example}").into());
        };
        if address.port() == 0 {
            let advice = "print the address that local_addr returns";
            return Err(format!("the ready line of {name} has port 0; {advice}").into());
        }
        Ok(reachable(address))
    }

    /// Says why no ready line came.
    fn no_ready_line(&mut self, name: &str) -> Failure {
        let wanted = "listen on the address in the first argument, and then print";
        let wanted = format!("{wanted} `{READY}IP:PORT` with println!");
        let what = if let Some(status) = self.exits_within(Duration::from_secs(1)) {
            format!("{name} exited before it was ready ({}); {wanted}", status_words(status))
        } else {
            let advice = format!("{wanted}, or write its fixed IP:PORT after the lesson");
            format!("{name} printed no line within {} s; {advice}", START.as_secs())
        };
        self.written.wait_for_the_end_of_stderr();
        let lines = self.output();
        if lines.is_empty() {
            let command = format!("cargo run --example {name}");
            return format!("{what}. To see what it does, run it alone: {command}").into();
        }
        format!("{what}. It wrote:\n  {}", excerpt(&lines, QUOTED).join("\n  ")).into()
    }

    /// Returns the exit status if the server exits within this time.
    pub fn exits_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.guard.try_wait().ok().flatten();
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the lines that the server printed on stdout after its ready line. Call this after
    /// the server has exited.
    pub fn printed(&self) -> Vec<String> {
        self.written.stdout_after_ready_line()
    }

    /// Takes the lines that the server wrote on stdout and stderr since the last call, without
    /// its ready line, in the order of their arrival.
    pub fn output(&self) -> Vec<String> {
        self.written.take()
    }

    /// Writes a line to the standard input of the server.
    pub fn type_line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Closes the standard input of the server.
    pub fn end_input(&mut self) {
        self.write(&[END_OF_INPUT]);
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(pipe) = &mut self.pipe {
            // This fails if the server has exited. A check then notices that.
            let _ = pipe.write_all(bytes);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pipe = None;
        if self.exits_within(STOP).is_none() {
            let _ = self.guard.kill();
            let _ = self.guard.wait();
        }
    }
}

impl Launch {
    /// Returns the command that starts the guard of this server.
    fn command(&self, address: SocketAddr) -> Result<Command, Failure> {
        match &self.program {
            Program::Example(name) | Program::Own(name) => {
                let path = env::current_exe()?.with_file_name(format!("{name}{EXE_SUFFIX}"));
                if !path.exists() {
                    let missing = format!("the program {} does not exist", path.display());
                    return Err(format!("{missing}; cargo build --example {name} builds it").into());
                }
                let mut args = vec![address.to_string()];
                args.extend_from_slice(&self.options);
                Ok(guard::guard(&path.into(), &args)?)
            }
            Program::Command(line) => {
                let line = line.replace("{address}", &address.to_string());
                let line = line.replace("{port}", &address.port().to_string());
                let line = line.replace("{options}", &self.options.join(" "));
                Ok(guard::shell_guard(&line)?)
            }
        }
    }
}

/// Returns the address to which a client can connect. Windows does not connect to 0.0.0.0 or to
/// [::]. A server that listens there also listens on the loopback address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let is_ipv6 = address.is_ipv6() && has_ipv6();
        address.set_ip(if is_ipv6 {
            Ipv6Addr::LOCALHOST.into()
        } else {
            Ipv4Addr::LOCALHOST.into()
        });
    }
    address
}

/// Returns true if this machine has an IPv6 address.
pub fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// Returns a port that is free for TCP and for UDP.
fn free_port() -> Result<u16, Failure> {
    for _ in 0..100 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address.port());
        }
    }
    Err("no port is free for both TCP and UDP; stop some programs".into())
}

/// Returns whether programs use this address for TCP, and for UDP.
pub fn in_use(address: SocketAddr) -> [bool; 2] {
    [TcpListener::bind(address).is_err(), UdpSocket::bind(address).is_err()]
}

/// Returns a few of the lines that a program wrote. The last error is the most useful part.
pub fn excerpt(lines: &[String], number: usize) -> Vec<&str> {
    let is_mark = |line: &str| line.trim_matches([' ', '^', '~', '|']).is_empty();
    let is_hint = |line: &str| line.starts_with("note: run with");
    let lines = lines.iter().map(String::as_str);
    let lines: Vec<&str> = lines.filter(|line| !is_mark(line) && !is_hint(line)).collect();
    // Lines such as "at emitErrorNT (...)" say where the error was, but not what it is.
    let is_error = |line: &&str| {
        let is_named = ["Error", "Exception", "panicked"].iter().any(|e| line.contains(e));
        is_named && !line.trim_start().starts_with("at ")
    };
    // A server that survives the error of a client logs a line such as "dropped: invalid UTF-8".
    let is_dropped = |line: &&str| ["dropped", "error"].iter().any(|word| line.contains(word));
    let error = lines.iter().rposition(is_error);
    let end = match error.or_else(|| lines.iter().rposition(is_dropped)) {
        Some(error) if lines[error].contains("panicked") => lines.len().min(error + 2),
        Some(error) => error + 1,
        None => lines.len(),
    };
    lines[end.saturating_sub(number)..end].to_vec()
}

/// What a server has written. Threads read the pipes all the time, because a server that writes to
/// a full pipe has to wait, and a write to a closed pipe can fail.
#[derive(Default)]
pub struct Written {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    /// The first lines on stdout.
    stdout: Vec<String>,
    stdout_has_ended: bool,
    stderr_has_ended: bool,
    /// The latest lines on stdout and stderr that [`Server::output`] has not taken.
    new: VecDeque<String>,
}

impl Written {
    /// Takes the lines on stdout and stderr since the last call, without the ready line.
    pub fn take(&self) -> Vec<String> {
        self.lock().new.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &str, is_stdout: bool) {
        let mut lines = self.lock();
        let is_ready_line = is_stdout && lines.stdout.is_empty() && line.starts_with(READY);
        if is_stdout && lines.stdout.len() < KEPT {
            lines.stdout.push(line.to_owned());
        }
        if !is_ready_line {
            lines.new.push_back(line.to_owned());
        }
        if lines.new.len() > KEPT {
            lines.new.pop_front();
        }
        self.changed.notify_all();
    }

    /// Waits for the first line on stdout. Returns `None` if stdout ends or if the time is over.
    fn first_line(&self, time: Duration) -> Option<String> {
        let waits = |lines: &mut Lines| lines.stdout.is_empty() && !lines.stdout_has_ended;
        let result = self.changed.wait_timeout_while(self.lock(), time, waits);
        let (lines, _) = result.unwrap_or_else(PoisonError::into_inner);
        lines.stdout.first().cloned()
    }

    /// Waits a second for the end of stderr. Other threads read the lines, and they can be late.
    fn wait_for_the_end_of_stderr(&self) {
        let waits = |lines: &mut Lines| !lines.stderr_has_ended;
        let _ = self.changed.wait_timeout_while(self.lock(), Duration::from_secs(1), waits);
    }

    /// Returns all lines on stdout after the ready line. Another program that the server has
    /// started can keep stdout open, so this waits only a second for the end.
    fn stdout_after_ready_line(&self) -> Vec<String> {
        let waits = |lines: &mut Lines| !lines.stdout_has_ended;
        let time = Duration::from_secs(1);
        let result = self.changed.wait_timeout_while(self.lock(), time, waits);
        let (lines, _) = result.unwrap_or_else(PoisonError::into_inner);
        let has_ready_line = lines.stdout.first().is_some_and(|line| line.starts_with(READY));
        lines.stdout[usize::from(has_ready_line)..].to_vec()
    }
}

/// Starts a thread that collects the lines of a pipe.
fn collect(pipe: Option<impl Read + Send + 'static>, written: &Arc<Written>, is_stdout: bool) {
    let Some(pipe) = pipe else { return };
    let written = Arc::clone(written);
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            let length = reader.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            if length.unwrap_or_default() == 0 {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            written.add(line.trim_end_matches(['\r', '\n']), is_stdout);
        }
        let mut lines = written.lock();
        lines.stdout_has_ended |= is_stdout;
        lines.stderr_has_ended |= !is_stdout;
        written.changed.notify_all();
    });
}
