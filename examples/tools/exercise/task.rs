//! The work of a student on an exercise: its files, its task and its hints.

use std::fs;
use std::path::PathBuf;

use sockets101::Failure;

use crate::compare::same_lines;
use crate::student::{Owner, Student, top};
use crate::table::{Exercise, Kind, Language};
use crate::text::{command, paragraph};

/// The number of hints of an exercise.
pub const HINTS: usize = 3;

/// What to do if a file of the exercises cannot be used.
const GET_AGAIN: &str = "get the file again from the workbook, for example with git";

/// The number of lines to show before and after a change of the solution.
const AROUND: usize = 2;

/// The command that starts Python.
pub const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// An exercise in one language.
pub struct Work {
    pub exercise: &'static Exercise,
    pub language: Language,
}

impl Work {
    pub fn new(exercise: &'static Exercise, language: Language) -> Self {
        Self { exercise, language }
    }

    /// Returns the path of the student's file, from the folder of the package.
    pub fn file(&self) -> String {
        format!("examples/{}.{}", self.exercise.program(), self.language.ending())
    }

    /// Returns the path of the student's file.
    pub fn path(&self) -> PathBuf {
        top().join(self.file())
    }

    /// Reads the student's file.
    pub fn student(&self) -> Result<Student, Failure> {
        let name = self.exercise.program();
        Student::read(Owner {
            command: "exercise",
            name: name.strip_prefix("my_").unwrap_or(&name).to_owned(),
            ending: if self.language == Language::Rust { ".rs" } else { ".py" },
            ours: vec![self.text("start")?],
        })
    }

    /// Returns the command that runs `exercise` for this exercise with one more argument, in a
    /// line of its own.
    pub fn command(&self, argument: &str) -> String {
        let python = if self.language == Language::Python { " --python" } else { "" };
        let space = if argument.is_empty() { "" } else { " " };
        let arguments = self.exercise.arguments() + python + space + argument;
        let features = self.exercise.features();
        command(&format!("cargo run -q {features}--example exercise -- {arguments}"))
    }

    /// Reads the start or the solution.
    pub fn text(&self, program: &str) -> Result<String, Failure> {
        self.read(&format!("{program}.{}", self.language.ending()))
    }

    fn read(&self, name: &str) -> Result<String, Failure> {
        let file = self.exercise.file(name);
        match fs::read_to_string(top().join(&file)) {
            // Git for Windows can end each line with two bytes.
            Ok(text) => Ok(text.replace("\r\n", "\n")),
            Err(err) => Err(format!("cannot read {file}: {err}; {GET_AGAIN}").into()),
        }
    }

    /// Returns the title of the exercise.
    pub fn title(&self) -> Result<String, Failure> {
        let task = self.read("task.md")?;
        Ok(task.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned())
    }

    /// Returns the title and the task, for a terminal.
    pub fn task(&self) -> Result<String, Failure> {
        let number = self.exercise.arguments();
        let task = self.read("task.md")?;
        let task = task.strip_prefix("# ").unwrap_or(&task);
        Ok(format!("Exercise {number}: {}", plain(task)))
    }

    /// Returns what a student can do after the task has been printed.
    pub fn commands(&self) -> String {
        let work = match self.exercise.kind {
            Kind::Repair => "Repair",
            Kind::Make => "Change",
        };
        let mut text = format!("{work} {}. To run the program:\n", self.file());
        let (options, features) = (self.exercise.options, self.exercise.features());
        // For cargo, `--` comes before the arguments of the program.
        let dashes = if options.is_empty() { "" } else { "-- " };
        let run = match self.language {
            Language::Rust => {
                let program = self.exercise.program();
                format!("cargo run {features}--example {program} {dashes}{options}")
            }
            Language::Python => format!("{PYTHON} {} {options}", self.file()),
        };
        text += &command(run.trim_end());
        text += "To grade the program:\n";
        text += &self.command("");
        text += "To see a hint:\n";
        text += &self.command("--hint");
        if !features.is_empty() && self.language == Language::Rust {
            let features = features.trim_end();
            let commands = "to `cargo test` and to `cargo build --examples`";
            text += &paragraph(format!("While this file exists, add `{features}` {commands}."));
        }
        text
    }

    /// Returns the hints, for a terminal: a question, the cause, and the lines in the language.
    pub fn hints(&self) -> Result<Vec<String>, Failure> {
        let text = self.read("hints.md")?;
        let lines = format!("Lines ({})", self.language.name());
        let mut hints = Vec::new();
        for title in ["Question", "Cause", &lines] {
            let heading = format!("## {title}\n");
            let Some((_, hint)) = text.split_once(&heading) else {
                let file = self.exercise.file("hints.md");
                return Err(format!("{file} does not have a part {title}; {GET_AGAIN}").into());
            };
            let hint = hint.split("\n## ").next().unwrap_or_default();
            let number = hints.len() + 1;
            let name = title.split(' ').next().unwrap_or_default().to_lowercase();
            hints.push(format!("Hint {number} of {HINTS}, the {name}:\n{}", plain(hint)));
        }
        Ok(hints)
    }

    /// Returns the solution. On a terminal, returns only the lines that change, with some lines
    /// around them. Otherwise, the text can be saved as a file.
    pub fn solution(&self, is_terminal: bool) -> Result<String, Failure> {
        let solution = self.text("solution")?;
        if !is_terminal {
            return Ok(solution);
        }
        let file = self.exercise.file(&format!("solution.{}", self.language.ending()));
        let mut text = paragraph(format!("These lines change. The whole solution is in {file}."));
        text += &paragraph(
            "`-` marks a line of the starting program, and `+` marks a line of the solution.",
        );
        Ok(text + &changes(&self.text("start")?, &solution))
    }
}

/// Returns the lines that differ, each with its mark and the number of the line in `new`.
fn changes(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let mut pairs = same_lines(&old, &new);
    // Show a line that only moves to the right as a change, because Python needs the spaces.
    pairs.retain(|(i, j)| old[*i] == new[*j]);
    pairs.push((old.len(), new.len()));
    // Each line with its mark. A line of the starting program does not have a number.
    let mut lines: Vec<(char, String, &str)> = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (old_end, new_end) in pairs {
        let removed = old[i..old_end].iter().filter(|line| !line.trim().is_empty());
        lines.extend(removed.map(|line| ('-', String::new(), *line)));
        for (index, line) in new[j..new_end].iter().enumerate() {
            let mark = if line.trim().is_empty() { ' ' } else { '+' };
            lines.push((mark, (j + index + 1).to_string(), line));
        }
        if let Some(line) = new.get(new_end) {
            lines.push((' ', (new_end + 1).to_string(), line));
        }
        i = old_end + 1;
        j = new_end + 1;
    }
    let mut text = String::new();
    let mut last = None;
    for (index, (mark, number, line)) in lines.iter().enumerate() {
        let from = index.saturating_sub(AROUND);
        let to = lines.len().min(index + AROUND + 1);
        if lines[from..to].iter().all(|(mark, ..)| *mark == ' ') {
            continue;
        }
        if last.is_some_and(|last| last + 1 < index) {
            text += "       ...\n";
        }
        last = Some(index);
        text += format!("{number:>4} {mark} {line}").trim_end();
        text += "\n";
    }
    text
}

/// Formats Markdown for a terminal. Paragraphs have lines of at most 80 columns, and each line of
/// code begins with two spaces.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut sentences = String::new();
    let mut is_code = false;
    for line in markdown.trim().lines().chain([""]) {
        if !is_code && !sentences.is_empty() && (line.is_empty() || line.starts_with("```")) {
            text += &paragraph(&sentences);
            sentences.clear();
        }
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            let line = match line.strip_prefix("$ ") {
                Some(line) => line.replacen("python3", PYTHON, 1),
                None => line.to_owned(),
            };
            text += command(&line).trim_end();
            text += "\n";
        } else if line.is_empty() {
            text += "\n";
        } else {
            if !sentences.is_empty() {
                sentences += " ";
            }
            sentences += line;
        }
    }
    text.trim_end().to_owned() + "\n"
}
