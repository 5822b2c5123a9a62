//! Finds out which tokens two programs have in common, and where they differ.

use std::ops::Range;

use crate::compare::{best_pairs, new_lines};
use crate::tokens::{Token, tokens};

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
    let mut pairs = best_pairs(own.lines.len(), step.lines.len(), |i, j| {
        if own.keys[i] != step.keys[j] {
            return 0;
        }
        let (first, second) = (&own.lines[i], &step.lines[j]);
        4 * own.weight(first) + u32::from(own.indent(first) == step.indent(second))
    });
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
    alignment
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

    /// Returns how much of a line of the step the student's program has, in percent. Returns
    /// `None` for a line without tokens.
    pub fn percent_of_line(&self, step: &Program, line: usize) -> Option<u32> {
        let range = step.tokens_of_line(line);
        let mut found = 0;
        for index in range.clone() {
            if self.step[index].is_some() {
                found += step.tokens[index].weight();
            }
        }
        if range.is_empty() { None } else { Some(100 * found / step.weight(&range)) }
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
    let mut nearest = 0;
    let mut least = (u32::MAX, 0);
    for (index, step) in steps.iter().enumerate() {
        let cost = align(own, step).cost(own, step);
        if cost > least.0 {
            continue;
        }
        // Two steps can differ only in their comments.
        let is_new = [new_lines(step.text, own.text), new_lines(own.text, step.text)].concat();
        let lines = is_new.into_iter().filter(|is_new| *is_new).count();
        if (cost, lines) < least {
            nearest = index;
            least = (cost, lines);
        }
    }
    nearest
}
