//! Runs programs in terminals, as a reader does, and records what they print.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{steps, top};

/// The longest time to wait for anything. The slowest lesson needs 20 seconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Builds the examples, as `cargo run --example` would. The features are for the pages about the
/// servers beyond the lecture.
pub fn build() -> Result<(), String> {
    let mut build = cargo_build();
    build.arg("--examples");
    run_build(build)
}

fn cargo_build() -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--locked"]);
    build.args(["--features", "async,event"]);
    build.current_dir(top());
    build
}

fn run_build(mut build: Command) -> Result<(), String> {
    let outcome = build.status().map_err(|err| format!("cargo: {err}"))?;
    if outcome.success() {
        Ok(())
    } else {
        Err("the examples do not build".to_owned())
    }
}

/// With these options, strace finds the whole stack of a call. Without them, it takes other addresses
/// for the frames.
const OPTIONS: &str = "-C force-frame-pointers=yes -C link-arg=-Wl,-z,separate-code";

/// Builds these examples so that strace can find the stack of each call.
pub fn build_traced(names: &BTreeSet<&str>) -> Result<(), String> {
    let mut build = cargo_build();
    for name in names {
        build.args(["--example", name]);
    }
    build.env("RUSTFLAGS", OPTIONS).env("CARGO_TARGET_DIR", target().join("replay"));
    run_build(build)
}

/// Builds programs in short so that strace can find the stack of each call.
pub fn build_shorts(
    programs: &[(String, String)],
) -> Result<steps::Scratch, String> {
    steps::Scratch::build_with(
        "replay",
        programs,
        &target().join("replay/short"),
        OPTIONS,
    )
}

/// Returns the program that runs Python. `python3` itself may be a script that starts it.
pub fn python() -> Result<PathBuf, String> {
    let mut command = Command::new("python3");
    let output = command.args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.map_err(|err| format!("python3: {err}"))?;
    if !output.status.success() {
        return Err("python3 does not run".to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

/// Returns the path of an example that [`build_traced`] has built.
pub fn traced_example(name: &str) -> PathBuf {
    target().join("replay/debug/examples").join(name)
}

/// Returns the path of a built example.
pub fn example(name: &str) -> PathBuf {
    target().join("debug/examples").join(name)
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| top().join("target"), PathBuf::from)
}

/// Returns why strace does not work here, or `None`.
pub fn untraceable() -> Option<&'static str> {
    let mut strace = Command::new("strace");
    strace
        .args(["-D", "-k", "-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match strace.status() {
        Ok(status) if status.success() => None,
        Ok(_) => Some("strace may not trace here, or cannot print stacks"),
        Err(_) => Some("strace is not installed"),
    }
}

/// The calls that strace writes. Only `clone` and `clone3` start a thread, and the C library calls
/// `rt_sigprocmask` before it.
const CALLS: &str = "trace=%network,poll,ppoll,epoll_ctl,epoll_wait,close,fcntl,clock_nanosleep,\
                     read,write,clone,clone3,rt_sigprocmask,futex";

/// Returns the command that runs a program. With a folder, strace writes the system calls there,
/// one file for each thread. Because of `-D`, this process stays the parent of the program.
pub fn traced(program: &Path, folder: Option<&Path>, with_stacks: bool) -> Command {
    let Some(folder) = folder else { return Command::new(program) };
    let mut strace = Command::new("strace");
    strace.args(["-D", "-ff", "-ttt", "-T", "-s", "8192"]);
    if with_stacks {
        strace.arg("-k");
    }
    strace.args(["-e", CALLS, "-o"]);
    strace.arg(folder.join("thread")).arg(program);
    strace
}

/// A program in its own terminal.
pub struct Terminal {
    /// The command that a reader types.
    command: String,
    keyboard: File,
    screen: Arc<(Mutex<String>, Condvar)>,
    child: Child,
}

impl Terminal {
    /// Starts a program. `command` is what a reader would type.
    pub fn open(command: &str, mut program: Command) -> Result<Self, String> {
        let pair = || -> rustix::io::Result<(OwnedFd, String)> {
            // With CLOEXEC, the program does not inherit our end.
            let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
            let ours = openpt(flags | OpenptFlags::CLOEXEC)?;
            grantpt(&ours)?;
            unlockpt(&ours)?;
            let theirs = ptsname(&ours, Vec::new())?.to_string_lossy().into_owned();
            Ok((ours, theirs))
        };
        let (ours, theirs) = pair().map_err(|err| format!("no terminal: {err}"))?;
        let start = || {
            let theirs = OpenOptions::new().read(true).write(true).open(&theirs)?;
            program
                .stdin(theirs.try_clone()?)
                .stdout(theirs.try_clone()?)
                .stderr(theirs);
            let child = program.current_dir(top()).spawn()?;
            drop(program); // Closes our copy of the program's end, so that the screen can end.
            let keyboard = File::from(ours);
            let screen = read_along(keyboard.try_clone()?);
            std::io::Result::Ok(Self {
                command: command.to_owned(),
                keyboard,
                screen,
                child,
            })
        };
        start().map_err(|err| format!("{command}: {err}"))
    }

    /// Returns what is on the screen. The command comes first.
    pub fn text(&self) -> String {
        format!("$ {}\n{}", self.command, self.output())
    }

    /// Returns what the program has printed, and what was typed.
    pub fn output(&self) -> String {
        self.screen.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Types a line, or the end of the input.
    pub fn type_in(&mut self, keys: &[u8]) -> Result<(), String> {
        self.keyboard
            .write_all(keys)
            .map_err(|err| format!("{}: {err}", self.command))
    }

    /// Waits until `count` lines end with `ending`.
    pub fn wait_for(&self, count: usize, ending: &str) -> Result<(), String> {
        let missing = |screen: &mut String| {
            screen.lines().filter(|line| line.ends_with(ending)).count() < count
        };
        let screen = self.screen.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.screen.1.wait_timeout_while(screen, PATIENCE, missing);
        let (screen, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() {
            return Err(format!(
                "{}: no {count} lines end with {ending:?}:\n{screen}",
                self.command
            ));
        }
        Ok(())
    }

    /// Waits until the program has exited and its whole output is on the screen.
    pub fn wait(&mut self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while !matches!(self.child.try_wait(), Ok(Some(_)))
            || Arc::strong_count(&self.screen) > 1
        {
            if Instant::now() > end {
                return Err(format!(
                    "{} does not exit:\n{}",
                    self.command,
                    self.output()
                ));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Returns the number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            let _ = kill_process(process, signal); // The program may have exited.
        }
    }

    /// Stops the program.
    pub fn close(&mut self) -> Result<(), String> {
        let _ = self.child.kill(); // It may have exited.
        self.wait()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

/// Collects the output of a terminal in a new thread, until no program has it open.
fn read_along(mut from: File) -> Arc<(Mutex<String>, Condvar)> {
    let screen = Arc::new((Mutex::new(String::new()), Condvar::new()));
    let shared = Arc::clone(&screen);
    thread::spawn(move || {
        let mut pending = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            pending.extend_from_slice(&buffer[..length]);
            // A read can end inside a character. An invalid byte stays invalid.
            let whole = match std::str::from_utf8(&pending) {
                Err(err) if err.error_len().is_none() => err.valid_up_to(),
                _ => pending.len(),
            };
            let text = String::from_utf8_lossy(&pending[..whole]).replace('\r', "");
            pending.drain(..whole);
            shared.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            shared.1.notify_all();
        }
    });
    screen
}

/// A server that has printed its address.
pub struct Server {
    pub terminal: Terminal,
    pub address: SocketAddr,
}

impl Server {
    /// Starts an example on a free port. `command` is what a reader would type.
    pub fn start(
        command: &str,
        mut program: Command,
        options: &[&str],
    ) -> Result<Self, String> {
        program.arg("127.0.0.1:0").args(options);
        let terminal = Terminal::open(command, program)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let output = terminal.output();
            let ready = output
                .split_once('\n')
                .map(|(line, _)| line.strip_prefix("server ready on "));
            if let Some(address) = ready {
                let address = address.and_then(|address| address.parse().ok());
                let address =
                    address.ok_or_else(|| format!("{command}: {output}"))?;
                return Ok(Self { terminal, address });
            }
            if Instant::now() > end {
                return Err(format!("{command} does not get ready: {output}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A folder for traces. It is removed when this value is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Result<Self, String> {
        let path = env::temp_dir()
            .join(format!("sockets101-book-{}-{name}", std::process::id()));
        fs::create_dir_all(&path)
            .map_err(|err| format!("{}: {err}", path.display()))?;
        Ok(Self(path))
    }

    /// Makes a folder in it, and returns its path.
    pub fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.0.join(name);
        fs::create_dir_all(&path)
            .map_err(|err| format!("{}: {err}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What `stop_server` does in a terminal. The tests of the root package do not have a terminal.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

    use super::{Command, Server, build, example};

    fn rust() -> Command {
        Command::new(example("stop_server"))
    }

    fn python() -> Command {
        let mut command = Command::new("python3");
        command.arg("docs/python/stop_server.py");
        command
    }

    #[test]
    fn the_end_of_the_input_of_a_terminal_stops_the_server() {
        build().unwrap();
        for program in [rust, python] {
            for keys in ["\x04", "quit\n", "Quit\n\x04"] {
                let mut server =
                    Server::start("stop_server", program(), &[]).unwrap();
                let advice = "type quit and press Enter to stop the server";
                server.terminal.wait_for(1, advice).unwrap();
                server.terminal.type_in(keys.as_bytes()).unwrap();
                server.terminal.wait().unwrap();
                let output = server.terminal.output();
                let last = "stopped; clients served: 0, cut off: 0";
                assert_eq!(output.lines().last(), Some(last), "{output}");
            }
        }
    }
}
