//! Computes the differences between a lesson and the lesson that it is based on.

use similar::TextDiff;

use crate::book::Slide;
use crate::parts::program;

/// Returns the differences, or `None` if the lesson is not based on another one.
pub fn of(slide: &Slide) -> Result<Option<String>, String> {
    let Some(from) = slide.from else { return Ok(None) };
    let old = essential(&program(&format!("examples/{from}.rs"))?);
    let new = essential(&program(&format!("examples/{}.rs", slide.name))?);
    let diff = TextDiff::from_lines(&old, &new);
    let hunks = diff.unified_diff().context_radius(2).to_string();
    // Line numbers do not help the reader. The lines around a change show its place.
    let hunks =
        hunks.lines().map(|line| if line.starts_with("@@") { " …" } else { line });
    let lines = hunks.skip(1).skip_while(|line| line.trim().is_empty());
    Ok(Some(lines.collect::<Vec<_>>().join("\n")))
}

/// Returns a program without the lines that always differ and teach nothing: what it imports, its
/// port, and its name.
fn essential(program: &str) -> String {
    let mut essential = String::new();
    let mut importing = false;
    for line in program.lines() {
        importing |= line.starts_with("use ");
        let is_port =
            line.starts_with("const PORT") || line == "/// The port of the slide.";
        let is_name = line.trim_start().starts_with("let args = Args::new(");
        let is_second_empty = line.is_empty() && essential.ends_with("\n\n");
        if !importing && !is_port && !is_name && !is_second_empty {
            essential += line;
            essential.push('\n');
        }
        importing &= !line.ends_with(';');
    }
    essential
}
