//! The program under check, where we start it ourselves.

use std::env::{self, consts::EXE_SUFFIX};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{iter, thread};

use sockets101::Failure;

/// How long a server may take to say that it is ready.
const START: Duration = Duration::from_secs(20);

/// Builds the examples, if cargo runs this program. Otherwise what is beside it will do.
pub fn build<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), Failure> {
    let Some(cargo) = env::var_os("CARGO") else { return Ok(()) };
    let mut build = Command::new(cargo);
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet"]);
    build.args(names.into_iter().flat_map(|name| ["--example", name]));
    build.args(cfg!(feature = "event").then_some("--features=event"));
    build.args((!cfg!(debug_assertions)).then_some("--release"));
    let status = build.stdin(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err("the example does not build".into()) }
}

/// A running server. It is killed when this goes.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    stdout: Receiver<String>,
    /// Read all the same: nobody's pipe is to be full, or closed.
    stderr: Receiver<String>,
}

impl Server {
    /// Starts the example beside this program, on a free port, and waits for its ready line.
    /// What it says on stderr is kept, unless that goes elsewhere.
    pub fn start(
        name: &str,
        options: impl IntoIterator<Item: AsRef<OsStr>>,
        stderr: Stdio,
    ) -> Result<Self, Failure> {
        let path = env::current_exe()?.with_file_name(format!("{name}{EXE_SUFFIX}"));
        let mut command = Command::new(path);
        command.arg("0").args(options).stdin(Stdio::null());
        let spawned = command.stdout(Stdio::piped()).stderr(stderr).spawn();
        let advice =
            |err| format!("{name}: {err}; build it: cargo build --example {name}");
        let mut child = spawned.map_err(advice)?;

        let (stdout, stderr) =
            (lines(child.stdout.take()), lines(child.stderr.take()));
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self { child, address, stdout, stderr };
        let first = server.stdout.recv_timeout(START).unwrap_or_default();
        let ready = first.strip_prefix("server ready on ").map(str::parse);
        let Some(Ok(address)) = ready else {
            let _ = server.child.kill();
            let said = rest(&server.stderr).pop().unwrap_or(first);
            let wanted = "its first line must be `server ready on IP:PORT`";
            return Err(format!("{name}: {wanted}; it said {said:?}").into());
        };
        server.address = address;
        Ok(server)
    }

    /// The exit status of a server that has ended, or does so before the time is over.
    pub fn ends_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.child.try_wait().ok().flatten();
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it printed after its ready line. To be asked when it has ended.
    pub fn printed(&self) -> Vec<String> {
        rest(&self.stdout)
    }
}

/// The lines of a pipe, read to its end by a thread of their own: a pipe that is full would
/// stop the program that writes to it, and one that is closed could end it.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    let lines = pipe.into_iter().flat_map(|pipe| BufReader::new(pipe).lines());
    thread::spawn(move || lines.flatten().try_for_each(|line| sender.send(line)));
    receiver
}

/// What has not been looked at. (A program that the server started may live on and keep the
/// pipe open: it is not waited for.)
fn rest(lines: &Receiver<String>) -> Vec<String> {
    iter::from_fn(|| lines.recv_timeout(Duration::from_secs(1)).ok()).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
