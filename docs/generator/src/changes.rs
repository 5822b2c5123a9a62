//! Writes the differences between a lesson and the lesson that it is based on.

use similar::TextDiff;

use crate::Generated;
use crate::book::{SLIDES, program};

pub fn generate(all: &mut Generated) -> Result<(), String> {
    for slide in SLIDES {
        let Some(from) = slide.from else { continue };
        let old = program(&format!("examples/{from}.rs"))?;
        let new = program(&format!("examples/{}.rs", slide.name))?;
        let diff = TextDiff::from_lines(&old, &new);
        let hunks = diff.unified_diff().context_radius(2).to_string();
        // Line numbers do not help the reader. The lines around a change show its place.
        let hunks = hunks
            .lines()
            .map(|line| if line.starts_with("@@") { " …" } else { line });
        let lines = hunks.skip(1).skip_while(|line| line.trim().is_empty());
        let text = lines.collect::<Vec<_>>().join("\n");
        all.files
            .insert(format!("{}/changes.diff", slide.name), format!("{text}\n"));
    }
    Ok(())
}
