//! Puts the items of a student's program in the order of a step.
//!
//! An item is a function, a type, a constant, an import or a block of methods. Rust allows all
//! orders, so the order of the items does not count.

use std::cmp::Reverse;
use std::ops::Range;

use super::tokens::Token;

/// The words that begin an item.
const KEYWORDS: [&str; 8] = ["const", "enum", "fn", "impl", "static", "struct", "type", "use"];

/// Two items of the same kind are the same item if they have so much in common, in percent.
const SAME: usize = 50;

/// Returns the student's tokens, with the items in the order of the step.
pub fn in_order_of<'a>(own: &[Token<'a>], step: &[Token]) -> Vec<Token<'a>> {
    let own_items = items(own);
    let step_items = items(step);
    let partners = partners(own, &own_items, step, &step_items);
    let mut order = Vec::new();
    let mut position = 0;
    for (item, partner) in partners.iter().enumerate() {
        // An item without a partner stays after the student's item before it.
        position = partner.unwrap_or(position);
        order.push((position, item));
    }
    order.sort_unstable();
    let mut ordered = Vec::new();
    for (_, item) in order {
        let tokens = &own[own_items[item].clone()];
        let methods = partners[item].and_then(|partner| {
            let step_tokens = &step[step_items[partner].clone()];
            Some((block(tokens)?, &step_tokens[block(step_tokens)?]))
        });
        if let Some((block, step_block)) = methods {
            ordered.extend(&tokens[..block.start]);
            ordered.extend(in_order_of(&tokens[block.clone()], step_block));
            ordered.extend(&tokens[block.end..]);
        } else {
            ordered.extend(tokens);
        }
    }
    ordered
}

/// Returns the tokens of each item. An item ends with `;` or with its last brace.
fn items(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        // If a brace is missing, the next item begins at the left edge.
        let begins_line = index > start && tokens[index - 1].line != token.line;
        let is_at_edge = begins_line && token.column <= tokens[0].column;
        if depth > 0 && is_at_edge && KEYWORDS.contains(&token.text) {
            items.push(start..index);
            start = index;
            depth = 0;
        }
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let next = tokens.get(index + 1).map_or("", |next| next.text);
        let is_end = token.text == ";" || token.text == "}" && next != ";";
        if depth == 0 && is_end {
            items.push(start..index + 1);
            start = index + 1;
        }
    }
    if start < tokens.len() {
        items.push(start..tokens.len());
    }
    items
}

/// Returns the tokens between the braces of an `impl`, which has methods.
fn block(item: &[Token]) -> Option<Range<usize>> {
    let start = item.iter().position(|token| token.text == "{")? + 1;
    let is_closed = start < item.len() && item[item.len() - 1].text == "}";
    if name(item).first() == Some(&"impl") && is_closed {
        Some(start..item.len() - 1)
    } else {
        None
    }
}

/// Returns for each item of the student the index of the same item in the step.
fn partners(
    own: &[Token],
    own_items: &[Range<usize>],
    step: &[Token],
    step_items: &[Range<usize>],
) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (i, own_item) in own_items.iter().enumerate() {
        for (j, step_item) in step_items.iter().enumerate() {
            let likeness = likeness(&own[own_item.clone()], &step[step_item.clone()]);
            if likeness >= SAME {
                pairs.push((Reverse(likeness), i.abs_diff(j), i, j));
            }
        }
    }
    pairs.sort_unstable();
    let mut partners = vec![None; own_items.len()];
    for (_, _, i, j) in pairs {
        if partners[i].is_none() && !partners.contains(&Some(j)) {
            partners[i] = Some(j);
        }
    }
    partners
}

/// Returns how much two items have in common, in percent. Items with the same name have all in
/// common.
fn likeness(own: &[Token], step: &[Token]) -> usize {
    let (own_name, step_name) = (name(own), name(step));
    if own_name == step_name {
        return 100;
    }
    if own_name.first() != step_name.first() {
        return 0;
    }
    let mut rest: Vec<&str> = step.iter().map(|token| token.text).collect();
    for token in own {
        if let Some(index) = rest.iter().position(|text| *text == token.text) {
            rest.swap_remove(index);
        }
    }
    200 * (step.len() - rest.len()) / (own.len() + step.len())
}

/// Returns the keyword of an item and its name: `fn main`. The name of an import is the whole
/// import, and the name of a block of methods is all that is before the brace.
fn name<'a>(item: &[Token<'a>]) -> Vec<&'a str> {
    let Some(start) = item.iter().position(|token| KEYWORDS.contains(&token.text)) else {
        return Vec::new();
    };
    let end = match item[start].text {
        "use" => item.len(),
        "impl" => item.iter().position(|token| token.text == "{").unwrap_or(item.len()),
        _ => item.len().min(start + 2),
    };
    item[start..end.max(start)].iter().map(|token| token.text).collect()
}
