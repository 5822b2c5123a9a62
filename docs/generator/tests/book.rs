//! The book is consistent: pages, examples, included files, links.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use sockets101_book::book::{BEYOND, SLIDES, pages};
use sockets101_book::crowd::{RUNS, Run};
use sockets101_book::idea::ideas;
use sockets101_book::marks::{LIBRARY, PYTHON_LIBRARY, marks};
use sockets101_book::parts::{FIRST, constant, parts, program, without_examples};
use sockets101_book::steps::shorts;
use sockets101_book::{read, top};
use url::Url;

const PAGES: &str = "docs/src";

/// The text of a page.
#[track_caller]
fn page(file: &str) -> String {
    read(&format!("{PAGES}/{file}")).unwrap_or_else(|err| panic!("{err}"))
}

fn files() -> Vec<String> {
    pages().unwrap().into_iter().map(|(_, file)| file).collect()
}

/// Returns the names of the files in a folder, without this ending, and without the reader's
/// own files.
fn names(folder: &str, ending: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(top().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names = entries
        .filter_map(|name| Some(name.to_str()?.strip_suffix(ending)?.to_owned()));
    names.filter(|name| !name.starts_with("my_")).collect()
}

#[test]
fn every_example_has_its_page_and_every_page_its_example() {
    let slides: Vec<_> = SLIDES.iter().map(|slide| slide.name.to_owned()).collect();
    let programs = names("examples", ".rs");
    let beyond: BTreeSet<_> =
        BEYOND.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("examples/beyond", ".rs"), beyond);
    assert_eq!(programs, slides.iter().cloned().collect());
    let mut versions: BTreeSet<_> = slides.iter().cloned().chain(beyond).collect();
    versions.remove("event_server"); // It has no Python version.
    assert_eq!(names("docs/python", ".py"), versions);
    // The numbered chapters of the summary: their numbers are those of the slides.
    let summary = read("docs/src/SUMMARY.md").unwrap();
    let numbered = summary.lines().filter_map(|line| {
        line.strip_prefix("- [")?.split_once("](")?.1.strip_suffix(".md)")
    });
    assert_eq!(numbered.collect::<Vec<_>>(), slides);
    let listed: BTreeSet<_> =
        files().into_iter().chain(["SUMMARY.md".to_owned()]).collect();
    let mut there = BTreeSet::new();
    for folder in ["", "live/"] {
        for name in names(&format!("{PAGES}/{folder}"), ".md") {
            there.insert(format!("{folder}{name}.md"));
        }
    }
    assert_eq!(listed, there);
}

/// The parts of a lesson's page, in this order. Only a server has a program in short.
const PARTS: [&str; 9] = [
    "The idea",
    "Predict, then run it",
    "The program in short",
    "Watch it run",
    "The whole program",
    "What happens",
    "Common mistakes and exercises",
    "Remember",
    "For the instructor",
];

#[test]
fn a_lessons_page_has_its_parts_in_order() {
    for slide in SLIDES {
        let (name, text) = (slide.name, page(&format!("{}.md", slide.name)));
        let parts: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let is_server = shorts().iter().any(|short| short.row.name == name);
        let has = |part: &&str| is_server || *part != "The program in short";
        let expected: Vec<_> = PARTS.into_iter().filter(has).collect();
        assert_eq!(parts, expected, "{name}");

        let (why, _) = text.split_once("\n## ").unwrap();
        for part in ["After this lesson you can\n\n- ", "(#the-idea)", "(#predict-"]
        {
            assert!(why.contains(part), "{name}: the first lines lack {part}");
        }
        let idea = ideas().find(|idea| idea.page == name);
        let idea = idea.unwrap_or_else(|| panic!("{name}: no drawing of the idea"));
        let picture = format!("![{}](generated/{name}/idea.svg)", idea.title);
        let there = section(&text, "The idea").contains(&picture);
        assert!(there, "{name}: no {picture}");
        for file in
            [format!("(../../examples/{name}.rs)"), format!("(../python/{name}.py)")]
        {
            assert!(text.contains(&file), "{name}: no link to {file}");
        }
        let questions = section(&text, "Predict, then run it");
        let answers = questions.matches("<summary>Answer</summary>").count();
        assert!((2..=4).contains(&answers), "{name}: {answers} answers");
        let mistakes = section(&text, "Common mistakes and exercises");
        assert!(mistakes.matches("```python").count() >= 2, "{name}: mistakes");
        assert_eq!(shown_parts(&text, name), all_parts(name), "{name}");
    }
}

/// The kinds of items in the instructor's notes. Each item of the first four kinds states its
/// minutes.
const NOTES: [&str; 5] = ["Show", "Say", "Ask", "Demo", "If it fails"];

/// An instructor looks at the clock, and reads from the notes what to type.
#[test]
fn the_notes_have_all_kinds_of_items_and_their_minutes_add_up() {
    for slide in SLIDES {
        let (name, text) = (slide.name, page(&format!("{}.md", slide.name)));
        let notes = section(&text, "For the instructor");
        let (start, items) = notes.split_once("\n\n- **").unwrap();
        let (_, total) = start.split_once("Notes: ").unwrap();

        let (mut sum, mut found) = (0, BTreeSet::new());
        for item in items.split("\n- **") {
            let item: Vec<_> = item.split_whitespace().collect();
            let item = item.join(" ");
            let (kind, what) = item.split_once("**").unwrap();
            assert!(NOTES.contains(&kind), "{name}: {kind}");
            found.insert(kind.to_owned());
            if kind == "If it fails" {
                continue;
            }
            let stated = what.strip_prefix(" (").and_then(minutes);
            sum += stated.unwrap_or_else(|| panic!("{name}: no minutes: {item}"));
            if kind == "Ask" {
                assert!(what.contains("? ("), "{name}: no answer: {item}");
            }
            if kind == "Demo" {
                let has_command = ["`cargo ", "`python3 "]
                    .iter()
                    .any(|start| what.contains(start));
                assert!(has_command, "{name}: no command: {item}");
            }
        }
        assert_eq!(Some(sum), minutes(total), "{name}: the sum of the minutes");
        assert_eq!(found, NOTES.map(str::to_owned).into(), "{name}");
    }
}

/// Returns the minutes with which a text starts.
fn minutes(text: &str) -> Option<usize> {
    text.split_once(" minute")?.0.parse().ok()
}

/// Returns the text of a page below one of its headings.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let after = page.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_default();
    after.split("\n## ").next().unwrap_or_default()
}

/// Returns the lines of code that the rows of a page show, in both languages.
fn shown_parts(page: &str, name: &str) -> Vec<String> {
    let start = format!("part {name} ");
    let rows = marks(page).into_iter().filter(|(mark, _)| mark.starts_with(&start));
    let mut lines: Vec<_> = rows.flat_map(|(_, text)| code_lines(text)).collect();
    lines.sort_unstable();
    lines
}

/// Returns the lines of code of a lesson, in both languages.
fn all_parts(name: &str) -> Vec<String> {
    let (python, rust) = sockets101_book::book::files(name);
    let mut lines = Vec::new();
    for path in [python, rust] {
        for part in parts(&path).unwrap() {
            lines.extend(code_lines(&part.text));
        }
    }
    lines.sort_unstable();
    lines
}

/// Returns the lines of code, without those around methods: a page that shows the methods of a
/// type in several rows repeats them in each row.
fn code_lines(text: &str) -> Vec<String> {
    let is_around = |line: &str| {
        let is_impl = line.starts_with("impl ") && !line.contains(" for ");
        is_impl || line == "}" || line.starts_with("class ")
    };
    let is_code = |line: &&str| {
        !line.is_empty() && !line.starts_with(['<', '`']) && !is_around(line)
    };
    text.lines().filter(is_code).map(str::to_owned).collect()
}

/// The page of the helpers shows each line of the library once, without the imports and the
/// examples. So it also shows each public function and type.
#[test]
fn the_page_of_the_helpers_shows_the_whole_library() {
    let page = page("helpers.md");
    let rows =
        marks(&page).into_iter().filter(|(mark, _)| mark.starts_with("helper "));
    let mut shown: Vec<_> = rows.flat_map(|(_, text)| code_lines(text)).collect();
    shown.sort_unstable();

    let mut all = Vec::new();
    for path in LIBRARY.into_iter().chain([PYTHON_LIBRARY]) {
        for part in parts(path).unwrap() {
            if part.name != FIRST || constant(&part).is_some() {
                all.extend(code_lines(&without_examples(&part.text)));
            }
        }
    }
    all.sort_unstable();
    assert_eq!(shown, all);

    // `src/lib.rs` only lists the public names of the other files.
    let files = names("src", ".rs").into_iter().filter(|name| name != "lib");
    let listed = LIBRARY.map(|path| path[4..path.len() - 3].to_owned());
    assert_eq!(files.collect::<Vec<_>>(), listed);
}

/// The picture of a crowd stands between the commands that draw it and its caption.
#[test]
fn a_crowds_picture_stands_below_its_commands() {
    let page_of = |run: &Run| run.name.split('/').next().unwrap_or_default();
    for run in RUNS {
        let (name, text) = (run.name, page(&format!("{}.md", page_of(&run))));
        let part =
            [section(&text, "A crowd"), section(&text, "Watch it run")].concat();
        let typed: Vec<_> =
            part.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        // A page can have several pictures.
        let mut commands = Vec::new();
        for run in RUNS.iter().filter(|other| page_of(other) == page_of(&run)) {
            commands
                .extend(run.servers.iter().map(|server| server.command.to_owned()));
            commands.push(run.command());
        }
        assert_eq!(typed, commands, "{name}");
        let picture = format!("](generated/{name}/crowd.svg)\n\n<figcaption>\n");
        let above = part.split(&picture).next().unwrap_or_default();
        assert!(above.len() < part.len(), "{name}: no {picture}");
        let last = above.lines().rfind(|line| line.starts_with("$ "));
        assert_eq!(last, Some(&*format!("$ {}", run.command())), "{name}");
    }
}

/// Returns the marks of all pages: the page, the mark, and what follows it.
fn all_marks() -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for file in files() {
        for (mark, text) in marks(&page(&file)) {
            all.push((file.clone(), mark.to_owned(), text.to_owned()));
        }
    }
    all
}

#[test]
fn something_is_between_all_marks() {
    for (file, mark, text) in all_marks() {
        assert!(!text.trim().is_empty(), "{file}: nothing after {mark}");
    }
    for file in files() {
        assert!(!page(&file).contains("{{#"), "{file} includes a file");
    }
}

/// A mark at the beginning of a line begins a block of HTML, in which nothing is Markdown.
#[test]
fn no_figure_begins_a_line() {
    for file in files() {
        for line in page(&file).lines() {
            let begins = line.trim_start().starts_with("<!-- begin figure");
            assert!(!begins, "{file}: {line}");
        }
    }
}

/// The pages that show single lines of many programs.
const RUST_PAGES: [&str; 2] = ["rust_basics.md", "rust_ownership.md"];

/// The page that shows lines of the reader's programs, and none of ours.
const TROUBLESHOOTING: &str = "troubleshooting.md";

/// What a page shows of a program is between marks, so it is never an old copy. Only the wrong
/// lines of the common mistakes are written by hand, the lines on the pages about Rust, and the
/// lines that the page about troubleshooting suggests.
#[test]
fn code_is_generated_and_not_pasted() {
    let by_hand = [&RUST_PAGES[..], &[TROUBLESHOOTING]].concat();
    for file in files().into_iter().filter(|file| !by_hand.contains(&&**file)) {
        let mut text = page(&file);
        for (_, generated) in marks(&page(&file)) {
            text = text.replacen(generated, "", 1);
        }
        for heading in ["Common mistakes and exercises", "Common mistakes"] {
            let mistakes = section(&text, heading).to_owned();
            text = text.replace(&mistakes, "");
        }
        for language in ["rust", "python"] {
            let fence = format!("```{language}");
            assert!(!text.contains(&fence), "{file}: {fence} outside marks");
        }
    }
}

/// The pages about Rust show lines of one program at a time, in the order of the program. The
/// comment `...` stands for lines that are left out. Other comments are left out silently.
#[test]
fn the_pages_about_rust_show_lines_of_programs() {
    let programs = |folders: &[&str], ending: &str| -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        for folder in folders {
            collect(&top().join(folder), ending, &mut paths);
        }
        let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
        texts.map(|text| lines_without_comments(&text)).collect()
    };
    for (language, comment, programs) in [
        ("rust", "// ...", programs(&["examples", "src"], "rs")),
        ("python", "# ...", programs(&["docs/python"], "py")),
    ] {
        for file in RUST_PAGES {
            let text = page(file);
            let fence = format!("```{language}\n");
            assert!(text.contains(&fence), "{file}: no lines of {language}");
            let blocks = text.split(&fence).skip(1);
            for block in blocks.map(|block| block.split("```").next().unwrap()) {
                let lines: Vec<_> =
                    block.trim_end().lines().map(str::trim).collect();
                let runs: Vec<_> = lines.split(|line| *line == comment).collect();
                let found = programs.iter().any(|program| has_runs(program, &runs));
                assert!(found, "{file}: no program has these lines:\n{block}");
            }
        }
    }
}

/// Adds the files below a folder that have this ending, without the reader's own files.
fn collect(folder: &Path, ending: &str, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name =
            path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, ending, paths);
        } else if path.extension().is_some_and(|found| found == ending)
            && !name.starts_with("my_")
        {
            paths.push(path);
        }
    }
}

fn lines_without_comments(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| {
        let is_comment = line.starts_with("//") || line.starts_with('#');
        !line.is_empty() && (!is_comment || line.starts_with("#["))
    });
    lines.map(str::to_owned).collect()
}

/// Returns whether a program has all runs of lines, one after the other.
fn has_runs(program: &[String], runs: &[&[&str]]) -> bool {
    let mut rest = program;
    runs.iter().filter(|run| !run.is_empty()).all(|run| {
        let start = rest.windows(run.len()).position(|window| window == *run);
        rest = &rest[start.map_or(rest.len(), |start| start + run.len())..];
        start.is_some()
    })
}

/// A page shows each picture, and each figure and terminal that is made.
#[test]
fn everything_that_is_generated_is_shown() {
    let shown: String = files().iter().map(|file| page(file)).collect();
    let mut folders =
        vec![(top().join(PAGES).join("generated"), "generated".to_owned())];
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                folders.push((entry.path(), path));
            } else {
                // The page shows this table between marks. A recording shows its picture.
                let is_shown = path == "generated/bench/table.md"
                    || shown.contains(&format!("]({path})"))
                    || shown.contains(&format!("\"src\":\"{path}\""));
                assert!(is_shown, "{path} is on no page");
            }
        }
    }
}

/// The text alternative of a drawing is its title, also on the pages that are not lessons.
#[test]
fn every_drawing_is_shown_with_its_title() {
    let shown: String = files().iter().map(|file| page(file)).collect();
    for idea in ideas() {
        let picture = format!("![{}](generated/{}/idea.svg)", idea.title, idea.page);
        assert!(shown.contains(&picture), "on no page: {picture}");
        let words = idea.title.split(' ').count();
        assert!(words <= 20, "{words} words: {}", idea.title);
    }
}

/// The columns of the book have room for these widths. rustfmt does not check comments, and
/// nothing else checks Python.
#[test]
fn no_line_of_a_program_is_too_long_for_its_column() {
    for slide in SLIDES {
        let (python, rust) = sockets101_book::book::files(slide.name);
        for (path, most) in [(python, 80), (rust, 85)] {
            for line in program(&path).unwrap().lines() {
                assert!(
                    line.chars().count() <= most,
                    "{path}: over {most} characters: {line}"
                );
            }
        }
    }
}

/// Returns the links of a page, and the ids that mdBook gives to its headings and to the terms of
/// the glossary.
fn links_and_ids(text: &str) -> (Vec<String>, BTreeSet<String>) {
    let (mut links, mut ids) = (Vec::new(), BTreeMap::new());
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(
        text,
        Options::ENABLE_TABLES | Options::ENABLE_DEFINITION_LIST,
    ) {
        match event {
            Event::Start(
                Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. },
            ) => links.push(dest_url.to_string()),
            Event::Start(Tag::Heading { level, .. }) => {
                assert!(level <= HeadingLevel::H3, "{text}");
                heading = Some(String::new());
            }
            Event::Start(Tag::DefinitionListTitle) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_) | TagEnd::DefinitionListTitle) => {
                let words = heading.take().unwrap_or_default().trim().to_lowercase();
                let kept = words
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                let id: String =
                    kept.map(|c| if c == ' ' { '-' } else { c }).collect();
                *ids.entry(id).or_insert(0) += 1;
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            _ => {}
        }
    }
    for (id, count) in &ids {
        assert_eq!(*count, 1, "two headings have the id {id}");
    }
    (links, ids.into_keys().collect())
}

/// Returns the names of the steps of the replays of a page, as `docs/theme/replay.js` reads them
/// from an address.
fn ids_of_steps(text: &str) -> BTreeSet<String> {
    const SCRIPT: &str = "<script type=\"application/json\" data-language=\"";
    let mut ids = BTreeSet::new();
    for replay in text.split("<div class=\"watch\" data-program=\"").skip(1) {
        let replay = replay.split("</div>").next().unwrap_or_default();
        let program = replay.split('"').next().unwrap_or_default();
        let which = if program.ends_with("-short") { "short-" } else { "" };
        for script in replay.split(SCRIPT).skip(1) {
            let language = if script.starts_with("python") { "python-" } else { "" };
            // In a text of the recording, a backslash stands before each quotation mark.
            let count = script.matches("\"say\":").count();
            ids.extend(
                (1..=count).map(|step| format!("{which}{language}step-{step}")),
            );
        }
    }
    ids
}

#[test]
fn a_step_has_a_name_exactly_if_the_replay_has_the_step() {
    let script = |language: &str, steps: &str| {
        format!(
            "<script type=\"application/json\" data-language=\"{language}\">\
             {{\"steps\": [{steps}]}}</script>\n"
        )
    };
    let one = r#"{"say": "A program prints \"say\": and exits."}"#;
    let two = format!("{one}, {one}");
    let page = [
        "<div class=\"watch\" data-program=\"a-short\">\n",
        &script("rust", one),
        "</div>\n\n<div class=\"watch\" data-program=\"a\">\n",
        &script("rust", &two),
        &script("python", one),
        "</div>\n",
    ]
    .concat();
    let expected = ["python-step-1", "short-step-1", "step-1", "step-2"];
    assert_eq!(ids_of_steps(&page), expected.map(str::to_owned).into());
    assert_eq!(ids_of_steps("No replay, but \"say\": 1."), BTreeSet::new());
}

/// Resolves the `..` in a path.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn every_internal_link_and_its_anchor_exist() {
    for file in files() {
        let text = page(&file);
        for link in links_and_ids(&text).0 {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let mut target = PathBuf::from(&file);
            if !path.is_empty() {
                target.pop();
                target.push(path);
            }
            let whole = plain(&top().join(PAGES).join(target));
            assert!(whole.exists(), "{file}: {link}");
            assert!(whole.starts_with(top()), "{file}: {link}");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&whole).unwrap();
                let mut ids = links_and_ids(&text).1;
                ids.extend(ids_of_steps(&text));
                assert!(ids.contains(anchor), "{file}: {link}: {ids:?}");
            }
        }
    }
}

#[test]
fn every_external_link_is_well_formed_and_listed() {
    let external = |file: &str| -> BTreeSet<String> {
        let links = links_and_ids(&page(file)).0;
        links.into_iter().filter(|link| link.contains("://")).collect()
    };
    let listed = external("links.md");
    let mut used = BTreeSet::new();
    for file in files() {
        for link in external(&file) {
            let url = Url::parse(&link)
                .unwrap_or_else(|err| panic!("{file}: {link}: {err}"));
            assert_eq!(url.scheme(), "https", "{file}: {link}");
            assert!(
                url.host_str().is_some_and(|host| host.contains('.')),
                "{file}: {link}"
            );
            assert_eq!(url.as_str(), link, "{file}: not as it is sent");
            if file != "links.md" {
                used.insert(link);
            }
        }
    }
    assert_eq!(
        used.difference(&listed).collect::<Vec<_>>(),
        [""; 0],
        "not in links.md"
    );
}
