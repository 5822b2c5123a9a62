//! Starts programs and connects to them. Every wait has a timeout.

use std::env::{self, consts::EXE_SUFFIX};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

/// The timeout of every wait. A test that passes never waits that long. (Wine starts programs
/// slowly, and `check` starts the server again after each failed check.)
pub const PATIENCE: Duration =
    Duration::from_secs(if cfg!(windows) { 60 } else { 30 });

/// Returns the path of an example. `cargo test` builds the examples, `cargo test --test it`
/// does not.
pub fn example(name: &str) -> PathBuf {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{EXE_SUFFIX}"));
    assert!(path.exists(), "{} is not built: run `cargo test`", path.display());
    path
}

/// Prints on stderr that something is not tested here, and why. The test framework would
/// hide the output of `eprintln!`.
pub fn skipped(what: &str, why: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "skipped: {what}: {why}");
}

/// Runs an example that exits by itself. `input` is its standard input.
#[track_caller]
pub fn run(name: &str, args: &[&str], input: &str) -> Output {
    finish(Command::new(example(name)).args(args), input)
}

/// Runs a program that exits by itself. `input` is its standard input.
#[track_caller]
pub fn finish(command: &mut Command, input: &str) -> Output {
    let output = finish_once(command, input);
    // Under Wine, the program can fail to start another program (see `spawn`).
    let stderr = String::from_utf8_lossy(&output.stderr);
    if cfg!(windows) && stderr.contains(&format!("os error {ERROR_INTERNAL_ERROR}"))
    {
        skipped("a start by a program", stderr.trim());
        return finish_once(command, input);
    }
    output
}

#[track_caller]
fn finish_once(command: &mut Command, input: &str) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("RUST_BACKTRACE", "1")
        .env_remove("CARGO"); // `check` then starts the program that is built, and does not build it.
    let mut child = spawn(command);
    let mut stdin = child.stdin.take().unwrap();
    let stdout = rest_of(child.stdout.take().unwrap());
    let stderr = rest_of(child.stderr.take().unwrap());
    let input = input.to_owned();
    // The program may exit before it has read all of its input.
    thread::spawn(move || stdin.write_all(input.as_bytes()));
    let status = wait(&mut child);
    let status = status.unwrap_or_else(|| panic!("{command:?} does not exit"));
    // A program that is still running can have inherited the pipes.
    let [stdout, stderr] = [stdout, stderr].map(|rest| {
        let rest = rest.recv_timeout(PATIENCE);
        rest.unwrap_or_else(|_| panic!("{command:?} left a program running"))
    });
    Output { status, stdout, stderr }
}

/// Reads all that a program writes to a pipe, and sends it when the pipe ends.
fn rest_of(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, rest) = channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let _ = pipe.read_to_end(&mut output);
        let _ = sender.send(output);
    });
    rest
}

/// The error of Windows that Wine returns if it cannot start a process.
const ERROR_INTERNAL_ERROR: i32 = 1359;

/// Starts a program. Under Wine, one start of several hundred fails with this error,
/// so this function then starts the program again.
#[track_caller]
fn spawn(command: &mut Command) -> Child {
    let mut result = command.spawn();
    for _ in 0..5 {
        match &result {
            Err(err)
                if cfg!(windows)
                    && err.raw_os_error() == Some(ERROR_INTERNAL_ERROR) =>
            {
                skipped("a start", err);
                result = command.spawn();
            }
            _ => break,
        }
    }
    result.unwrap()
}

/// Waits until a process exits by itself. Kills a process that does not.
pub fn wait(child: &mut Child) -> Option<ExitStatus> {
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

/// The lines of a pipe. A thread reads them all the time, because a program that writes to a
/// full pipe has to wait, and a write to a closed pipe fails.
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

    /// Returns all lines so far.
    pub fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }

    /// Returns the number of lines that contain `part`.
    pub fn count(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }

    /// Waits until `count` lines contain `part`, and returns the first of them.
    #[track_caller]
    pub fn wait_for(&self, count: usize, part: &str) -> String {
        let lines = self.0.0.lock().unwrap();
        let missing = |lines: &mut Vec<String>| {
            lines.iter().filter(|line| line.contains(part)).count() < count
        };
        let (lines, result) =
            self.0.1.wait_timeout_while(lines, PATIENCE, missing).unwrap();
        assert!(
            !result.timed_out(),
            "fewer than {count} lines with {part:?}: {lines:#?}"
        );
        lines.iter().find(|line| line.contains(part)).cloned().unwrap_or_default()
    }
}

/// A running server. It is killed when this value is dropped.
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

    /// Starts an example that can open at most `descriptors` file descriptors. Without
    /// `unsafe`, only a shell can set this limit for a child process.
    #[cfg(unix)]
    pub fn start_limited(name: &str, args: &[&str], descriptors: u32) -> Self {
        let script = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
        Self::spawn(
            Command::new("sh").arg("-c").arg(script).arg(example(name)).args(args),
        )
    }

    /// Starts a server with an empty input, and waits for its ready line.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::null())
    }

    /// Starts a server with this input, and waits for its ready line.
    #[track_caller]
    pub fn spawn_with(command: &mut Command, stdin: Stdio) -> Self {
        let mut child = spawn(
            command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()),
        );
        let stdout = Lines::collect(child.stdout.take().unwrap());
        let stderr = Lines::collect(child.stderr.take().unwrap());
        let address = "0.0.0.0:0".parse().unwrap();
        let mut server = Self { child, address, stdout, stderr };
        server.stdout.wait_for(1, "");
        // The ready line must be the first line.
        let first = server.stdout.all().swap_remove(0);
        let address = first.strip_prefix("server ready on ").map(str::parse);
        server.address = address.expect(&first).expect(&first);
        // Windows does not connect to 0.0.0.0 or to [::].
        if server.address.ip().is_unspecified() {
            let is_ipv6 = server.address.is_ipv6()
                && TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
            server.address.set_ip(if is_ipv6 {
                Ipv6Addr::LOCALHOST.into()
            } else {
                Ipv4Addr::LOCALHOST.into()
            });
        }
        server
    }

    /// Connects to the server. Every read and write of the connection has a timeout.
    #[track_caller]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends the signal of Ctrl-C. Without `unsafe`, only another program can send it.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").arg("-c").arg(kill).status().unwrap().success());
    }

    /// Returns the pipe to the input of the server.
    pub fn input(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Returns true if the process has not exited.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills the process.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the process exits by itself.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child).expect("the process does not exit")
    }

    /// Returns the memory that the process uses, in bytes. Only Linux has this in a file.
    pub fn memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// Returns the CPU time that the process has used, in clock ticks of 10 ms.
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

/// Calls `test` for all items at the same time. Most of these tests only wait.
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

/// Sends bytes, and expects exactly `expect` as the reply.
#[track_caller]
pub fn exchange(
    stream: &mut TcpStream,
    send: impl AsRef<[u8]>,
    expect: impl AsRef<[u8]>,
) {
    stream.write_all(send.as_ref()).unwrap();
    receive(stream, expect);
}

/// Expects exactly the bytes `expect`.
#[track_caller]
pub fn receive(stream: &mut TcpStream, expect: impl AsRef<[u8]>) {
    let expect = expect.as_ref();
    let mut reply = vec![0; expect.len()];
    if let Err(err) = stream.read_exact(&mut reply) {
        panic!("{err} while waiting for {:?}", String::from_utf8_lossy(expect));
    }
    assert_eq!(String::from_utf8_lossy(&reply), String::from_utf8_lossy(expect));
}

/// Reads until the server closes its sending side. Panics if the connection is reset.
#[track_caller]
pub fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    if let Err(err) = stream.read_to_end(&mut rest) {
        panic!("{err} after {:?}", String::from_utf8_lossy(&rest));
    }
    String::from_utf8(rest).unwrap()
}

/// Closes our sending side.
#[track_caller]
pub fn half_close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Closes the connection with a reset.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Returns true if a reset and a normal close look different here. In Wine, they look the
/// same.
pub fn resets_show() -> bool {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    reset(client);
    peer.read(&mut [0]).is_err()
}

/// Returns a socket that keeps a port but does not listen on it, so that a connection to this
/// port is refused.
pub fn deaf() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// Returns true if nothing arrives for a moment. The tests call this function only where a
/// reply would be a bug, so that a slow machine cannot make a test fail.
pub fn is_silent(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
    let silent = stream.peek(&mut [0]).is_err_and(|err| {
        [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&err.kind())
    });
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    silent
}
