//! Builds the steps of the paths, and the programs in short, as a student's files would be built.
//!
//! The programs become the binaries of a scratch package in the target folder. The package
//! depends on the library of the workbook, and each warning is an error.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::lessons::{Row, SERVERS};
use crate::script::{ONLY_SHORT, PATHS};
use crate::{read, top};

/// The program in short of one lesson.
pub struct Short {
    /// The row of the lesson.
    pub row: Row,
    /// The number of the Rust file. This is the number of the step in the path of the lesson.
    pub number: usize,
    /// The checks that fail. All other checks pass.
    pub fails: &'static [Failure],
}

/// Returns the programs in short of all servers, in the order of the lessons.
#[must_use]
pub fn shorts() -> Vec<Short> {
    let mut shorts = Vec::new();
    for row in SERVERS {
        for path in PATHS {
            if path.lesson == row.name {
                let fails = path.steps[path.short - 1].fails;
                shorts.push(Short { row, number: path.short, fails });
            }
        }
        for (lesson, fails) in ONLY_SHORT {
            if lesson == row.name {
                shorts.push(Short { row, number: 1, fails });
            }
        }
    }
    shorts
}

/// Returns the file of a step. The last step is the lesson itself.
#[must_use]
pub fn file(path: &crate::script::Path, number: usize) -> String {
    if number == path.steps.len() {
        return format!("examples/{}.rs", path.lesson);
    }
    format!("examples/steps/{}/{number}.rs", path.lesson)
}

/// Returns the file with which a path begins, or `None` for an empty file.
#[must_use]
pub fn first_file(path: &crate::script::Path) -> Option<String> {
    let (lesson, number) = path.from?;
    let from = PATHS.iter().find(|other| other.lesson == lesson)?;
    Some(file(from, number))
}

/// Returns the text of a step, or of the file with which the path begins (step 0).
///
/// # Errors
///
/// A sentence, if the file cannot be read.
pub fn source(path: &crate::script::Path, number: usize) -> Result<String, String> {
    if number > 0 {
        return read(&file(path, number));
    }
    first_file(path).map_or(Ok(String::new()), |file| read(&file))
}

/// Returns the name of the binary of a step.
#[must_use]
pub fn name(lesson: &str, number: usize) -> String {
    format!("{lesson}_{number}")
}

/// Returns all steps that are stored, by the names of their binaries. A step that does not read
/// its arguments gets the address from its first argument, so that a test can use a free port.
///
/// # Errors
///
/// A sentence, if a file cannot be read.
pub fn sources() -> Result<Vec<(String, String)>, String> {
    let mut sources = Vec::new();
    for path in PATHS {
        for number in 1..path.steps.len() {
            let mut source = source(path, number)?;
            if !source.contains("args()") && !source.contains("Args::new") {
                for row in SERVERS {
                    let address = format!("\"127.0.0.1:{}\"", row.port);
                    let argument = "std::env::args().nth(1).unwrap_or_default()";
                    source = source.replace(&address, argument);
                }
            }
            sources.push((name(path.lesson, number), source));
        }
    }
    Ok(sources)
}

/// Returns the target folder of the workbook.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| top().join("target"), PathBuf::from)
}

/// Returns the path of an example of the workbook.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    target().join("debug/examples").join(format!("{name}{EXE_SUFFIX}"))
}

/// A package whose binaries are programs such as the steps.
pub struct Scratch {
    folder: PathBuf,
    /// Where cargo builds it.
    target: PathBuf,
    /// The options for the compiler.
    options: &'static str,
}

impl Scratch {
    /// Writes the package with this name, and builds it without a network and without a warning.
    ///
    /// # Errors
    ///
    /// The messages of the compiler, or a sentence if a file cannot be written.
    pub fn build(name: &str, programs: &[(String, String)]) -> Result<Self, String> {
        Self::build_with(name, programs, &target().join("steps/target"), "")
    }

    /// Does the same in another target folder, with options for the compiler.
    ///
    /// # Errors
    ///
    /// As for [`Self::build`].
    pub fn build_with(
        name: &str,
        programs: &[(String, String)],
        target_folder: &Path,
        options: &'static str,
    ) -> Result<Self, String> {
        let folder = target().join("steps").join(name);
        let bin = folder.join("src/bin");
        let failed = |err: std::io::Error| format!("{}: {err}", folder.display());
        fs::create_dir_all(&bin).map_err(failed)?;
        for entry in fs::read_dir(&bin).map_err(failed)?.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if !programs.iter().any(|(name, _)| file == format!("{name}.rs")) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        for (name, source) in programs {
            write(&bin.join(format!("{name}.rs")), source).map_err(failed)?;
        }
        write(&folder.join("Cargo.toml"), &manifest(name, programs)?)
            .map_err(failed)?;
        fs::write(folder.join("Cargo.lock"), read("Cargo.lock")?).map_err(failed)?;
        let scratch = Self { folder, target: target_folder.to_owned(), options };
        let mut build = scratch.cargo("build");
        let output =
            build.arg("--bins").output().map_err(|err| format!("cargo: {err}"))?;
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() || !messages.is_empty() {
            return Err(format!(
                "{name} does not build without a message:\n{messages}"
            ));
        }
        Ok(scratch)
    }

    /// Runs the tests in one of the programs. Returns what `cargo test` prints.
    ///
    /// # Errors
    ///
    /// A sentence, if cargo cannot be started.
    pub fn test(&self, name: &str) -> Result<String, String> {
        let mut cargo = self.cargo("test");
        cargo.args(["--bin", name, "--", "--test-threads=1"]);
        let output = cargo.output().map_err(|err| format!("cargo: {err}"))?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(text(&output.stdout) + &text(&output.stderr))
    }

    /// Returns a cargo command for the package, without a network.
    fn cargo(&self, command: &str) -> Command {
        let mut cargo = cargo();
        cargo.args([command, "--quiet", "--offline", "--target-dir"]);
        cargo.arg(&self.target).current_dir(&self.folder);
        if !self.options.is_empty() {
            cargo.env("RUSTFLAGS", self.options);
        }
        cargo
    }

    /// Returns the path of a built program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{EXE_SUFFIX}"))
    }
}

/// Returns the command that calls cargo.
#[must_use]
pub fn cargo() -> Command {
    let mut cargo =
        Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.stdin(Stdio::null());
    cargo
}

/// Writes a file, unless it already has this text. Cargo would build an unchanged file again.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).ok().as_deref() == Some(text) {
        return Ok(());
    }
    fs::write(path, text)
}

/// Returns the manifest of a scratch package. The versions of the crates are those of the
/// workbook.
fn manifest(name: &str, programs: &[(String, String)]) -> Result<String, String> {
    let workbook = read("Cargo.toml")?;
    let is_used = |line: &&str| {
        let name = line.split(" =").next().unwrap_or_default();
        // The crates of the features are only for programs that use them.
        let import = format!("use {name}::");
        let is_imported = || programs.iter().any(|(_, text)| text.contains(&import));
        ["byteorder", "rustix", "dns-lookup", "socket2"].contains(&name)
            || ["mio", "tokio"].contains(&name) && is_imported()
    };
    let crates: Vec<_> = workbook
        .lines()
        .filter(is_used)
        .map(|line| line.replace(", optional = true", ""))
        .collect();
    Ok(format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         rust-version = \"1.85\"\n\n\
         [dependencies]\nsockets101 = {{ path = '{}' }}\n{}\n\n\
         [lints.rust]\nwarnings = \"deny\"\n\n[workspace]\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").display(),
        crates.join("\n")
    ))
}
