//! Writes into the pages what they show of programs and runs.
//!
//! A page has marks: `<!-- begin KIND ARGUMENTS -->` and `<!-- end -->`. What is between them is
//! generated, so a page is complete when it is read as plain text. All other text of a page is
//! written by hand.
//!
//! | mark | between the marks |
//! |---|---|
//! | `short LESSON` | the program in short, in both languages |
//! | `part LESSON NAMES` | the parts of the program with these names, in both languages |
//! | `puzzle LESSON` | the lines of the program in short, in alphabetical order, and the answer |
//! | `whole LESSON` | the whole program, in both languages |
//! | `helper NAMES` | functions, types, methods and constants of the library, without their examples |
//! | `rust PATH` | a whole program in Rust |
//! | `rust PATH NAMES` | the parts of a program in Rust with these names |
//! | `python PATH` | a whole program in Python |
//! | `changes LESSON` | the difference to the lesson that it is based on |
//! | `steps LESSON` | the steps of the path of a lesson |
//! | `card` | all steps of all paths |
//! | `exercises LESSON` | the tasks of a lesson |
//! | `replay NAME` | the recordings of a program, in each language |
//! | `step NAME WORDS` | a link to the step whose sentence has these words |
//! | `terminal NAME` | a terminal of a run |
//! | `words NAME` | a picture in words |
//! | `table NAME` | a table |
//! | `figure NAME` | a number, within a sentence |

use serde_json::Value;

use crate::book::{self, SLIDES, short_program};
use crate::parts::{program, selected, without_examples};
use crate::{Generated, changes, exercises, live, puzzle, read, says};

/// The start of the sentence that says why the Python versions are not recorded.
pub const NO_PYTHON: &str = "the replays of the Python versions: ";

const BEGIN: &str = "<!-- begin ";
const CLOSE: &str = " -->";
const END: &str = "<!-- end -->";

/// The files of the library in Rust, without `src/lib.rs`, which has only their names.
pub const LIBRARY: [&str; 5] = [
    "src/command_line.rs",
    "src/framing.rs",
    "src/messages.rs",
    "src/text.rs",
    "src/waiting.rs",
];
/// The library in Python.
pub const PYTHON_LIBRARY: &str = "docs/python/sockets101/__init__.py";

/// Returns the marks of a page, and for each of them the text that follows.
#[must_use]
pub fn marks(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split(BEGIN).skip(1);
    let marks = parts.filter_map(|part| {
        let (mark, rest) = part.split_once(CLOSE)?;
        Some((mark, rest.split_once(END)?.0))
    });
    marks.collect()
}

/// Returns a page in which everything between marks is written again. `new` gets a mark and
/// the text that follows it now, and returns the new text, or `None` to keep the old text.
///
/// # Errors
///
/// A sentence, if a mark is not complete, or if `new` fails.
pub fn rewrite(
    page: &str,
    mut new: impl FnMut(&str, &str) -> Result<Option<String>, String>,
) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let incomplete = || format!("a mark is not complete: {BEGIN}{after:.40}");
        let (mark, after) = after.split_once(CLOSE).ok_or_else(incomplete)?;
        let (old, after) = after.split_once(END).ok_or_else(incomplete)?;
        done += before;
        let line = done.rsplit('\n').next().unwrap_or_default();
        let indentation = if line.trim().is_empty() { line } else { "" };
        let text = match new(mark, old)? {
            None => old.to_owned(),
            Some(text) if text.contains('\n') => block(&text, indentation),
            Some(text) => text,
        };
        for piece in [BEGIN, mark, CLOSE, &text, END] {
            done += piece;
        }
        rest = after;
    }
    Ok(done + rest)
}

/// Returns a text between empty lines, indented like its mark.
fn block(text: &str, indentation: &str) -> String {
    let mut block = String::from("\n\n");
    for line in text.trim_end().lines() {
        if !line.is_empty() {
            block += indentation;
            block += line;
        }
        block.push('\n');
    }
    block + "\n" + indentation
}

/// Returns what belongs to a mark, or `None` if this machine could not make it.
///
/// # Errors
///
/// A sentence, if the mark means nothing.
pub fn content(mark: &str, all: &Generated) -> Result<Option<String>, String> {
    if let Some(text) = from_programs(mark)? {
        return Ok(Some(text));
    }
    let (kind, name) = mark.split_once(' ').unwrap_or((mark, ""));
    if kind == "steps" {
        return live::steps(name, all);
    }
    if kind == "replay" {
        return replay(name, all);
    }
    if kind == "step" {
        return step(name, all);
    }
    let Some(text) = all.texts.get(name) else {
        if all.skipped.is_empty() {
            return Err(format!("nothing makes this: {BEGIN}{mark}{CLOSE}"));
        }
        return Ok(None);
    };
    Ok(Some(match kind {
        "terminal" => fenced("console", text),
        "words" => fenced("text", text),
        "figure" | "table" => text.clone(),
        _ => return Err(format!("this mark means nothing: {BEGIN}{mark}{CLOSE}")),
    }))
}

/// Returns the recordings of a program, which docs/theme/replay.js shows. A page without this script
/// shows nothing of them.
fn replay(name: &str, all: &Generated) -> Result<Option<String>, String> {
    let mut scripts = String::new();
    for language in ["rust", "python"] {
        if let Some(json) = all.texts.get(&format!("{name}/replay-{language}")) {
            for piece in [
                "<script type=\"application/json\" data-language=\"",
                language,
                "\">",
                json,
                "</script>\n",
            ] {
                scripts += piece;
            }
        }
    }
    if scripts.is_empty() && all.skipped.is_empty() {
        return Err(format!("nothing makes this recording: {name}"));
    }
    // Without Python, the page keeps what it has, because the Python versions would be lost.
    if all.skipped.iter().any(|why| why.starts_with(NO_PYTHON)) {
        return Ok(None);
    }
    let id = name.replace('/', "-");
    let whole =
        format!("<div class=\"watch\" data-program=\"{id}\">\n{scripts}</div>\n");
    Ok((!scripts.is_empty()).then_some(whole))
}

/// Returns a link to the first step of a recording whose sentence contains these words.
fn step(arguments: &str, all: &Generated) -> Result<Option<String>, String> {
    let (name, words) = arguments.split_once(' ').unwrap_or((arguments, ""));
    let Some(json) = all.texts.get(&format!("{name}/replay-rust")) else {
        return Ok(None);
    };
    let recording: Value =
        serde_json::from_str(json).map_err(|err| err.to_string())?;
    let mut steps = recording["steps"].as_array().into_iter().flatten();
    let says =
        |step: &Value| step["say"].as_str().is_some_and(|say| say.contains(words));
    let place = steps.position(says);
    let number = 1 + place
        .ok_or_else(|| format!("{name} does not have this step: {words}"))?;
    let kind = if name.ends_with("/short") { "short-" } else { "" };
    Ok(Some(format!("[step {number}](#{kind}step-{number})")))
}

/// Returns what belongs to a mark, if it needs no run.
fn from_programs(mark: &str) -> Result<Option<String>, String> {
    let words: Vec<_> = mark.split(' ').collect();
    let text = match &words[..] {
        ["short", lesson] => {
            let (python, rust) = short_program(lesson)?;
            let id = format!("{lesson}-short");
            pair("short", &id, &program(&python)?, &program(&rust)?)
        }
        ["puzzle", lesson] => puzzle::text(lesson)?,
        ["part", lesson, names @ ..] => {
            let (python, rust) = book::files(lesson);
            for name in names {
                exists(&[&python, &rust], name)?;
            }
            let python = selected(&python, names)?;
            pair("part", "", &python, &selected(&rust, names)?)
        }
        ["whole", lesson] => {
            let (python, rust) = book::files(lesson);
            pair("whole", lesson, &program(&python)?, &program(&rust)?)
        }
        ["helper", names @ ..] => {
            let files = [&LIBRARY[..], &[PYTHON_LIBRARY]].concat();
            for name in names {
                exists(&files, name)?;
            }
            let mut rust = Vec::new();
            for path in LIBRARY {
                rust.push(without_examples(&selected(path, names)?));
            }
            rust.retain(|text| !text.is_empty());
            pair("part", "", &selected(PYTHON_LIBRARY, names)?, &rust.join("\n"))
        }
        ["rust", path] => fenced("rust", &program(path)?),
        ["rust", path, names @ ..] => {
            for name in names {
                exists(&[path], name)?;
            }
            fenced("rust", &selected(path, names)?)
        }
        ["python", path] => fenced("python", &program(path)?),
        ["changes", lesson] => {
            let lesson = SLIDES.iter().find(|slide| slide.name == *lesson);
            let diff = lesson.map(changes::of).transpose()?.flatten();
            fenced("diff", &diff.ok_or_else(|| format!("{mark}: no lesson"))?)
        }
        ["card"] => live::card()?,
        ["exercises", lesson] => exercises::on_page(lesson)?,
        ["table", "exercises"] => exercises::table()?,
        ["table", "checks"] => says::tables()?,
        ["table", "bench"] => read("docs/src/generated/bench/table.md")?,
        _ => return Ok(None),
    };
    if text.is_empty() {
        return Err(format!("this part does not exist: {BEGIN}{mark}{CLOSE}"));
    }
    Ok(Some(text))
}

/// Returns an error if none of these files has a part of this name.
fn exists(paths: &[&str], name: &str) -> Result<(), String> {
    for path in paths {
        if !selected(path, &[name])?.is_empty() {
            return Ok(());
        }
    }
    Err(format!("{} does not have the part {name}", paths.join(", ")))
}

/// Returns two programs, side by side. If one of them is empty, it is left out. A replay finds
/// the programs by their id (`docs/theme/replay.js`). An empty id is left out, too.
fn pair(kind: &str, id: &str, python: &str, rust: &str) -> String {
    let mut sections = String::new();
    for (class, language, code) in
        [("python", "Python", python), ("rust", "Rust", rust)]
    {
        if !code.is_empty() {
            let code = fenced(class, code);
            let name = format!(
                "<div class=\"{class}\">\n<p class=\"language\">{language}</p>\n\n"
            );
            sections += &[&name, &code, "\n</div>\n"].concat();
        }
    }
    if sections.is_empty() {
        return sections;
    }
    let id = if id.is_empty() { String::new() } else { format!(" id=\"{id}\"") };
    format!("<div class=\"pair {kind}\"{id}>\n{sections}</div>\n")
}

fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, a panic is the report.
mod tests {
    use super::{marks, rewrite};

    #[test]
    fn a_block_is_indented_like_its_mark() {
        let page = "1. See\n   <!-- begin words x -->old<!-- end -->\n";
        let new = rewrite(page, |mark, old| {
            assert_eq!((mark, old), ("words x", "old"));
            Ok(Some("a\n\n b\n".to_owned()))
        });
        let expected = "1. See\n   <!-- begin words x -->\n\n   a\n\n    b\n\n   <!-- end -->\n";
        assert_eq!(new.unwrap(), expected);
        let again = rewrite(expected, |_, _| Ok(None)).unwrap();
        assert_eq!(again, expected);
    }

    #[test]
    fn a_figure_is_in_its_sentence() {
        let page = "Of <!-- begin figure n -->1<!-- end --> bytes.";
        let new = rewrite(page, |_, _| Ok(Some("2".to_owned()))).unwrap();
        assert_eq!(new, page.replace('1', "2"));
        assert_eq!(marks(page), [("figure n", "1")]);
    }

    #[test]
    fn an_open_mark_is_an_error() {
        for page in ["<!-- begin figure n", "<!-- begin figure n -->4"] {
            assert!(rewrite(page, |_, _| Ok(None)).is_err(), "{page}");
        }
    }
}
