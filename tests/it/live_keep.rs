//! `live` never loses a line of a student's work, whatever the editor, the disk and another run
//! of `live` do.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::harness::{finish, for_each_at_once};
use crate::live::{Scratch, steps};

const BACK: &[&str] = &["tcp_server", "--back"];

/// The text of a student.
fn own(version: u32) -> String {
    format!("// My version {version}.\nfn main() {{}}\n")
}

impl Scratch {
    /// Returns what the student's file contains.
    fn text(&self) -> String {
        fs::read_to_string(self.own()).unwrap()
    }

    fn write(&self, text: &str) {
        fs::write(self.own(), text).unwrap();
    }
}

/// `live X 3` and `live X 4` do not bury the student's own file below steps.
#[test]
fn back_restores_the_students_own_file_and_not_a_step() {
    let scratch = Scratch::new("back");
    let sentence = scratch.failed(BACK);
    assert!(sentence.contains("does not have an older file"), "{sentence}");
    let steps = steps();
    let own = steps[2].replace("Ok(())", "println!(\"bye\");\n    Ok(())");
    scratch.write(&own);
    let said = scratch.said(&["tcp_server", "3"]);
    let kept = "Your file is kept in examples/my_kept/tcp_server.1.rs.\n";
    assert!(said.starts_with(kept), "{said}");
    let said = scratch.said(&["tcp_server", "4"]);
    assert!(!said.contains("my_kept"), "{said}");
    for _ in 0..2 {
        let said = scratch.said(BACK);
        assert!(said.contains("same as examples/my_kept/tcp_server."), "{said}");
        assert_eq!(scratch.text(), own);
        // The step is not kept, so `live` says how to get it.
        assert!(said.contains("To return to step 4:\n"), "{said}");
        assert!(said.ends_with("live -- tcp_server 4\n"), "{said}");
        assert!(!said.contains("of your files"), "{said}");
        scratch.said(&["tcp_server", "4"]);
    }
    scratch.said(BACK);
    let sentence = scratch.failed(BACK);
    assert!(sentence.contains("does not have an older file"), "{sentence}");
    assert_eq!(scratch.text(), own);
}

/// With two own files, `--back` twice returns to the same file.
#[test]
fn back_twice_returns_to_the_same_file() {
    let scratch = Scratch::new("twice");
    scratch.write(&own(1));
    scratch.said(&["tcp_server", "3"]);
    scratch.write(&own(2));
    for version in [1, 2, 1, 2] {
        let said = scratch.said(BACK);
        assert_eq!(scratch.text(), own(version));
        let said = said.replace('\n', " ");
        assert!(said.contains("is kept in examples/my_kept/"), "{said}");
        assert!(said.contains("examples/my_kept has 2 of your files"), "{said}");
        assert!(said.ends_with("live -- tcp_server --back "), "{said}");
    }
    scratch.write(&own(3));
    scratch.said(&["tcp_server", "3"]);
    for version in 1..4 {
        assert!(scratch.kept().contains(&own(version)), "version {version}");
    }
}

/// An editor opens a file, and writes the text in several parts. Windows does not always move a
/// file that another program has opened. Then `live` says so.
#[cfg(unix)]
#[test]
fn a_save_in_progress_is_not_lost() {
    use std::io::{Seek, Write};

    let scratch = Scratch::new("progress");
    let text = own(1);
    let (first, rest) = text.split_at(15);
    for (step, first, rest) in [("3", first, rest), ("4", "", text.as_str())] {
        let mut file = File::create(scratch.own()).unwrap();
        file.write_all(first.as_bytes()).unwrap();
        scratch.said(&["tcp_server", step]);
        file.write_all(rest.as_bytes()).unwrap();
        assert!(steps().contains(&scratch.text()));
        assert_eq!(scratch.kept().pop().unwrap(), text);
        scratch.said(BACK);
        assert_eq!(scratch.text(), text);
        fs::remove_dir_all(scratch.path("my_kept")).unwrap();
    }
    // Another editor first opens the file, and then replaces its text.
    scratch.said(&["tcp_server", "3"]);
    let mut file = File::options().write(true).open(scratch.own()).unwrap();
    scratch.said(&["tcp_server", "4"]);
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    file.write_all(own(2).as_bytes()).unwrap();
    scratch.said(BACK);
    assert_eq!(scratch.text(), own(2));
}

#[cfg(unix)]
#[test]
fn a_link_is_not_replaced() {
    let scratch = Scratch::new("link");
    let real = scratch.path("real.rs");
    fs::write(&real, &steps()[3]).unwrap();
    std::os::unix::fs::symlink("real.rs", scratch.own()).unwrap();
    let said = scratch.said(&["tcp_server"]);
    assert!(said.contains("is step 3 of 8"), "{said}");
    let sentence = scratch.failed(&["tcp_server", "4"]);
    assert!(sentence.contains("is a link to another file"), "{sentence}");
    assert!(fs::symlink_metadata(scratch.own()).unwrap().is_symlink());
    assert_eq!(scratch.text(), steps()[3]);
    // The other file of a link can be missing.
    fs::remove_file(&real).unwrap();
    let sentence = scratch.failed(&["tcp_server", "4"]);
    assert!(sentence.contains("is a link to another file"), "{sentence}");
}

#[test]
fn several_runs_at_the_same_moment_lose_nothing() {
    let scratch = Scratch::new("runs");
    for version in 0..10 {
        scratch.write(&own(version));
        for_each_at_once(0..8, |step: usize| {
            let output = scratch.live(&["tcp_server", &step.to_string()]);
            let stderr = String::from_utf8(output.stderr).unwrap();
            let is_refused = output.status.code() == Some(1)
                && stderr.contains("has just saved examples/my_tcp_server.rs")
                && stderr.contains("; run live again");
            // Windows does not always move a file that another run is reading.
            let is_fine = output.status.success() || is_refused || cfg!(windows);
            assert!(is_fine, "{stderr}");
        });
        assert!(steps().contains(&scratch.text()));
        assert!(scratch.kept().contains(&own(version)));
    }
}

/// A run can be killed after it has moved the student's file, and before it writes the new one.
#[test]
fn a_missing_file_is_found_again() {
    let scratch = Scratch::new("missing");
    fs::create_dir(scratch.path("my_kept")).unwrap();
    fs::write(scratch.path("my_kept/tcp_server.7.rs"), own(1)).unwrap();
    let said = scratch.said(&["tcp_server"]);
    let what = "is missing, but examples/my_kept/tcp_server.7.rs is kept.";
    assert!(said.replace('\n', " ").contains(what), "{said}");
    assert!(said.contains("live -- tcp_server --back\n"), "{said}");
    scratch.said(BACK);
    assert_eq!(scratch.text(), own(1));
}

/// The numbers of the kept files can belong to all kinds of things.
#[test]
fn only_normal_kept_files_with_a_text_count() {
    let scratch = Scratch::new("kinds");
    let kept = scratch.path("my_kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("tcp_server.3.rs"), own(1)).unwrap();
    fs::write(kept.join("tcp_server.4.rs"), "").unwrap();
    fs::create_dir(kept.join("tcp_server.5.rs")).unwrap();
    let mut number = 6;
    if cfg!(unix) {
        let mut mkfifo = Command::new("mkfifo");
        mkfifo.arg(kept.join("tcp_server.6.rs"));
        assert!(finish(&mut mkfifo, "").status.success());
        number = 7;
    }
    for other in ["tcp_server.rs", "tcp_server.x.rs", "tcp_server.99.rs~", "a.99.rs"]
    {
        fs::write(kept.join(other), "// other\n").unwrap();
    }
    scratch.write(&own(2));
    let said = scratch.said(&["tcp_server", "3"]);
    assert!(said.contains(&format!("my_kept/tcp_server.{number}.rs.")), "{said}");
    scratch.said(BACK);
    assert_eq!(scratch.text(), own(2));
    fs::remove_file(kept.join(format!("tcp_server.{number}.rs"))).unwrap();
    scratch.said(BACK);
    assert_eq!(scratch.text(), own(1));
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let scratch = Scratch::new("unreadable");
    fs::write(scratch.path("my_kept"), "a file").unwrap();
    scratch.write(&own(1));
    let sentence = scratch.failed(BACK);
    assert!(
        sentence.contains("cannot read the folder examples/my_kept"),
        "{sentence}"
    );
    let sentence = scratch.failed(&["tcp_server", "3"]);
    assert!(
        sentence.contains("cannot make the folder examples/my_kept"),
        "{sentence}"
    );
    assert_eq!(scratch.text(), own(1));

    fs::remove_dir_all(scratch.path("")).unwrap();
    for args in [&[][..], &["4"], &["4", "0"], &["4", "3", "--show"], BACK] {
        let sentence = scratch.failed(args);
        assert!(sentence.contains("does not have a folder examples"), "{sentence}");
    }
    assert!(!scratch.path("").exists());
}

/// A killed run can leave a temporary file, which may be a second name of the student's file.
#[test]
fn what_is_not_needed_is_removed_later() {
    let scratch = Scratch::new("clean");
    let steps = steps();
    let kept = scratch.path("my_kept");
    fs::create_dir(&kept).unwrap();
    let day = Duration::from_secs(24 * 60 * 60);
    let make = |name: &str, text: &str, age: Duration| {
        fs::write(kept.join(name), text).unwrap();
        let file = File::options().write(true).open(kept.join(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    };
    make("tcp_server.1.rs", &own(1), day);
    make("tcp_server.2.rs", &own(2), day);
    make("tcp_server.3.rs", &steps[3], day);
    make("tcp_server.4.rs", &own(1), day);
    make("tcp_server.5.rs", "", day);
    make("tcp_server.7.new", &steps[5], day);
    // This is so new that the run may not be at its end.
    make("tcp_server.8.new", &steps[5], Duration::ZERO);
    make("udp_server.7.new", &steps[5], day);
    // The student has not saved a file for some time, so no editor is writing one.
    fs::copy(kept.join("tcp_server.2.rs"), scratch.own()).unwrap();
    let file = File::options().write(true).open(scratch.own()).unwrap();
    file.set_modified(SystemTime::now() - day).unwrap();
    let said = scratch.said(&["tcp_server", "4"]);
    assert!(said.contains("kept in examples/my_kept/tcp_server.6.rs"), "{said}");
    let mut names = Vec::new();
    for entry in fs::read_dir(&kept).unwrap() {
        names.push(entry.unwrap().file_name().into_string().unwrap());
    }
    names.sort();
    let expected = [
        "tcp_server.2.rs",
        "tcp_server.4.rs",
        "tcp_server.5.rs",
        "tcp_server.6.rs",
        "tcp_server.8.new",
        "udp_server.7.new",
    ];
    assert_eq!(names, expected);
}

/// If stdout is full, stderr says where the student's file is.
#[cfg(target_os = "linux")]
#[test]
fn a_full_terminal_does_not_hide_where_the_file_is() {
    let scratch = Scratch::new("full");
    scratch.write(&own(1));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut live = Command::new(crate::harness::example("live"));
    live.args(["tcp_server", "3"]).env("CARGO_MANIFEST_DIR", scratch.path(".."));
    let output = live.stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("kept in examples/my_kept/tcp_server.1.rs"), "{stderr}");
}
