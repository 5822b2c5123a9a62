//! Finds out which tokens two programs have in common, and where they differ.

use std::ops::Range;

use super::compare::{self, best_pairs};
use super::tokens::{Token, tokens};

/// The most pairs of tokens that are compared between two lines that are the same. Programs that
/// differ so much have little in common.
const MOST_PAIRS: usize = 4_000_000;

/// A program, as text and as tokens.
pub struct Program<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token<'a>>,
    /// The tokens of each line that has tokens.
    lines: Vec<Range<usize>>,
    /// The tokens of each of these lines, with a space between two tokens.
    keys: Vec<String>,
}

impl<'a> Program<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut program = Self { text, tokens: tokens(text), lines: Vec::new(), keys: Vec::new() };
        let mut start = 0;
        for end in 1..=program.tokens.len() {
            if program.begins_line(end) {
                let words: Vec<&str> =
                    program.tokens[start..end].iter().map(|token| token.text).collect();
                program.keys.push(words.join(" "));
                program.lines.push(start..end);
                start = end;
            }
        }
        program
    }

    /// Returns true if a token is the first one of its line, also after the last token.
    pub fn begins_line(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        index == 0 || self.tokens[index - 1].line != token.line
    }

    /// Returns the tokens of a line. The first line has the number 1.
    pub fn tokens_of_line(&self, line: usize) -> Range<usize> {
        let start = self.tokens.partition_point(|token| token.line < line);
        let end = self.tokens.partition_point(|token| token.line <= line);
        start..end
    }

    /// Returns the text from the first to the last of these tokens.
    pub fn quote(&self, range: &Range<usize>) -> &'a str {
        let (Some(first), Some(last)) =
            (self.tokens.get(range.start), self.tokens.get(range.end.saturating_sub(1)))
        else {
            return "";
        };
        &self.text[first.start..last.start + last.text.len()]
    }

    pub fn total_weight(&self) -> u32 {
        self.weight(&(0..self.tokens.len()))
    }

    fn weight(&self, range: &Range<usize>) -> u32 {
        self.tokens[range.clone()].iter().map(Token::weight).sum()
    }

    fn indent(&self, range: &Range<usize>) -> usize {
        let start = self.tokens[range.start].start;
        start - self.text[..start].rfind('\n').map_or(0, |end| end + 1)
    }
}

/// The partners of the tokens of two programs: a student's program, and a step.
pub struct Alignment {
    /// For each token of the student, the index of the same token in the step.
    pub own: Vec<Option<usize>>,
    /// For each token of the step, the index of the same token in the student's program.
    pub step: Vec<Option<usize>>,
}

/// Compares a student's program with a step.
///
/// First, the lines that are the same become partners. Between two such lines, the tokens that
/// are the same become partners, because one line can be two lines in the other program.
pub fn align(own: &Program, step: &Program) -> Alignment {
    let mut alignment =
        Alignment { own: vec![None; own.tokens.len()], step: vec![None; step.tokens.len()] };
    let mut pairs = equal_lines(own, step);
    pairs.push((own.lines.len(), step.lines.len()));
    let (mut i, mut j) = (0, 0);
    for (own_line, step_line) in pairs {
        let end = (own.tokens.len()..own.tokens.len(), step.tokens.len()..step.tokens.len());
        let (first, second) = match (own.lines.get(own_line), step.lines.get(step_line)) {
            (Some(first), Some(second)) => (first.clone(), second.clone()),
            _ => end,
        };
        alignment.add_gap(own, step, i..first.start, j..second.start);
        for (a, b) in first.clone().zip(second.clone()) {
            alignment.add(a, b);
        }
        i = first.end;
        j = second.end;
    }
    let Alignment { own: partners, step: others } = &mut alignment;
    move_to_whole_lines(own, partners, others);
    move_to_whole_lines(step, others, partners);
    alignment
}

/// Returns the lines that have the same tokens, in their order: the index of each of them in
/// both programs. Lines with more tokens are more important.
fn equal_lines(own: &Program, step: &Program) -> Vec<(usize, usize)> {
    let value = |i: usize, j: usize| {
        if own.keys[i] != step.keys[j] {
            return 0;
        }
        let (first, second) = (&own.lines[i], &step.lines[j]);
        4 * own.weight(first) + u32::from(own.indent(first) == step.indent(second))
    };
    let (mut own_end, mut step_end) = (own.lines.len(), step.lines.len());
    let mut pairs = Vec::new();
    // The lines at both ends are often the same. Without them, the search is much faster.
    let is_in_place = |i: usize, j: usize| {
        value(i, j) > 0 && own.indent(&own.lines[i]) == step.indent(&step.lines[j])
    };
    let mut start = 0;
    while start < own_end.min(step_end) && is_in_place(start, start) {
        pairs.push((start, start));
        start += 1;
    }
    let mut last = Vec::new();
    while own_end.min(step_end) > start && is_in_place(own_end - 1, step_end - 1) {
        own_end -= 1;
        step_end -= 1;
        last.push((own_end, step_end));
    }
    let middle = best_pairs(own_end - start, step_end - start, |i, j| value(start + i, start + j));
    for (i, j) in middle {
        pairs.push((start + i, start + j));
    }
    pairs.extend(last.into_iter().rev());
    pairs
}

/// Moves the places where tokens are missing in the other program, so that whole lines are
/// missing there if possible.
///
/// For example, the second of two lines `a; b;` is missing in `a;`. Without this function, it
/// could also be `; b`.
fn move_to_whole_lines(
    program: &Program,
    partners: &mut [Option<usize>],
    others: &mut [Option<usize>],
) {
    let is_whole =
        |start: usize, end: usize| program.begins_line(start) && program.begins_line(end);
    let mut start = 0;
    while start < partners.len() {
        let mut end = start;
        while end < partners.len() && partners[end].is_none() {
            end += 1;
        }
        if start < end && !is_whole(start, end) {
            let mut shift = 0;
            while is_movable(program, partners, start + shift, end + shift) {
                shift += 1;
                if is_whole(start + shift, end + shift) {
                    for index in start..start + shift {
                        let partner = partners[index + end - start].take();
                        partners[index] = partner;
                        if let Some(partner) = partner {
                            others[partner] = Some(index);
                        }
                    }
                    break;
                }
            }
        }
        start = end + 1;
    }
}

/// Returns true if the missing tokens from `start` to `end` can as well be those from
/// `start + 1` to `end + 1`.
fn is_movable(program: &Program, partners: &[Option<usize>], start: usize, end: usize) -> bool {
    let Some(Some(_)) = partners.get(end) else { return false };
    program.tokens[start].text == program.tokens[end].text
}

impl Alignment {
    fn add(&mut self, own: usize, step: usize) {
        self.own[own] = Some(step);
        self.step[step] = Some(own);
    }

    /// Finds partners for the tokens between two lines that are the same.
    fn add_gap(
        &mut self,
        own: &Program,
        step: &Program,
        mut first: Range<usize>,
        mut second: Range<usize>,
    ) {
        let is_same = |i: usize, j: usize| own.tokens[i].text == step.tokens[j].text;
        while !first.is_empty() && !second.is_empty() && is_same(first.start, second.start) {
            self.add(first.start, second.start);
            first.start += 1;
            second.start += 1;
        }
        while !first.is_empty() && !second.is_empty() && is_same(first.end - 1, second.end - 1) {
            first.end -= 1;
            second.end -= 1;
            self.add(first.end, second.end);
        }
        if first.len() * second.len() > MOST_PAIRS {
            return;
        }
        let pairs = best_pairs(first.len(), second.len(), |i, j| {
            let (i, j) = (first.start + i, second.start + j);
            if is_same(i, j) { own.tokens[i].weight() } else { 0 }
        });
        for (i, j) in pairs {
            self.add(first.start + i, second.start + j);
        }
    }

    /// Returns how much the programs differ: the weights of all tokens without a partner.
    pub fn cost(&self, own: &Program, step: &Program) -> u32 {
        let mut cost = 0;
        for (tokens, partners) in [(&own.tokens, &self.own), (&step.tokens, &self.step)] {
            for (token, partner) in tokens.iter().zip(partners) {
                if partner.is_none() {
                    cost += token.weight();
                }
            }
        }
        cost
    }

    /// Returns true if the step does not have this token of the student.
    pub fn is_unknown(&self, own: usize) -> bool {
        self.own[own].is_none()
    }

    /// Returns how much of a line of the step the student's program has, in percent. Only the
    /// student's tokens count for which `counts` returns true.
    pub fn percent_of_line(
        &self,
        step: &Program,
        line: usize,
        counts: impl Fn(usize) -> bool,
    ) -> u32 {
        let range = step.tokens_of_line(line);
        let mut found = 0;
        for index in range.clone() {
            if self.step[index].is_some_and(&counts) {
                found += step.tokens[index].weight();
            }
        }
        100 * found / step.weight(&range).max(1)
    }
}

/// Tokens of the student's program and of the step that stand at the same place and differ. One
/// of the two can be empty.
#[derive(Debug)]
pub struct Difference {
    pub own: Range<usize>,
    pub step: Range<usize>,
}

/// Returns where two programs differ.
pub fn differences(alignment: &Alignment) -> Vec<Difference> {
    let mut all = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut add = |own: Range<usize>, step: Range<usize>| {
        if !own.is_empty() || !step.is_empty() {
            all.push(Difference { own, step });
        }
    };
    for (index, partner) in alignment.own.iter().enumerate() {
        if let Some(partner) = *partner {
            add(i..index, j..partner);
            i = index + 1;
            j = partner + 1;
        }
    }
    add(i..alignment.own.len(), j..alignment.step.len());
    all
}

/// Returns the index of the step that a student's program is most like.
pub fn nearest(own: &Program, steps: &[Program]) -> usize {
    // A step of about the same size is probably the nearest one, so it comes first. The cost is
    // never less than the difference of the sizes.
    let mut candidates: Vec<(u32, usize)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        candidates.push((own.total_weight().abs_diff(step.total_weight()), index));
    }
    candidates.sort_unstable();
    let mut nearest = 0;
    let mut least = u32::MAX;
    for (least_cost, index) in candidates {
        if least_cost > least {
            break;
        }
        let cost = align(own, &steps[index]).cost(own, &steps[index]);
        // Two steps can differ only in their comments.
        let is_tie = cost == least;
        let lines = |index: usize| (new_lines(own, &steps[index]), index);
        if cost < least || is_tie && lines(index) < lines(nearest) {
            nearest = index;
            least = cost;
        }
    }
    nearest
}

/// Returns the number of lines that only one of the programs has.
fn new_lines(own: &Program, step: &Program) -> usize {
    let [own, step] = [own.text, step.text];
    let is_new = [compare::new_lines(step, own), compare::new_lines(own, step)].concat();
    is_new.into_iter().filter(|is_new| *is_new).count()
}
