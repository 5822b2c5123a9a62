//! `live` says where a student is, and it never loses a line of a student's work.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::{example, finish};

// The parts of `live` that compare programs. The other tests run `live`. The skips are for
// rustfmt, which would format the files with the settings of this folder.
#[rustfmt::skip]
#[path = "../../examples/tools/live/align.rs"]
mod align;
#[rustfmt::skip]
#[path = "../../examples/tools/common/compare.rs"]
mod compare;
#[allow(dead_code)] // The tests of the book use it.
#[rustfmt::skip]
#[path = "../../examples/tools/common/failure.rs"]
mod failure;
#[rustfmt::skip]
#[path = "../../examples/tools/live/items.rs"]
mod items;
#[allow(dead_code)] // The report uses the rest.
#[rustfmt::skip]
#[path = "../../examples/tools/live/place.rs"]
mod place;
#[allow(dead_code)] // The tests of the book use the rest.
#[rustfmt::skip]
#[path = "../../examples/tools/live/script.rs"]
mod script;
#[rustfmt::skip]
#[path = "../../examples/tools/live/tokens.rs"]
mod tokens;

use place::find;
use tokens::tokens;

/// Returns the texts of the steps of `tcp_server`, from step 0 on.
pub fn steps() -> Vec<String> {
    texts("tcp_server")
}

/// Returns the texts of the steps of a lesson, from step 0 on.
fn texts(lesson: &str) -> Vec<String> {
    let path = script::PATHS.iter().find(|path| path.lesson == lesson).unwrap();
    let first = match path.from {
        Some((from, number)) => texts(from).swap_remove(number),
        None => place::START.to_owned(),
    };
    let mut texts = vec![first];
    for number in 1..path.steps.len() {
        texts.push(source(&format!("examples/steps/{lesson}/{number}.rs")));
    }
    texts.push(source(&format!("examples/{lesson}.rs")));
    texts
}

fn source(path: &str) -> String {
    fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

/// Returns the lessons with a path.
fn lessons() -> impl Iterator<Item = &'static str> {
    let paths = script::PATHS.iter().filter(|path| !path.steps.is_empty());
    paths.map(|path| path.lesson)
}

/// An editor may format the file when the student saves it. It uses lines of 85 columns.
#[test]
fn the_format_does_not_count() {
    let steps = steps();
    let text = &steps[5];
    let arm = "Ok(text) => {
            client.write_all(text.to_uppercase().as_bytes())
        }";
    let short = "Ok(text) => client.write_all(text.to_uppercase().as_bytes()),";
    let socket = "let socket =
        Socket::new(Domain::IPV4, Type::STREAM, None)?;";
    let long = "let socket = Socket::new(
        Domain::IPV4, // IPv4
        Type::STREAM, /* TCP */
        None,
    )?;";
    for (from, to) in [
        (arm, short),
        (socket, long),
        ("    ", "\t"),
        ("\n", "\r\n"),
        ("\n", "\n\n"),
        ("loop {", "loop\n{"),
        ("//!", "// My server."),
    ] {
        let own = text.replace(from, to);
        assert_ne!(own, *text, "{from}");
        let place = find(&own, &steps);
        assert_eq!((place.number, place.begun), (5, 0), "{to}");
        assert!(place.mistakes.is_empty(), "{to}: {:?}", place.mistakes);
        assert!(place.own_lines.is_empty(), "{to}: {:?}", place.own_lines);
    }
    let own = format!("\u{feff}{text}");
    assert!(find(&own, &steps).mistakes.is_empty());
}

/// A `//` in quotes is not a comment, and a quote can be a character or a lifetime.
#[test]
fn a_program_is_split_into_words_and_signs() {
    for (source, expected) in [
        ("a // b\nc", "a c"),
        ("\"// a \\\" b\" c", "\"// a \\\" b\" c"),
        ("r#\"a \" // b\"# b\"c\"", "r#\"a \" // b\"# b\"c\""),
        ("'\"' '\\'' &'a b '\\u{e9}'", "'\"' '\\'' & 'a b '\\u{e9}'"),
        ("a/* b /* c */ d */e", "a e"),
        ("\"no end\nb", "\"no end b"),
        ("f(a, b,)", "f ( a , b )"),
        ("A => { b }\nC => {}", "A => b , C => { }"),
        ("A => { b; }\nC", "A => b ; , C"),
        ("A => { b; c }", "A => { b ; c }"),
        ("A => { return b; }\nC => d,", "A => return b , C => d ,"),
        ("f(|x| { x })", "f ( | x | x )"),
        ("/* no end", "/* no end"),
        ("é::ß", "é :: ß"),
        ("a\u{a0}b", "a \u{a0} b"),
    ] {
        let words: Vec<_> = tokens(source).iter().map(|token| token.text).collect();
        assert_eq!(words.join(" "), expected, "{source}");
    }
}

#[test]
fn the_new_lines_of_a_step_are_as_few_as_possible() {
    for (old, new, expected) in [
        ("", "", ""),
        ("a\nb", "a\nb", "--"),
        ("a\nb", "loop {\n    a\n    b\n}", "+--+"),
        ("a\n}", "a\n    }\n}", "-+-"),
        ("a\n\nb", "\na\n\nc\n\n\n", "---+--"),
        ("a\nb\nc", "c\na\nb", "+--"),
        ("a\r\nb\r\n", "a\nb\nc\n", "--+"),
    ] {
        let is_new = compare::new_lines(old, new);
        let marks: String =
            is_new.iter().map(|is_new| if *is_new { '+' } else { '-' }).collect();
        assert_eq!(marks, expected, "{old:?} {new:?}");
    }
}

/// A copy of the folders that `live` needs. Tests must not touch a student's own files.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let top = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live").join(name);
        let _ = fs::remove_dir_all(&top);
        copy_sources(Path::new("examples"), &top.join("examples"));
        Self(top)
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join("examples").join(file)
    }

    pub fn own(&self) -> PathBuf {
        self.path("my_tcp_server.rs")
    }

    pub fn live(&self, args: &[&str]) -> Output {
        let mut live = Command::new(example("live"));
        // `--preflight` has a note about this variable.
        live.env("CARGO_MANIFEST_DIR", &self.0).env("RUST_BACKTRACE", "1");
        finish(live.args(args), "")
    }

    /// Runs `live`. Returns what it prints on stdout.
    #[track_caller]
    pub fn said(&self, args: &[&str]) -> String {
        let output = self.live(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}: {stderr}");
        assert_eq!(stderr, "", "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `live`, which must fail. Returns the sentence on stderr.
    #[track_caller]
    pub fn failed(&self, args: &[&str]) -> String {
        let output = self.live(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{args:?}");
        assert!(stderr.starts_with("Error: "), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        stderr
    }

    /// Returns the contents of the kept files of `tcp_server`, the oldest first.
    pub fn kept(&self) -> Vec<String> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.path("my_kept")).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let number = name.strip_prefix("tcp_server.").unwrap();
            let number: u32 = number.strip_suffix(".rs").unwrap().parse().unwrap();
            let bytes = fs::read(path).unwrap();
            all.push((number, String::from_utf8_lossy(&bytes).into_owned()));
        }
        all.sort();
        all.into_iter().map(|(_, text)| text).collect()
    }
}

/// Copies the lessons and the steps, but not a student's own files.
fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && (name == "steps" || from.ends_with("steps")) {
            copy_sources(&path, &to.join(name));
        } else if path.is_file() && !name.starts_with("my_") {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn the_list_fits_on_a_screen_and_shows_where_you_are() {
    let scratch = Scratch::new("list");
    fs::write(scratch.own(), &steps()[3]).unwrap();
    let list = scratch.said(&[]);
    assert!(list.lines().count() < 24, "{list}");
    for line in list.lines() {
        assert!(line.chars().count() < 80, "{line}");
    }
    let row = |name: &str| list.lines().find(|line| line.contains(name)).unwrap();
    assert!(row(" tcp_server").starts_with(" 4  tcp_server "), "{list}");
    assert!(row(" tcp_server").ends_with("  8 steps   step 3"), "{list}");
    assert!(row("thread_pool_timeout").contains("2 steps   not started"), "{list}");
}

/// The header shows what happens if a program has a typo.
#[test]
fn the_header_shows_what_happens() {
    let scratch = Scratch::new("header");
    let own = steps()[5].replace("client.read(", "client.recieve(");
    fs::write(scratch.own(), own).unwrap();
    let source = fs::read_to_string("examples/tools/live/main.rs").unwrap();
    let mut shown = String::new();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        shown += line.strip_prefix(' ').unwrap_or(line);
        shown.push('\n');
    }
    let (_, shown) = shown.split_once("$ cargo run --example live").unwrap();
    let (_, shown) = shown.split_once('\n').unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    assert_eq!(scratch.said(&["tcp_server"]), shown);
}

#[test]
fn a_student_goes_from_an_empty_file_to_the_lesson_and_back() {
    let scratch = Scratch::new("path");
    let steps = steps();
    let said = scratch.said(&["4"]);
    assert!(said.contains("does not exist yet"), "{said}");
    assert!(said.contains("live -- tcp_server 0\n"), "{said}");
    assert!(said.contains("     + use std::net::"), "{said}");
    assert!(!scratch.own().exists());

    for (number, text) in steps.iter().enumerate() {
        let step = number.to_string();
        let said =
            scratch.said(&["tcp_server", if number > 1 { "next" } else { &step }]);
        let now = format!("examples/my_tcp_server.rs is now step {number} of 8");
        assert!(said.contains(&now), "{said}");
        assert_eq!(&fs::read_to_string(scratch.own()).unwrap(), text);
        assert!(!said.contains("my_kept"), "a step is not kept: {said}");
        let said = scratch.said(&["tcp_server"]);
        let is = format!("examples/my_tcp_server.rs is step {number} of 8.\n");
        assert!(said.starts_with(&is), "{said}");
        for line in said.lines() {
            assert!(
                line.chars().count() < 80 || line.contains(" cargo run "),
                "{line}"
            );
        }
        let said = scratch.said(&["tcp_server", &step]);
        assert!(said.contains("already"), "{said}");
    }
    let sentence = scratch.failed(&["tcp_server", "next"]);
    assert!(sentence.contains("the last step"), "{sentence}");
}

#[test]
fn lines_of_your_own_and_of_the_next_step_are_counted() {
    let scratch = Scratch::new("lines");
    let steps = steps();
    let own = steps[3].replace("    loop {", "    println!(\"hi\");\n\n    loop {");
    fs::write(scratch.own(), &own).unwrap();
    let said = scratch.said(&["tcp_server"]);
    assert!(
        said.contains("is step 3 of 8, with 1 line of your own (line 26)."),
        "{said}"
    );
    let function = "
fn handle_client(client: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = client.raed(&mut buffer)?;
";
    fs::write(scratch.own(), own + function).unwrap();
    let said = scratch.said(&["tcp_server"]);
    let said = said.replace('\n', " ");
    assert!(said.contains("with 3 of the 13 new lines of step 4 and"), "{said}");
    assert!(said.contains("line 38: you have `raed`; step 4 has `read`."), "{said}");
    // The list shows only the lines that are still missing.
    assert!(said.contains("  37       let mut buffer = "), "{said}");
    assert!(said.contains("     +     let text = str::from_utf8"), "{said}");
}

/// A web page or a PDF file can have characters that only look right.
#[test]
fn a_strange_character_is_named() {
    let scratch = Scratch::new("strange");
    for (from, to, character) in [
        ("\"127.0.0.1:1235\"", "\u{201c}127.0.0.1:1235\u{201d}", "U+201C"),
        ("listener.accept", "list\u{435}ner.accept", "U+0435"),
        ("socket.listen", "\u{a0}socket.listen", "U+00A0"),
    ] {
        fs::write(scratch.own(), steps()[4].replace(from, to)).unwrap();
        let said = scratch.said(&["tcp_server"]).replace('\n', " ");
        assert!(said.contains("differs from step 4 in 1 place"), "{said}");
        assert!(
            said.contains(&format!(
                "is {character}; type it again on your keyboard."
            )),
            "{said}"
        );
    }
}

/// The students write this step on their own, so `live` does not print it by itself.
#[test]
fn a_task_of_the_students_is_not_solved_for_them() {
    let scratch = Scratch::new("task");
    let steps = steps();
    fs::write(scratch.own(), &steps[5]).unwrap();
    let said = scratch.said(&["tcp_server"]);
    assert!(said.contains("Write this step on your own"), "{said}");
    assert!(!said.contains("close_gracefully"), "{said}");
    // Piped, the step is a whole program without marks.
    assert_eq!(scratch.said(&["tcp_server", "next", "--show"]), steps[6]);
    assert_eq!(fs::read_to_string(scratch.own()).unwrap(), steps[5]);
    assert!(!scratch.path("my_kept").exists());
}

/// Exchanges the two lines that contain these texts.
fn exchanged(text: &str, first: &str, second: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let index =
        |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    let (i, j) = (index(first), index(second));
    lines.swap(i, j);
    lines.join("\n")
}

/// Asserts that a program is this step, and that these mistakes are found: the line, what the
/// student has, and what the step has.
#[track_caller]
fn assert_found(
    own: &str,
    steps: &[String],
    number: usize,
    expected: &[(usize, &str, &str)],
) {
    let place = find(own, steps);
    assert_eq!(
        (place.number, place.target),
        (number, number),
        "{:#?}",
        place.mistakes
    );
    let found: Vec<_> =
        place.mistakes.iter().map(|it| (it.line, &*it.own, &*it.step)).collect();
    assert_eq!(found, expected);
}

/// Python needs a function above the line that calls it. Rust does not.
#[test]
fn the_order_of_the_items_does_not_count() {
    for lesson in lessons() {
        let steps = texts(lesson);
        for (number, text) in steps.iter().enumerate().skip(1) {
            let main = text.find("\nfn main").unwrap();
            let Some(length) = text[main + 1..].find("\nfn ") else { continue };
            let (above, rest) = text.split_at(main);
            let (main, functions) = rest.split_at(length + 1);
            for own in [
                format!("{above}{functions}{main}"),
                format!("{main}{functions}{above}"),
            ] {
                let place = find(&own, &steps);
                let what = format!("{lesson}, step {number}");
                assert_eq!((place.number, place.begun), (number, 0), "{what}");
                assert!(place.mistakes.is_empty(), "{what}: {:#?}", place.mistakes);
                assert!(place.own_lines.is_empty(), "{what}: {:?}", place.own_lines);
                // A mistake has the number of the student's line.
                let own = own.replace("fn main()", "fn mian()");
                let line =
                    1 + own.lines().position(|line| line.contains("mian")).unwrap();
                assert_found(&own, &steps, number, &[(line, "mian", "main")]);
            }
        }
    }
    let steps = texts("poll_server");
    let text = &steps[8];
    let methods: Vec<usize> =
        text.match_indices("\n    fn ").map(|(index, _)| index).collect();
    let end =
        methods[1] + text[methods[1]..].find("\n    }\n").unwrap() + "\n    }".len();
    let own = [
        &text[..methods[0]],
        &text[methods[1]..end],
        &text[methods[0]..methods[1]],
        &text[end..],
    ];
    assert_ne!(own.concat(), *text);
    assert_found(&own.concat(), &steps, 8, &[]);
}

/// A program is compared with the next step only if the next step explains more of it.
#[test]
fn a_line_in_the_wrong_place_is_named() {
    let scratch = Scratch::new("moved");
    let step = &steps()[3];
    let read = "`let length = client.read(&mut buffer)?;` belongs after line";
    let hello = "        println!(\"hello\");\n        let text";
    for (other, sentence) in [
        ("listener.accept", format!("line 27: {read} 28.")),
        ("str::from_utf8", format!("line 29: {read} 27.")),
    ] {
        let own = exchanged(step, "client.read(", other);
        for own in [own.replace("        let text", hello), own] {
            fs::write(scratch.own(), &own).unwrap();
            let said = scratch.said(&["tcp_server"]).replace('\n', " ");
            assert!(said.contains("It differs from step 3 in 1 place:"), "{said}");
            if own.contains("hello") {
                assert!(
                    said.contains("is step 3 of 8, with 1 line of your own"),
                    "{said}"
                );
            } else {
                assert!(said.contains(&sentence), "{said}");
            }
        }
    }
    // A line in the wrong place can have a typo.
    let steps = texts("sequential_server");
    let own = exchanged(&steps[4], "let mut buffer", "let mut decoder");
    let own = own.replace("let mut buffer", "let buffer");
    let place = find(&own, &steps);
    assert_eq!((place.number, place.target), (4, 4));
    assert_eq!(place.own_lines, [0; 0]);
    assert_eq!(place.mistakes.len(), 2, "{:#?}", place.mistakes);
    let is_mut =
        |it: &place::Mistake| it.line == 35 && it.own.is_empty() && it.step == "mut";
    assert!(place.mistakes.iter().any(is_mut), "{:#?}", place.mistakes);
    let is_moved =
        |it: &place::Mistake| it.kind == place::Kind::Moved(36) && it.line == 35;
    assert!(place.mistakes.iter().any(is_moved), "{:#?}", place.mistakes);
}

#[test]
fn the_step_with_fewer_differences_is_the_nearest() {
    let steps = steps();
    let own = steps[2].replace("    Ok(())\n", "");
    assert_found(&own, &steps, 2, &[(26, "", "Ok(())")]);
}

#[test]
fn a_missing_brace_is_found_where_it_is_missing() {
    let steps = steps();
    let text = &steps[5];
    let without = |number: usize| {
        let lines =
            text.lines().enumerate().filter(|(index, _)| index + 1 != number);
        lines.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    };
    for (own, line, found, wanted) in [
        (text.replace("Ok(text) => {", "Ok(text) =>"), 38, "", "{"),
        (text.replace("Ok(text) => {", "Ok(text) -> {"), 38, "->", "=>"),
        (text.replace("Err(err) => {", "Err(err) =>"), 41, "", "{"),
        (without(40), 39, "", "}"),
        (without(47), 46, "", "}"),
    ] {
        assert_found(&own, &steps, 5, &[(line, found, wanted)]);
    }
    // Two words in the wrong order are one mistake.
    let own = text.replace("&buffer[..length]", "&buffer[length..]");
    assert_found(&own, &steps, 5, &[(36, "length..", "..length")]);
}

/// The students write this step on their own, and other solutions than ours are right, too.
#[test]
fn a_task_that_a_student_has_begun_is_not_solved() {
    let scratch = Scratch::new("begun");
    let steps = texts("sequential_server");
    let decode = "        let text = str::from_utf8(&buffer[..length])
            .map_err(io::Error::other)?;
";
    let own_decode = "        let text = decoder.decode(&buffer[..length]);
";
    let valid = "        if !valid {
            return Err(io::Error::other(\"invalid UTF-8\"));
        }
";
    assert!(steps[3].contains(decode) && steps[4].contains(valid));
    let begun = steps[3].replace("\nconst", "use sockets101::Decoder;\n\nconst");
    let attempt = steps[4].replace("decoder.finish()", "Ok(())").replace(valid, "");
    let later = steps[5].replace("decoder.finish()", "Ok(())").replace(valid, "");
    for own in [
        begun.clone(),
        begun
            .replace(decode, own_decode)
            .replace("let mut buf", "let decoder = 1;\n    let mut buf"),
        attempt.clone(),
        attempt.replace("(text, valid)", "text"),
        later.replace("(text, valid)", "text"),
    ] {
        fs::write(scratch.path("my_sequential_server.rs"), &own).unwrap();
        let said = scratch.said(&["sequential_server"]);
        for line in steps[4].lines().filter(|line| line.len() > 20) {
            assert!(
                own.contains(line) || !said.contains(line.trim()),
                "{line}: {said}"
            );
        }
        let said = said.replace('\n', " ");
        for part in [
            " of our solution.",
            "Other solutions can be right, too. `check` decides:   cargo run --example check",
            "live -- sequential_server 4 --show",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("differs from"), "{said}");
        // A typo in a line of an earlier step, and a small typo in a line of the task.
        let own = own
            .replace("listener.accept", "listener.acept")
            .replace("::Decoder", "::Decodr");
        let own = own.replace("{Decoder,", "{Decodr,");
        fs::write(scratch.path("my_sequential_server.rs"), &own).unwrap();
        let said = scratch.said(&["sequential_server"]).replace('\n', " ");
        for part in
            ["in 2 places:", "you have `acept`; step", "you have `Decodr`; step"]
        {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    // Another solution of lesson 4: the program calls the function after the block.
    let steps = self::steps();
    let block = "            eprintln!(\"{peer} dropped: {err}\");
        }
";
    let own = steps[5]
        .replace("\nconst", "use sockets101::close_gracefully;\n\nconst")
        .replace(block, &format!("{block}        close_gracefully(client);\n"));
    fs::write(scratch.own(), own).unwrap();
    let said = scratch.said(&["tcp_server"]).replace('\n', " ");
    assert!(
        said.contains("is step 5 of 8, with 2 of the 4 new lines of step 6."),
        "{said}"
    );
    assert!(said.contains("`check` decides:"), "{said}");
    assert!(!said.contains("let result"), "{said}");
}

#[test]
fn a_step_that_is_not_complete_comes_before_the_next_step() {
    let scratch = Scratch::new("half");
    let steps = steps();
    let half: Vec<&str> = steps[1].lines().take(10).collect();
    fs::write(scratch.own(), half.join("\n")).unwrap();
    let said = scratch.said(&["tcp_server"]).replace('\n', " ");
    assert!(
        said.contains("is step 1 of 8, with 7 new lines still to type."),
        "{said}"
    );
    assert!(
        said.contains("after this line, 7 lines of step 1 are missing:"),
        "{said}"
    );
    assert!(said.contains("live -- tcp_server 1 --show"), "{said}");
    assert!(!said.contains("step 2"), "{said}");
}

/// The list of new lines can be long, so the last line repeats the first mistake.
#[test]
fn the_last_line_says_what_is_missing() {
    let scratch = Scratch::new("last");
    let line = "    let address: SocketAddr = address.parse()?;\n";
    let own = steps()[4].replace(line, "");
    fs::write(scratch.own(), &own).unwrap();
    let said = scratch.said(&["tcp_server"]).replace('\n', " ");
    let first = "First look at line 14: after this line, 1 line of step 4 is missing \
                 (`let address: SocketAddr = address.parse( ...`).";
    assert!(said.ends_with(&format!("{first} ")), "{said}");
    let import = "use std::net::{SocketAddr, TcpListener};\n";
    fs::write(scratch.own(), steps()[1].replace(import, "")).unwrap();
    let said = scratch.said(&["tcp_server"]).replace('\n', " ");
    assert!(
        said.contains("  the beginning of your file: `use std::net::"),
        "{said}"
    );
}

/// The list of new lines shows the lines that stay as the student has written them.
#[test]
fn the_list_shows_the_lines_of_the_student() {
    let scratch = Scratch::new("context");
    let own =
        steps()[3].replace("println!(\"server ready", "printn!(\"server ready");
    fs::write(scratch.own(), &own).unwrap();
    let said = scratch.said(&["tcp_server"]);
    assert!(said.contains("\n  23       printn!(\"server ready"), "{said}");
    assert!(!said.contains("println!(\"server ready"), "{said}");
}

#[test]
fn a_student_can_find_the_lines_that_a_step_has_replaced() {
    let scratch = Scratch::new("replaced");
    let steps = steps();
    let own = steps[3].replace("    loop {", "    println!(\"hi\");\n    loop {");
    let comment = format!("// My server.\n{}", steps[3]);
    for (number, (own, has_lines)) in
        [(own, true), (comment, true), (steps[3].clone(), false)]
            .into_iter()
            .enumerate()
    {
        fs::write(scratch.own(), own).unwrap();
        let said = scratch.said(&["tcp_server", "7"]);
        // A file that is exactly a step is not kept as the student's own.
        let file = format!("examples/my_kept/tcp_server.{}.rs.\n", number + 1);
        assert_eq!(said.contains(&file), has_lines, "{said}");
        assert_eq!(
            said.contains("Your lines are in this file"),
            has_lines,
            "{said}"
        );
        assert_eq!(
            said.contains("live -- tcp_server --back\n"),
            has_lines,
            "{said}"
        );
        assert!(said.contains("live -- tcp_server 7 --show\n"), "{said}");
    }
}

/// A file that cannot be compared is still kept when a step replaces it.
#[test]
fn any_file_is_kept() {
    let scratch = Scratch::new("any");
    let large = "// a line\n".repeat(100_000);
    for (bytes, part) in [
        (b"fn main() {}\n// caf\xe9\n".as_slice(), "line 2 of"),
        (b"\xff\xfef\0n\0", "UTF-16"),
        (large.as_bytes(), "1000000 bytes"),
        (b"\0", ""),
    ] {
        fs::write(scratch.own(), bytes).unwrap();
        if !part.is_empty() {
            for args in [["tcp_server"].as_slice(), &["tcp_server", "next"]] {
                let sentence = scratch.failed(args);
                assert!(sentence.contains(part), "{sentence}");
            }
            let list = scratch.said(&[]);
            assert!(list.contains("cannot be read"), "{list}");
        }
        scratch.said(&["tcp_server", "3"]);
        let kept = scratch.kept();
        assert_eq!(kept.last().unwrap(), &String::from_utf8_lossy(bytes));
    }
    // An empty file is like the beginning.
    fs::write(scratch.own(), "").unwrap();
    let said = scratch.said(&["tcp_server"]);
    assert!(
        said.starts_with("examples/my_tcp_server.rs is step 0 of 8.\n"),
        "{said}"
    );
    // The beginning of a step is like this step.
    let steps = steps();
    let half: Vec<&str> = steps[6].lines().take(20).collect();
    assert!(!find(&half.join("\n"), &steps).is_other);
    // Another program is different from all steps.
    let other = fs::read_to_string("examples/byte_order.rs").unwrap();
    for lesson in lessons() {
        for text in [&other, &"a b\n".repeat(1000)] {
            fs::write(scratch.path(&format!("my_{lesson}.rs")), text).unwrap();
            let said = scratch.said(&[lesson]);
            assert!(said.contains(" is different from all steps."), "{said}");
        }
    }
}

#[test]
fn what_is_not_a_file_is_left_alone() {
    let scratch = Scratch::new("folder");
    fs::create_dir(scratch.own()).unwrap();
    for args in
        [["tcp_server"].as_slice(), &["tcp_server", "3"], &["tcp_server", "next"]]
    {
        let sentence = scratch.failed(args);
        assert!(sentence.contains("my_tcp_server.rs is a folder"), "{sentence}");
    }
    fs::remove_dir(scratch.own()).unwrap();

    fs::write(scratch.own(), "// mine\n").unwrap();
    let mut permissions = fs::metadata(scratch.own()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(scratch.own(), permissions.clone()).unwrap();
    let sentence = scratch.failed(&["tcp_server", "3"]);
    assert!(sentence.contains("is read-only"), "{sentence}");
    assert_eq!(fs::read_to_string(scratch.own()).unwrap(), "// mine\n");
    #[allow(clippy::permissions_set_readonly_false)] // This is a scratch file.
    permissions.set_readonly(false);
    fs::set_permissions(scratch.own(), permissions).unwrap();

    let _ = fs::remove_dir_all(scratch.path("my_kept"));
    fs::write(scratch.path("my_kept"), "a file").unwrap();
    let sentence = scratch.failed(&["tcp_server", "3"]);
    assert!(sentence.contains("examples/my_kept"), "{sentence}");
    assert_eq!(fs::read_to_string(scratch.own()).unwrap(), "// mine\n");

    fs::remove_dir_all(scratch.path("steps")).unwrap();
    let sentence = scratch.failed(&["tcp_server"]);
    assert!(sentence.contains("examples/steps/tcp_server/1.rs"), "{sentence}");
    let list = scratch.said(&[]);
    assert!(list.contains("cannot be read"), "{list}");
}

#[test]
fn wrong_arguments_are_refused() {
    let scratch = Scratch::new("arguments");
    for (args, part) in [
        (["nosuch"].as_slice(), "'nosuch' is not a lesson with steps"),
        (&[""], "'' is not a lesson with steps"),
        (&["5"], "'5' is not a lesson with steps"),
        (&["tcp"], "do you mean tcp_server?"),
        (&["tcp_server", "9"], "expected a step from 0 to 8, or next, got '9'"),
        (&["tcp_server", "-1"], "invalid option '-1'"),
        (&["tcp_server", "x"], "got 'x'"),
        (&["tcp_server", ""], "got ''"),
        (&["tcp_server", "1", "2"], "unexpected argument '2'"),
        (&["tcp_server", "--show"], "--show needs a step"),
        (&["tcp_server", "1", "--back"], "--back does not take a step"),
        (&["tcp_server", "1", "--back", "--show"], "not both"),
        (
            &["--back"],
            "name the lesson, for example: cargo run --example live -- tcp_server --back",
        ),
        (
            &["--show"],
            "name the lesson, for example: cargo run --example live -- tcp_server next --show",
        ),
        (&["tcp_server", "--preflight"], "does not take other arguments"),
        (&["--bogus"], "invalid option '--bogus'"),
    ] {
        let output = scratch.live(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{args:?}");
        assert!(stderr.contains(part), "{args:?}: {stderr}");
        assert!(
            stderr.contains("\nusage: cargo run --example live -- "),
            "{stderr}"
        );
    }
    // The name of the student's file is as good as the name of the lesson.
    for name in [
        "4",
        "my_tcp_server",
        "examples/my_tcp_server.rs",
        "examples\\tcp_server.rs",
    ] {
        assert_eq!(scratch.said(&[name, "3", "--show"]), steps()[3]);
    }
}

#[test]
fn a_computer_is_checked_before_a_class() {
    let scratch = Scratch::new("preflight");
    fs::write(scratch.own(), "").unwrap();
    let output = scratch.live(&["--preflight"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut missing = 0;
    for line in stdout.lines() {
        assert!(line.chars().count() < 80, "{line}");
        missing += usize::from(line.starts_with("missing  "));
    }
    assert_eq!(output.status.code(), Some(i32::from(missing > 0)), "{stdout}");
    for part in ["steps of", "my_tcp_server.rs", "RUST_BACKTRACE"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    // Wine does not have Rust.
    for tool in ["rustc", "cargo"] {
        let runs = stdout.contains(&format!("{tool} 1."));
        let is_missing = stdout.contains(&format!("missing  {tool} does not run"));
        assert!(runs != is_missing, "{tool}: {stdout}");
        assert!(runs || cfg!(windows), "{tool}: {stdout}");
    }
    // A port of a lesson is in use. If another program has it already, that is enough.
    let _server = TcpListener::bind("127.0.0.1:1240");
    fs::remove_file(scratch.path("steps/tcp_server/2.rs")).unwrap();
    let output = scratch.live(&["--preflight"]);
    let stdout =
        String::from_utf8(output.stdout).unwrap().replace("\n         ", " ");
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    // Other ports can be in use, too.
    for part in ["cannot listen on ", " 1240 (TCP: ", "tcp_server/2.rs"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

/// Without its closing quote, a text ends with its line. Otherwise, the rest of the program would
/// be another text.
#[test]
fn a_missing_quote_is_found_in_its_line() {
    let scratch = Scratch::new("quote");
    let steps = steps();
    for step in [2, 4] {
        for (number, line) in steps[step].lines().enumerate() {
            let quotes = line.match_indices('"');
            for (place, _) in quotes {
                let mut broken = line.to_owned();
                broken.remove(place);
                let mut lines: Vec<&str> = steps[step].lines().collect();
                lines[number] = &broken;
                fs::write(scratch.own(), lines.join("\n")).unwrap();
                let said = scratch.said(&["tcp_server"]);
                let first = format!("is step {step} of 8");
                assert!(said.contains(&first), "{broken}: {said}");
                let named = format!("  line {}: ", number + 1);
                assert!(said.contains(&named), "{broken}: {said}");
            }
        }
    }
}

/// A comment that does not end hides the rest of the program from the compiler.
#[test]
fn an_open_comment_is_found() {
    let scratch = Scratch::new("comment");
    fs::write(scratch.own(), format!("/* My notes.\n{}", steps()[4])).unwrap();
    let said = scratch.said(&["tcp_server"]);
    assert!(said.contains("is step 4 of 8"), "{said}");
    assert!(said.contains("1 line of your own (line 1)"), "{said}");
}

/// Two texts can begin alike and be longer than a line of a message.
#[test]
fn a_difference_at_the_end_of_a_long_text_is_visible() {
    let scratch = Scratch::new("long");
    let lesson = fs::read_to_string(scratch.path("udp_server.rs")).unwrap();
    let own = lesson.replace("own port number", "own port nunber");
    fs::write(scratch.path("my_udp_server.rs"), own).unwrap();
    let said = scratch.said(&["udp_server"]).replace("\n ", "");
    assert!(said.contains("nunber") && said.contains("number"), "{said}");
}
