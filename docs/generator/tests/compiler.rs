//! The wrong changes on the pages about Rust, and what the compiler says.

#![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use sockets101_book::{read, top};

/// A change of a program, and the lines of the compiler's message that a page shows.
struct Mistake {
    program: String,
    old: String,
    new: String,
    message: Vec<String>,
}

/// Returns the mistakes of a page. Each mistake is a block `diff`, followed by a block `text`. The
/// sentence before the diff has the command that compiles the program.
fn mistakes(page: &str) -> Vec<Mistake> {
    let text = read(&format!("docs/src/{page}")).unwrap();
    let mut mistakes = Vec::new();
    let mut parts = text.split("```diff\n");
    let mut before = parts.next().unwrap();
    for part in parts {
        let (diff, after) = part.split_once("```").unwrap();
        let command = before.rsplit_once("cargo check --example ").unwrap().1;
        let lines = |left_out: char| -> String {
            let lines = diff.lines().filter(|line| !line.starts_with(left_out));
            lines.map(|line| line[1..].to_owned() + "\n").collect()
        };
        let message = after.strip_prefix("\n\n```text\n").unwrap();
        let message = message.split_once("```").unwrap().0;
        mistakes.push(Mistake {
            program: command.split('`').next().unwrap().to_owned(),
            old: lines('+'),
            new: lines('-'),
            message: message.lines().map(str::to_owned).collect(),
        });
        before = after;
    }
    mistakes
}

/// Returns the arguments with which the compiler finds the libraries that the programs use.
fn libraries() -> Vec<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package=sockets101", "--examples"]);
    build.arg("--message-format=json").current_dir(top());
    let output = build.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = String::from_utf8(output.stdout).unwrap().replace("\\\\", "\\");

    let mut arguments = Vec::new();
    let file = Regex::new(r#""([^"]*[/\\]lib(\w+)-\w+\.rlib)""#).unwrap();
    for found in file.captures_iter(&json) {
        let (path, name) = (&found[1], &found[2]);
        if ["sockets101", "socket2", "rustix"].contains(&name) {
            let folder = Path::new(path).parent().unwrap();
            arguments.push(format!("-Ldependency={}", folder.display()));
            arguments.push(format!("--extern={name}={path}"));
        }
    }
    arguments
}

#[test]
fn the_compiler_says_what_the_pages_say() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiler");
    fs::create_dir_all(&folder).unwrap();
    let (changed, out) = (folder.join("changed.rs"), folder.join("changed.rmeta"));
    let libraries = libraries();
    let all: Vec<_> = ["rust_basics.md", "rust_ownership.md"]
        .into_iter()
        .flat_map(mistakes)
        .collect();
    assert!(!all.is_empty());
    for Mistake { program, old, new, message } in all {
        let text = read(&format!("examples/{program}.rs")).unwrap();
        assert_eq!(
            text.matches(&old).count(),
            1,
            "{program} does not have once:\n{old}"
        );
        fs::write(&changed, text.replace(&old, &new)).unwrap();
        let mut compiler = Command::new("rustc");
        compiler.args(["--edition=2024", "--emit=metadata", "-o"]).arg(&out);
        compiler.args(&libraries).arg(&changed);
        let output = compiler.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        for line in message {
            assert!(said.contains(&line), "{program}: not {line:?}, but:\n{said}");
        }
    }
}
