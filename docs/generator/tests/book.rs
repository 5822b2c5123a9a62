//! The book is consistent: pages, examples, included files, links.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use sockets101_book::book::{BEYOND, SLIDES, pages, part};
use sockets101_book::crowd::RUNS;
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
    assert_eq!(
        names("examples/beyond", ".rs"),
        BTreeSet::from([BEYOND.0.to_owned()])
    );
    assert_eq!(programs, slides.iter().cloned().collect());
    assert_eq!(names("docs/python", ".py"), slides.iter().cloned().collect());
    // The numbered chapters of the summary: their numbers are those of the slides.
    let summary = read("docs/src/SUMMARY.md").unwrap();
    let numbered = summary.lines().filter_map(|line| {
        line.strip_prefix("- [")?.split_once("](")?.1.strip_suffix(".md)")
    });
    assert_eq!(numbered.collect::<Vec<_>>(), slides);
    let listed: BTreeSet<_> =
        files().into_iter().chain(["SUMMARY.md".to_owned()]).collect();
    let there =
        names(PAGES, ".md").into_iter().map(|name| format!("{name}.md")).collect();
    assert_eq!(listed, there);
}

/// The parts of a lesson's page, in this order. Two are optional: some servers have no picture
/// of a crowd, and some lessons are not based on another one.
const PARTS: [&str; 9] = [
    "Run it",
    "Python and Rust",
    "On the wire",
    "A crowd",
    "What to look for",
    "What the slide does",
    "What changed",
    "Predict, then run",
    "For the instructor",
];

#[test]
fn a_slides_page_has_its_parts_in_order() {
    for slide in SLIDES {
        let (name, text) = (slide.name, page(&format!("{}.md", slide.name)));
        let (before, _) = text.split_once("\n## ").unwrap();
        for file in
            [format!("(../../examples/{name}.rs)"), format!("(../python/{name}.py)")]
        {
            assert!(
                before.contains(&file),
                "{name}: no link to {file} in its first lines"
            );
        }
        assert!(
            before.trim_end().ends_with('?'),
            "{name} does not ask what it answers"
        );
        let parts: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let has = |part: &&str| match *part {
            "A crowd" => RUNS.iter().any(|run| run.name == name),
            "What changed" => slide.from.is_some(),
            _ => true,
        };
        let expected: Vec<_> = PARTS.into_iter().filter(has).collect();
        assert_eq!(parts, expected, "{name}");
        for part in ["**Ask**", "**Demo**", "**Note**", "**If it fails**"] {
            assert!(text.contains(&format!("\n- {part}")), "{name}: no {part}");
        }
        let questions = text.split("## Predict, then run").nth(1).unwrap();
        let questions = questions.split("## ").next().unwrap();
        let answers = questions.matches("<summary>Answer</summary>").count();
        assert!((2..=3).contains(&answers), "{name}: {answers} answers");
        for include in [
            format!("../../examples/{name}.rs:program"),
            format!("../python/{name}.py:program"),
        ] {
            assert!(
                text.contains(&format!("{{{{#include {include}}}}}")),
                "{name}: no {include}"
            );
        }
    }
}

/// The picture of a crowd stands between the command that draws it and its caption.
#[test]
fn a_crowds_picture_stands_below_its_command() {
    for run in RUNS {
        let (name, text) = (run.name, page(&format!("{}.md", run.name)));
        let part =
            text.split("\n## A crowd\n").nth(1).unwrap_or_else(|| panic!("{name}"));
        let part = part.split("\n## ").next().unwrap();
        let command = format!("$ {}", run.command());
        let typed: Vec<_> =
            part.lines().filter(|line| line.starts_with("$ ")).collect();
        assert_eq!(typed, [&command], "{name}");
        let picture = format!(
            "<figure class=\"drawing\">\n{{{{#include generated/{name}/crowd.svg}}}}\n<figcaption>\n"
        );
        assert!(part.contains(&picture), "{name}: no {picture}");
    }
}

/// Returns what the book includes: the page, the file, and the anchor if there is one.
fn includes() -> Vec<(String, String, Option<String>)> {
    let mut all = Vec::new();
    for file in files() {
        let text = page(&file);
        for include in text.split("{{#include ").skip(1) {
            let what = include.split("}}").next().unwrap();
            let (path, anchor) = match what.split_once(':') {
                Some((path, anchor)) => (path, Some(anchor.to_owned())),
                None => (what, None),
            };
            all.push((file.clone(), path.to_owned(), anchor));
        }
    }
    all
}

#[test]
fn every_included_file_and_anchor_exists() {
    for (file, path, anchor) in includes() {
        let path = format!("{PAGES}/{path}");
        let included = match anchor {
            Some(anchor) => part(&path, &anchor),
            None => read(&path),
        };
        let text = included.unwrap_or_else(|err| panic!("{file}: {err}"));
        assert!(!text.trim().is_empty(), "{file}: {path} is empty");
    }
}

/// A program has only one pair of anchors, around everything except its header.
#[test]
fn no_file_has_more_than_one_pair_of_anchors() {
    for (_, path, _) in includes() {
        let text = read(&format!("{PAGES}/{path}")).unwrap();
        if !path.ends_with("figures.txt") {
            assert!(text.matches("ANCHOR: ").count() <= 1, "{path}");
        }
    }
}

/// Programs are included from their files. No page has a copy of one. The wrong lines of Python
/// on the page "What `check` says" are from the table of `check`.
#[test]
fn code_is_included_and_not_pasted() {
    for file in files().into_iter().filter(|file| file != "check_says.md") {
        let text = page(&file);
        let mut language = None;
        for line in text.lines() {
            match line.trim_start().strip_prefix("```") {
                Some(info) => language = language.is_none().then(|| info.to_owned()),
                None if matches!(language.as_deref(), Some("rust" | "python")) => {
                    assert!(line.starts_with("{{#include "), "{file}: {line}");
                }
                None => {}
            }
        }
    }
}

/// A page shows each generated file.
#[test]
fn everything_that_is_generated_is_shown() {
    let shown: BTreeSet<_> =
        includes().into_iter().map(|(_, path, _)| path).collect();
    let mut folders =
        vec![(top().join(PAGES).join("generated"), "generated".to_owned())];
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                folders.push((entry.path(), path));
            } else {
                assert!(shown.contains(&path), "{path} is on no page");
            }
        }
    }
    let figures = read("docs/src/generated/figures.txt").unwrap();
    let quoted: BTreeSet<_> =
        includes().into_iter().filter_map(|(_, _, anchor)| anchor).collect();
    for name in figures.lines().filter_map(|line| line.strip_prefix("ANCHOR: ")) {
        assert!(quoted.contains(name), "no page quotes the figure {name}");
    }
}

/// The columns of the book have room for these widths. rustfmt does not check comments, and
/// nothing else checks Python.
#[test]
fn no_line_of_a_program_is_too_long_for_its_column() {
    for (_, path, anchor) in includes() {
        let most = match path.rsplit_once('.') {
            Some((_, "rs")) => 85,
            Some((_, "py")) => 80,
            _ => continue,
        };
        let text = part(&format!("{PAGES}/{path}"), &anchor.unwrap()).unwrap();
        for line in text.lines() {
            assert!(
                line.chars().count() <= most,
                "{path}: over {most} characters: {line}"
            );
        }
    }
}

/// Returns the links of a page, and the ids that mdBook gives to its headings.
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
            Event::End(TagEnd::Heading(_)) => {
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
            let target = if path.is_empty() { file.as_str() } else { path };
            let whole = plain(&top().join(PAGES).join(target));
            assert!(whole.exists(), "{file}: {link}");
            assert!(whole.starts_with(top()), "{file}: {link}");
            if !anchor.is_empty() {
                let ids = links_and_ids(&page(target)).1;
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
