//! Compares two versions of a program, line by line.

/// Returns for each line of `new` whether it is new, that is, not in `old`.
///
/// Spaces at both ends of a line do not count, so a line that moves to the right is not new. A
/// blank line is never new.
pub fn new_lines(old: &str, new: &str) -> Vec<bool> {
    let new: Vec<&str> = new.lines().collect();
    let mut is_new = Vec::new();
    for line in &new {
        is_new.push(!line.trim().is_empty());
    }
    let old: Vec<&str> = old.lines().collect();
    for (_, index) in same_lines(&old, &new) {
        is_new[index] = false;
    }
    is_new
}

/// Returns the lines that two programs have in common, in their order: the index of each line in
/// `old` and in `new`. These are as many lines as possible. Blank lines are not among them.
pub fn same_lines(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let old_text: Vec<&str> = old.iter().map(|line| line.trim()).collect();
    let new_text: Vec<&str> = new.iter().map(|line| line.trim()).collect();
    best_pairs(old.len(), new.len(), |i, j| {
        if old_text[i] != new_text[j] || old_text[i].is_empty() {
            return 0;
        }
        // Many lines are only `}`. One that is also as far to the right is the better partner.
        1000 + u32::from(old[i].trim_end() == new[j].trim_end())
    })
}

/// Finds partners for the items of two lists, in the order of both lists.
///
/// `value` returns how good the pair of item `i` of the first list and item `j` of the second
/// list is, or 0 if they do not match. The sum of the values is as large as possible.
pub fn best_pairs(
    first: usize,
    second: usize,
    value: impl Fn(usize, usize) -> u32,
) -> Vec<(usize, usize)> {
    // `best[i * columns + j]` is the largest sum for the items from `i` and from `j` on.
    let columns = second + 1;
    let mut best = vec![0_u32; (first + 1) * columns];
    for i in (0..first).rev() {
        for j in (0..second).rev() {
            let without = best[(i + 1) * columns + j].max(best[i * columns + j + 1]);
            let pair = value(i, j);
            let with = if pair == 0 { 0 } else { pair + best[(i + 1) * columns + j + 1] };
            best[i * columns + j] = without.max(with);
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < first && j < second {
        let here = best[i * columns + j];
        let pair = value(i, j);
        if pair > 0 && here == pair + best[(i + 1) * columns + j + 1] {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if here == best[(i + 1) * columns + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}
