//! Says where a student is, what differs, and what comes next.

use std::collections::HashSet;
use std::fmt::Write as _;

use sockets101::Failure;

use crate::align::{Alignment, Program, align};
use crate::compare::{new_lines, same_lines};
use crate::lesson::{Lesson, all};
use crate::lessons::SERVERS;
use crate::place::{Kind, Mistake, Place, START, find};
use crate::script::{By, Step};
use crate::student::Student;
use crate::task::{Task, take_task};
use crate::text::{WIDTH, code, command, paragraph, two_codes, wrapped};
use crate::words::counted;

/// The most mistakes that are shown.
const MOST_MISTAKES: usize = 5;

/// The most lines of the step that are shown for one mistake.
const MOST_LINES: usize = 6;

/// A student has a line of a step if so much of it is in the student's program, in percent.
const MOST_OF_LINE: u32 = 60;

/// The number of lines of a screen, without the line of the cursor.
const SCREEN: usize = 23;

/// Returns the command that runs `live`, in a line of its own.
pub fn live(arguments: &str) -> String {
    command(&format!("cargo run -q --example live -- {arguments}"))
}

/// Returns the list of all lessons, and where the student is in each of them.
pub fn list() -> Result<String, Failure> {
    let mut text = String::from("Your program for a lesson is examples/my_LESSON.rs.\n");
    for lesson in all() {
        let state = match place_of(&lesson) {
            Ok(None) => "not started".to_owned(),
            Ok(Some(place)) => short_state(&lesson, &place),
            Err(_) => "cannot be read; run live with this lesson".to_owned(),
        };
        let Lesson { row, .. } = &lesson;
        let steps = counted(lesson.last(), "step");
        let _ = writeln!(text, "{:>2}  {:<24}  {steps:<8}  {state}", row.lesson, row.name);
    }
    text += "To see what comes next in a lesson, write its name or its number:\n";
    Ok(text + &live("tcp_server"))
}

/// Returns where the student is. Returns `None` if the file does not exist.
fn place_of(lesson: &Lesson) -> Result<Option<Place>, Failure> {
    let student = lesson.student()?;
    match student.text()? {
        Some(own) => Ok(Some(place(lesson, own)?)),
        None => Ok(None),
    }
}

/// Returns where a student with this program is.
pub fn place(lesson: &Lesson, own: &str) -> Result<Place, Failure> {
    let texts = lesson.texts()?;
    Ok(find(own, &texts))
}

/// Returns where a student is, in less than 40 characters.
fn short_state(lesson: &Lesson, place: &Place) -> String {
    if place.is_other {
        return "different from all steps".to_owned();
    }
    if place.number == lesson.last() && place.mistakes.is_empty() {
        return match place.own_lines.len() {
            0 => "finished".to_owned(),
            own => format!("finished, {} of your own", counted(own, "line")),
        };
    }
    let state = format!("step {}", place.number);
    if place.begun > 0 {
        let lines = format!("{} of {} new lines", place.begun, count(&place.is_new));
        if place.mistakes.is_empty() {
            return format!("{state}, {lines}");
        }
        let mistakes = counted(place.mistakes.len(), "mistake");
        return format!("{state}, {lines}, {mistakes}");
    }
    if !place.mistakes.is_empty() {
        return format!("{state}, differs in {}", places(place));
    }
    if !place.own_lines.is_empty() {
        return format!("{state}, {} of your own", counted(place.own_lines.len(), "line"));
    }
    state
}

fn places(place: &Place) -> String {
    counted(place.mistakes.len(), "place")
}

fn count(is_new: &[bool]) -> usize {
    is_new.iter().filter(|is_new| **is_new).count()
}

/// Returns all that a student can want to know about a lesson.
pub fn lesson(lesson: &Lesson) -> Result<String, Failure> {
    let student = lesson.student()?;
    let Some(own) = student.text()? else {
        let mut text = paragraph(format!("{} does not exist yet. Begin:", student.file));
        text += &live(&format!("{} 0", lesson.name()));
        let place = place(lesson, &lesson.text(0)?)?;
        let own = if lesson.begins_with_a_program() { lesson.text(0)? } else { String::new() };
        return Ok(text + &next(lesson, &place, &own, None)?);
    };
    let mut place = place(lesson, own)?;
    let task = take_task(lesson, &mut place)?;
    let missing = lines_to_go(lesson, &place)?;
    let mut text = state(lesson, &student.file, &place, task.as_ref(), missing);
    if place.is_other {
        text += &paragraph("To begin with step 0 (`live` keeps your file):");
        return Ok(text + &live(&format!("{} 0", lesson.name())));
    }
    text += &mistakes(&place);
    if missing > 0 {
        text += &paragraph(format!("To see the whole step {}:", place.number));
        return Ok(text + &live(&format!("{} {} --show", lesson.name(), place.number)));
    }
    if let Some(task) = task.as_ref().filter(|task| task.step <= place.number) {
        return Ok(text + &own_solution(lesson, task));
    }
    if let Some(step) = lesson.step(place.number) {
        if !step.problem.is_empty() {
            text += &paragraph(format!("The problem of step {}: {}.", place.number, step.problem));
        }
        if !step.problem_command.is_empty() {
            text += &command(step.problem_command);
        }
    }
    if place.number == lesson.last() {
        text += &finished(lesson, &place);
    } else {
        text += &next(lesson, &place, own, task.as_ref())?;
    }
    if let (Some(first), true) = (place.mistakes.first(), text.lines().count() > SCREEN) {
        // The first lines have left the screen.
        let sentence = sentence(first, place.target);
        let sentence = match sentence.strip_suffix(':') {
            Some(start) => format!("{start} ({}).", code(&first.step)),
            None => sentence,
        };
        text += &paragraph(format!("First look at {sentence}"));
    }
    Ok(text)
}

/// Returns true if the student's file has lines that are not in the steps.
pub fn has_own_lines(lesson: &Lesson, student: &Student) -> Result<bool, Failure> {
    let Ok(Some(own)) = student.text() else { return Ok(true) };
    let place = place(lesson, own)?;
    let is_new = new_lines(&lesson.text(place.target)?, own);
    let mut lines = own.lines().zip(is_new);
    let has_comment = lines.any(|(line, is_new)| is_new && line.trim().starts_with("//"));
    Ok(has_comment || !place.own_lines.is_empty() || !place.mistakes.is_empty())
}

/// Returns how many new lines of the present step the student still has to type.
fn lines_to_go(lesson: &Lesson, place: &Place) -> Result<usize, Failure> {
    let is_typed = lesson.step(place.number).is_some_and(|step| step.by == By::Instructor);
    if place.begun > 0 || place.is_other || !is_typed {
        return Ok(0);
    }
    let is_new = new_lines(&lesson.text(place.number - 1)?, &lesson.text(place.number)?);
    let mut missing = 0;
    for mistake in &place.mistakes {
        if mistake.kind == Kind::MissingLines {
            missing += mistake.step_lines.clone().filter(|line| is_new[line - 1]).count();
        }
    }
    Ok(missing)
}

/// Says that another solution than ours can be right.
fn own_solution(lesson: &Lesson, task: &Task) -> String {
    let name = lesson.name();
    let Task { step, lines, found } = task;
    let mut text =
        format!("Your file has {found} of the {} of our solution.", counted(*lines, "line"));
    match lines - found {
        0 => {}
        1 => text += " The other line differs or is missing.",
        others => {
            let _ = write!(text, " The other {others} lines differ or are missing.");
        }
    }
    text = paragraph(text + " Other solutions can be right, too. `check` decides:");
    // A right solution can still fail checks that later steps are about.
    let checks = lesson.step(*step).map_or(&[][..], |step| step.run);
    for check in checks.iter().filter(|line| line.contains("--own ")) {
        text += &command(check);
    }
    text += &paragraph(format!("To see our solution of step {step}:"));
    text + &live(&format!("{name} {step} --show"))
}

/// Returns the sentence that says which step it is.
fn state(
    lesson: &Lesson,
    file: &str,
    place: &Place,
    task: Option<&Task>,
    missing: usize,
) -> String {
    if place.is_other {
        return paragraph(format!("{file} is different from all steps."));
    }
    let mut with = Vec::new();
    if place.begun > 0 {
        let next = place.number + 1;
        let new = counted(count(&place.is_new), "new line");
        with.push(format!("{} of the {new} of step {next}", place.begun));
    }
    if missing > 0 {
        with.push(format!("{} still to type", counted(missing, "new line")));
    }
    if !place.own_lines.is_empty() {
        let lines = counted(place.own_lines.len(), "line");
        with.push(format!("{lines} of your own ({})", line_numbers(&place.own_lines)));
    }
    let mut text = format!("{file} is step {} of {}", place.number, lesson.last());
    if let Some(task) = task.filter(|task| task.step <= place.number) {
        // It is not exactly our solution.
        text = format!("{file} is like step {} of {}, your task", task.step, lesson.last());
    }
    if !with.is_empty() {
        let _ = write!(text, ", with {}", with.join(" and "));
    }
    if place.mistakes.is_empty() {
        return paragraph(text + ".");
    }
    let _ = write!(text, ". It differs from step {} in {}:", place.target, places(place));
    paragraph(text)
}

/// Formats the numbers of lines: `line 7`, `lines 7 and 9`, `lines 7, 8, 9, 10 and more`.
fn line_numbers(lines: &[usize]) -> String {
    let words: Vec<String> = lines.iter().take(4).map(usize::to_string).collect();
    match &words[..] {
        [one] => format!("line {one}"),
        _ if lines.len() > words.len() => format!("lines {} and more", words.join(", ")),
        [others @ .., last] => format!("lines {} and {last}", others.join(", ")),
        [] => String::new(),
    }
}

/// Returns a sentence for each mistake.
fn mistakes(place: &Place) -> String {
    let mut text = String::new();
    for mistake in place.mistakes.iter().take(MOST_MISTAKES) {
        text += &wrapped("  ", &sentence(mistake, place.target));
        if !is_long(mistake) {
            continue;
        }
        for (index, line) in mistake.step.lines().enumerate() {
            let line = if index < MOST_LINES { line } else { "..." };
            if index <= MOST_LINES {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
    if place.mistakes.len() > MOST_MISTAKES {
        let more = counted(place.mistakes.len() - MOST_MISTAKES, "more place");
        let _ = writeln!(text, "  and {more}");
    }
    text
}

/// Returns true if lines of the step follow the sentence about a mistake.
fn is_long(mistake: &Mistake) -> bool {
    match mistake.kind {
        Kind::Moved(_) => false,
        // `code` would cut a longer line.
        Kind::MissingLines => mistake.step.chars().count() > WIDTH / 2,
        Kind::Differs => mistake.own.contains('\n') || mistake.step.contains('\n'),
    }
}

/// Returns a sentence about a character that only looks right, such as the quotes and spaces of a
/// web page. Returns an empty text if the student has only characters of the step.
fn strange_character(own: &str, wanted: &str) -> String {
    match own.chars().find(|c| !c.is_ascii() && !wanted.contains(*c)) {
        Some(c) => format!(
            " The character `{c}` is U+{:04X}; type it again on your keyboard.",
            u32::from(c)
        ),
        None => String::new(),
    }
}

/// Says what a mistake is: "line 17: you have `recieve`; step 3 has `receive`."
fn sentence(mistake: &Mistake, step: usize) -> String {
    let Mistake { line, own, step: wanted, .. } = mistake;
    let last = line + own.lines().count().saturating_sub(1);
    let lines =
        if last > *line { format!("lines {line} to {last}") } else { format!("line {line}") };
    match mistake.kind {
        Kind::MissingLines => {
            let place = match line {
                0 => "the beginning of your file:".to_owned(),
                _ => format!("line {line}: after this line,"),
            };
            if !is_long(mistake) {
                return format!("{place} {} is missing.", code(wanted));
            }
            let verb = if wanted.contains('\n') { "are" } else { "is" };
            let missing = counted(wanted.lines().count(), "line");
            return format!("{place} {missing} of step {step} {verb} missing:");
        }
        Kind::Moved(before) => {
            let verb = if last > *line { "belong" } else { "belongs" };
            let place = if before == 0 {
                "at the beginning of your file".to_owned()
            } else {
                format!("after line {before}")
            };
            return format!("{lines}: {} {verb} {place}.", code(own));
        }
        Kind::Differs => {}
    }
    if own == wanted {
        return format!("{lines}: a brace or a comma near {} differs from step {step}.", code(own));
    }
    if is_long(mistake) && own.is_empty() {
        return format!("{lines}: a part of step {step} is missing:");
    }
    if is_long(mistake) && !wanted.is_empty() {
        return format!("{lines}: you have {}; step {step} has this:", code(own));
    }
    let strange = strange_character(own, wanted);
    if wanted.is_empty() {
        return format!("{lines}: you have {}, but step {step} does not.{strange}", code(own));
    }
    if own.is_empty() {
        return format!("{lines}: {} of step {step} is missing.", code(wanted));
    }
    let (own, wanted) = two_codes(own, wanted);
    format!("{lines}: you have {own}; step {step} has {wanted}.{strange}")
}

/// Says that the last step is reached.
fn finished(lesson: &Lesson, place: &Place) -> String {
    let name = lesson.name();
    let mut text = String::new();
    if place.mistakes.is_empty() && place.own_lines.is_empty() {
        text += &paragraph(format!(
            "You have finished lesson {}, {name}. Check it:",
            lesson.row.lesson
        ));
    } else {
        text += &paragraph("This is the last step. Check your program:");
    }
    text += &command(&format!("cargo run --example check -- {name} --own my_{name}"));
    let later = SERVERS.iter().find(|row| row.lesson > lesson.row.lesson);
    if let Some(row) = later {
        text += &paragraph(format!("The next server is {} (lesson {}):", row.name, row.lesson));
        text += &live(row.name);
    }
    text
}

/// Returns what a student should do next: what to type, and what to run.
fn next(lesson: &Lesson, place: &Place, own: &str, task: Option<&Task>) -> Result<String, Failure> {
    let number = place.number + 1;
    let name = lesson.name();
    let new = counted(count(&place.is_new), "new line");
    let title = lesson.title(number);
    let mut text =
        paragraph(format!("Next is step {number} of {}, \"{title}\" ({new}).", lesson.last()));
    let step = lesson.step(number);
    let by = step.map_or(By::CatchUp, |step| step.by);
    if by == By::CatchUp {
        text += &paragraph("`live` writes this step, and keeps your version:");
        text += &live(&format!("{name} {number}"));
        text += "To see it first:\n";
        return Ok(text + &live(&format!("{name} {number} --show")));
    }
    let who = match by {
        By::Instructor => "Type the lines below.",
        _ => "Write this step on your own.",
    };
    if let Some(step) = step {
        text += &paragraph(format!("{who} {}", step.request));
    }
    if let Some(task) = task {
        text += &own_solution(lesson, task);
    } else {
        if by == By::Room {
            text += "If you want to see the new lines:\n";
            text += &live(&format!("{name} {number} --show"));
        } else {
            text += &listing(lesson, place, own)?;
        }
        if let Some(step) = step {
            text += &run(lesson, step);
        }
    }
    text +=
        &paragraph(format!("To replace your file with step {number} (`live` keeps your version):"));
    Ok(text + &live(&format!("{name} {number}")))
}

/// Says what to run when the file is this step.
pub fn run(lesson: &Lesson, step: &Step) -> String {
    let mut text = String::new();
    let commands = step.run;
    // `check` starts the program itself.
    if commands.is_empty() || commands.iter().any(|command| !command.contains("--own ")) {
        text += "Then run it:\n";
        text += &command(&format!("cargo run --example my_{}", lesson.name()));
        if !commands.is_empty() {
            text += "In another terminal:\n";
        }
    } else {
        text += "Then run:\n";
    }
    for line in commands {
        text += &command(line);
    }
    if let Some(look) = &step.look {
        text += &paragraph(look.before);
        text += &command(if cfg!(windows) { look.windows } else { look.unix });
    }
    text
}

/// One line of the list of changes.
struct Line<'a> {
    /// `+` for a line to type, `-` for a line to remove, and a space for a line that stays.
    mark: char,
    /// The number of the line in the student's file.
    number: Option<usize>,
    text: &'a str,
    follows_blank: bool,
}

/// Returns the changes of the next step, each with one line before it and one line after it.
fn listing(lesson: &Lesson, place: &Place, own: &str) -> Result<String, Failure> {
    let old = lesson.text(place.number)?;
    let old = if old == START && own.is_empty() { "" } else { &old };
    let new = lesson.text(place.number + 1)?;
    let lines = changes(place, own, old, &new);
    let mut text = String::new();
    let mut has_old = false;
    let mut last_shown = None;
    for (index, line) in lines.iter().enumerate() {
        let before = index.saturating_sub(1);
        let after = lines.len().min(index + 2);
        if lines[before..after].iter().all(|line| line.mark == ' ') {
            continue;
        }
        if last_shown.is_some_and(|last| before > last) {
            text += "       ...\n";
        } else if line.follows_blank
            && last_shown.is_some()
            && line.mark != '-'
            && lines[before].mark != '-'
        {
            text += "\n";
        }
        last_shown = Some(index);
        has_old |= line.mark == '-';
        let number = line.number.map(|number| number.to_string()).unwrap_or_default();
        let row = format!("{number:>4} {} {}", line.mark, line.text);
        text = text + row.trim_end() + "\n";
    }
    let signs = if has_old {
        "`+` marks a new line, and `-` marks a line to remove."
    } else {
        "`+` marks a new line."
    };
    let numbers = if own.is_empty() { "" } else { " The numbers are those of your file." };
    Ok(paragraph(format!("{signs}{numbers}")) + &text)
}

/// Returns the lines of both steps, in one list and without the blank lines. A line that the
/// student has is shown as the student has written it.
fn changes<'a>(place: &Place, own: &'a str, old: &'a str, new: &'a str) -> Vec<Line<'a>> {
    let (old_step, new_step) = (Program::new(old), Program::new(new));
    let own = Program::new(own);
    let (like_old, like_new) = (own.in_order_of(&old_step), own.in_order_of(&new_step));
    let here = align(&like_old, &old_step, &HashSet::new());
    let there = align(&like_new, &new_step, &HashSet::new());
    let own_lines: Vec<&str> = own.text.lines().collect();
    let old_lines: Vec<&str> = old.lines().collect();
    let new_lines: Vec<&str> = new.lines().collect();
    let mut pairs = same_lines(&old_lines, &new_lines);
    pairs.push((old_lines.len(), new_lines.len()));
    let mut lines = Vec::new();
    let mut add = |mark, number: Option<usize>, texts: &[&'a str], index: usize| {
        let text = number.map_or(texts[index], |number| own_lines[number - 1]);
        let follows_blank = index > 0 && texts[index - 1].trim().is_empty();
        // Two lines of a step can be one line of the student.
        let is_again = lines.last().is_some_and(|last: &Line| last.number == number);
        if !texts[index].trim().is_empty() && (number.is_none() || !is_again) {
            lines.push(Line { mark, number, text, follows_blank });
        }
    };
    let (mut i, mut j) = (0, 0);
    for (old_end, new_end) in pairs {
        for index in i..old_end {
            let number = own_line(&like_old, &old_step, &here, index + 1);
            // The student may have removed this line already.
            if number.is_some() || own.text.is_empty() {
                add('-', number, &old_lines, index);
            }
        }
        for index in j..new_end {
            if place.is_typed.get(index) == Some(&true) {
                let number = own_line(&like_new, &new_step, &there, index + 1);
                add(' ', number, &new_lines, index);
            } else {
                add('+', None, &new_lines, index);
            }
        }
        if new_end < new_lines.len() {
            let number = own_line(&like_old, &old_step, &here, old_end + 1);
            add(' ', number, &new_lines, new_end);
        }
        i = old_end + 1;
        j = new_end + 1;
    }
    lines
}

/// Returns the number of the student's line that has most of a line of a step.
fn own_line(own: &Program, step: &Program, alignment: &Alignment, line: usize) -> Option<usize> {
    if alignment.percent_of_line(step, line, |_| true) < MOST_OF_LINE {
        return None;
    }
    let partner = alignment.step[step.tokens_of_line(line)].iter().flatten().next()?;
    Some(own.tokens[*partner].line)
}

/// Returns the text of a step. On a terminal, `+` marks its new lines. Otherwise, the text can be
/// saved as a file.
pub fn show(lesson: &Lesson, number: usize, is_terminal: bool) -> Result<String, Failure> {
    let text = lesson.text(number)?;
    if !is_terminal {
        return Ok(text);
    }
    let before = lesson.text(number.saturating_sub(1))?;
    let mut shown = String::new();
    for (line, is_new) in text.lines().zip(new_lines(&before, &text)) {
        let mark = if is_new { '+' } else { ' ' };
        let row = format!("{mark} {line}");
        shown = shown + row.trim_end() + "\n";
    }
    Ok(shown)
}
