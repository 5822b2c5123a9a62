//! Reads the exercises, and writes their tasks into the pages.

use std::fmt::Write as _;

use crate::book::{self, SLIDES, beyond_page};
use crate::table::{EXERCISES, Exercise, Grade, Kind};
use crate::{read, top};

/// The names of the programs of an exercise. A student begins with the first program. The
/// second program passes.
pub const PROGRAMS: [&str; 2] = ["start", "solution"];

/// Returns the Rust programs of all exercises, by the names of their binaries. Leaves out
/// missing programs, because another test reports them.
///
/// # Errors
///
/// A sentence, if a file cannot be read.
pub fn sources() -> Result<Vec<(String, String)>, String> {
    let mut sources = Vec::new();
    for exercise in &EXERCISES {
        for program in PROGRAMS {
            let file = exercise.file(&format!("{program}.rs"));
            if top().join(&file).is_file() {
                sources.push((binary(exercise, program), read(&file)?));
            }
        }
    }
    Ok(sources)
}

/// Returns the name of the binary of a program of an exercise.
#[must_use]
pub fn binary(exercise: &Exercise, program: &str) -> String {
    format!("{}_{program}", exercise.program())
}

/// Returns the name of the lesson or of the server beyond the lecture.
fn name(exercise: &Exercise) -> &'static str {
    match exercise.grade {
        Grade::Check(server) if exercise.is_beyond() => server,
        _ => SLIDES[exercise.lesson - 1].name,
    }
}

/// Returns the title and the text of a task.
fn task(exercise: &Exercise) -> Result<(String, String), String> {
    let file = exercise.file("task.md");
    let task = read(&file)?;
    let (title, text) = task.split_once('\n').unwrap_or((&task, ""));
    let title = title.strip_prefix("# ");
    let title =
        title.ok_or_else(|| format!("{file} does not begin with a title"))?;
    Ok((title.to_owned(), text.trim().to_owned()))
}

/// Returns the exercises of a lesson, for its page.
///
/// # Errors
///
/// A sentence, if the lesson does not exist, or if a task cannot be read.
pub fn on_page(lesson: &str) -> Result<String, String> {
    if !EXERCISES.iter().any(|exercise| name(exercise) == lesson) {
        return Err(format!("{lesson} does not have an exercise"));
    }
    let mut page = String::new();
    for exercise in EXERCISES.iter().filter(|exercise| name(exercise) == lesson) {
        let (title, text) = task(exercise)?;
        let kind = kind(exercise);
        let _ = writeln!(page, "### {kind}: {title}\n\n{text}\n");
        page += match exercise.kind {
            Kind::Repair => "To get the broken program",
            Kind::Make => "To get the program without the new feature",
        };
        let (program, arguments) = (exercise.program(), exercise.arguments());
        let features = exercise.features();
        let command =
            format!("$ cargo run -q {features}--example exercise -- {arguments}");
        let _ = write!(
            page,
            " as `examples/{program}.rs`:\n\n```console\n{command}\n```\n\n"
        );
        if exercise.is_in_python {
            let _ = write!(
                page,
                "Or in Python, as `examples/{program}.py`:\n\n\
                 ```console\n{command} --python\n```\n\n"
            );
        }
        page += match exercise.grade {
            Grade::Check(_) => "The same command grades your program with `check`.",
            Grade::Tests => {
                "The same command grades your program with the tests in the file."
            }
        };
        page += " For a hint, add `--hint`.\n\n";
        if !features.is_empty() {
            let features = features.trim_end();
            let _ = write!(
                page,
                "While the file `examples/{program}.rs` exists, add `{features}` to \
                 `cargo test` and to `cargo build --examples`.\n\n"
            );
        }
    }
    Ok(page)
}

fn kind(exercise: &Exercise) -> &'static str {
    if exercise.kind == Kind::Repair { "Repair" } else { "Make" }
}

/// Returns the table of all exercises, with links to their pages. The exercises beyond the lecture
/// have a table of their own.
///
/// # Errors
///
/// A sentence, if a task cannot be read.
pub fn table() -> Result<String, String> {
    const HEAD: &str = "| exercise | task | in Python, too |\n|---|---|---|\n";
    let mut table = String::from(HEAD);
    let mut is_beyond = false;
    for exercise in &EXERCISES {
        if exercise.is_beyond() && !is_beyond {
            is_beyond = true;
            table += "\nThe servers beyond the lecture have make tasks:\n\n";
            table += HEAD;
        }
        let (title, _) = task(exercise)?;
        let lesson = name(exercise);
        let heading = format!("{}: {title}", kind(exercise));
        let page = beyond_page(lesson).map_or(format!("{lesson}.md"), str::to_owned);
        let link = format!("{page}#{}", book::anchor(&heading));
        let python = if exercise.is_in_python { "yes" } else { "no" };
        let arguments = exercise.arguments();
        let _ = writeln!(table, "| `{arguments}` | [{title}]({link}) | {python} |");
    }
    Ok(table)
}
