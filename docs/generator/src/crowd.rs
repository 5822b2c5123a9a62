//! Runs the example `crowd`, which draws pictures of many clients at one server.

#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
#[cfg(target_os = "linux")]
use std::thread::ScopedJoinHandle;

use regex::Regex;

/// A run of `crowd`, for the page of a lesson or of a server beyond the lecture.
pub struct Run {
    /// The folder of the picture: the name of the page. If a page has several pictures, `/` and
    /// the name of a folder follow.
    pub name: &'static str,
    /// The servers that the reader starts before `crowd`.
    pub servers: &'static [Started],
    /// The option with the features that `crowd` needs, or nothing.
    features: &'static str,
    arguments: &'static str,
    /// What the picture must say about each server.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    says: &'static [&'static str],
}

/// A server that the reader starts. The generator starts it on a free port.
pub struct Started {
    /// What the reader types.
    pub command: &'static str,
    /// The address in the command, as `crowd` prints it.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    address: &'static str,
    /// The words that follow the address in the picture.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    label: &'static str,
}

const fn run(
    name: &'static str,
    arguments: &'static str,
    says: &'static [&'static str],
) -> Run {
    Run { name, servers: &[], features: "", arguments, says }
}

/// The runs for lessons 10 to 18 and the page about tasks. All clients get a connection at once,
/// whatever their order is. Otherwise, each run would give a different picture.
pub const RUNS: [Run; 11] = [
    run(
        "sequential_server",
        "sequential_server --clients 2 --silent 1",
        &["1 silent client; others that got a reply meanwhile: 0 of 1"],
    ),
    run(
        "listen_backlog",
        "listen_backlog --backlog-probe --backlog 3",
        &[
            "4 connections completed immediately",
            "client 5 waited",
            "client 7 waited",
        ],
    ),
    run(
        "slow_sequential_server",
        "slow_sequential_server --delay 1",
        &["one at a time"],
    ),
    run(
        "poll_server",
        "--compare listen_backlog,poll_server --silent 1",
        &["got a reply meanwhile: 0 of 7", "got a reply meanwhile: 7 of 7"],
    ),
    run(
        "thread_per_client",
        "--compare poll_server,thread_per_client --silent 4",
        &["got a reply meanwhile: 4 of 4", "got a reply meanwhile: 4 of 4"],
    ),
    run(
        "slow_thread_per_client",
        "--compare slow_sequential_server,slow_thread_per_client --clients 5",
        &["one at a time", "all at once"],
    ),
    run(
        "thread_pool",
        "thread_pool --silent 4",
        &["4 silent clients; others that got a reply meanwhile: 0 of 4"],
    ),
    run(
        "thread_pool_timeout",
        "thread_pool_timeout --timeout 1 --silent 4",
        &[
            "4 clients got no reply: the server closed the connection first",
            "got a reply meanwhile: 0 of 4",
        ],
    ),
    run(
        "slow_thread_pool_timeout",
        "--compare slow_sequential_server,slow_thread_per_client,slow_thread_pool_timeout",
        &["one at a time", "all at once", "4 at once"],
    ),
    Run {
        name: "async_server",
        servers: &[Started {
            command: "MUTANT=sleeps_in_a_task cargo run --features async --example mutant -- 1300 --delay 1",
            address: "127.0.0.1:1300",
            label: "thread::sleep",
        }],
        features: "--features async ",
        arguments: "--compare 1300,async_server --clients 5",
        says: &["one at a time", "all at once"],
    },
    Run {
        name: "async_server/python",
        servers: &[
            Started {
                command: "python3 docs/python/mistakes/time_sleep.py 127.0.0.1:1301",
                address: "127.0.0.1:1301",
                label: "time.sleep",
            },
            Started {
                command: "python3 docs/python/async_server.py 127.0.0.1:1302 --delay 1",
                address: "127.0.0.1:1302",
                label: "await asyncio.sleep",
            },
        ],
        features: "",
        arguments: "--compare 1301,1302 --clients 5",
        says: &["one at a time", "all at once"],
    },
];

/// The terminal on the page that explains `crowd`.
#[cfg(target_os = "linux")]
const TERMINAL: Run =
    run("using", "slow_thread_pool_timeout --clients 5", &["4 at once"]);

/// The picture in the folder of a page, and the terminal.
const PICTURE: &str = "crowd.svg";
const SCREEN: &str = "using/crowd";

/// Draws all pictures at the same time, because most of the time is waiting.
#[cfg(target_os = "linux")]
pub(crate) fn draw() -> Result<(Files, Vec<String>), String> {
    let scratch = crate::stage::Scratch::new("crowd")?;
    let folder = scratch.folder("pictures")?;
    std::thread::scope(|all| {
        let terminal = all.spawn(|| TERMINAL.draw(&folder));
        let (runs, skipped): (Vec<_>, Vec<_>) =
            RUNS.iter().partition(|run| run.can_start());
        let runs: Vec<_> =
            runs.iter().map(|run| (run, all.spawn(|| run.draw(&folder)))).collect();
        let joined = |drawn: ScopedJoinHandle<Drawn>| {
            drawn.join().map_err(|_| "a crowd panicked".to_owned())?
        };
        let mut files = vec![(SCREEN.to_owned(), joined(terminal)?.0)];
        for (run, drawn) in runs {
            files.push((format!("{}/{PICTURE}", run.name), joined(drawn)?.1));
        }
        let sentence = |run: &&Run| {
            format!("the picture {}/{PICTURE}: python3 is not installed", run.name)
        };
        Ok((files, skipped.iter().map(sentence).collect()))
    })
}

impl Run {
    /// Returns the command that a reader types.
    #[must_use]
    pub fn command(&self) -> String {
        format!("cargo run {}--example crowd -- {}", self.features, self.arguments)
    }
}

/// The paths of pictures and texts, and what is in them.
#[cfg(target_os = "linux")]
type Files = Vec<(String, String)>;

/// The text of the terminal and the picture, or a sentence that says what went wrong.
#[cfg(target_os = "linux")]
type Drawn = Result<(String, String), String>;

#[cfg(target_os = "linux")]
impl Started {
    const PYTHON: &str = "python3";

    /// Starts the server on a free port.
    fn start(&self) -> Result<crate::stage::Server, String> {
        let wrong = || format!("crowd cannot start this server: {}", self.command);
        let (mut program, arguments);
        if let Some((before, rest)) = self.command.split_once(" -- ") {
            // A bug, `cargo run`, the name of an example, and its arguments.
            let (_, name) = before.split_once("--example ").ok_or_else(wrong)?;
            program = Command::new(crate::stage::example(name));
            let bug = before.split_once(' ').ok_or_else(wrong)?.0;
            if let Some((variable, bug)) = bug.split_once('=') {
                program.env(variable, bug);
            }
            arguments = rest;
        } else {
            // `python3`, the path of a program, and its arguments.
            let mut words = self.command.splitn(3, ' ').skip(1);
            program = Command::new(Self::PYTHON);
            program.arg(words.next().ok_or_else(wrong)?);
            arguments = words.next().ok_or_else(wrong)?;
        }
        program.env_remove("CARGO");
        // The first argument is the address.
        let options: Vec<_> = arguments.split(' ').skip(1).collect();
        crate::stage::Server::start(self.command, program, &options)
    }
}

#[cfg(target_os = "linux")]
impl Run {
    /// Returns whether this machine has the programs that start the servers.
    fn can_start(&self) -> bool {
        let is_python =
            |server: &Started| server.command.starts_with(Started::PYTHON);
        let mut python = Command::new(Started::PYTHON);
        python.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        !self.servers.iter().any(is_python) || python.status().is_ok()
    }

    fn draw(&self, folder: &std::path::Path) -> Drawn {
        let mut arguments = self.arguments.to_owned();
        let (mut servers, mut labels) = (Vec::new(), Vec::new());
        for started in self.servers {
            let server = started.start()?;
            let address = server.address.to_string();
            let port = started.address.rsplit(':').next().unwrap_or_default();
            arguments = arguments.replace(port, &address);
            labels
                .push((address, format!("{} ({})", started.address, started.label)));
            servers.push(server);
        }
        // The name of the file is part of the ids in the picture, which must be unique.
        let name = self.name.replace('/', "-");
        let file = folder.join(format!("crowd-{name}.svg"));
        let mut crowd = Command::new(crate::stage::example("crowd"));
        crowd.args(arguments.split(' ')).arg("--svg").arg(&file);
        // Everything is built already.
        crowd.env_remove("CARGO").stdin(Stdio::null());
        let output = crowd.output().map_err(|err| format!("crowd: {err}"))?;
        let screen = String::from_utf8_lossy(&output.stdout);
        // Do not check the exit status: some pictures show clients that get no reply.
        let mut picture = std::fs::read_to_string(&file).unwrap_or_default();
        for (address, label) in labels {
            picture = picture.replace(&address, &label);
        }
        let mut rest = picture.split("</desc>").nth(1).unwrap_or_default();
        for words in self.says {
            rest =
                rest.split_once(words).map(|(_, rest)| rest).ok_or_else(|| {
                    format!(
                        "crowd {}: not in its picture: {words}\n{}{}",
                        self.arguments,
                        String::from_utf8_lossy(&output.stdout),
                        String::from_utf8_lossy(&output.stderr)
                    )
                })?;
        }
        Ok((format!("$ {}\n{screen}", self.command()), picture))
    }
}

/// Returns whether a committed picture or text agrees with a new one. `path` is the path of a
/// picture, or the mark of a text. The times in the output of `crowd`
/// are different in each run, so they are ignored. All words count, and the events of each
/// client with their order.
#[must_use]
pub fn is_current(path: &str, committed: &str, fresh: &str) -> bool {
    // The axis depends on the times.
    let (axis, times): (&[&str], &[&str]) = if path.ends_with(PICTURE) {
        (&[r#""grid""#, r#""tick""#], &[r#" d="[^"]*""#, r"\d+(\.\d+)? (s|ms|µs)\b"])
    } else if path.ends_with(SCREEN) {
        (&["client connected"], &[r"\d+\.\d+( (s|ms|µs)\b)?", "[ ━·┤]+"])
    } else {
        return committed == fresh;
    };
    let shape = |text: &str| -> Vec<String> {
        let lines =
            text.lines().filter(|line| !axis.iter().any(|a| line.contains(a)));
        lines.map(|line| without(line, times)).collect()
    };
    shape(committed) == shape(fresh)
}

/// Replaces the matches of the patterns in a line by a blank.
fn without(line: &str, patterns: &[&str]) -> String {
    patterns.iter().fold(line.to_owned(), |line, pattern| {
        match Regex::new(pattern) {
            Ok(pattern) => pattern.replace_all(&line, " ").into_owned(),
            Err(_) => line,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::is_current;

    const DRAWN: &str = "<desc>first answer after 1.02 s: 4 at once</desc>\n\
        <text class=\"tick\" x=\"60.0\" y=\"50\">0 s</text>\n\
        <path class=\"wait\" stroke-width=\"7.7\" d=\"M60.4 161.5H735.8\"/>\n";

    #[test]
    fn a_picture_is_current_whatever_its_times_are() {
        let current =
            |fresh: &str| is_current("thread_pool/crowd.svg", DRAWN, fresh);
        assert!(current(&DRAWN.replace("1.02 s", "998 ms")));
        assert!(current(&DRAWN.replace("735.8", "700")));
        assert!(current(&DRAWN.replace(">0 s<", ">0.5<")));
        assert!(!current(&DRAWN.replace("4 at", "3 at")));
        assert!(!current(&DRAWN.replace("wait", "lost")));
        assert!(!current(&DRAWN.replace("<path", "<path class=\"door\"/>\n<path")));
        assert!(!is_current("server.txt", DRAWN, &DRAWN.replace("1.02", "1.03")));
    }
}
