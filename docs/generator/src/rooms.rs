//! Runs the steps of the paths, and records what the class sees in the terminals.

use std::path::Path as File;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::lessons::{Row, SERVERS};
use crate::scenes::Readable;
use crate::script::{PATHS, Path, Step};
use crate::stage::{Server, Terminal, example};
use crate::steps::{Scratch, name, sources};

/// How many steps run at the same time. Most of them wait.
const TOGETHER: usize = 4;

/// After this time without a new line, the screen is complete.
const QUIET: Duration = Duration::from_millis(300);

/// The tools whose output is the same in each run. For the other tools, the page shows only the
/// command.
const RECORDED: [&str; 6] =
    ["udp_client", "tcp_client", "block_client", "ttl_ping", "check", "rude"];

/// The beginning of a line that a client prints only if the server closes the connection before
/// it has read the request.
const LOST: &str = "the connection is lost: ";

const RUN: &str = "cargo run --example ";

/// A step to run.
struct Room<'a> {
    path: &'a Path,
    row: Row,
    step: &'a Step,
    program: &'a File,
}

/// Runs all steps. Returns the terminals of each step by its name.
pub fn record() -> Result<Vec<(String, String)>, String> {
    let scratch = Scratch::build("steps", &sources()?)?;
    let steps = PATHS.into_iter().flat_map(|path| {
        path.steps
            .iter()
            .enumerate()
            .map(move |(index, step)| (path, index + 1, step))
    });
    let queue = Mutex::new(steps);
    let next = || queue.lock().ok()?.next();
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..TOGETHER {
            scope.spawn(|| {
                while let Some((path, number, step)) = next() {
                    let result = record_step(&scratch, path, number, step);
                    if let Ok(mut results) = results.lock() {
                        results.push(result);
                    }
                }
            });
        }
    });
    results.into_inner().map_err(|err| err.to_string())?.into_iter().collect()
}

fn record_step(
    scratch: &Scratch,
    path: &Path,
    number: usize,
    step: &Step,
) -> Result<(String, String), String> {
    let row = SERVERS.into_iter().find(|row| row.name == path.lesson);
    let row = row.ok_or_else(|| format!("{} is not a server", path.lesson))?;
    let program = if number == path.steps.len() {
        example(path.lesson)
    } else {
        scratch.program(&name(path.lesson, number))
    };
    let room = Room { path, row, step, program: &program };
    let screens = room.record();
    let screens =
        screens.map_err(|err| format!("step {number} of {}: {err}", path.lesson))?;
    let text = format!("<div class=\"terminals\">\n{screens}</div>\n");
    Ok((format!("live/{}/{number}.md", path.lesson), text))
}

impl Room<'_> {
    /// Runs the commands of the step, and returns the terminals.
    fn record(&self) -> Result<String, String> {
        // `check --own` starts the program itself.
        let own = |command: &&str| command.contains(" --own ");
        let starts = self.step.run.is_empty() || !self.step.run.iter().all(own);
        let mut screens = String::new();
        let mut typed = String::new();
        if starts {
            let command = format!("{RUN}my_{}", self.path.lesson);
            let program = Command::new(self.program);
            let mut server = Server::start(&command, program, &[])?;
            let mut readable = Readable::new(self.row.port, &server);
            for command in self.step.run {
                let screen = self.run(command, server.address.port())?;
                typed += &readable.text(&screen);
            }
            if !self.step.until.is_empty() {
                server.terminal.wait_for(1, self.step.until)?;
            }
            // More lines can follow the one that the table names.
            let mut screen = String::new();
            while screen != server.terminal.text() {
                screen = server.terminal.text();
                thread::sleep(QUIET);
            }
            let screen = readable.text(&screen);
            screens += &figure("terminal 1: the server", &screen);
            server.terminal.close()?;
        } else {
            for command in self.step.run {
                typed += &self.run(command, 0)?;
            }
        }
        if !typed.is_empty() {
            let title =
                if starts { "terminal 2" } else { "the server is not running" };
            screens += &figure(title, &typed);
        }
        Ok(screens)
    }

    /// Runs a command of the table. Returns what is on the screen after that.
    fn run(&self, command: &str, port: u16) -> Result<String, String> {
        let words = words(command.strip_prefix(RUN).unwrap_or_default());
        let [tool, separator, arguments @ ..] = &words[..] else {
            return Err(format!("this is not a command: {command}"));
        };
        if separator != "--" {
            return Err(format!("-- is missing: {command}"));
        }
        if !RECORDED.contains(&tool.as_str()) {
            return Ok(format!("$ {command}\n"));
        }
        let mut program = Command::new(example(tool));
        let own = format!("my_{}", self.path.lesson);
        let run = format!("\"{}\" {{address}}", self.program.display());
        let slide = self.row.port.to_string();
        for argument in arguments {
            if *argument == own {
                program.arg(&run);
            } else if argument == "--own" {
                program.arg("--run");
            } else if *argument == slide {
                program.arg(port.to_string());
            } else {
                program.arg(argument);
            }
        }
        if tool == "check" {
            program.env_remove("CARGO"); // Everything is built already.
            let output = program.output().map_err(|err| format!("check: {err}"))?;
            let printed = String::from_utf8_lossy(&output.stdout);
            return Ok(format!("$ {command}\n{}", printed.replace(&run, &own)));
        }
        let mut terminal = Terminal::open(command, program)?;
        terminal.wait()?;
        let screen = terminal.text();
        let lines =
            screen.split_inclusive('\n').filter(|line| !line.starts_with(LOST));
        Ok(lines.collect())
    }
}

/// Splits a command at its spaces. A text in double quotes is one word.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in command.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn figure(title: &str, screen: &str) -> String {
    let screen = screen.trim_end();
    format!(
        "<figure>\n<figcaption>{title}</figcaption>\n\n```console\n{screen}\n```\n\n</figure>\n"
    )
}
