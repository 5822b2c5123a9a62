//! The text of the project stays plain: words and constructions that are hard to read for
//! people whose first language is not English do not come back.
//!
//! The table [`RULES`] has these words, and what to write instead. It only has words that are
//! almost never right. If you need one of them all the same, for example in a quotation, narrow
//! its rule.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// Words to avoid.
struct Rule {
    /// Words that follow each other. `a|b` is one of two words, `*` is any word. A sign such as
    /// `-` counts as a word.
    avoid: &'static str,
    instead: &'static str,
    /// The rule does not apply after these words, or before these words.
    unless: &'static str,
}

const fn rule(avoid: &'static str, instead: &'static str) -> Rule {
    Rule { avoid, instead, unless: "" }
}

const fn rule_unless(
    avoid: &'static str,
    instead: &'static str,
    unless: &'static str,
) -> Rule {
    Rule { avoid, instead, unless }
}

const RULES: &[Rule] = &[
    // Who does it? Name the actor.
    rule("nobody|noone", "no client, no program, no server: name it"),
    rule("somebody|someone", "a client, a program, you: name it"),
    rule("everybody|everyone", "all clients, all programs: name them"),
    rule("anybody", "a client, a program, you: name it"),
    rule("whoever|whomever", "a client that, a program that"),
    rule("those|ones|one who", "clients that, programs that"),
    rule("who is|are ready", "which sockets are ready"),
    rule("one ' s own", "your own"),
    // Say it with an everyday word.
    rule("anew", "again"),
    rule("lest", "so that ... not"),
    rule("for ever", "forever"),
    rule("in vain", "without success, or what happens instead"),
    rule("for want of", "because ... is missing"),
    rule("in place of|in the stead of", "instead of"),
    rule("beside", "next to, or besides"),
    rule("to|can|could|may be had", "is available"),
    rule("ought|shall", "should, must"),
    rule("whence|whereby|wherein|thereof|hitherto|whilst|albeit", "a plain word"),
    rule("nothing|none but", "only"),
    rule("so as to", "to, so that"),
    rule("of its own accord", "by itself"),
    rule("the former|latter", "repeat the noun"),
    rule("e . g", "for example"),
    rule("i . e", "that is"),
    // Say it with a plain construction.
    rule("tell|tells|told|telling of", "report, print, show, say that"),
    rule_unless(
        "is|are|was|were no *",
        "is not a, does not have",
        "there is|are|was|were no, no longer",
    ),
    rule("that|which is|are none", "that is not a"),
    rule("which it|that is|are|was|were not", "but it is not: a new sentence"),
    rule("is|are|was|were to be", "must be, is"),
    // One thing has one name.
    rule_unless("twin|twins", "Python version", "/ twins"), // .ci/twins
    rule_unless(
        "the system",
        "the kernel, the operating system",
        "the system call|calls",
    ),
    rule("listen|listens|listening|listened at", "listen on"),
    rule("listen_at", "listen"),
    rule("hang|hangs|hanging|hung up", "close gracefully"),
    rule("end|ends|ended|ending its|their|our|your side", "close its sending side"),
    rule("time limit", "timeout"),
    rule("silent for * s", "timed out: nothing received for N s"),
    rule("not utf - 8", "invalid UTF-8, invalid bytes"),
    rule("flaw|flaws|flawed", "invalid bytes, bug"),
    rule("visit|visits|visited|visitor|visitors", "connection, session, result"),
    rule("verdict|verdicts", "result"),
    rule("wait|waits|waiting|waited for an answer", "wait for a reply"),
    rule("dies|died|dying of", "crashes because of, exits after"),
    rule("upper case of bytes", "ASCII upper case"),
    rule("to the room", "to other machines on the network"),
    rule("1 hops", "1 hop"),
    rule("there is|are no|none", "say what happens instead"),
];

/// The folders that are searched, with the endings of their files.
const FOLDERS: [(&str, &str); 13] = [
    ("src", "rs"),
    ("examples", "rs"),
    ("examples", "md"),
    ("examples", "py"),
    ("docs/python", "py"),
    ("docs/src", "md"),
    ("docs/generator", "rs"),
    ("docs/generator", "py"),
    ("docs/theme", "css"),
    ("docs/theme", "js"),
    (".ci/browser", "mjs"),
    ("tests", "rs"),
    ("tests", "c"),
];

/// This file has all the words. The other folders have what programs have made, or what a
/// student has written.
fn is_skipped(path: &str) -> bool {
    path == "tests/it/plain_words.rs"
        || path == "docs/src/generated"
        || path.contains("/my_")
        || path.ends_with("/target")
}

fn collect(folder: &Path, ending: &str, paths: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap().replace('\\', "/");
        if is_skipped(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, ending, paths);
        } else if path.extension().is_some_and(|found| found == ending) {
            paths.insert(name);
        }
    }
}

fn searched_files() -> BTreeSet<String> {
    let mut paths = BTreeSet::from(
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned),
    );
    for (folder, ending) in FOLDERS {
        collect(Path::new(folder), ending, &mut paths);
    }
    paths
}

/// A word in lower case, or a sign, with the number of its line.
type Word = (String, usize);

/// Splits a text into words. A sentence may continue on the next line, so the marks of
/// comments at the start of a line, and the `\` at its end, are not words.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_end_matches('\\').to_lowercase();
        let line = line.trim_start_matches(['/', '!', '#', '*', '>', ' ']);
        if line.is_empty() {
            words.push(("\n".to_owned(), number + 1)); // A new paragraph.
        }
        let mut word = String::new();
        for c in line.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                words.push((std::mem::take(&mut word), number + 1));
            }
            // The marks of bold text and of code do not separate words.
            if !c.is_whitespace() && c != '*' && c != '`' {
                words.push((c.to_string(), number + 1));
            }
        }
    }
    words
}

/// Returns true if the words begin with the pattern.
fn matches(pattern: &str, words: &[Word]) -> bool {
    let mut words = words.iter();
    pattern.split(' ').all(|part| {
        words.next().is_some_and(|(word, _)| {
            let is_word = word.chars().all(char::is_alphanumeric);
            (part == "*" && is_word) || part.split('|').any(|one| one == word)
        })
    })
}

/// Returns the rules that can match at each word, so that the search is fast.
fn rules_by_first_word() -> HashMap<&'static str, Vec<&'static Rule>> {
    let mut rules: HashMap<_, Vec<_>> = HashMap::new();
    for rule in RULES {
        let first = rule.avoid.split(' ').next().unwrap();
        for word in first.split('|') {
            rules.entry(word).or_default().push(rule);
        }
    }
    rules
}

/// Returns a line for each breach of the rules.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let words = words(text);
    let rules = rules_by_first_word();
    let mut breaches = Vec::new();
    for (start, (word, line)) in words.iter().enumerate() {
        for rule in rules.get(&**word).into_iter().flatten() {
            if !matches(rule.avoid, &words[start..])
                || is_excepted(rule, &words, start)
            {
                continue;
            }
            let length = rule.avoid.split(' ').count();
            let phrase: Vec<_> =
                words[start..start + length].iter().map(|word| &*word.0).collect();
            let phrase = phrase.join(" ");
            breaches
                .push(format!("{path}:{line}: {phrase:?}; write: {}", rule.instead));
        }
    }
    breaches
}

/// Returns true if an exception begins one word before the phrase, at its first word, or at
/// its second word.
fn is_excepted(rule: &Rule, words: &[Word], start: usize) -> bool {
    let starts = start.saturating_sub(1)..words.len().min(start + 2);
    let excepted =
        |unless: &str| starts.clone().any(|start| matches(unless, &words[start..]));
    !rule.unless.is_empty() && rule.unless.split(", ").any(excepted)
}

#[test]
fn the_text_is_plain() {
    let mut found = Vec::new();
    for path in searched_files() {
        let text = fs::read_to_string(&path).unwrap();
        found.extend(breaches(&path, &text));
    }
    assert!(found.is_empty(), "{} breaches:\n{}", found.len(), found.join("\n"));
}

/// The search finds what it must, also across lines, and nothing else.
#[test]
fn the_search_for_words_works() {
    for (text, expected) in [
        ("Nobody came.", "x:1: \"nobody\""),
        ("a\n\n/// This tells\n/// of it.", "x:3: \"tells of\""),
        ("    \"it waits for \\\n     ever\"", "x:1: \"for ever\""),
        ("# It is no\n# block.", "x:1: \"is no block\""),
        ("let visit = 1;", "x:1: \"visit\""),
        ("bytes that are not UTF-8", "x:1: \"not utf - 8\""),
        ("**the** `system`'s", "x:1: \"the system\""),
    ] {
        let breaches = breaches("x", text);
        assert_eq!(breaches.len(), 1, "{text}: {breaches:?}");
        assert!(breaches[0].starts_with(expected), "{breaches:?}");
    }
    for text in [
        "The list does not contain a socket. It is no longer open.",
        "Is there anything in the systems? The system call, for every byte.",
        "It tells the reader of this.",
        "It waits for.\n\nEver since, it is. No socket.",
    ] {
        assert_eq!(breaches("x", text), [""; 0], "{text}");
    }
}

/// Two rules must not report the same phrase, and each rule must be able to match.
#[test]
fn each_rule_finds_its_own_words_only() {
    for rule in RULES {
        let word = |part: &str| part.split('|').next().unwrap().replace('*', "word");
        let text: Vec<_> = rule.avoid.split(' ').map(word).collect();
        let breaches = breaches("x", &text.join(" "));
        assert_eq!(breaches.len(), 1, "{}: {breaches:?}", rule.avoid);
    }
}
