//! Takes programs apart: their headers, functions and types, as a page shows them.

use std::path::Path;

use crate::read;

/// A part of a program: a function, a type, a method, or everything before the first of them.
#[derive(Debug, PartialEq)]
pub struct Part {
    /// The name of the function or type. A method is `Type.method`. What a program imports, and
    /// its constants, are [`FIRST`].
    pub name: String,
    /// The lines, with their indentation, and with a newline at the end.
    pub text: String,
    /// The first line of the group to which a method belongs: `impl Type {` or `class Type:`.
    pub group: Option<String>,
}

/// The name of the first lines of a program.
pub const FIRST: &str = "first";

/// Returns a program without its header. The header is the comment or the docstring that
/// describes the whole file.
///
/// # Errors
///
/// A sentence, if the file cannot be read, or if it contains only a header.
pub fn program(path: &str) -> Result<String, String> {
    let text = read(path)?;
    let rest = if is_rust(path) {
        text.lines()
            .skip_while(|line| line.starts_with("//!") || line.is_empty())
            .fold(String::new(), |all, line| all + line + "\n")
    } else {
        let docstring = text.strip_prefix("\"\"\"");
        let rest = docstring.and_then(|text| Some(text.split_once("\"\"\"\n")?.1));
        rest.unwrap_or(&text).trim_start_matches('\n').to_owned()
    };
    if rest.is_empty() {
        return Err(format!("{path} has no program after its header"));
    }
    Ok(rest)
}

/// Returns the parts of a program in their order.
///
/// # Errors
///
/// As for [`program`].
pub fn parts(path: &str) -> Result<Vec<Part>, String> {
    let rust = is_rust(path);
    let text = program(path)?;
    let mut parts: Vec<Part> = Vec::new();
    for block in blocks(&text, "") {
        let name = match name(&block, "") {
            Some(name) if is_group(&block, rust) => {
                parts.extend(members(&name, &block, rust));
                continue;
            }
            Some(name) => name,
            // Python's last lines call `main`.
            None if block.starts_with("if __name__") => "main".to_owned(),
            None => FIRST.to_owned(),
        };
        parts.push(Part { name, text: block, group: None });
    }
    Ok(parts)
}

/// Returns the parts with one of these names, as one text. Without such a part, the text
/// is empty. `Type.*` means all methods of a type. The name of a constant means this constant only.
/// Methods are within the lines `impl Type {` and `}`, or below `class Type:`.
///
/// # Errors
///
/// As for [`program`].
pub fn selected(path: &str, names: &[&str]) -> Result<String, String> {
    let chosen = |part: &&Part| {
        let constant = constant(part);
        names.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(start) => part.name.starts_with(start),
            None => *wanted == part.name || Some(*wanted) == constant,
        })
    };
    let parts = parts(path)?;
    let mut text = String::new();
    let mut open: Option<&str> = None;
    for part in parts.iter().filter(chosen) {
        let group = part.group.as_deref();
        let begins = group != open;
        if begins {
            text += close(open);
        }
        // PEP 8 separates the functions of a module by two empty lines, rustfmt by one.
        if !text.is_empty() {
            text += "\n";
        }
        // The head of a Python class has the first line of its group.
        if begins {
            text += group
                .filter(|line| !part.text.starts_with(line))
                .unwrap_or_default();
        }
        text += &part.text;
        open = group;
    }
    text += close(open);
    Ok(text)
}

/// Returns the last line of a group. A Python class has none.
fn close(group: Option<&str>) -> &'static str {
    if group.is_some_and(|line| line.ends_with("{\n")) { "}\n" } else { "" }
}

/// Returns the Rust code without the section `# Examples` of its doc comments. These examples
/// are tests of the library, and they use names that no lesson explains.
#[must_use]
pub fn without_examples(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    // Within the section, and within its code. A line of code can begin with `#`, too.
    let (mut inside, mut code) = (false, false);
    for line in text.lines() {
        if let Some(comment) = line.trim_start().strip_prefix("///") {
            let comment = comment.trim_start();
            if comment.starts_with("# ") && !code {
                inside = comment == "# Examples";
            }
            code ^= comment.starts_with("```");
        } else {
            // The empty line before the section.
            if inside && kept.last().is_some_and(|line| line.trim_start() == "///") {
                kept.pop();
            }
            (inside, code) = (false, false);
        }
        if !inside {
            kept.push(line);
        }
    }
    let lines = kept.into_iter().map(|line| format!("{line}\n"));
    lines.collect()
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Splits a text into the blocks at one level of indentation. A block begins after an empty
/// line, at a line that is indented by exactly `indentation`.
fn blocks(text: &str, indentation: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    let mut after_empty = false;
    for line in text.lines() {
        let rest = line.strip_prefix(indentation);
        let begins = rest.is_some_and(|rest| !rest.starts_with([' ', '}', ')']));
        if after_empty && begins && !line.is_empty() {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            *block += line;
            *block += "\n";
        }
        after_empty = line.is_empty();
    }
    let trimmed = blocks.iter().map(|block| format!("{}\n", block.trim_end()));
    trimmed.collect()
}

/// Returns the line with which the code of a block begins, after its comments.
fn first_line<'a>(block: &'a str, indentation: &str) -> Option<&'a str> {
    let mut lines = block.lines().filter_map(|line| line.strip_prefix(indentation));
    let line = lines.find(|line| !line.starts_with([' ', '/', '#', '@']))?;
    let line = line.strip_prefix("pub ").unwrap_or(line);
    Some(line.strip_prefix("async ").unwrap_or(line))
}

/// Returns the name of the function or type that a block defines at this indentation. For the
/// `impl` of a trait, this is the name of the type.
fn name(block: &str, indentation: &str) -> Option<String> {
    let line = first_line(block, indentation)?;
    let (keyword, rest) = line.split_once([' ', '<'])?;
    if !["fn", "def", "struct", "enum", "impl", "class"].contains(&keyword) {
        return None;
    }
    let rest = match rest.split_once(" for ") {
        Some((_, of_type)) if keyword == "impl" => of_type,
        _ => rest,
    };
    let end = |c: char| !c.is_alphanumeric() && c != '_';
    Some(rest.split(end).next()?.to_owned())
}

/// Returns the name of the constant that a part defines. Returns `None` for other parts.
#[must_use]
pub fn constant(part: &Part) -> Option<&str> {
    let line = first_line(&part.text, "").filter(|_| part.name == FIRST)?;
    match line.strip_prefix("const ") {
        Some(rest) => Some(rest.split_once(':')?.0),
        None => Some(line.split_once(" = ")?.0),
    }
}

/// Returns whether a block is an `impl` with the methods of a type, or a Python class with
/// methods. The `impl` of a trait stays whole, because its first line says which trait it is.
fn is_group(block: &str, rust: bool) -> bool {
    if !rust {
        return block.contains("\n    def ");
    }
    let line = block.lines().next().unwrap_or_default();
    line.starts_with("impl ") && !line.contains(" for ")
}

/// Returns the head of a group and its methods. The head of a Python class includes
/// `__init__`, because a Rust `struct` lists the same fields. An `impl` has no head: its first
/// and last line belong to no part, and [`selected`] adds them.
fn members(group: &str, block: &str, rust: bool) -> Vec<Part> {
    const INDENTATION: &str = "    ";
    let (first, inside) = if rust {
        let (first, inside) = block.split_once('\n').unwrap_or((block, ""));
        (first, inside.strip_suffix("}\n").unwrap_or(inside))
    } else {
        (first_line(block, "").unwrap_or_default(), block)
    };
    let first = Some(format!("{first}\n"));
    let mut parts: Vec<Part> = Vec::new();
    for text in blocks(inside, INDENTATION) {
        match name(&text, INDENTATION).filter(|name| name != "__init__") {
            Some(name) => {
                let name = format!("{group}.{name}");
                parts.push(Part { name, text, group: first.clone() });
            }
            None if parts.last().is_some_and(|part| part.name == group) => {
                if let Some(head) = parts.last_mut() {
                    head.text = format!("{}\n{text}", head.text);
                }
            }
            None => {
                let name = group.to_owned();
                parts.push(Part { name, text, group: first.clone() });
            }
        }
    }
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, a panic is the report.
mod tests {
    use super::{parts, program, selected, without_examples};

    fn names(path: &str) -> Vec<String> {
        parts(path).unwrap().into_iter().map(|part| part.name).collect()
    }

    #[test]
    fn a_program_has_the_same_parts_in_both_languages() {
        let expected = ["first", "main", "listen", "handle_client"];
        let mut rust = names("examples/tcp_server.rs");
        rust.dedup();
        assert_eq!(rust, expected);
        let mut python = names("docs/python/tcp_server.py");
        python.dedup();
        assert_eq!(python[..4], expected);
    }

    #[test]
    fn an_async_function_is_a_part() {
        for path in
            ["examples/beyond/async_server.rs", "docs/python/async_server.py"]
        {
            let names = names(path);
            for name in ["serve_all", "serve", "handle_client", "close_gracefully"] {
                assert!(
                    names.iter().any(|other| other == name),
                    "{path}: {names:?}"
                );
            }
        }
    }

    #[test]
    fn methods_are_parts() {
        for path in ["examples/poll_server.rs", "docs/python/poll_server.py"] {
            let names = names(path);
            for name in ["State", "Client", "Client.events", "Client.send_replies"] {
                assert!(
                    names.iter().any(|other| other == name),
                    "{path}: {names:?}"
                );
            }
        }
    }

    #[test]
    fn a_constant_and_the_impl_of_a_trait_have_a_name() {
        let limit = selected("src/framing.rs", &["MAX_BLOCK"]).unwrap();
        assert!(limit.contains("\npub const MAX_BLOCK: usize"), "{limit}");
        let python = "docs/python/sockets101/__init__.py";
        let limit = selected(python, &["MAX_BLOCK"]).unwrap();
        assert!(limit.ends_with("\nMAX_BLOCK = 16 * 1024 * 1024\n"), "{limit}");
        let failure = selected("src/command_line.rs", &["Failure"]).unwrap();
        for line in
            ["struct Failure(", "impl fmt::Debug for Failure {", "From<T> for"]
        {
            assert!(failure.contains(line), "{failure}");
        }
    }

    #[test]
    fn methods_are_in_their_group() {
        let rust = "examples/poll_server.rs";
        let methods = ["Client.events", "Client.wants_to_read"];
        let text = selected(rust, &methods).unwrap();
        assert!(text.starts_with("impl Client {\n    /// Returns"), "{text}");
        assert_eq!(text.matches("impl Client {").count(), 1, "{text}");
        assert!(text.ends_with("\n    }\n}\n"), "{text}");
        let text = selected(rust, &["Client", "Client.serve"]).unwrap();
        assert!(text.contains("\n}\n\nimpl Client {\n"), "{text}");

        let python = "docs/python/poll_server.py";
        let text = selected(python, &methods).unwrap();
        assert!(text.starts_with("class Client:\n    def events("), "{text}");
        let text = selected(python, &["Client", "Client.serve"]).unwrap();
        assert_eq!(text.matches("class Client:").count(), 1, "{text}");

        // A function after methods is outside of their group.
        let rust = "src/command_line.rs";
        let text = selected(rust, &["Args.finish", "parse_address"]).unwrap();
        assert!(text.contains("\n    }\n}\n\n/// Parses"), "{text}");
    }

    #[test]
    fn examples_are_left_out() {
        let text = "/// Does it.\n///\n/// # Examples\n///\n/// ```\n/// # hidden\n/// ```\nfn a() {}\n";
        assert_eq!(without_examples(text), "/// Does it.\nfn a() {}\n");
        let text =
            "    /// # Errors\n    ///\n    /// None.\n    fn a() {\n\n    }\n";
        assert_eq!(without_examples(text), text);
        let text = "/// A.\n///\n/// # Examples\n///\n/// B.\n///\n/// # Errors\n";
        assert_eq!(without_examples(text), "/// A.\n///\n/// # Errors\n");
    }

    /// No line of a program is lost, except the lines around methods.
    #[test]
    fn the_parts_are_the_program() {
        for path in ["examples/poll_server.rs", "docs/python/poll_server.py"] {
            let lines = |text: &str| -> Vec<String> {
                let lines = text.lines().filter(|line| {
                    !line.is_empty() && !line.starts_with("impl ") && *line != "}"
                });
                lines.map(str::to_owned).collect()
            };
            let all: String =
                parts(path).unwrap().into_iter().map(|part| part.text).collect();
            assert_eq!(lines(&all), lines(&program(path).unwrap()), "{path}");
        }
    }
}
