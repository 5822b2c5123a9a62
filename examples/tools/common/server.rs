//! Starts an example as a process, reads its ready line, and stops it.

use std::env::{self, consts::EXE_SUFFIX};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use sockets101::Failure;

/// The longest time from the start of a server to its ready line.
const START: Duration = Duration::from_secs(20);

/// Builds the examples if cargo runs this program. Otherwise, the programs in this program's
/// folder are used as they are.
pub fn build<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    let Some(cargo) = env::var_os("CARGO") else {
        return Ok(());
    };
    let mut build = Command::new(cargo);
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet"]);
    for name in names {
        build.args(["--example", name]);
    }
    if cfg!(feature = "event") {
        build.arg("--features=event");
    }
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let status = build.stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err("the example does not build".into()) }
}

/// A running server. The process is killed when this value is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Server {
    /// Starts the example in this program's folder on a free port, and waits for its ready
    /// line.
    pub fn start(
        name: &str,
        options: impl IntoIterator<Item: AsRef<OsStr>>,
        stderr: Stdio,
    ) -> Result<Self, Failure> {
        let path = env::current_exe()?.with_file_name(format!("{name}{EXE_SUFFIX}"));
        let mut command = Command::new(path);
        command.arg("0").args(options).stdin(Stdio::null());
        let mut child = match command.stdout(Stdio::piped()).stderr(stderr).spawn() {
            Ok(child) => child,
            Err(err) => {
                let advice = format!("build it: cargo build --example {name}");
                return Err(format!("{name}: {err}; {advice}").into());
            }
        };
        let stdout = lines(child.stdout.take());
        let stderr = lines(child.stderr.take());
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self { child, address, stdout, stderr };

        let first = server.stdout.recv_timeout(START).unwrap_or_default();
        let ready = first.strip_prefix("server ready on ").map(str::parse);
        let Some(Ok(address)) = ready else {
            let _ = server.child.kill();
            let printed = rest(&server.stderr).pop().unwrap_or(first);
            let expected = "the first line must be `server ready on IP:PORT`";
            return Err(format!("{name}: {expected}, got {printed:?}").into());
        };
        server.address = address;
        Ok(server)
    }

    /// Returns the exit status if the server exits within this time.
    pub fn exits_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.child.try_wait().ok().flatten();
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the lines that the server printed on stdout after its ready line. Call this
    /// after the server has exited.
    pub fn printed(&self) -> Vec<String> {
        rest(&self.stdout)
    }
}

/// Starts a thread that reads the lines of a pipe, because a server that writes to a full
/// pipe would stop, and a server that writes to a closed pipe could fail.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                // This fails if the `Server` has been dropped. The pipe then ends soon.
                let _ = sender.send(line.trim_end_matches('\r').to_owned());
            }
        });
    }
    receiver
}

/// Returns the lines that have not been read yet. Another program that the server has started
/// can keep the pipe open, so this does not wait for the end of the pipe.
fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(1)) {
        all.push(line);
    }
    all
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
