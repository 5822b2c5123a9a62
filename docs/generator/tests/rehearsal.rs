//! Plays the paths as students do: they type each line of a step, and make a typo. `live` must
//! name the step each time, and find each typo.
//!
//! These tests call the functions with which `live` compares programs. The other tests of `live`
//! start the program (tests/it/live.rs).

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::sync::Mutex;
use std::thread;

use sockets101_book::script::{By, PATHS};
use sockets101_book::steps::source;

// The parts of `live` that compare programs. The skips are for rustfmt, which would format the
// files with the settings of this folder.
#[allow(dead_code)] // `live` uses the rest.
#[rustfmt::skip]
#[path = "../../../examples/tools/live/align.rs"]
mod align;
#[rustfmt::skip]
#[path = "../../../examples/tools/common/compare.rs"]
mod compare;
#[allow(dead_code)] // As above.
#[rustfmt::skip]
#[path = "../../../examples/tools/live/items.rs"]
mod items;
#[allow(dead_code)] // As above.
#[rustfmt::skip]
#[path = "../../../examples/tools/live/place.rs"]
mod place;
#[allow(dead_code)] // As above.
#[rustfmt::skip]
#[path = "../../../examples/tools/live/tokens.rs"]
mod tokens;

use place::find;
use tokens::tokens;

/// Returns the texts of the steps of a lesson, from step 0 on.
fn texts(lesson: &str) -> Vec<String> {
    let path = PATHS.into_iter().find(|path| path.lesson == lesson).unwrap();
    let mut texts = Vec::new();
    for number in 0..=path.steps.len() {
        texts.push(source(path, number).unwrap());
    }
    if path.from.is_none() {
        place::START.clone_into(&mut texts[0]);
    }
    texts
}

/// Does something with each of these, with several of them at the same time.
fn at_once<T: Send>(all: impl IntoIterator<Item = T>, action: impl Fn(T) + Sync) {
    let all: Vec<T> = all.into_iter().collect();
    let queue = Mutex::new(all.into_iter());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some(next) = next else { break };
                    action(next);
                }
            });
        }
    });
}

#[test]
fn each_step_is_found_as_it_is() {
    for path in PATHS {
        let lesson = path.lesson;
        let steps = texts(lesson);
        for (number, text) in steps.iter().enumerate() {
            let what = format!("{lesson}, step {number}");
            let place = find(text, &steps);
            assert_eq!((place.number, place.begun), (number, 0), "{what}");
            assert!(place.mistakes.is_empty(), "{what}: {:?}", place.mistakes);
            assert_eq!(place.own_lines, [0; 0], "{what}");
        }
    }
}

/// Returns a program in which one token has a typo.
fn with_typo(text: &str, token: &tokens::Token) -> (String, String) {
    let quoted = token.text.starts_with(['"', '\'']);
    let typo = if quoted {
        token.text.replacen(|c: char| c.is_alphabetic(), "#", 1)
    } else {
        token.text.to_owned() + "q"
    };
    let end = token.start + token.text.len();
    (format!("{}{typo}{}", &text[..token.start], &text[end..]), typo)
}

/// Puts a typo into a word of a step, and checks that exactly this typo is found.
fn check_typo(number: usize, token: &tokens::Token, steps: &[String]) {
    let (own, typo) = with_typo(&steps[number], token);
    if own == steps[number] {
        return; // A text in quotes without a letter.
    }
    let what = format!("step {number}, line {}: {typo}", token.line);
    let place = find(&own, steps);
    assert_eq!((place.number, place.target), (number, number), "{what}");
    let words = (typo.as_str(), token.text);
    let is_typo = |mistake: &&place::Mistake| {
        mistake.line == token.line && (&*mistake.own, &*mistake.step) == words
    };
    let found = place.mistakes.iter().find(is_typo);
    assert!(found.is_some(), "{what}: {:#?}", place.mistakes);
    // Without `return`, the semicolon counts, too.
    let is_alone = place.mistakes.len() == 1 || token.text == "return";
    assert!(is_alone, "{what}: {:#?}", place.mistakes);
    assert!(place.own_lines.is_empty(), "{what}: {:?}", place.own_lines);
}

/// A missing bracket or sign is found in its line, or in a line next to it.
#[test]
fn a_missing_sign_is_found() {
    let steps = texts("tcp_server");
    at_once(1..steps.len(), |number| {
        let step = &steps[number];
        for token in tokens(step) {
            if !"(){}[]?;&".contains(token.text) {
                continue;
            }
            let mut own = step.clone();
            own.remove(token.start);
            let what = format!("step {number}, line {}: {}", token.line, token.text);
            let place = find(&own, &steps);
            assert_eq!(place.number, number, "{what}");
            let is_near = |mistake: &place::Mistake| {
                (token.line - 1..=token.line + 1).contains(&mistake.line)
            };
            assert!(
                place.mistakes.iter().any(is_near),
                "{what}: {:#?}",
                place.mistakes
            );
            let is_nonsense = |mistake: &place::Mistake| mistake.own == mistake.step;
            let nonsense = place.mistakes.iter().any(is_nonsense);
            assert!(!nonsense, "{what}: {:#?}", place.mistakes);
        }
    });
}

#[test]
fn a_typo_in_any_word_of_any_line_is_found() {
    let steps = texts("tcp_server");
    at_once(1..steps.len(), |number| {
        for token in tokens(&steps[number]) {
            if token.is_word() {
                check_typo(number, &token, &steps);
            }
        }
    });
}

/// For the other lessons, a word of each new line is enough, because their steps are longer.
#[test]
fn a_typo_in_any_new_line_of_any_lesson_is_found() {
    at_once(PATHS, |path| {
        let lesson = path.lesson;
        let steps = texts(lesson);
        for (number, text) in steps.iter().enumerate().skip(1) {
            let all_new = compare::new_lines(&steps[number - 1], text);
            let mut last_line = 0;
            for token in tokens(text) {
                let is_new = all_new[token.line - 1];
                if token.is_word() && token.line != last_line && is_new {
                    last_line = token.line;
                    check_typo(number, &token, &steps);
                }
            }
        }
    });
}

/// A student types the lines of a step one after another, from the first to the last.
#[test]
fn each_line_that_a_student_types_counts() {
    at_once(PATHS, |path| {
        let lesson = path.lesson;
        let steps = texts(lesson);
        for number in 1..steps.len() {
            let all = compare::new_lines(&steps[number - 1], &steps[number])
                .into_iter()
                .filter(|is_new| *is_new)
                .count();
            if path.steps[number - 1].by == By::CatchUp {
                continue;
            }
            let mut last = 0;
            for typed in 0..=all {
                let own = partly_typed(&steps[number - 1], &steps[number], typed);
                let place = find(&own, &steps);
                let what =
                    format!("{lesson}, step {number}, {typed} of {all} lines");
                let is_there = place.number == number;
                assert!(is_there || place.number == number - 1, "{what}");
                let reached = if is_there { all } else { place.begun };
                assert!(reached >= last, "{what}: {reached} after {last}");
                assert!(reached + 3 >= typed, "{what}: only {reached}");
                last = reached;
            }
        }
    });
}

/// Returns a program with the first `typed` new lines of a step. The lines that the step removes
/// are still there.
fn partly_typed(old: &str, new: &str, typed: usize) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let pairs = compare::same_lines(&old, &new);
    let mut own: Vec<&str> = Vec::new();
    let mut left = typed;
    let mut next_old = 0;
    for (index, line) in new.iter().enumerate() {
        if let Some((i, _)) = pairs.iter().find(|(_, j)| *j == index) {
            own.extend(&old[next_old..*i]);
            next_old = i + 1;
            own.push(line);
        } else if line.trim().is_empty() {
            own.push(line);
        } else if left > 0 {
            left -= 1;
            own.push(line);
        }
    }
    own.extend(&old[next_old..]);
    own.join("\n")
}
