//! Finds out which tokens two programs have in common, and where they differ.

use std::collections::HashSet;
use std::ops::Range;

use super::compare::best_pairs;
use super::items::in_order_of;
use super::tokens::{Token, tokens};

/// The most pairs of tokens that are compared between two lines that are the same. Programs that
/// differ so much have little in common.
const MOST_PAIRS: usize = 4_000_000;

/// The most pairs of lines among which lines in the wrong place are found.
const MOST_LINES: usize = 10_000;

/// A line in the wrong place can have a typo. So much of it must be the same, in percent.
const MOVED: u32 = 60;

/// If a long line has less in common with the step, in percent, it is another line.
const WEAK: u32 = 30;

/// A line with this weight is long.
const LONG: u32 = 12;

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
        Self::of(text, tokens(text))
    }

    /// Returns a program with these tokens.
    pub fn of(text: &'a str, tokens: Vec<Token<'a>>) -> Self {
        let mut program = Self { text, tokens, lines: Vec::new(), keys: Vec::new() };
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

    /// Returns this program, with its items in the order of a step.
    pub fn in_order_of(&self, step: &Program) -> Self {
        Self::of(self.text, in_order_of(&self.tokens, &step.tokens))
    }

    /// Returns true if a token is the first one of its line, also after the last token.
    pub fn begins_line(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        index == 0 || self.tokens[index - 1].line != token.line
    }

    /// Returns the tokens of a line of a step. The first line has the number 1.
    pub fn tokens_of_line(&self, line: usize) -> Range<usize> {
        let start = self.tokens.partition_point(|token| token.line < line);
        let end = self.tokens.partition_point(|token| token.line <= line);
        start..end
    }

    /// Returns the tokens of the line with a token.
    pub fn line_with(&self, index: usize) -> Range<usize> {
        let line = self.lines.partition_point(|line| line.end <= index);
        self.lines.get(line).cloned().unwrap_or(0..0)
    }

    /// Returns true if these tokens are not only signs.
    pub fn has_words(&self, range: &Range<usize>) -> bool {
        self.tokens[range.clone()].iter().any(Token::is_word)
    }

    /// Returns the lines of which no token has a partner. Lines without words do not count.
    fn lines_without(&self, partners: &[Option<usize>]) -> Vec<usize> {
        let mut lines = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if self.has_words(line) && partners[line.clone()].iter().all(Option::is_none) {
                lines.push(index);
            }
        }
        lines
    }

    /// Returns true if these tokens are in one line.
    fn is_one_line(&self, range: &Range<usize>) -> bool {
        !range.is_empty() && self.tokens[range.start].line == self.tokens[range.end - 1].line
    }

    /// Returns these tokens in the order of their texts.
    fn sorted(&self, range: &Range<usize>) -> Vec<&str> {
        let mut words: Vec<&str> =
            self.tokens[range.clone()].iter().map(|token| token.text).collect();
        words.sort_unstable();
        words
    }

    /// Returns the text of these tokens, without comments. If they have several lines, the lines
    /// move to the left.
    pub fn quote(&self, range: &Range<usize>) -> String {
        let tokens = &self.tokens[range.clone()];
        let Some(first) = tokens.first() else { return String::new() };
        let mut lines = String::new();
        for line in tokens.chunk_by(|one, next| one.line == next.line) {
            let last = line[line.len() - 1];
            if !lines.is_empty() {
                lines.push('\n');
                lines += &" ".repeat(line[0].column.saturating_sub(first.column));
            }
            lines += &self.text[line[0].start..last.start + last.text.len()];
        }
        lines
    }

    pub fn total_weight(&self) -> u32 {
        self.weight(&(0..self.tokens.len()))
    }

    pub fn weight(&self, range: &Range<usize>) -> u32 {
        self.tokens[range.clone()].iter().map(Token::weight).sum()
    }

    fn indent(&self, range: &Range<usize>) -> usize {
        self.tokens[range.start].column
    }
}

/// The partners of the tokens of two programs: a student's program, and a step.
pub struct Alignment {
    /// For each token of the student, the index of the same token in the step.
    pub own: Vec<Option<usize>>,
    /// For each token of the step, the index of the same token in the student's program.
    pub step: Vec<Option<usize>>,
    /// The lines that stand in the wrong place: the student's line and the same line of the step.
    pub moved: Vec<Difference>,
    /// For each token of the student, whether it is in one of these lines.
    is_own_moved: Vec<bool>,
    /// For each token of the step, whether it is in one of these lines.
    is_step_moved: Vec<bool>,
}

/// Compares a student's program with a step.
///
/// First, the lines that are the same become partners, also if one of them stands in the wrong
/// place. Between two such lines, the tokens that are the same become partners, because one line
/// can be two lines in the other program.
///
/// `old` has the starts of the student's tokens that the student may still have to move or remove.
pub fn align(own: &Program, step: &Program, old: &HashSet<usize>) -> Alignment {
    let mut alignment = Alignment {
        own: vec![None; own.tokens.len()],
        step: vec![None; step.tokens.len()],
        moved: Vec::new(),
        is_own_moved: vec![false; own.tokens.len()],
        is_step_moved: vec![false; step.tokens.len()],
    };
    let pairs = equal_lines(own, step);
    for (own_line, step_line) in &pairs {
        let (first, second) = (own.lines[*own_line].clone(), step.lines[*step_line].clone());
        for (a, b) in first.zip(second) {
            alignment.add(a, b);
        }
    }
    let is_old = |own_line: usize| {
        own.tokens[own.lines[own_line].clone()].iter().all(|token| old.contains(&token.start))
    };
    let is_same = |i: usize, j: usize| own.keys[i] == step.keys[j];
    alignment.add_moved_lines(own, step, |i, j| if is_same(i, j) && !is_old(i) { 100 } else { 0 });
    let (mut i, mut j) = (0, 0);
    for (own_line, step_line) in pairs {
        let (first, second) = (&own.lines[own_line], &step.lines[step_line]);
        alignment.add_gap(own, step, i..first.start, j..second.start);
        i = first.end;
        j = second.end;
    }
    alignment.add_gap(own, step, i..own.tokens.len(), j..step.tokens.len());
    for (index, line) in own.lines.iter().enumerate() {
        alignment.remove_weak(own, line, if is_old(index) { MOVED } else { WEAK });
    }
    let Alignment { own: partners, step: others, is_own_moved, is_step_moved, .. } = &mut alignment;
    move_to_whole_lines(own, partners, others, is_own_moved);
    move_to_whole_lines(step, others, partners, is_step_moved);
    alignment.add_moved_lines(own, step, |i, j| {
        if is_old(i) { 0 } else { likeness(own, step, &own.lines[i], &step.lines[j]) }
    });
    // The student still has to move these lines.
    alignment.add_moved_lines(own, step, |i, j| if is_same(i, j) && is_old(i) { 100 } else { 0 });
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
    is_moved: &[bool],
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
            while is_movable(program, partners, start + shift, end + shift)
                && !is_moved[end + shift]
            {
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

/// Returns how much two lines have in common, in percent.
fn likeness(own: &Program, step: &Program, first: &Range<usize>, second: &Range<usize>) -> u32 {
    let (one, other) = (own.weight(first), step.weight(second));
    if 200 * one.min(other) < MOVED * (one + other) {
        return 0; // Even if the longer line had all of the shorter line, it would not be enough.
    }
    let mut same = 0;
    for (i, _) in equal_tokens(own, step, first, second) {
        same += own.tokens[i].weight();
    }
    200 * same / (one + other)
}

/// Returns the tokens that two parts of the programs have in common, in their order.
fn equal_tokens(
    own: &Program,
    step: &Program,
    first: &Range<usize>,
    second: &Range<usize>,
) -> Vec<(usize, usize)> {
    let (i, j) = (first.start, second.start);
    let pairs = best_pairs(first.len(), second.len(), |a, b| {
        let token = own.tokens[i + a];
        if token.text == step.tokens[j + b].text { token.weight() } else { 0 }
    });
    pairs.into_iter().map(|(a, b)| (i + a, j + b)).collect()
}

impl Alignment {
    fn add(&mut self, own: usize, step: usize) {
        self.own[own] = Some(step);
        self.step[step] = Some(own);
    }

    /// Finds the lines that stand in the wrong place. `likeness` returns how much two lines have
    /// in common, in percent.
    fn add_moved_lines(
        &mut self,
        own: &Program,
        step: &Program,
        likeness: impl Fn(usize, usize) -> u32,
    ) {
        let own_free = own.lines_without(&self.own);
        let mut step_free = step.lines_without(&self.step);
        if own_free.len() * step_free.len() > MOST_LINES {
            return;
        }
        for own_line in own_free {
            let first = &own.lines[own_line];
            let mut best = None;
            let mut most = MOVED - 1;
            for step_line in &step_free {
                let percent = likeness(own_line, *step_line);
                if percent > most {
                    most = percent;
                    best = Some(*step_line);
                }
            }
            let Some(best) = best else { continue };
            step_free.retain(|step_line| *step_line != best);
            let second = &step.lines[best];
            for (i, j) in equal_tokens(own, step, first, second) {
                self.add(i, j);
            }
            self.is_own_moved[first.clone()].fill(true);
            self.is_step_moved[second.clone()].fill(true);
            self.moved.push(Difference { own: first.clone(), step: second.clone() });
        }
    }

    /// Finds partners for the tokens between two lines that are the same.
    fn add_gap(
        &mut self,
        own: &Program,
        step: &Program,
        mut first: Range<usize>,
        mut second: Range<usize>,
    ) {
        let is_same = |alignment: &Self, i: usize, j: usize| {
            let are_free = alignment.own[i].is_none() && alignment.step[j].is_none();
            are_free && own.tokens[i].text == step.tokens[j].text
        };
        while !first.is_empty() && !second.is_empty() && is_same(self, first.start, second.start) {
            self.add(first.start, second.start);
            first.start += 1;
            second.start += 1;
        }
        while !first.is_empty()
            && !second.is_empty()
            && is_same(self, first.end - 1, second.end - 1)
        {
            first.end -= 1;
            second.end -= 1;
            self.add(first.end, second.end);
        }
        if first.len() * second.len() > MOST_PAIRS {
            return;
        }
        let pairs = best_pairs(first.len(), second.len(), |i, j| {
            let (i, j) = (first.start + i, second.start + j);
            if is_same(self, i, j) { own.tokens[i].weight() } else { 0 }
        });
        for (i, j) in pairs {
            self.add(first.start + i, second.start + j);
        }
    }

    /// Removes the partners of a long line if less of it has partners, in percent.
    fn remove_weak(&mut self, own: &Program, line: &Range<usize>, percent: u32) {
        let mut same = 0;
        for index in line.clone() {
            if self.own[index].is_some() {
                same += own.tokens[index].weight();
            }
        }
        let all = own.weight(line);
        if all >= LONG && 100 * same < percent * all {
            for index in line.clone() {
                if let Some(partner) = self.own[index].take() {
                    self.step[partner] = None;
                }
            }
        }
    }

    /// Returns how much the programs differ: the weights of all tokens without a partner, and of
    /// all lines in the wrong place.
    pub fn cost(&self, own: &Program, step: &Program) -> u32 {
        let mut cost = 0;
        for moved in &self.moved {
            cost += own.weight(&moved.own);
        }
        for (tokens, partners) in [(&own.tokens, &self.own), (&step.tokens, &self.step)] {
            for (token, partner) in tokens.iter().zip(partners) {
                if partner.is_none() {
                    cost += token.weight();
                }
            }
        }
        cost
    }

    /// Returns true if the step does not have this token of the student in this place.
    pub fn is_unknown(&self, own: usize) -> bool {
        self.own[own].is_none() || self.is_own_moved[own]
    }

    /// Returns the number of the student's line after which a line of the step belongs.
    pub fn line_before(&self, own: &Program, step_line: &Range<usize>) -> usize {
        for partner in self.step[..step_line.start].iter().rev().flatten() {
            if !self.is_own_moved[*partner] {
                return own.tokens[*partner].line;
            }
        }
        0
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
#[derive(Clone, Debug)]
pub struct Difference {
    pub own: Range<usize>,
    pub step: Range<usize>,
}

/// Returns where two programs differ, without the lines that stand in the wrong place. Typos in
/// such a line count.
pub fn differences(own: &Program, step: &Program, alignment: &Alignment) -> Vec<Difference> {
    let all = 0..alignment.own.len();
    let gaps = alignment.gaps(all, 0..alignment.step.len(), |index| !alignment.is_unknown(index));
    let mut differences = Vec::new();
    for gap in gaps {
        // A line in the wrong place can divide the gap.
        let own_parts = parts(&gap.own, &alignment.is_own_moved);
        let step_parts = parts(&gap.step, &alignment.is_step_moved);
        for index in 0..own_parts.len().max(step_parts.len()) {
            let own = own_parts.get(index).cloned().unwrap_or(gap.own.start..gap.own.start);
            let step = step_parts.get(index).cloned().unwrap_or(gap.step.start..gap.step.start);
            differences.push(Difference { own, step });
        }
    }
    for Difference { own, step } in &alignment.moved {
        let is_same = |index: usize| alignment.own[index].is_some();
        differences.extend(alignment.gaps(own.clone(), step.clone(), is_same));
    }
    join_exchanged_words(own, step, differences)
}

impl Alignment {
    /// Returns what is between the tokens that have a partner in its place.
    fn gaps(
        &self,
        own: Range<usize>,
        step: Range<usize>,
        is_in_place: impl Fn(usize) -> bool,
    ) -> Vec<Difference> {
        let mut gaps = Vec::new();
        let (mut i, mut j) = (own.start, step.start);
        for index in own.start..=own.end {
            let partner = if index == own.end {
                step.end
            } else {
                match self.own[index] {
                    Some(partner) if is_in_place(index) => partner,
                    _ => continue,
                }
            };
            if i < index || j < partner {
                gaps.push(Difference { own: i..index, step: j..partner });
            }
            i = index + 1;
            j = partner + 1;
        }
        gaps
    }
}

/// Returns the parts of a range that are not in a line in the wrong place.
fn parts(range: &Range<usize>, is_moved: &[bool]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    for part in is_moved[range.clone()].split(|is_moved| *is_moved) {
        if !part.is_empty() {
            parts.push(start..start + part.len());
        }
        start += part.len() + 1;
    }
    parts
}

/// Makes one difference out of two if the student has exchanged words: `[length..]` instead of
/// `[..length]`.
fn join_exchanged_words(
    own: &Program,
    step: &Program,
    differences: Vec<Difference>,
) -> Vec<Difference> {
    let mut joined: Vec<Difference> = Vec::new();
    for next in differences {
        if let Some(last) = joined.last_mut() {
            let (i, j) = (last.own.start..next.own.end, last.step.start..next.step.end);
            let is_line = own.is_one_line(&i) && step.is_one_line(&j);
            if is_line && own.sorted(&i) == step.sorted(&j) {
                *last = Difference { own: i, step: j };
                continue;
            }
        }
        joined.push(next);
    }
    joined
}
