//! Reads, keeps and replaces the file of a student.
//!
//! No line of a student is lost. The old file is first copied to `examples/my_kept/`. Then the new
//! file is written to the same folder, and renamed. So the student's file is always complete.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use sockets101::Failure;

use crate::lesson::{Lesson, top};

/// The folder for the old files. Its name begins with `my_`, so git ignores it.
const KEPT: &str = "examples/my_kept";

/// The largest file that is compared with the steps, in bytes. No step is that large.
const LARGEST: usize = 64 * 1024;

/// The program of a student.
pub struct Student {
    lesson: &'static str,
    /// The path of the file, from the folder of the package.
    pub file: String,
    path: PathBuf,
    /// What the file contains. `None` if the file does not exist.
    pub bytes: Option<Vec<u8>>,
}

impl Student {
    /// Reads the student's program for a lesson.
    pub fn read(lesson: &Lesson) -> Result<Self, Failure> {
        let file = format!("examples/my_{}.rs", lesson.name());
        let path = top().join(&file);
        if path.is_dir() {
            return Err(format!("{file} is a folder; give the folder another name").into());
        }
        if path.exists() && !path.is_file() {
            return Err(format!("{file} is not a normal file; remove it").into());
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(err) if err.kind() == ErrorKind::NotFound => None,
            Err(err) => return Err(format!("cannot read {file}: {err}").into()),
        };
        Ok(Self { lesson: lesson.name(), file, path, bytes })
    }

    /// Returns the text of the file. Returns `None` if the file does not exist.
    pub fn text(&self) -> Result<Option<&str>, Failure> {
        let Some(bytes) = &self.bytes else { return Ok(None) };
        let file = &self.file;
        if bytes.len() > LARGEST {
            let size = format!("{file} has {} bytes", bytes.len());
            return Err(format!("{size}; live compares files of at most {LARGEST} bytes").into());
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
                Err(format!("{file} is UTF-16; save the file as UTF-8 in your editor").into())
            }
            Err(err) => {
                let valid = &bytes[..err.valid_up_to()];
                let line = valid.split(|byte| *byte == b'\n').count();
                let what = format!("line {line} of {file} has invalid bytes");
                Err(format!("{what}; save the file as UTF-8 in your editor").into())
            }
        }
    }

    /// Returns the numbers of the kept files of this lesson, the latest one last.
    fn kept_numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(top().join(KEPT)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some((lesson, rest)) = name.split_once('.') {
                let number = rest.strip_suffix(".rs").map(str::parse);
                if let (true, Some(Ok(number))) = (lesson == self.lesson, number) {
                    numbers.push(number);
                }
            }
        }
        numbers.sort_unstable();
        numbers
    }

    /// Returns the path of a kept file, from the folder of the package.
    fn kept_file(&self, number: u32) -> String {
        format!("{KEPT}/{}.{number}.rs", self.lesson)
    }

    /// Copies the file to the folder of the kept files, unless the latest kept file is the same.
    /// Returns the path of the copy. Returns `None` if the file does not exist or is empty.
    pub fn keep(&self) -> Result<Option<String>, Failure> {
        let Some(bytes) = &self.bytes else { return Ok(None) };
        if bytes.is_empty() {
            return Ok(None);
        }
        fs::create_dir_all(top().join(KEPT))
            .map_err(|err| cannot("make the folder", KEPT, &err))?;
        let mut number = 1;
        if let Some(last) = self.kept_numbers().last() {
            let file = self.kept_file(*last);
            if fs::read(top().join(&file)).is_ok_and(|kept| kept == *bytes) {
                return Ok(Some(file));
            }
            number = last.saturating_add(1);
        }
        let file = self.kept_file(number);
        // `create_new` fails if the file exists, so an old copy is never overwritten.
        let copy = File::create_new(top().join(&file));
        match copy.and_then(|copy| write_all(copy, bytes)) {
            Ok(()) => Ok(Some(file)),
            Err(err) => Err(cannot("write", &file, &err)),
        }
    }

    /// Returns the latest kept file that differs from the student's file: its path and its bytes.
    pub fn latest_kept(&self) -> Result<(String, Vec<u8>), Failure> {
        for number in self.kept_numbers().into_iter().rev() {
            let file = self.kept_file(number);
            let bytes = fs::read(top().join(&file)).map_err(|err| cannot("read", &file, &err))?;
            if Some(&bytes) != self.bytes.as_ref() {
                return Ok((file, bytes));
            }
        }
        let what = format!("{KEPT} does not have an older file of {}", self.lesson);
        Err(format!("{what}; live keeps a file when it writes a step").into())
    }

    /// Replaces the file. Call [`Student::keep`] first.
    pub fn replace(&self, new: &[u8]) -> Result<(), Failure> {
        let file = &self.file;
        if fs::metadata(&self.path).is_ok_and(|data| data.permissions().readonly()) {
            let advice = "allow writing, or rename the file";
            return Err(format!("{file} is read-only; {advice}, and try again").into());
        }
        fs::create_dir_all(top().join(KEPT))
            .map_err(|err| cannot("make the folder", KEPT, &err))?;
        let temporary = format!("{KEPT}/{}.{}.new", self.lesson, std::process::id());
        let written = File::create(top().join(&temporary)).and_then(|file| write_all(file, new));
        let result = match written {
            Err(err) => Err(cannot("write", &temporary, &err)),
            // The editor may have saved the file after this program has read it.
            Ok(()) if fs::read(&self.path).ok() != self.bytes => {
                Err(format!("{file} has changed in this moment; try again").into())
            }
            Ok(()) => fs::rename(top().join(&temporary), &self.path)
                .map_err(|err| cannot("replace", file, &err)),
        };
        if result.is_err() {
            let _ = fs::remove_file(top().join(&temporary));
        }
        result
    }
}

/// Writes a file, and waits until it is on the disk.
fn write_all(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

fn cannot(what: &str, file: &str, err: &io::Error) -> Failure {
    let advice = match err.kind() {
        ErrorKind::StorageFull => "free some space",
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "rename the file that has this name",
        _ => "close the file in other programs, and check its permissions",
    };
    format!("cannot {what} {file}: {err}; {advice}").into()
}
