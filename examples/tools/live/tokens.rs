//! Splits a Rust program into tokens: words, texts in quotes, and signs.
//!
//! Spaces, line ends and comments are not tokens. So two programs that only look different have
//! the same tokens.

/// The signs that consist of several characters and change what the tokens around them mean.
const LONG_SIGNS: [&str; 16] = [
    "..=", "=>", "->", "::", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "|=", "||", "&&", "..",
];

/// One token of a program.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Token<'a> {
    pub text: &'a str,
    /// The position of the first byte in the program.
    pub start: usize,
    /// The number of the line. The first line has the number 1.
    pub line: usize,
    /// How far to the right the token is in its line.
    pub column: usize,
}

impl Token<'_> {
    /// Returns true for a word, a number or a text in quotes, and false for a sign.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphanumeric() || "_\"'".contains(c))
    }

    /// Returns how much it means that two programs have this token in common.
    pub fn weight(&self) -> u32 {
        if self.is_word() { 3 } else { 1 }
    }
}

/// Returns the tokens of a program.
///
/// Some tokens depend on the width of the lines, because rustfmt adds or removes them. They are
/// left out: the comma before a closing bracket, and the braces around a single statement after
/// `=>` and `|`.
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    without_commas(without_braces(split(source)))
}

/// Returns the tokens of a program, and also the braces that [`tokens`] leaves out. If a brace is
/// missing, [`tokens`] cannot know which braces belong together.
pub fn tokens_with_braces(source: &str) -> Vec<Token<'_>> {
    without_commas(split(source))
}

/// Removes the commas before a closing bracket.
fn without_commas(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut kept: Vec<Token> = Vec::new();
    for token in tokens {
        let closes = [")", "]", "}"].contains(&token.text);
        if closes && kept.last().is_some_and(|last| last.text == ",") {
            kept.pop();
        }
        kept.push(token);
    }
    kept
}

/// Returns all tokens of a program.
fn split(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut start, mut line, mut line_start) = (0, 1, 0);
    while start < source.len() {
        let rest = &source[start..];
        let length = length_of_first(rest);
        let text = &rest[..length];
        if !is_ignored(text) {
            tokens.push(Token { text, start, line, column: start - line_start });
        }
        line += text.matches('\n').count();
        if let Some(end) = text.rfind('\n') {
            line_start = start + end + 1;
        }
        start += length;
    }
    tokens
}

/// Returns true for spaces, comments, and the mark with which some editors begin a file.
fn is_ignored(text: &str) -> bool {
    let is_comment = text.starts_with("//") || (text.starts_with("/*") && text.ends_with("*/"));
    is_comment || text.starts_with(is_space) || text == "\u{feff}"
}

/// Returns true for a space that the compiler accepts. The spaces of a web page or of a PDF file
/// can be other characters.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace()
}

/// Returns the length of the first token, comment or space. It is at least one character.
fn length_of_first(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return length_of_comment(rest);
    }
    if let Some(length) = length_of_quoted(rest) {
        return length;
    }
    for sign in LONG_SIGNS {
        if rest.starts_with(sign) {
            return sign.len();
        }
    }
    let first = rest.chars().next().unwrap_or_default();
    let length = if is_space(first) {
        rest.find(|c| !is_space(c))
    } else if first.is_alphanumeric() || first == '_' || first == '\'' {
        // A quote without a second quote is the name of a lifetime.
        let after = &rest[first.len_utf8()..];
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
        end.map(|end| end + first.len_utf8())
    } else {
        Some(first.len_utf8())
    };
    length.unwrap_or(rest.len())
}

/// Returns the length of a comment that begins with `/*`. Such comments can contain each other. If
/// the comment does not end, only its beginning is a token, so that the code after it is compared.
fn length_of_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut length = 0;
    while length < rest.len() {
        let rest = &rest[length..];
        if rest.starts_with("/*") {
            depth += 1;
            length += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            length += 2;
            if depth == 0 {
                return length;
            }
        } else {
            length += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    2
}

/// Returns the length of a text or a character in quotes, or `None` if `rest` does not begin
/// with one. A text without a closing quote ends with its line, unless the line ends with `\\`.
fn length_of_quoted(rest: &str) -> Option<usize> {
    if rest.starts_with('\'') {
        let mut chars = rest.char_indices().skip(1);
        let (_, first) = chars.next()?;
        if first == '\\' {
            // `'\n'`, `'\''` or `'\u{e9}'`
            chars.next()?;
            let (end, _) = chars.find(|(_, c)| *c == '\'' || *c == '\n')?;
            return Some(end + 1);
        }
        let (end, last) = chars.next()?;
        return (last == '\'').then_some(end + 1);
    }
    // The letters before a quote: b"bytes", r"raw", r#"raw"#, c"text".
    let quote = rest.find(|c| !"bcr#".contains(c))?;
    if !rest[quote..].starts_with('"') {
        return None;
    }
    let prefix = &rest[..quote];
    let marks = prefix.trim_start_matches(['b', 'c', 'r']);
    if prefix.len() - marks.len() > 2 || !marks.chars().all(|c| c == '#') {
        return None;
    }
    let content = &rest[quote + 1..];
    if prefix.contains('r') {
        let closing = format!("\"{marks}");
        let end = content.find(&closing).map(|end| quote + 1 + end + closing.len());
        return Some(end.unwrap_or(rest.len()));
    }
    if !marks.is_empty() {
        return None;
    }
    let mut is_escaped = false;
    for (index, c) in content.char_indices() {
        if c == '"' && !is_escaped {
            return Some(quote + 1 + index + 1);
        }
        if c == '\n' && !is_escaped {
            return Some(quote + 1 + index);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    Some(rest.len())
}

/// Removes the braces around a single statement after `=>` or `|`. After the braces of a match
/// arm, rustfmt writes no comma. Without the braces, it does. It writes `=> return x,` as
/// `=> { return x; }` if the line would be too long.
fn without_braces(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut removed = vec![false; tokens.len()];
    for open in 1..tokens.len() {
        let before = tokens[open - 1].text;
        let follows = ["=>", "|", "||"].contains(&before);
        if tokens[open].text != "{" || !follows {
            continue;
        }
        let Some(close) = end_of_single_statement(&tokens, open) else { continue };
        removed[open] = true;
        let jumps = ["return", "break", "continue"].contains(&tokens[open + 1].text);
        if jumps && tokens[close - 1].text == ";" {
            removed[close - 1] = true;
        }
        let has_comma = tokens.get(close + 1).is_some_and(|next| next.text == ",");
        if before == "=>" && !has_comma {
            tokens[close].text = ",";
        } else {
            removed[close] = true;
        }
    }
    let mut kept = Vec::new();
    for (token, is_removed) in tokens.into_iter().zip(removed) {
        if !is_removed {
            kept.push(token);
        }
    }
    kept
}

/// Returns the index of the brace that closes the brace at `open`. Returns `None` if the braces
/// contain several statements, or nothing, or do not close.
fn end_of_single_statement(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        let is_last = tokens.get(index + 1).is_some_and(|next| next.text == "}");
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            ";" if depth == 1 && !is_last => return None,
            _ => {}
        }
        if depth == 0 {
            return (index > open + 1).then_some(index);
        }
    }
    None
}
