//! Finds out where a student is: which step, how much of the next step, and which lines differ.

use std::ops::Range;

use super::align::{Alignment, Difference, Program, align, differences, nearest};
use super::compare::new_lines;
use super::tokens::Token;

/// The file with which most paths begin. Cargo does not build a program without `main`.
pub const START: &str = "fn main() {}\n";

/// A line counts as begun if the student's program has so much of it, in percent.
const BEGUN: u32 = 60;

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
    /// The student's program has little in common with any step.
    pub is_other: bool,
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
    /// The place comes after this line, because whole lines are missing.
    pub is_after: bool,
}

impl Mistake {
    /// Returns true if the mistake consists of more than one line.
    pub fn is_long(&self) -> bool {
        self.is_after || self.own.contains('\n') || self.step.contains('\n')
    }
}

/// Finds out where a student is. `texts` are the texts of all steps, from step 0 on.
pub fn find(own: &str, texts: &[String]) -> Place {
    let own = Program::new(own);
    let steps: Vec<Program> = texts.iter().map(|text| Program::new(text)).collect();
    let number = nearest(&own, &steps);
    let here = align(&own, &steps[number]);
    let mut place = Place {
        number,
        target: number,
        is_new: Vec::new(),
        is_typed: Vec::new(),
        begun: 0,
        own_lines: Vec::new(),
        mistakes: Vec::new(),
        is_other: false,
    };
    let mut comparison = Comparison { own: &own, step: &steps[number], here: &here, next: None };
    let next;
    if number + 1 < steps.len() {
        let step = &steps[number + 1];
        place.is_new = new_lines(&texts[number], &texts[number + 1]);
        next = align(&own, step);
        place.count_typed(&own, step, &here, &next);
        if place.begun > 0 {
            place.target = number + 1;
            comparison.step = step;
            comparison.next = Some(&next);
        }
    }
    let alignment = comparison.next.unwrap_or(&here);
    for difference in differences(alignment) {
        comparison.judge(&difference, &mut place);
    }
    let mut unknown = 0;
    for (index, token) in own.tokens.iter().enumerate() {
        if alignment.is_unknown(index) {
            unknown += token.weight();
        }
    }
    // Most of the student's program is not in the step, and most of the step is not there.
    let all = own.total_weight() + comparison.step.total_weight();
    place.is_other = own.text.lines().count() >= MANY
        && unknown > own.total_weight() / 2
        && alignment.cost(&own, comparison.step) > all / 2;
    place
}

impl Place {
    /// Finds out which new lines of the next step the student has typed. `here` compares the
    /// student's program with the present step, and `there` compares it with the next step.
    fn count_typed(&mut self, own: &Program, step: &Program, here: &Alignment, there: &Alignment) {
        let own_lines: Vec<&str> = own.text.lines().map(str::trim).collect();
        let mut is_last_typed = false;
        for (index, text) in step.text.lines().enumerate() {
            let line = index + 1;
            if !self.is_new[index] {
                self.is_typed.push(false);
                continue;
            }
            let tokens = &step.tokens[step.tokens_of_line(line)];
            let found = there.percent_of_line(step, line, |_| true);
            let is_typed = if text.trim().starts_with("//") {
                own_lines.contains(&text.trim())
            } else if tokens.iter().any(Token::is_word) {
                found == 100 && there.percent_of_line(step, line, |own| here.is_unknown(own)) > 0
            } else {
                // A bracket alone does not show that the student has typed this line.
                is_last_typed && (tokens.is_empty() || found == 100)
            };
            is_last_typed = is_typed;
            self.is_typed.push(is_typed);
            self.begun += usize::from(is_typed || is_begun(step, line, here, there));
        }
    }
}

/// Returns true if the student's program has most of this line of the next step, and if the
/// present step does not have it.
fn is_begun(step: &Program, line: usize, here: &Alignment, there: &Alignment) -> bool {
    let tokens = &step.tokens[step.tokens_of_line(line)];
    let has_words = tokens.iter().any(Token::is_word);
    has_words && there.percent_of_line(step, line, |own| here.is_unknown(own)) >= BEGUN
}

/// What is compared.
struct Comparison<'a> {
    own: &'a Program<'a>,
    step: &'a Program<'a>,
    /// The student's program and the step that it is most like.
    here: &'a Alignment,
    /// The student's program and the next step. Set if `step` is the next step.
    next: Option<&'a Alignment>,
}

impl Comparison<'_> {
    /// Adds a difference to the student's own lines, or to the mistakes.
    fn judge(&self, difference: &Difference, place: &mut Place) {
        let Difference { own, step } = difference;
        if self.is_still_to_type(difference, place) {
            return;
        }
        let has_whole_lines =
            step.is_empty() && self.own.begins_line(own.start) && self.own.begins_line(own.end);
        // A student may remove the empty `main` before typing the first step.
        let is_start = place.target == 0 && self.step.text == START;
        if has_whole_lines || is_start {
            for index in own.clone() {
                // The next step may replace this line of the present step.
                let is_old = self.next.is_some() && !self.here.is_unknown(index);
                let line = self.own.tokens[index].line;
                if !is_old && place.own_lines.last() != Some(&line) {
                    place.own_lines.push(line);
                }
            }
            return;
        }
        let missing_lines =
            own.is_empty() && self.step.begins_line(step.start) && self.step.begins_line(step.end);
        place.mistakes.push(Mistake {
            line: self.line_of(difference, missing_lines),
            own: dedented(self.own, own),
            step: dedented(self.step, step),
            is_after: missing_lines,
        });
    }

    /// Returns the number of the student's line with a difference.
    fn line_of(&self, difference: &Difference, missing_lines: bool) -> usize {
        let Difference { own, step } = difference;
        let line_before = own.start.checked_sub(1).map_or(0, |before| self.own.tokens[before].line);
        match self.own.tokens.get(own.start) {
            _ if missing_lines => line_before,
            Some(token) if !own.is_empty() => token.line,
            // The first missing token begins a line of the step, so the line of the next token
            // of the student lacks it.
            Some(token) if self.step.begins_line(step.start) => token.line,
            _ => line_before,
        }
    }

    /// Returns true if the student has not yet made this change of the next step.
    fn is_still_to_type(&self, difference: &Difference, place: &Place) -> bool {
        let Some(next) = self.next else { return false };
        for index in difference.own.clone() {
            if self.here.is_unknown(index) {
                return false;
            }
        }
        for index in difference.step.clone() {
            let line = self.step.tokens[index].line;
            let is_new = place.is_new.get(line - 1) == Some(&true);
            if !is_new || is_begun(self.step, line, self.here, next) {
                return false;
            }
        }
        true
    }
}

/// Returns the text of these tokens. If they have several lines, the lines move to the left.
fn dedented(program: &Program, range: &Range<usize>) -> String {
    if range.is_empty() {
        return String::new();
    }
    let quote = program.quote(range);
    let start = program.tokens[range.start].start;
    let begin = program.text[..start].rfind('\n').map_or(0, |end| end + 1);
    let indent = start - begin;
    let mut lines = Vec::new();
    for (index, line) in quote.lines().enumerate() {
        let spaces = line.len() - line.trim_ascii_start().len();
        let cut = if index == 0 { 0 } else { spaces.min(indent) };
        if !line.trim_ascii().is_empty() {
            lines.push(line[cut..].trim_ascii_end());
        }
    }
    lines.join("\n")
}
