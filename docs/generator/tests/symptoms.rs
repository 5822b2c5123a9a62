//! The symptoms of the steps: what `check` cannot see, but a test measures on Linux.
//!
//! The table `examples/tools/live/script.rs` names the symptom of a step. A measurement must
//! also fail for a program without the symptom. Otherwise it would prove nothing.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::SockRef;

use sockets101_book::lessons::{Kind, SERVERS};
use sockets101_book::script::{PATHS, Symptom};
use sockets101_book::steps::{Scratch, cargo, example, name, sources};
use sockets101_book::top;

#[allow(dead_code)] // The other tests use the rest.
mod programs;

use programs::{skipped, text};

/// The longest time to wait for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a test watches whether a server is busy.
const WINDOW: Duration = Duration::from_millis(500);

/// An idle server may work for a moment, for example after its ready line. Therefore only one of
/// so many windows must be idle.
const WINDOWS: usize = 4;

/// How many programs a test measures at the same time. Most of them wait.
const TOGETHER: usize = 4;

/// How often a test asks whether a condition is true.
const PAUSE: Duration = Duration::from_millis(5);

/// The limit of file descriptors, and the number of clients that come then.
const DESCRIPTORS: usize = 20;
const CLIENTS: usize = 30;

const MIB: usize = 1024 * 1024;

/// The memory of a server grows by this number of bytes. The buffers of the kernel, which hold
/// a few MiB, are not part of this memory.
const GROWTH: usize = 32 * MIB;

/// The number of bytes after which the memory must have grown.
const MOST: usize = 128 * MIB;

/// What a measurement found: nothing if the server shows the symptom, otherwise a sentence.
type Outcome = Result<(), String>;

/// A program, and what its clients send.
#[derive(Clone)]
struct Program {
    title: String,
    path: PathBuf,
    kind: Kind,
}

/// A running server. It is killed when this value is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    /// These threads read all that the server prints, so that it never waits for the reader.
    readers: Vec<JoinHandle<String>>,
}

impl Server {
    /// Starts a program on a free port, and waits for the ready line.
    fn start(program: &Program) -> Self {
        Self::spawn(Command::new(&program.path), program)
    }

    /// Starts a program that may open only a few file descriptors. Without `unsafe`, only a
    /// shell can set this limit.
    fn start_limited(program: &Program) -> Self {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(&program.path);
        Self::spawn(shell, program)
    }

    fn spawn(mut command: Command, program: &Program) -> Self {
        command.arg("127.0.0.1:0").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = child.stderr.take().unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let readers = vec![read_all(stdout), read_all(stderr)];
        let address = line.trim_end().strip_prefix("server ready on ");
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            panic!("{} prints no ready line: {line:?}", program.title);
        };
        Self { child, address, readers }
    }

    /// Connects a client, whose calls have a timeout.
    fn connect(&self) -> io::Result<TcpStream> {
        let client = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        client.set_read_timeout(Some(PATIENCE))?;
        client.set_write_timeout(Some(PATIENCE / 2))?;
        Ok(client)
    }

    /// Connects a client, which sends a message and waits for the reply.
    fn serve(&self, kind: Kind) -> Result<TcpStream, String> {
        let mut client = self.connect().map_err(|err| format!("connect: {err}"))?;
        talk(&mut client, kind)?;
        Ok(client)
    }

    /// Returns which share of the window the server used a CPU or waited for one. A busy machine
    /// lets a busy server wait for a CPU. An idle server does not want a CPU.
    fn busy_share(&self) -> f64 {
        let start = Instant::now();
        let before = self.wanted();
        thread::sleep(WINDOW);
        let wanted = self.wanted().saturating_sub(before);
        wanted.as_secs_f64() / start.elapsed().as_secs_f64()
    }

    /// Returns for how long all threads together have used a CPU or waited for one.
    fn wanted(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.child.id());
        let mut nanoseconds = 0;
        for task in fs::read_dir(tasks).into_iter().flatten().flatten() {
            nanoseconds += wanted(&task.path().join("schedstat"));
        }
        Duration::from_nanos(nanoseconds)
    }

    fn expect_busy(&self, when: &str) -> Outcome {
        let share = self.busy_share();
        if share > 0.5 { Ok(()) } else { Err(percent(share, when)) }
    }

    fn expect_idle(&self, when: &str) -> Outcome {
        let mut share = 0.0;
        for _ in 0..WINDOWS {
            share = self.busy_share();
            if share < 0.05 {
                return Ok(());
            }
        }
        Err(percent(share, when))
    }

    /// Returns a number from the status of the process. Returns 0 if the process has exited.
    fn status(&self, start: &str) -> usize {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(start));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    fn threads(&self) -> usize {
        self.status("Threads:")
    }

    /// Returns the memory that the server uses, in bytes.
    fn memory(&self) -> usize {
        self.status("VmRSS:") * 1024
    }

    /// Returns the number of open file descriptors.
    fn descriptors(&self) -> usize {
        let folder = fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        folder.into_iter().flatten().count()
    }

    /// Returns the exit status, if the server has exited.
    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until the server exits. Returns the status, and what the server printed after its
    /// ready line.
    fn finish(mut self) -> Result<(ExitStatus, String), String> {
        if !wait_until(|| self.exited().is_some()) {
            return Err("the server still runs".to_owned());
        }
        let mut printed = String::new();
        for reader in self.readers.drain(..) {
            printed += &reader.join().unwrap();
        }
        Ok((self.child.wait().unwrap(), printed))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a thread that reads all that a program prints.
fn read_all(mut output: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        text(&bytes)
    })
}

/// Returns for how many nanoseconds a thread has used a CPU or waited for one. Returns 0 if the
/// thread has exited.
fn wanted(schedstat: &std::path::Path) -> u64 {
    let times = fs::read_to_string(schedstat).unwrap_or_default();
    let times = times.split_whitespace().take(2);
    times.filter_map(|time| time.parse::<u64>().ok()).sum()
}

fn percent(share: f64, when: &str) -> String {
    format!("the server wants {:.0} % of a CPU {when}", 100.0 * share)
}

/// Waits until the condition is true. Returns false if that takes too long.
fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(PAUSE);
    }
    true
}

/// Sends a message and waits for the reply.
fn talk(client: &mut TcpStream, kind: Kind) -> Outcome {
    let (message, reply): (&[u8], &[u8]) = match kind {
        Kind::Block => (b"\0\0\0\x05hello", b"\0\0\0\x05HELLO"),
        Kind::OneMessage | Kind::Conversation => (b"hello", b"HELLO"),
        Kind::Datagram => return Err("the clients use UDP".to_owned()),
    };
    let mut received = vec![0; reply.len()];
    let result =
        client.write_all(message).and_then(|()| client.read_exact(&mut received));
    match result {
        Ok(()) if received == reply => Ok(()),
        Ok(()) => Err(format!("the reply is {:?}", text(&received))),
        Err(err) => Err(format!("a client gets no reply: {err}")),
    }
}

/// Closes the connection with a reset.
fn reset(client: TcpStream) {
    SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
}

/// Measures whether a program shows a symptom.
fn measure(symptom: Symptom, program: &Program) -> Outcome {
    match symptom {
        Symptom::BusyWithoutClients => {
            Server::start(program).expect_busy("without a client")
        }
        Symptom::BusyAfterAClient => {
            let server = Server::start(program);
            server.expect_idle("before the client")?;
            drop(server.serve(program.kind)?);
            server.expect_busy("after the client")
        }
        Symptom::NeverBusy => {
            let server = Server::start(program);
            server.expect_idle("before the client")?;
            drop(server.serve(program.kind)?);
            server.expect_idle("after the client")
        }
        Symptom::MemoryGrows => memory_grows(&Server::start(program)),
        Symptom::ThreadPerClient(count) => {
            thread_per_client(&Server::start(program), count)
        }
        Symptom::FourResetsEndIt => {
            four_resets_end_it(Server::start(program), program.kind)
        }
        Symptom::FewDescriptorsEndIt => {
            few_descriptors_end_it(Server::start_limited(program))
        }
        Symptom::FewDescriptorsAreFine => {
            few_descriptors_are_fine(Server::start_limited(program), program.kind)
        }
    }
}

/// One client sends and never reads.
fn memory_grows(server: &Server) -> Outcome {
    let before = server.memory();
    let mut client = server.connect().map_err(|err| err.to_string())?;
    let chunk = [b'x'; 64 * 1024];
    for number in 0..MOST / chunk.len() {
        // A server that stops reading lets the client wait until the timeout.
        if let Err(err) = client.write_all(&chunk) {
            let sent = number * chunk.len() / MIB;
            return Err(format!("the client cannot send after {sent} MiB: {err}"));
        }
        if server.memory() >= before + GROWTH {
            return Ok(());
        }
    }
    let grown = server.memory().saturating_sub(before) / MIB;
    Err(format!("the memory grows by {grown} MiB"))
}

fn thread_per_client(server: &Server, count: usize) -> Outcome {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(server.connect().map_err(|err| err.to_string())?);
    }
    if wait_until(|| server.threads() >= count) {
        return Ok(());
    }
    let threads = server.threads();
    Err(format!("{} clients are connected to {threads} threads", clients.len()))
}

fn four_resets_end_it(server: Server, kind: Kind) -> Outcome {
    for number in 1..=4 {
        let client = server.connect();
        reset(client.map_err(|err| format!("reset {number}: {err}"))?);
        if number == 3 {
            // The last thread takes this client after the three resets.
            server.serve(kind)?;
        }
    }
    let (status, printed) = server.finish()?;
    if status.success() && printed.is_empty() {
        return Ok(());
    }
    Err(format!("{status}, and the server prints {printed:?}"))
}

/// Connects the clients for a server with few file descriptors. The server may exit meanwhile.
fn connect_many(server: &Server) -> Vec<TcpStream> {
    (0..CLIENTS).filter_map(|_| server.connect().ok()).collect()
}

fn few_descriptors_end_it(server: Server) -> Outcome {
    let _clients = connect_many(&server);
    server.finish().map(|_| ())
}

fn few_descriptors_are_fine(mut server: Server, kind: Kind) -> Outcome {
    let mut clients = connect_many(&server);
    let mut has_exited = false;
    let are_used = wait_until(|| {
        has_exited = server.exited().is_some();
        has_exited || server.descriptors() >= DESCRIPTORS
    });
    if has_exited {
        return Err("the server exits".to_owned());
    }
    if !are_used || clients.len() < CLIENTS {
        return Err(format!("{} file descriptors are open", server.descriptors()));
    }
    server.expect_idle("without file descriptors")?;
    // The server has accepted this client, so it must still serve it.
    talk(&mut clients[0], kind)?;
    match server.exited() {
        None => Ok(()),
        Some(status) => Err(format!("the server exits: {status}")),
    }
}

/// Returns the symptoms that the same program cannot also show, with words for them.
fn contrary(symptom: Symptom) -> Vec<(&'static str, Symptom)> {
    let groups = [
        vec![
            ("busy without clients", Symptom::BusyWithoutClients),
            ("busy after a client", Symptom::BusyAfterAClient),
            ("never busy", Symptom::NeverBusy),
        ],
        vec![
            ("few file descriptors end it", Symptom::FewDescriptorsEndIt),
            ("few file descriptors are fine", Symptom::FewDescriptorsAreFine),
        ],
    ];
    for mut group in groups {
        if group.iter().any(|(_, other)| *other == symptom) {
            group.retain(|(_, other)| *other != symptom);
            return group;
        }
    }
    Vec::new()
}

/// Returns a lesson that does not show the symptom, or `None` if good servers show it.
fn lesson_without(symptom: Symptom, lesson: &'static str) -> Option<&'static str> {
    match symptom {
        Symptom::BusyWithoutClients
        | Symptom::BusyAfterAClient
        | Symptom::MemoryGrows
        | Symptom::FourResetsEndIt
        | Symptom::FewDescriptorsEndIt => Some(lesson),
        Symptom::ThreadPerClient(_) => Some("thread_pool"),
        Symptom::NeverBusy | Symptom::FewDescriptorsAreFine => None,
    }
}

/// The package with all steps. The finished lessons are examples.
fn scratch() -> &'static Scratch {
    static BUILT: OnceLock<Scratch> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut lessons = cargo();
        lessons.args(["build", "--quiet", "--locked", "--examples"]);
        let output = lessons.current_dir(top()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let sources = sources().unwrap();
        Scratch::build("steps", &sources).unwrap_or_else(|err| panic!("{err}"))
    })
}

/// Returns a finished lesson.
fn finished(lesson: &str) -> Program {
    let row = SERVERS.into_iter().find(|row| row.name == lesson).unwrap();
    let title = format!("the lesson {lesson}");
    Program { title, path: example(lesson), kind: row.kind }
}

/// A measurement.
struct Job {
    /// The title of the program, and words for what the measurement looks for.
    title: String,
    program: Program,
    symptom: Symptom,
}

/// Returns all steps that have a symptom, with their lessons.
fn steps() -> Vec<(&'static str, Program, Symptom)> {
    let scratch = scratch();
    let mut steps = Vec::new();
    for path in PATHS {
        for (index, step) in path.steps.iter().enumerate() {
            let Some(symptom) = step.symptom else { continue };
            let number = index + 1;
            let mut program = finished(path.lesson);
            program.title = format!("step {number} of {}", path.lesson);
            if number < path.steps.len() {
                program.path = scratch.program(&name(path.lesson, number));
            }
            steps.push((path.lesson, program, symptom));
        }
    }
    assert!(!steps.is_empty());
    steps
}

/// Makes all measurements, several at the same time. Returns the titles with the outcomes.
fn measure_all(jobs: Vec<Job>) -> Vec<(String, Outcome)> {
    let queue = Mutex::new(jobs.into_iter());
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(job) = next else { break };
                    let outcome = measure(job.symptom, &job.program);
                    outcomes.lock().unwrap().push((job.title, outcome));
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

/// Waits until no other test of this file measures. Returns `None` if this machine cannot
/// measure.
fn alone() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    if !cfg!(target_os = "linux") {
        skipped(
            "the symptoms of the steps: only Linux has the files to measure them",
        );
        return None;
    }
    if !fs::exists("/proc/self/schedstat").unwrap() {
        skipped("the symptoms of the steps: /proc/self/schedstat does not exist");
        return None;
    }
    Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn each_step_shows_its_symptom() {
    let Some(_alone) = alone() else { return };
    let mut jobs = Vec::new();
    for (_, program, symptom) in steps() {
        jobs.push(Job { title: program.title.clone(), program, symptom });
    }
    let mut outcomes = measure_all(jobs);
    outcomes.retain(|(_, outcome)| outcome.is_err());
    assert!(outcomes.is_empty(), "these steps miss their symptom: {outcomes:#?}");
}

#[test]
fn a_program_without_the_symptom_does_not_pass() {
    let Some(_alone) = alone() else { return };
    let mut jobs = Vec::new();
    for (lesson, program, symptom) in steps() {
        for (words, other) in contrary(symptom) {
            let title = format!("{}: {words}", program.title);
            jobs.push(Job { title, program: program.clone(), symptom: other });
        }
        if let Some(lesson) = lesson_without(symptom, lesson) {
            let without = finished(lesson);
            let title =
                format!("{}: the symptom of {}", without.title, program.title);
            jobs.push(Job { title, program: without, symptom });
        }
    }
    let mut outcomes = measure_all(jobs);
    outcomes.retain(|(_, outcome)| outcome.is_ok());
    assert!(outcomes.is_empty(), "these programs show a symptom: {outcomes:#?}");
}
