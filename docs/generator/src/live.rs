//! Writes the pages of the paths, the card of all paths, and the schedules for typing in front of
//! a class.

use std::fmt::Write;

use crate::Generated;
use crate::book::lesson_title;
use crate::compare::new_lines;
use crate::lessons::{Row, SERVERS};
use crate::script::{By, Look, PATHS, Path, Step};
use crate::steps::source;

/// The largest number of commands that stay in view.
const COMMANDS: usize = 4;

/// Returns the path of a lesson.
fn path(lesson: &str) -> Result<&'static Path, String> {
    let path = PATHS.into_iter().find(|path| path.lesson == lesson);
    path.ok_or_else(|| format!("{lesson} has no path"))
}

/// Returns all steps of a path as the page shows them, or `None` if this machine could not run
/// the steps.
///
/// # Errors
///
/// A sentence, if the lesson has no path, or if a file cannot be read.
pub fn steps(lesson: &str, all: &Generated) -> Result<Option<String>, String> {
    let path = path(lesson)?;
    let mut page = start(path);
    let mut typed = Vec::new();
    let mut terms = TERMS.to_vec();
    for (index, step) in path.steps.iter().enumerate() {
        let number = index + 1;
        let name = format!("live/{lesson}/{number}");
        let Some(screens) = all.texts.get(&name) else {
            if all.skipped.is_empty() {
                return Err(format!("nothing makes this: {name}"));
            }
            return Ok(None);
        };
        page += &section(path, number, step, screens, &mut typed, &mut terms)?;
    }
    Ok(Some(page))
}

/// Returns the sentence that says how to begin.
fn start(path: &Path) -> String {
    let command = format!("`cargo run -q --example live -- {} 0`", path.lesson);
    let file = match path.from {
        None => "`fn main() {}`".to_owned(),
        Some((lesson, number)) => {
            format!("step {number} of [`{lesson}`]({lesson}.md)")
        }
    };
    format!("To begin, run {command}. This command writes {file} to your file.\n\n")
}

/// Returns the beginning of a path in a few words.
fn begins_with(path: &Path) -> String {
    match path.from {
        None => "from an empty file".to_owned(),
        Some((lesson, number)) => format!("from step {number} of `{lesson}`"),
    }
}

/// Returns the row of a lesson.
fn row(lesson: &str) -> Result<Row, String> {
    let row = SERVERS.into_iter().find(|row| row.name == lesson);
    row.ok_or_else(|| format!("{lesson} is not a server"))
}

/// Returns one step. `typed` has the commands of the steps before, and gets those of this step.
/// `terms` are the terms that need a link.
fn section(
    path: &Path,
    number: usize,
    step: &Step,
    screens: &str,
    typed: &mut Vec<String>,
    terms: &mut Vec<(&str, &str)>,
) -> Result<String, String> {
    let text = source(path, number)?;
    let new = new_lines(&source(path, number - 1)?, &text);
    let code = code(&text, &new);
    let mut commands = vec![format!("cargo run --example my_{}", path.lesson)];
    commands.extend(step.run.iter().map(|command| (*command).to_owned()));
    commands.extend(step.look.iter().map(|look| look.unix.to_owned()));
    for command in commands {
        typed.retain(|before| *before != command);
        typed.push(command);
    }
    let latest = &typed[typed.len().saturating_sub(COMMANDS)..];
    let latest = latest.iter().map(|command| format!("$ {command}\n"));
    let latest: String = latest.collect();
    if !step.problem_command.is_empty() {
        typed.retain(|before| *before != step.problem_command);
        typed.push(step.problem_command.to_owned());
    }
    // The students do not see the solution of their own step before they open it.
    let code = if step.by == By::Room {
        format!(
            "<details class=\"solution\">\n<summary>A solution</summary>\n\n{code}\n</details>\n"
        )
    } else {
        code
    };
    let title = step.title;
    let request = linked(step.request, terms);
    let script = script(path, number, step, terms);
    let columns = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = if columns > 60 { " wide" } else { "" };
    Ok(format!(
        "<section class=\"step\">\n\n## Step {number}: {title}\n\n{request}\n\n{script}\n\
         <div class=\"pair{width}\">\n<div class=\"rust\">\n\n{code}\n</div>\n</div>\n\n\
         {screens}\n<div class=\"typed\">\n\n```console\n{latest}```\n\n</div>\n\n</section>\n\n"
    ))
}

/// Returns the program in two blocks: its header and imports, which are folded, and the rest. The
/// names of the classes say which lines are new.
fn code(text: &str, new: &[bool]) -> String {
    let is_first = |line: &&str| {
        line.is_empty() || line.starts_with("//!") || line.starts_with("use ")
    };
    // An import can take several lines.
    let mut first = 0;
    let mut is_inside = false;
    for line in text.lines() {
        if !is_inside && !is_first(&line) {
            break;
        }
        is_inside = (is_inside || line.starts_with("use ")) && !line.ends_with(';');
        first += 1;
    }
    let lines: Vec<&str> = text.lines().collect();
    let (top, rest) = lines.split_at(first);
    let (top_new, rest_new) = new.split_at(first);
    // The class types the new imports, too, but does not see a folded block.
    let mut imports = Vec::new();
    for (line, is_new) in top.iter().zip(top_new) {
        if *is_new && line.starts_with("use ") && line.ends_with(';') {
            imports.push(format!("<code>{line}</code>"));
        }
    }
    let summary = match imports.len() {
        0 => "Header and imports".to_owned(),
        1..=3 => format!("Header and imports, new: {}", imports.join(" ")),
        count => format!("Header and imports, with {count} new imports"),
    };
    let fenced = |lines: &[&str], new: &[bool]| {
        format!("```rust{}\n{}\n```\n", classes(new), lines.join("\n").trim_end())
    };
    format!(
        "<details class=\"imports\">\n<summary>{summary}</summary>\n\n{}\n\
         </details>\n\n{}",
        fenced(top, top_new),
        fenced(rest, rest_new)
    )
}

/// Returns the new lines as classes of a block, for example `,new-3-5,new-8-8`.
fn classes(new: &[bool]) -> String {
    let mut classes = String::new();
    let mut start = None;
    for (index, is_new) in new.iter().chain([&false]).enumerate() {
        match (start, *is_new) {
            (None, true) => start = Some(index + 1),
            (Some(first), false) => {
                let _ = write!(classes, ",new-{first}-{index}");
                start = None;
            }
            _ => {}
        }
    }
    classes
}

/// Returns the script of a step for the instructor.
fn script(
    path: &Path,
    number: usize,
    step: &Step,
    terms: &mut Vec<(&str, &str)>,
) -> String {
    let Path { lesson, .. } = path;
    let minutes = minutes(step.minutes);
    let who = match step.by {
        By::Instructor => "you type, and the class types along",
        By::Room => "the students write this step on their own",
        By::CatchUp => "`live` writes this step",
    };
    let mut items = String::new();
    let mut item = |name: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(items, "- **{name}:** {text}");
        }
    };
    item("Say", &linked(step.say, terms));
    // The request is also above the script, where the class sees it.
    item("Run", &commands(step.run));
    if let Some(look) = &step.look {
        let Look { before, unix, windows } = look;
        item("Look", &format!("{before} `{unix}` (on Windows: `{windows}`)"));
    }
    item("The class sees", step.sees);
    item("Ask", &format!("{} ({})", step.ask, step.answer));
    if !step.problem.is_empty() {
        let problem = capital(step.problem);
        let command = commands(&[step.problem_command]);
        item("The next problem", format!("{problem}. {command}").trim_end());
    }
    item("If it fails", step.if_it_fails);
    item(
        "For a student who is behind",
        &format!("`cargo run -q --example live -- {lesson} {number}`"),
    );
    format!(
        "<details class=\"notes\">\n<summary>Step {number}: {minutes}, {}</summary>\n\n{items}\n\
         </details>\n",
        who.replace('`', "")
    )
}

/// The terms that have a link to the glossary where a page shows them first, and their places in
/// the glossary.
const TERMS: [(&str, &str); 7] = [
    ("reset", "reset"),
    ("datagram", "datagram"),
    ("non-blocking", "non-blocking"),
    ("half-close", "half-close"),
    ("file descriptor", "file-descriptor"),
    ("network byte order", "network-byte-order"),
    ("the queue", "queue"),
];

/// Returns a text with links. The links to the glossary go out of `terms`, because the page has
/// each of them once. A reader of `live` sees the name of a page instead of its link.
fn linked(text: &str, terms: &mut Vec<(&str, &str)>) -> String {
    let mut text =
        text.replace("`docs/src/helpers.md`", "[The helpers](../helpers.md)");
    terms.retain(|(term, place)| {
        // The term is not a part of another word, such as `resets`.
        let is_word = |(start, _): &(usize, &str)| {
            let after = text[start + term.len()..].chars().next();
            !after.is_some_and(char::is_alphanumeric)
        };
        let Some((start, _)) = text.match_indices(term).find(is_word) else {
            return true;
        };
        let link = format!("[{term}](../glossary.md#{place})");
        text.replace_range(start..start + term.len(), &link);
        false
    });
    text
}

/// Returns the commands in backquotes.
fn commands(commands: &[&str]) -> String {
    let commands = commands.iter().filter(|command| !command.is_empty());
    let commands: Vec<_> = commands.map(|command| format!("`{command}`")).collect();
    commands.join(", ")
}

fn minutes(minutes: usize) -> String {
    if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") }
}

/// Returns a text with a capital letter at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Returns the minutes of the steps of a path: those of the instructor, of the students, and of
/// catching up.
#[must_use]
pub fn sums(path: &Path) -> [usize; 3] {
    [By::Instructor, By::Room, By::CatchUp].map(|by| {
        let steps = path.steps.iter().filter(|step| step.by == by);
        steps.map(|step| step.minutes).sum()
    })
}

/// Returns the sums of a path in words.
///
/// # Errors
///
/// A sentence, if the lesson has no path.
pub fn sums_in_words(lesson: &str) -> Result<String, String> {
    let [instructor, room, catch_up] = sums(path(lesson)?);
    Ok(format!(
        "{instructor} to type, {room} for the students, {catch_up} for `live`"
    ))
}

/// Returns the card: all steps of all paths, for one sheet of paper.
///
/// # Errors
///
/// A sentence, if a page cannot be read.
pub fn card() -> Result<String, String> {
    let mut card = String::from("<div class=\"card\">\n");
    for path in PATHS {
        let (number, title) = lesson_title(path.lesson)?;
        let [instructor, room, catch_up] = sums(path);
        let _ = write!(
            card,
            "\n**{number}. {title}** (`{}`): {instructor} + {room} + {catch_up} minutes,\n\
             {}, port {}\n\n\
             | step | min | the problem that the step leaves |\n|---|---|---|\n",
            path.lesson,
            begins_with(path),
            row(path.lesson)?.port,
        );
        for (index, step) in path.steps.iter().enumerate() {
            let who = match step.by {
                By::Instructor => "",
                By::Room => " *(students)*",
                By::CatchUp => " *(live)*",
            };
            let Step { title, minutes, problem, .. } = step;
            let number = index + 1;
            let _ =
                writeln!(card, "| {number} {title}{who} | {minutes} | {problem} |");
        }
    }
    Ok(card + "\n</div>\n")
}
