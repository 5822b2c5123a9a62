//! Plays a scene for each page: a server in one terminal, clients in others, and what the
//! reader does there, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;

use crate::book::{files, short_program};
use crate::kernel::{Sockets, is_installed};
use crate::lines::Lines;
use crate::marks::NO_PYTHON;
use crate::python::{self, TRACER};
use crate::replay::{self, Picture, Source};
use crate::stage::{
    PATIENCE, Scratch, Server, Terminal, build_shorts, build_traced, example,
    python, traced, traced_example, untraceable,
};
use crate::trace::Call;
use crate::wire::{self, Action, Exchange, Party};
use crate::{Generated, draw, read, steps, top, trace};

/// A run of one server and its clients.
struct Scene {
    page: &'static str,
    /// The title of the picture.
    title: &'static str,
    /// The port of the slide, which the page shows.
    port: u16,
    options: &'static [&'static str],
    steps: Vec<Step>,
    language: Language,
    /// Whether the server is the program in short.
    is_short: bool,
    /// The clients that the recording shows line by line.
    listed: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Rust,
    Python,
}

impl Scene {
    /// Returns whether the scene needs only the examples, so that it runs also without strace.
    const fn is_plain(&self) -> bool {
        matches!(self.language, Language::Rust) && !self.is_short
    }

    /// Returns the file of the server.
    fn file(&self) -> Result<String, String> {
        let (python, rust) =
            if self.is_short { short_program(self.page)? } else { files(self.page) };
        Ok(if self.language == Language::Rust { rust } else { python })
    }

    /// Returns what a reader types to start the server.
    fn command(&self) -> Result<String, String> {
        if self.language == Language::Python {
            let mut command = format!("python3 {}", self.file()?);
            for option in self.options {
                command = command + " " + option;
            }
            return Ok(command);
        }
        let name = if self.is_short { "my_server" } else { self.page };
        if name == "event_server" {
            return Ok(format!("cargo run --features event --example {name}"));
        }
        Ok(command(name, &[self.options.to_vec()]))
    }

    /// Returns the name of its picture.
    const fn view(&self) -> &'static str {
        match (self.is_short, self.language) {
            (false, Language::Rust) => "wire",
            (false, Language::Python) => "wire-python",
            (true, Language::Rust) => "short",
            (true, Language::Python) => "short-python",
        }
    }

    /// Returns the name of its recording.
    fn recording(&self) -> String {
        let kind = if self.is_short { "/short" } else { "" };
        let language =
            if self.language == Language::Rust { "rust" } else { "python" };
        format!("{}{kind}/replay-{language}.txt", self.page)
    }
}

/// Something that the reader does, or something to wait for.
#[derive(Clone)]
enum Step {
    /// Starts a client in its own terminal.
    Open { who: &'static str, client: &'static str, args: &'static [&'static str] },
    /// Types into the terminal of a client.
    Type { who: &'static str, keys: &'static [u8] },
    /// Waits until `count` lines of a terminal end with `ending`.
    See { who: &'static str, count: usize, ending: &'static str },
    /// Waits until a client has exited.
    Over { who: &'static str },
}

const SERVER: &str = "server";
const HINT: &str = "To finish, press Ctrl-D (on Windows: Ctrl-Z, then Enter).";
const WAITING: &str = "waiting for a reply ...";
const END_OF_INPUT: &[u8] = b"\x04";

const fn open(
    who: &'static str,
    client: &'static str,
    args: &'static [&'static str],
) -> Step {
    Step::Open { who, client, args }
}

const fn see(who: &'static str, count: usize, ending: &'static str) -> Step {
    Step::See { who, count, ending }
}

const fn over(who: &'static str) -> Step {
    Step::Over { who }
}

/// Types a line.
const fn line(who: &'static str, keys: &'static str) -> Step {
    Step::Type { who, keys: keys.as_bytes() }
}

/// Closes the input of a client, and waits until the client exits.
const fn end(who: &'static str) -> [Step; 2] {
    [Step::Type { who, keys: END_OF_INPUT }, over(who)]
}

/// Runs a client with these arguments. The server then logs this number of connections.
fn client(
    client: &'static str,
    args: &'static [&'static str],
    connections: usize,
) -> Vec<Step> {
    let disconnected =
        (connections > 0).then(|| see(SERVER, connections, " disconnected"));
    [open("client", client, args), over("client")]
        .into_iter()
        .chain(disconnected)
        .collect()
}

/// Two clients that stay connected. A connects first, and B sends first.
fn two_at_once() -> Vec<Step> {
    let mut steps = vec![
        open("A", "tcp_client", &[]),
        see("A", 1, HINT),
        see(SERVER, 1, " connected"),
        open("B", "tcp_client", &[]),
        see("B", 1, HINT),
        see(SERVER, 2, " connected"),
        line("B", "straße\n"),
        see("B", 1, "STRASSE"),
        line("A", "hello\n"),
        see("A", 1, "HELLO"),
    ];
    steps.extend(end("A"));
    steps.push(see(SERVER, 1, " disconnected"));
    steps.extend(end("B"));
    steps.push(see(SERVER, 2, " disconnected"));
    steps
}

/// Two clients of a slow server. The second one starts a moment after the first.
fn two_slow(second_waits: bool) -> Vec<Step> {
    let mut steps = vec![
        open("A", "tcp_client", &["hello"]),
        see(SERVER, 1, " connected"),
        see("A", 1, WAITING),
        open("B", "tcp_client", &["hello"]),
        see("B", 1, WAITING),
        over("A"),
        see(SERVER, 1, " disconnected"),
    ];
    if second_waits {
        steps.push(see(SERVER, 2, " connected"));
    }
    steps.extend([over("B"), see(SERVER, 2, " disconnected")]);
    steps
}

fn sequential() -> Vec<Step> {
    let mut steps = vec![
        open("A", "tcp_client", &[]),
        see("A", 1, HINT),
        see(SERVER, 1, " connected"),
        line("A", "hello\n"),
        see("A", 1, "HELLO"),
        open("B", "tcp_client", &["straße"]),
        see("B", 1, WAITING),
    ];
    steps.extend(end("A"));
    steps.extend([
        see(SERVER, 1, " disconnected"),
        over("B"),
        see(SERVER, 2, " disconnected"),
    ]);
    steps
}

fn backlog() -> Vec<Step> {
    let mut steps = vec![
        open("A", "tcp_client", &[]),
        see("A", 1, HINT),
        see(SERVER, 1, " connected"),
    ];
    for who in ["B", "C"] {
        steps.extend([
            open(who, "tcp_client", &["--patience", "300"]),
            see(who, 1, HINT),
        ]);
    }
    steps.push(open("D", "tcp_client", &["--patience", "300"]));
    steps.push(see("D", 1, "waiting for a connection ..."));
    steps.extend(end("A"));
    steps.extend([
        see(SERVER, 1, " disconnected"),
        see(SERVER, 2, " connected"),
        see("D", 1, HINT),
    ]);
    steps
}

fn pool() -> Vec<Step> {
    let mut steps = Vec::new();
    for (number, who) in ["A", "B", "C", "D"].into_iter().enumerate() {
        steps.extend([open(who, "tcp_client", &[]), see(who, 1, HINT)]);
        steps.push(see(SERVER, number + 1, " connected"));
    }
    steps.push(open("E", "tcp_client", &["straße"]));
    steps.push(see("E", 1, WAITING));
    steps.extend([line("B", "hello\n"), see("B", 1, "HELLO")]);
    steps.extend(end("B"));
    steps.extend([
        see(SERVER, 1, " disconnected"),
        over("E"),
        see(SERVER, 2, " disconnected"),
    ]);
    steps
}

#[rustfmt::skip]
fn scenes() -> Vec<Scene> {
    let scene = |page, port, options, title, steps| {
        let listed: &[&str] = match page {
            "udp_server_bytes" | "udp_server" => &["udp_client"],
            "ttl_pong" => &["ttl_ping"],
            "recvall_server" => &["block_client"],
            _ => &[],
        };
        let (language, is_short) = (Language::Rust, false);
        Scene { page, title, port, options, steps, language, is_short, listed }
    };
    let exit = "Socket timed out, exiting thread";
    vec![
        scene("udp_server_bytes", 1235, &[], "Two datagrams and their replies", client("udp_client", &["hello", "café"], 0)),
        scene("udp_server", 1235, &[], "Three datagrams and their replies", client("udp_client", &["hello", "straße", "ΐ"], 0)),
        scene("ttl_pong", 1234, &[], "One datagram and its reply", client("ttl_ping", &[], 0)),
        scene("tcp_server", 1235, &[], "One connection, one message", client("tcp_client", &["straße"], 1)),
        scene("recvall_server", 1241, &[], "Two connections, one message each", client("block_client", &["hello", "straße"], 2)),
        scene("sequential_server", 1234, &[], "B sends a request while the server serves A", sequential()),
        scene("listen_backlog", 1236, &["--backlog", "1"], "Three connections complete, the fourth waits", backlog()),
        scene("slow_sequential_server", 1237, &[], "Two clients, one after the other", two_slow(true)),
        scene("poll_server", 1236, &[], "Two clients, and one thread for both", two_at_once()),
        scene("event_server", 1242, &[], "Two clients, and a queue of events for both", two_at_once()),
        scene("thread_per_client", 1237, &[], "Two clients, and a thread for each", two_at_once()),
        scene("slow_thread_per_client", 1238, &[], "Two clients at the same time", two_slow(false)),
        scene("thread_pool", 1239, &[], "The server serves four clients, the fifth waits", pool()),
        scene("thread_pool_timeout", 1240, &["--timeout", "3"], "One client, then no client",
            [client("tcp_client", &["straße"], 1), vec![see(SERVER, 4, exit)]].concat()),
        scene("slow_thread_pool_timeout", 1241, &[], "Two clients at the same time", two_slow(false)),
    ]
}

/// The scenes that only a recording shows: the Python versions, and the programs in short with
/// their bugs.
#[rustfmt::skip]
fn more_scenes() -> Vec<Scene> {
    let mut more: Vec<_> = scenes()
        .into_iter()
        .filter(|scene| PYTHON.contains(&scene.page))
        .map(|scene| Scene { language: Language::Python, ..scene })
        .collect();
    for language in [Language::Rust, Language::Python] {
        let scene = |page, port, title, steps| {
            Scene { page, title, port, options: &[], steps, language, is_short: true, listed: &[] }
        };
        more.extend([
            scene("tcp_server", 1235, "A sends nothing, and B waits", waits_forever()),
            scene("sequential_server", 1234, "An error of A stops the server, and B waits", error_while_waiting()),
            scene("poll_server", 1236, "An error of A stops the server of all clients", error_of_one()),
        ]);
    }
    more
}

/// The lessons whose Python versions are recorded.
const PYTHON: [&str; 5] = [
    "tcp_server",
    "sequential_server",
    "poll_server",
    "thread_per_client",
    "thread_pool",
];

/// A connects and sends nothing. B then waits, and has no way to know how long.
fn waits_forever() -> Vec<Step> {
    vec![
        open("A", "tcp_client", &[]),
        see("A", 1, HINT),
        open("B", "tcp_client", &["--patience", "300", "hello"]),
        see("B", 1, WAITING),
    ]
}

/// What a terminal sends for `café` if it uses Latin-1 instead of UTF-8.
const LATIN_1: Step = Step::Type { who: "A", keys: b"caf\xe9\n" };

/// A is served, and B waits. A then sends invalid bytes, so that the server exits.
fn error_while_waiting() -> Vec<Step> {
    vec![
        open("A", "tcp_client", &[]),
        see("A", 1, HINT),
        line("A", "hello\n"),
        see("A", 1, "HELLO"),
        open("B", "tcp_client", &["straße"]),
        see("B", 1, WAITING),
        LATIN_1,
        over("A"),
        over("B"),
    ]
}

/// The server serves both A and B. A sends invalid bytes, so that the server exits.
fn error_of_one() -> Vec<Step> {
    vec![
        open("A", "tcp_client", &[]),
        see("A", 1, HINT),
        open("B", "tcp_client", &[]),
        see("B", 1, HINT),
        line("B", "straße\n"),
        see("B", 1, "STRASSE"),
        LATIN_1,
        over("A"),
    ]
}

/// A program that runs and exits, in a network with the names of the slides or with a chain of
/// routers. `.ci/namespaces` makes this network.
struct Alone {
    page: &'static str,
    title: &'static str,
    name: &'static str,
    args: &'static [&'static str],
    /// The option of `.ci/namespaces` for this network.
    network: &'static str,
    /// The name of the programs that reply to it.
    outside: &'static str,
    routers: usize,
}

const PROGRAMS: [Alone; 4] = [
    Alone {
        page: "names_ipv4",
        title: "Questions to the name server",
        name: "names_ipv4",
        args: &[],
        network: "--names",
        outside: "name server",
        routers: 0,
    },
    Alone {
        page: "getaddrinfo",
        title: "Questions to the name server, and a connection",
        name: "getaddrinfo",
        args: &[],
        network: "--names",
        outside: "the others",
        routers: 0,
    },
    Alone {
        page: "network_errors",
        title: "A failed lookup, a refused connection, a timeout",
        name: "network_errors",
        args: &[],
        network: "--names",
        outside: "the others",
        routers: 0,
    },
    Alone {
        page: "ttl_pong",
        title: "Through three routers",
        name: "ttl_ping",
        args: &["10.99.3.2:1234"],
        network: "--routers",
        outside: "server",
        routers: 3,
    },
];

/// The files of a scene, by their path.
type Files = BTreeMap<String, String>;

/// Plays all scenes. The slow scenes run at the same time. The others run one after another, so
/// that no client waits longer than it would on the computer of a reader.
pub fn generate(all: &mut Generated) -> Result<(), String> {
    let untraceable = untraceable();
    let traced = untraceable.is_none();
    if let Some(why) = untraceable {
        all.skipped.push(format!("what goes over the wire: {why}"));
    }

    let mut all_scenes = scenes();
    if traced {
        all_scenes.extend(more_scenes());
        if !is_installed() {
            all.skipped.push(
                "whether the kernel holds what the calls say: no ss".to_owned(),
            );
        }
        if let Err(why) = python() {
            all.skipped.push(format!("{NO_PYTHON}{why}"));
            all_scenes.retain(|scene| scene.language == Language::Rust);
        }
    }
    if traced {
        let mut names = used_by(&all_scenes);
        names.extend(PROGRAMS.iter().map(|program| program.name));
        build_traced(&names)?;
    }
    let shorts: Result<Vec<_>, String> = all_scenes
        .iter()
        .filter(|scene| scene.is_short && scene.language == Language::Rust)
        .map(|scene| Ok((scene.page.to_owned(), read(&scene.file()?)?)))
        .collect();
    let shorts = if traced { Some(build_shorts(&shorts?)?) } else { None };
    let play = |scene: &Scene| {
        play(scene, shorts.as_ref(), traced)
            .map_err(|err| format!("{}/{}: {err}", scene.page, scene.view()))
    };
    let (slow, quick): (Vec<_>, Vec<_>) =
        all_scenes.into_iter().partition(|scene| {
            scene.page.starts_with("slow")
                || ["listen_backlog", "thread_pool_timeout"].contains(&scene.page)
        });
    let played = thread::scope(|scope| {
        let slow: Vec<_> =
            slow.iter().map(|scene| scope.spawn(move || play(scene))).collect();
        let mut played: Vec<_> = quick.iter().map(play).collect();
        played.extend(
            slow.into_iter()
                .map(|scene| scene.join().map_err(|_| "a scene panicked")?),
        );
        played.into_iter().collect::<Result<Vec<Files>, String>>()
    })?;
    all.add(played.into_iter().flatten());
    all.add(byte_order()?);
    all.add(checks()?);
    match no_networks() {
        Some(why) => {
            all.skipped.push(format!("what needs a network of its own: {why}"));
        }
        None => {
            for program in &PROGRAMS {
                let ran = run(program, traced)
                    .map_err(|err| format!("{}: {err}", program.name));
                all.add(ran?);
            }
        }
    }
    Ok(())
}

/// Returns the examples that the scenes run.
fn used_by(scenes: &[Scene]) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for scene in scenes {
        names.insert(scene.page);
        for step in &scene.steps {
            if let Step::Open { client, .. } = step {
                names.insert(client);
            }
        }
    }
    names
}

/// The programs of a scene, while they run.
struct Running<'a> {
    scene: &'a Scene,
    scratch: Scratch,
    /// The program that the kernel runs for the server.
    binary: PathBuf,
    /// Whether strace writes the calls.
    trace: bool,
    server: Server,
    clients: Vec<(&'static str, &'static str, Terminal)>,
    actions: Vec<Action>,
}

/// Plays a scene. Returns its terminals, its picture and its recording.
fn play(
    scene: &Scene,
    shorts: Option<&steps::Scratch>,
    trace: bool,
) -> Result<Files, String> {
    let (mut files, recorded) = run_scene(scene, shorts, trace)?;
    if let Some(recorded) = recorded {
        let (page, view) = (scene.page, scene.view());
        files.extend(draw_to(page, view, &recorded, scene.title)?);
        if let Some(json) = files.remove(&format!("{page}/{view}.json")) {
            files.insert(scene.recording(), json);
        }
    }
    Ok(files)
}

/// Runs the programs of a scene.
fn run_scene(
    scene: &Scene,
    shorts: Option<&steps::Scratch>,
    trace: bool,
) -> Result<(Files, Option<Recorded>), String> {
    let scratch = Scratch::new(&format!("{}-{}", scene.page, scene.view()))?;
    let folder = if trace { Some(scratch.folder(SERVER)?) } else { None };
    let binary = match (scene.language, shorts) {
        (Language::Python, _) => python()?,
        (Language::Rust, Some(shorts)) if scene.is_short => {
            shorts.program(scene.page)
        }
        _ => program_of(scene.page, trace),
    };
    let mut program =
        traced(&binary, folder.as_deref(), scene.language == Language::Rust);
    if scene.language == Language::Python {
        program.arg(TRACER).arg(scratch.folder(LINES)?).arg(scene.file()?);
    }
    let server = Server::start(&scene.command()?, program, scene.options)?;
    let (clients, actions) = (Vec::new(), Vec::new());
    let mut running =
        Running { scene, scratch, binary, trace, server, clients, actions };
    for step in &scene.steps {
        running.step(step)?;
    }
    running.finish()
}

/// The folder in which `lines.py` records the lines of the server.
const LINES: &str = "lines";

/// Returns the path of a built example. If strace writes its calls, it has its own build.
fn program_of(name: &str, trace: bool) -> PathBuf {
    if trace { traced_example(name) } else { example(name) }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64()
}

impl Running<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Open { who, client, args } => {
                self.act(who, None)?;
                let folder =
                    if self.trace { Some(self.scratch.folder(who)?) } else { None };
                let mut program = traced(
                    &program_of(client, self.trace),
                    folder.as_deref(),
                    self.scene.listed.contains(client),
                );
                program.arg(self.server.address.to_string()).args(*args);
                let port = self.scene.port.to_string();
                let command = command(client, &[vec![&port], args.to_vec()]);
                self.clients.push((who, client, Terminal::open(&command, program)?));
            }
            Step::Type { who, keys } => {
                self.act(who, Some(keys))?;
                self.terminal(who)?.type_in(keys)?;
            }
            Step::See { who, count, ending } => {
                self.terminal(who)?.wait_for(*count, ending)?;
            }
            Step::Over { who } => self.terminal(who)?.wait()?,
        }
        Ok(())
    }

    /// Notes what the reader does next, and what the kernel holds before.
    fn act(&mut self, who: &str, keys: Option<&'static [u8]>) -> Result<(), String> {
        let before = self.sockets()?;
        self.actions.push(Action { time: now(), who: who.to_owned(), keys, before });
        Ok(())
    }

    /// Returns what the kernel holds.
    fn sockets(&self) -> Result<Option<Sockets>, String> {
        if !self.trace {
            return Ok(None);
        }
        let clients = self.clients.iter();
        let clients: Vec<_> =
            clients.map(|(who, _, terminal)| (*who, terminal.process())).collect();
        Sockets::of(
            self.server.address.port(),
            self.server.terminal.process(),
            &clients,
        )
    }

    fn terminal(&mut self, who: &str) -> Result<&mut Terminal, String> {
        if who == SERVER {
            return Ok(&mut self.server.terminal);
        }
        let found = self.clients.iter_mut().find(|(name, ..)| *name == who);
        found
            .map(|(.., terminal)| terminal)
            .ok_or_else(|| format!("{who} has no terminal"))
    }

    /// Stops the programs, and returns the terminals, and what strace saw.
    fn finish(mut self) -> Result<(Files, Option<Recorded>), String> {
        // The calls after the last line that a step waited for.
        thread::sleep(Duration::from_millis(300));
        let after = self.sockets()?;
        let end = now();
        let mut files = Files::new();
        let mut readable = Readable::new(self.scene.port, &self.server);
        let mut screens = BTreeMap::new();
        let clients = self.clients.iter().map(|(who, _, terminal)| (*who, terminal));
        for (who, terminal) in
            [(SERVER, &self.server.terminal)].into_iter().chain(clients)
        {
            let (raw, text) = (terminal.text(), readable.text(&terminal.text()));
            let lines =
                |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            screens.insert(who, (lines(&raw), lines(&text)));
            if self.scene.is_plain() {
                let path = format!("{}/{}.txt", self.scene.page, who.to_lowercase());
                files.insert(path, text);
            }
        }
        // What the programs do from here on is not part of the scene. When they stop, strace writes
        // where each thread was.
        let clients = self.clients.iter().map(|(who, _, terminal)| (*who, terminal));
        for (who, terminal) in
            [(SERVER, &self.server.terminal)].into_iter().chain(clients)
        {
            if self.trace {
                stop(terminal, &self.scratch.folder(who)?)?;
            }
        }
        self.server.terminal.close()?;
        self.clients.iter_mut().try_for_each(|(.., client)| client.close())?;
        if !self.trace {
            return Ok((files, None));
        }
        let threads = match self.scene.page {
            page if page.contains("pool") => "worker-",
            page if page.contains("thread") => "client-",
            _ => "",
        };
        let clients = self.clients.iter().map(|(who, client, _)| (*who, *client));
        let mut parties = Vec::new();
        let mut shown = Vec::new();
        let mut sources = BTreeMap::new();
        for (who, program) in clients.chain([(SERVER, self.scene.page)]) {
            let threads = if who == SERVER { threads } else { "" };
            let lines = self.lines_of(who, program)?;
            let mut party =
                party(who, threads, &self.scratch.folder(who)?, Some(&lines))?;
            party
                .events
                .retain(|event| event.time < end || event.call == Call::Stopped);
            let (raw, readable) = screens.remove(who).unwrap_or_default();
            party.polls = ["poll_server", "event_server"].contains(&program);
            party.screen = raw;
            shown.push(readable);
            if who == SERVER {
                let path = self.scene.file()?;
                sources.insert(parties.len(), Source { path, is_on_page: true });
            } else if self.scene.listed.contains(&program) {
                let path = format!("examples/clients/{program}.rs");
                sources.insert(parties.len(), Source { path, is_on_page: false });
            }
            parties.push(party);
        }
        let exchange = Exchange {
            parties,
            outside: None,
            routers: 0,
            actions: std::mem::take(&mut self.actions),
            after,
        };
        let recorded = Recorded { exchange, sources, screens: shown };
        Ok((files, Some(recorded)))
    }

    /// Returns what knows the lines of a program of the scene.
    fn lines_of(&self, who: &str, program: &str) -> Result<Lines, String> {
        if who != SERVER {
            return Lines::rust(&traced_example(program), None);
        }
        if self.scene.language == Language::Python {
            return python::read(&self.scratch.folder(LINES)?).map(Lines::Python);
        }
        let original = self.scene.is_short.then(|| self.scene.file()).transpose()?;
        Lines::rust(&self.binary, original)
    }
}

/// Suspends a program, and waits until strace has written where each thread was.
fn stop(terminal: &Terminal, folder: &Path) -> Result<(), String> {
    terminal.signal(Signal::STOP);
    wait_until(folder, |texts| texts.iter().all(|text| is_complete(text)))?;
    // When strace writes about the next signal, it has written all stacks.
    terminal.signal(Signal::CONT);
    wait_until(folder, |texts| {
        let continues = |text: &String| text.contains("--- SIGCONT ");
        texts.iter().any(continues) || texts.iter().all(|text| has_exited(text))
    })
}

/// An exchange, and what a recording shows of its programs.
struct Recorded {
    exchange: Exchange,
    sources: BTreeMap<usize, Source>,
    screens: Vec<Vec<String>>,
}

/// Returns the command that starts an example. Texts are in quotes, other arguments are not.
fn command(name: &str, args: &[Vec<&str>]) -> String {
    let plain = |arg: &str| {
        arg.starts_with('-') || arg.starts_with(|first: char| first.is_ascii_digit())
    };
    let args = args.concat().into_iter();
    let args =
        args.map(
            |arg| if plain(arg) { format!(" {arg}") } else { format!(" \"{arg}\"") },
        );
    let args = args.collect::<String>();
    let separator = if args.is_empty() { "" } else { " --" };
    format!("cargo run --example {name}{separator}{args}")
}

/// Waits until strace has written everything, then returns what a program did.
fn party(
    who: &str,
    threads: &'static str,
    folder: &Path,
    lines: Option<&Lines>,
) -> Result<Party, String> {
    wait_until(folder, |texts| texts.iter().all(|text| is_complete(text)))?;
    Ok(Party {
        name: who.to_owned(),
        is_server: who == SERVER,
        threads,
        polls: false,
        events: trace::read(folder, lines)?,
        screen: Vec::new(),
    })
}

/// Waits until strace has written something to the files of the threads.
fn wait_until(
    folder: &Path,
    is_written: impl Fn(&[String]) -> bool,
) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let files = fs::read_dir(folder)
            .map_err(|err| format!("{}: {err}", folder.display()))?;
        let text = |path: PathBuf| {
            String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
        };
        let texts: Vec<_> =
            files.flatten().map(|entry| text(entry.path())).collect();
        if !texts.is_empty() && is_written(&texts) {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("strace does not end: {}", folder.display()));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Returns whether strace has written that a thread was stopped at the end of the scene, or that
/// the thread has exited.
fn is_complete(text: &str) -> bool {
    text.contains("--- stopped by SIGSTOP ---") || has_exited(text)
}

fn has_exited(text: &str) -> bool {
    text.contains(" +++ ")
}

fn draw_to(
    page: &str,
    view: &str,
    recorded: &Recorded,
    title: &str,
) -> Result<Files, String> {
    let exchange = &recorded.exchange;
    let played = wire::play(exchange)?;
    let (rows, path) = (&played.rows, format!("{page}/{view}.svg"));
    let name = format!("{page}-{view}");
    let mut files = Files::from([
        (format!("{page}/{view}.txt"), draw::in_words(exchange, rows)),
        (path.clone(), draw::picture(exchange, rows, &name, title)),
    ]);
    if !recorded.sources.is_empty() {
        let columns = draw::columns(exchange, rows);
        let picture = Picture { path, title: title.to_owned(), columns };
        let (sources, screens) = (&recorded.sources, &recorded.screens);
        let json = replay::recording(exchange, &played, &picture, sources, screens)?;
        files.insert(format!("{page}/{view}.json"), json);
    }
    Ok(files)
}

/// Replaces what differs from run to run: the server has the port of the slide, the clients have
/// ports from 50412 on, and the threads of a pool are in the order of their clients.
pub struct Readable {
    address: (String, String),
    peers: Vec<String>,
    workers: Vec<String>,
}

impl Readable {
    /// The port is that of the slide.
    pub fn new(port: u16, server: &Server) -> Self {
        let address = (server.address.to_string(), format!("127.0.0.1:{port}"));
        Self { address, peers: Vec::new(), workers: Vec::new() }
    }

    /// Returns a text of a terminal with the addresses and the threads that the page shows.
    pub fn text(&mut self, text: &str) -> String {
        // Python names its files with all folders.
        let text = text.replace(&format!("{}/", top().display()), "");
        text.split_inclusive('\n').map(|line| self.line(line)).collect()
    }

    fn line(&mut self, line: &str) -> String {
        let words = line.split_inclusive(' ').map(|word| {
            let bare = word.trim_end_matches([' ', '\n', ':', '.']);
            let shown = if bare == self.address.0 {
                self.address.1.clone()
            } else if bare.starts_with("127.0.0.1:") && bare != self.address.1 {
                format!("127.0.0.1:{}", 50412 + 2 * place(&mut self.peers, bare))
            } else if bare.starts_with("worker-") {
                format!("worker-{}", 1 + place(&mut self.workers, bare))
            } else {
                return word.to_owned();
            };
            word.replacen(bare, &shown, 1)
        });
        words.collect()
    }
}

/// Returns the position of `what` in `seen`, counted from 0. Adds it if it is new.
fn place(seen: &mut Vec<String>, what: &str) -> usize {
    seen.iter().position(|other| other == what).unwrap_or_else(|| {
        seen.push(what.to_owned());
        seen.len() - 1
    })
}

/// Returns why this machine cannot make networks of our own, or `None`.
fn no_networks() -> Option<String> {
    let possible =
        Command::new(NAMESPACES).arg("--ready").current_dir(top()).output();
    match possible {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Err(err) => Some(err.to_string()),
    }
}

const NAMESPACES: &str = ".ci/namespaces";

/// Runs a program that exits, in its own network.
fn run(program: &Alone, trace: bool) -> Result<Files, String> {
    let scratch = Scratch::new(program.name)?;
    let folder = scratch.folder("program")?;
    let inner =
        traced(&program_of(program.name, trace), trace.then_some(&folder), true);
    let mut outer = Command::new(NAMESPACES);
    outer
        .arg(program.network)
        .arg(inner.get_program())
        .args(inner.get_args())
        .args(program.args);
    let output = outer
        .current_dir(top())
        .output()
        .map_err(|err| format!("{NAMESPACES}: {err}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("{printed}{}", String::from_utf8_lossy(&output.stderr)));
    }
    let command = command(program.name, &[program.args.to_vec()]);
    let screen = format!("$ {command}\n{printed}");
    let lines: Vec<_> = screen.lines().map(str::to_owned).collect();
    let view = if program.routers > 0 { "routers" } else { "program" };
    let path = format!("{}/{view}-terminal.txt", program.page);
    let mut files = Files::from([(path, screen)]);
    if trace {
        let lines_of = Lines::rust(&traced_example(program.name), None)?;
        let mut party = party(program.name, "", &folder, Some(&lines_of))?;
        // The page shows only the standard output.
        party.events.retain(|event| !matches!(event.call, Call::Print(2, _)));
        party.screen.clone_from(&lines);
        let exchange = Exchange {
            parties: vec![party],
            outside: Some(program.outside.to_owned()),
            routers: program.routers,
            actions: Vec::new(),
            after: None,
        };
        let is_recorded =
            program.name == program.page && program.name != "names_ipv4";
        let path = format!("examples/{}.rs", program.name);
        let source = Source { path, is_on_page: true };
        let sources = is_recorded.then_some((0, source)).into_iter().collect();
        let recorded = Recorded { exchange, sources, screens: vec![lines] };
        let view = if program.routers > 0 { "routers" } else { "wire" };
        files.extend(draw_to(program.page, view, &recorded, program.title)?);
        if let Some(json) = files.remove(&format!("{}/{view}.json", program.page)) {
            files.insert(format!("{}/replay-rust.txt", program.page), json);
        }
    }
    Ok(files)
}

/// Runs `check` with a correct server, and with one that has a bug.
fn checks() -> Result<Files, String> {
    const BUG: &str = "half_close_is_the_end";
    let mut broken = Command::new(example("mutant"));
    broken.env("MUTANT", BUG);
    let start = format!("MUTANT={BUG} {}", command("mutant", &[vec!["1300"]]));
    let broken = Server::start(&start, broken, &[])?;
    let address = broken.address.to_string();
    Ok([
        ("using/check.txt", checked(&["tcp_server"])?),
        (
            "using/broken-server.txt",
            broken.terminal.text().replace(&address, "127.0.0.1:1300"),
        ),
        (
            "using/broken.txt",
            checked(&["poll_server", &address])?.replace(&address, "1300"),
        ),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into())
}

/// Returns a command line of `check`, and what it prints.
fn checked(args: &[&str]) -> Result<String, String> {
    let mut check = Command::new(example("check"));
    check.env_remove("CARGO"); // Everything is built already.
    let output = check.args(args).output().map_err(|err| format!("check: {err}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(format!("$ cargo run --example check -- {}\n{printed}", args.join(" ")))
}

/// Runs lesson 7, which sends nothing, and draws the bytes that it would send.
fn byte_order() -> Result<Files, String> {
    let output = Command::new(example("byte_order"))
        .output()
        .map_err(|err| err.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let packed = printed.lines().filter(|line| line.starts_with("pack("));
    let packed: Vec<_> = packed.filter_map(|line| line.split_once("  ")).collect();
    let words =
        packed.iter().map(|(call, bytes)| format!("{call}: {}\n", bytes.trim()));
    Ok([
        (
            "byte_order/program-terminal.txt",
            format!("$ {}\n{printed}", command("byte_order", &[])),
        ),
        ("byte_order/wire.txt", words.collect()),
        (
            "byte_order/wire.svg",
            draw::bytes(
                &packed,
                "byte_order-wire",
                "One number, its four bytes in two orders",
            ),
        ),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .into())
}

/// A real run, and the same run with something missing or wrong.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

    use super::{
        Recorded, build_traced, draw_to, run_scene, scenes, untraceable, used_by,
    };
    use crate::stage::build;
    use crate::trace::{Call, Event};

    /// Returns a run of a scene, or `None` if strace does not work here.
    fn recorded(page: &str) -> Option<Recorded> {
        if let Some(why) = untraceable() {
            eprintln!("skipped: the recordings with a mistake: {why}");
            return None;
        }
        build().unwrap();
        let scene = scenes().into_iter().find(|scene| scene.page == page).unwrap();
        build_traced(&used_by(std::slice::from_ref(&scene))).unwrap();
        run_scene(&scene, None, true).unwrap().1
    }

    /// Returns why a recording cannot be made after a change of one program.
    fn error(
        recorded: &mut Recorded,
        party: &str,
        change: impl FnOnce(&mut Vec<Event>),
    ) -> String {
        let parties = recorded.exchange.parties.iter_mut();
        let changed = parties.into_iter().find(|other| other.name == party).unwrap();
        let before = changed.events.clone();
        change(&mut changed.events);
        let error = draw_to("tcp_server", "wire", recorded, "").unwrap_err();
        let parties = recorded.exchange.parties.iter_mut();
        parties.into_iter().find(|other| other.name == party).unwrap().events =
            before;
        error
    }

    #[test]
    fn a_mistake_in_what_strace_saw_is_noticed() {
        let Some(mut recorded) = recorded("tcp_server") else { return };
        draw_to("tcp_server", "wire", &recorded, "").unwrap();

        // An event is left out.
        let sends = |event: &Event| matches!(event.call, Call::Send(_));
        let accepts = |event: &Event| event.call == Call::Accept;
        let prints = |event: &Event| matches!(event.call, Call::Print(..));
        for (party, is_left_out) in [
            ("server", accepts as fn(&Event) -> bool),
            ("server", sends),
            ("server", prints),
            ("client", sends),
        ] {
            error(&mut recorded, party, |events| {
                let place = events.iter().position(is_left_out).unwrap();
                events.remove(place);
            });
        }
        // A call receives one byte more than was sent, so the kernel would still hold the bytes.
        let found = error(&mut recorded, "server", |events| {
            for event in events {
                if let Call::Receive(_, bytes) = &mut event.call {
                    bytes.push(b'x');
                }
            }
        });
        assert!(found.contains("ss says"), "{found}");
        // Each line number is off by one.
        let found = error(&mut recorded, "server", |events| {
            for place in events.iter_mut().flat_map(|event| &mut event.places) {
                place.line += 1;
            }
        });
        assert!(found.contains(" does not make this call: "), "{found}");
    }
}
