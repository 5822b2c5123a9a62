//! Processes and sockets, with a limit on every wait.

use std::env::{self, consts::EXE_SUFFIX};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

/// How long anything may take before a test gives it up. No test waits that long for
/// something that works.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where `cargo test` has put an example. `cargo test --test it` alone does not build them.
pub fn example(name: &str) -> PathBuf {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{EXE_SUFFIX}"));
    assert!(path.exists(), "{} is not built: run `cargo test`", path.display());
    path
}

/// Says on stderr that something is not tested here, and why. Not with `eprintln!`, whose
/// output the test harness keeps to itself.
pub fn skipped(what: &str, why: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "skipped: {what}: {why}");
}

/// Runs an example that ends, with this standard input.
#[track_caller]
pub fn run(name: &str, args: &[&str], input: &str) -> Output {
    finish(Command::new(example(name)).args(args), input)
}

/// Runs a program that ends, with this standard input.
#[track_caller]
pub fn finish(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("RUST_BACKTRACE", "1")
        .env_remove("CARGO") // `check` is to start what is built, and not to build it.
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut output = (Vec::new(), Vec::new());
    let status = thread::scope(|pipes| {
        // It may end without having read all of it.
        pipes.spawn(move || stdin.write_all(input.as_bytes()));
        pipes.spawn(|| stdout.read_to_end(&mut output.0));
        pipes.spawn(|| stderr.read_to_end(&mut output.1));
        wait(&mut child)
    });
    let status = status.unwrap_or_else(|| panic!("{command:?} does not end"));
    Output { status, stdout: output.0, stderr: output.1 }
}

/// Waits until a process ends by itself; kills one that does not.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    None
}

/// The lines of a pipe, collected by a thread of its own: a pipe that nobody reads would
/// stop the program that writes to it, and one that is closed would end it.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Lines {
    fn collect(pipe: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let shared = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                shared.0.0.lock().unwrap().push(line);
                shared.0.1.notify_all();
            }
        });
        lines
    }

    /// All the lines so far.
    pub fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }

    /// How many lines contain this.
    pub fn count(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }

    /// Waits until so many lines contain this, and returns the first that does.
    #[track_caller]
    pub fn wait_for(&self, count: usize, part: &str) -> String {
        let lines = self.0.0.lock().unwrap();
        let missing = |lines: &mut Vec<String>| {
            lines.iter().filter(|line| line.contains(part)).count() < count
        };
        let (lines, outcome) =
            self.0.1.wait_timeout_while(lines, PATIENCE, missing).unwrap();
        assert!(!outcome.timed_out(), "no {count} lines with {part:?}: {lines:#?}");
        lines.iter().find(|line| line.contains(part)).cloned().unwrap_or_default()
    }
}

/// A running server. It is killed when this goes.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub stdout: Lines,
    pub stderr: Lines,
}

impl Server {
    /// Starts an example and waits for its ready line.
    #[track_caller]
    pub fn start(name: &str, args: &[&str]) -> Self {
        Self::spawn(Command::new(example(name)).args(args))
    }

    /// Starts an example with at most so many descriptors. Without `unsafe`, only a shell
    /// can set that for a child.
    #[cfg(unix)]
    pub fn start_limited(name: &str, args: &[&str], descriptors: u32) -> Self {
        let script = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
        Self::spawn(
            Command::new("sh").arg("-c").arg(script).arg(example(name)).args(args),
        )
    }

    /// Starts a server and waits for its ready line.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = Lines::collect(child.stdout.take().unwrap());
        let stderr = Lines::collect(child.stderr.take().unwrap());
        let address = "0.0.0.0:0".parse().unwrap();
        let mut server = Self { child, address, stdout, stderr };
        server.stdout.wait_for(1, "");
        // The ready line must be the first, whatever follows.
        let first = server.stdout.all().swap_remove(0);
        let address = first.strip_prefix("server ready on ").map(str::parse);
        server.address = address.expect(&first).expect(&first);
        server
    }

    /// A client whose every read and write has a limit.
    #[track_caller]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// What Ctrl-C sends. Without `unsafe`, only another program can.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Ends the process at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the process ends by itself.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child).expect("the process does not end")
    }

    /// The memory that the process has in use, in bytes. Only Linux tells it in a file.
    pub fn memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// The processor time that the process has used, in clock ticks of 10 ms.
    pub fn ticks(&self) -> Option<u64> {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).ok()?;
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Does the same for each at the same time, where most of it is waiting.
pub fn for_each_at_once<T: Send>(
    all: impl Iterator<Item = T>,
    test: impl Fn(T) + Sync,
) {
    thread::scope(|scope| {
        for one in all {
            scope.spawn(|| test(one));
        }
    });
}

/// Sends, and expects exactly these bytes back.
#[track_caller]
pub fn exchange(
    stream: &mut TcpStream,
    send: impl AsRef<[u8]>,
    expect: impl AsRef<[u8]>,
) {
    stream.write_all(send.as_ref()).unwrap();
    receive(stream, expect);
}

/// Expects exactly these bytes.
#[track_caller]
pub fn receive(stream: &mut TcpStream, expect: impl AsRef<[u8]>) {
    let expect = expect.as_ref();
    let mut answer = vec![0; expect.len()];
    if let Err(err) = stream.read_exact(&mut answer) {
        panic!("{err} while waiting for {:?}", String::from_utf8_lossy(expect));
    }
    assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(expect));
}

/// Reads up to the end of the other side, which must not be a reset.
#[track_caller]
pub fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    if let Err(err) = stream.read_to_end(&mut rest) {
        panic!("{err} after {:?}", String::from_utf8_lossy(&rest));
    }
    String::from_utf8(rest).unwrap()
}

/// Ends our side.
#[track_caller]
pub fn half_close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Closes the connection with a reset.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Whether the system tells a reset from an ordinary end, which Wine does not.
pub fn resets_show() -> bool {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    reset(client);
    peer.read(&mut [0]).is_err()
}

/// A socket that has a port, which nobody else can have, and does not listen there.
pub fn deaf() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// Whether nothing comes for a moment. Used where something would be wrong, so that a slow
/// machine cannot make the test fail.
pub fn is_silent(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
    let silent = stream.peek(&mut [0]).is_err_and(|err| {
        [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&err.kind())
    });
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    silent
}
