//! Finds out where a student is: which step, how much of the next step, and which lines differ.

use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};

use super::align::{Alignment, Difference, Program, align, differences};
use super::compare::{best_pairs, new_lines};
use super::tokens::{Token, tokens, tokens_with_braces};

/// The file with which most paths begin. Cargo does not build a program without `main`.
pub const START: &str = "fn main() {}\n";

/// A line counts as begun if the student's program has so much of it, in percent.
const BEGUN: u32 = 60;

/// A word with a typo has so much in common with the right word, in percent.
const SIMILAR: usize = 75;

/// If two steps are about equally near, the number of lines that differ decides.
const ABOUT: u32 = 10;

/// A program with fewer lines is not called another program.
const MANY: usize = 10;

/// How far a student is.
pub struct Place {
    /// The step that the student's program is most like.
    pub number: usize,
    /// The step that the student's program is compared with. It is the next step if the student
    /// has begun to type this step.
    pub target: usize,
    /// For each line of the next step, whether it is new.
    pub is_new: Vec<bool>,
    /// For each line of the next step, whether it is new and the student has typed it completely.
    pub is_typed: Vec<bool>,
    /// The number of new lines of the next step that the student has begun.
    pub begun: usize,
    /// The numbers of the student's lines that are in neither step.
    pub own_lines: Vec<usize>,
    /// What else differs from `target`.
    pub mistakes: Vec<Mistake>,
    /// For each line of `target`, whether the student has all of it.
    pub has_line: Vec<bool>,
    /// The student's program has little in common with any step.
    pub is_other: bool,
    /// How much differs from `target`: the number of lines, and their weight.
    size: (usize, u32),
}

/// One place where the student's program differs from a step.
#[derive(Debug)]
pub struct Mistake {
    /// The number of the student's line.
    pub line: usize,
    /// What the student has there. It is empty if something is missing.
    pub own: String,
    /// What the step has there. It is empty if the student has too much.
    pub step: String,
    /// What kind of difference it is.
    pub kind: Kind,
    /// The lines of the step that differ, or next to which the student has too much.
    pub step_lines: RangeInclusive<usize>,
    /// It is one token in a line that is right, a word that is almost right, or a bracket.
    pub is_small: bool,
    /// The weight of what differs.
    weight: u32,
}

/// The kinds of mistakes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// Something in a line differs.
    Differs,
    /// Whole lines are missing after this line.
    MissingLines,
    /// Whole lines stand in the wrong place. They belong after the student's line with this
    /// number. The beginning of the file has the number 0.
    Moved(usize),
}

/// Finds out where a student is. `texts` are the texts of all steps, from step 0 on.
pub fn find(own: &str, texts: &[String]) -> Place {
    let number = nearest(own, texts);
    let place = find_near(own, texts, number, tokens);
    if place.size == (0, 0) {
        return place;
    }
    // If the student has forgotten a brace, the places are clearer when all braces count.
    let other = find_near(own, texts, number, tokens_with_braces);
    if other.size < place.size { other } else { place }
}

/// Returns the number of the step that a student's program is most like.
fn nearest(own: &str, texts: &[String]) -> usize {
    let own = Program::new(own);
    let steps: Vec<Program> = texts.iter().map(|text| Program::new(text)).collect();
    // A step of about the same size is probably the nearest one, so it comes first. The cost is
    // never less than the difference of the sizes.
    let mut by_size: Vec<(u32, usize)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        by_size.push((own.total_weight().abs_diff(step.total_weight()), number));
    }
    by_size.sort_unstable();
    let mut candidates = Vec::new();
    let mut least = u32::MAX - ABOUT;
    for (least_cost, number) in by_size {
        if least_cost > least + ABOUT {
            break;
        }
        let own = own.in_order_of(&steps[number]);
        let alignment = align(&own, &steps[number], &HashSet::new());
        let cost = alignment.cost(&own, &steps[number]);
        least = least.min(cost);
        candidates.push((cost, number, own, alignment));
    }
    candidates.retain(|(cost, ..)| *cost <= least + ABOUT);
    if let [(_, number, ..)] = &candidates[..] {
        return *number;
    }
    let mut best = None;
    for (cost, number, own, alignment) in candidates {
        let step = &steps[number];
        let found = Comparison { own: &own, step, alignment: &alignment, before: None }.found();
        // Two steps can differ only in their comments.
        let is_new = [new_lines(own.text, step.text), new_lines(step.text, own.text)].concat();
        let all_lines = is_new.into_iter().filter(|is_new| *is_new).count();
        let (lines, _) = found.size();
        let distance = (lines, cost, all_lines, number);
        if best.is_none_or(|best| distance < best) {
            best = Some(distance);
        }
    }
    best.map_or(0, |(_, _, _, number)| number)
}

/// Compares a student's program with a step and with the next step.
fn find_near<'a>(
    own: &'a str,
    texts: &'a [String],
    number: usize,
    tokens: fn(&'a str) -> Vec<Token<'a>>,
) -> Place {
    let step = Program::of(&texts[number], tokens(&texts[number]));
    let program = Program::of(own, tokens(own));
    let own = program.in_order_of(&step);
    let here = align(&own, &step, &HashSet::new());
    let comparison = Comparison { own: &own, step: &step, alignment: &here, before: None };
    let mut place = Place {
        number,
        target: number,
        is_new: Vec::new(),
        is_typed: Vec::new(),
        begun: 0,
        own_lines: Vec::new(),
        mistakes: Vec::new(),
        has_line: Vec::new(),
        is_other: false,
        size: (0, 0),
    };
    place.take(&comparison);
    let Some(text) = texts.get(number + 1) else { return place };
    let next = Program::of(text, tokens(text));
    let mut old = HashSet::new();
    for (index, token) in own.tokens.iter().enumerate() {
        if here.own[index].is_some() {
            old.insert(token.start);
        }
    }
    let own = program.in_order_of(&next);
    let there = align(&own, &next, &old);
    let before = Before { old, is_new: new_lines(&texts[number], text) };
    let comparison =
        Comparison { own: &own, step: &next, alignment: &there, before: Some(&before) };
    let (is_typed, begun) = comparison.typed(&before);
    place.is_typed = vec![false; is_typed.len()];
    if begun > 0 && comparison.found().size() < place.size {
        place.take(&comparison);
        place.target = number + 1;
        place.begun = begun;
        place.is_typed = is_typed;
    }
    place.is_new = before.is_new;
    place
}

impl Place {
    /// Takes over what a comparison finds.
    fn take(&mut self, comparison: &Comparison) {
        let Comparison { own, step, alignment, .. } = comparison;
        let found = comparison.found();
        self.size = found.size();
        self.own_lines = found.own_lines;
        self.mistakes = found.mistakes;
        self.has_line = Vec::new();
        for line in 1..=step.text.lines().count() {
            let tokens = step.tokens_of_line(line);
            self.has_line.push(alignment.step[tokens].iter().all(Option::is_some));
        }
        let mut unknown = 0;
        for (index, token) in own.tokens.iter().enumerate() {
            if alignment.is_unknown(index) {
                unknown += token.weight();
            }
        }
        // Most of the student's program is not in the step, and most of the step is not there.
        let all = own.total_weight() + step.total_weight();
        self.is_other = own.text.lines().count() >= MANY
            && unknown > own.total_weight() / 2
            && alignment.cost(own, step) > all / 2;
    }
}

/// What differs between a student's program and a step.
#[derive(Default)]
struct Found {
    own_lines: Vec<usize>,
    own_weight: u32,
    mistakes: Vec<Mistake>,
}

impl Found {
    /// Returns how much differs: the number of lines, and their weight.
    fn size(&self) -> (usize, u32) {
        let mut lines = self.own_lines.len();
        let mut weight = self.own_weight;
        for mistake in &self.mistakes {
            lines += mistake.own.lines().count().max(mistake.step.lines().count());
            weight += mistake.weight;
        }
        (lines, weight)
    }
}

/// What is compared.
struct Comparison<'a> {
    own: &'a Program<'a>,
    step: &'a Program<'a>,
    /// The student's program and `step`.
    alignment: &'a Alignment,
    /// Set if `step` is the next step.
    before: Option<&'a Before>,
}

/// What the present step says about the next step.
struct Before {
    /// The starts of the student's tokens that the present step has.
    old: HashSet<usize>,
    /// For each line of the next step, whether it is new.
    is_new: Vec<bool>,
}

impl Comparison<'_> {
    /// Returns what differs.
    fn found(&self) -> Found {
        let mut found = Found::default();
        for difference in differences(self.own, self.step, self.alignment) {
            self.judge(&difference, &mut found);
        }
        let mut moved = self.alignment.moved.clone();
        // Lines that stand together are one mistake.
        moved.dedup_by(|next, last| {
            let are_together = next.own.start == last.own.end && next.step.start == last.step.end;
            if are_together {
                last.own.end = next.own.end;
                last.step.end = next.step.end;
            }
            are_together
        });
        for lines in moved {
            if self.before.is_none() || !self.is_old(&lines.own) {
                let line_before = self.alignment.line_before(self.own, &lines.step);
                let mistake = self.mistake(&lines, Kind::Moved(line_before));
                found.mistakes.push(mistake);
            }
        }
        found.mistakes.sort_by_key(|mistake| mistake.line);
        found.own_lines.sort_unstable();
        found
    }

    /// Returns true if all these tokens of the student are in the present step.
    fn is_old(&self, own: &Range<usize>) -> bool {
        let Some(before) = self.before else { return false };
        self.own.tokens[own.clone()].iter().all(|token| before.old.contains(&token.start))
    }

    /// Returns how much of a line of the step is new and typed by the student, in percent.
    fn new_percent(&self, line: usize) -> u32 {
        self.alignment.percent_of_line(self.step, line, |own| !self.is_old(&(own..own + 1)))
    }

    /// Returns true if the student's program has most of this line of the next step, and if the
    /// present step does not have it.
    fn is_begun(&self, line: usize) -> bool {
        self.new_percent(line) >= BEGUN && self.step.has_words(&self.step.tokens_of_line(line))
    }

    /// Finds out which new lines of the next step the student has typed completely, and how many
    /// the student has begun.
    fn typed(&self, before: &Before) -> (Vec<bool>, usize) {
        let own_lines: Vec<&str> = self.own.text.lines().map(str::trim).collect();
        let mut all_typed = Vec::new();
        let mut begun = 0;
        let mut is_last_typed = false;
        for (index, text) in self.step.text.lines().enumerate() {
            let line = index + 1;
            if !before.is_new[index] {
                all_typed.push(false);
                continue;
            }
            let tokens = self.step.tokens_of_line(line);
            let is_complete = self.alignment.percent_of_line(self.step, line, |_| true) == 100;
            let is_typed = if text.trim().starts_with("//") {
                own_lines.contains(&text.trim())
            } else if self.step.has_words(&tokens) {
                is_complete && self.new_percent(line) > 0
            } else {
                // A bracket alone does not show that the student has typed this line.
                is_last_typed && (tokens.is_empty() || is_complete)
            };
            is_last_typed = is_typed;
            all_typed.push(is_typed);
            begun += usize::from(is_typed || self.is_begun(line));
        }
        (all_typed, begun)
    }

    /// Adds a difference to the student's own lines, or to the mistakes.
    fn judge(&self, difference: &Difference, found: &mut Found) {
        let Difference { own, step } = difference;
        if self.is_still_to_type(difference) {
            return;
        }
        let has_whole_lines =
            step.is_empty() && self.own.begins_line(own.start) && self.own.begins_line(own.end);
        // A student may remove the empty `main` before typing the first step.
        let is_start = self.before.is_none() && self.step.text == START;
        if has_whole_lines || is_start {
            for index in own.clone() {
                let token = self.own.tokens[index];
                // The next step may replace this line of the present step.
                if self.is_old(&(index..index + 1)) {
                    continue;
                }
                found.own_weight += token.weight();
                if found.own_lines.last() != Some(&token.line) {
                    found.own_lines.push(token.line);
                }
            }
            return;
        }
        let missing_lines =
            own.is_empty() && self.step.begins_line(step.start) && self.step.begins_line(step.end);
        let kind = if missing_lines { Kind::MissingLines } else { Kind::Differs };
        found.mistakes.push(self.mistake(difference, kind));
    }

    /// Returns the mistake that a difference is.
    fn mistake(&self, difference: &Difference, kind: Kind) -> Mistake {
        let Difference { own, step } = difference;
        // If the student has too much, the line of the step is the line next to it.
        let first = if step.is_empty() { step.start.saturating_sub(1) } else { step.start };
        let last = if step.is_empty() { step.start } else { step.end - 1 };
        let line_of = |index: usize| {
            let last = self.step.tokens.len().saturating_sub(1);
            self.step.tokens.get(index.min(last)).map_or(1, |token| token.line)
        };
        let is_moved = matches!(kind, Kind::Moved(_));
        Mistake {
            line: self.line_of(difference, kind),
            own: self.own.quote(own),
            step: self.step.quote(step),
            kind,
            step_lines: line_of(first)..=line_of(last),
            is_small: match kind {
                Kind::Differs => self.is_small(difference),
                Kind::MissingLines => !self.step.has_words(step),
                Kind::Moved(_) => false,
            },
            weight: if is_moved { 1 } else { self.own.weight(own) + self.step.weight(step) },
        }
    }

    /// Returns true for a word that is almost right, and for one token in a line that is right.
    fn is_small(&self, Difference { own, step }: &Difference) -> bool {
        let own_tokens = &self.own.tokens[own.clone()];
        let step_tokens = &self.step.tokens[step.clone()];
        if let ([one], [other]) = (own_tokens, step_tokens) {
            if one.is_word() && other.is_word() {
                let (one, other) = (one.text.as_bytes(), other.text.as_bytes());
                let is_same = |i: usize, j: usize| u32::from(one[i] == other[j]);
                let same = best_pairs(one.len(), other.len(), is_same).len();
                return 200 * same >= SIMILAR * (one.len() + other.len());
            }
        }
        // What else differs in these two lines?
        let is_rest_right =
            |program: &Program, place: &Range<usize>, partners: &[Option<usize>]| {
                let line = program.line_with(place.start);
                let different = partners[line].iter().filter(|partner| partner.is_none()).count();
                place.is_empty() || different == 1
            };
        own.len() <= 1
            && step.len() <= 1
            && is_rest_right(self.own, own, &self.alignment.own)
            && is_rest_right(self.step, step, &self.alignment.step)
    }

    /// Returns the number of the student's line with a difference.
    fn line_of(&self, difference: &Difference, kind: Kind) -> usize {
        let Difference { own, step } = difference;
        let line_before = own.start.checked_sub(1).map_or(0, |before| self.own.tokens[before].line);
        match self.own.tokens.get(own.start) {
            _ if kind == Kind::MissingLines => line_before,
            Some(token) if !own.is_empty() => token.line,
            // The first missing token begins a line of the step, so the line of the next token
            // of the student lacks it.
            Some(token) if self.step.begins_line(step.start) => token.line,
            _ => line_before,
        }
    }

    /// Returns true if the student has not yet made this change of the next step.
    fn is_still_to_type(&self, difference: &Difference) -> bool {
        let Some(before) = self.before else { return false };
        if !self.is_old(&difference.own) {
            return false;
        }
        let has_words = self.step.has_words(&difference.step);
        for token in &self.step.tokens[difference.step.clone()] {
            // Brackets alone do not show whether a line is new.
            if has_words && !self.step.has_words(&self.step.tokens_of_line(token.line)) {
                continue;
            }
            let is_new = before.is_new.get(token.line - 1) == Some(&true);
            if !is_new || self.is_begun(token.line) {
                return false;
            }
        }
        true
    }
}
