//! Compares two versions of a program.

/// Returns for each line of `new` whether it is new, that is, not in `old`.
///
/// Spaces at both ends of a line do not count, so a line that moves to the right is not new. A
/// blank line is never new.
pub fn new_lines(old: &str, new: &str) -> Vec<bool> {
    let old: Vec<&str> = old.lines().map(str::trim).collect();
    let new: Vec<&str> = new.lines().map(str::trim).collect();
    // `common[i][j]`: the most lines that `old[i..]` and `new[j..]` have in common, in order.
    let mut common = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut is_new = Vec::new();
    let mut i = 0;
    for (j, line) in new.iter().enumerate() {
        while i < old.len() && old[i] != *line && common[i + 1][j] >= common[i][j + 1] {
            i += 1;
        }
        if i < old.len() && old[i] == *line {
            i += 1;
            is_new.push(false);
        } else {
            is_new.push(!line.is_empty());
        }
    }
    is_new
}
