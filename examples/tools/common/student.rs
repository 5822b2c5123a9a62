//! Reads, keeps and replaces the file of a student.
//!
//! A student never loses a line, even if an editor saves the file at the same moment. The old file
//! is not copied. It moves to `examples/my_kept/`, so an editor that is still writing the file
//! writes to the kept file. Then the new file gets the name of the old one. This fails if the
//! editor has already saved another file with this name.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, process};

use sockets101::Failure;

use crate::text::paragraph;

/// The folder for the old files. Its name begins with `my_`, so git ignores it.
pub const KEPT: &str = "examples/my_kept";

/// The largest file to compare with our programs, in bytes. All our programs are smaller.
const LARGEST: usize = 64 * 1024;

/// The sentence to print after a file has been replaced.
pub const RELOAD: &str = "If your editor still shows the old file, load the file again.\n";

/// The longest time that an editor needs to save a file.
const SAVING: Duration = Duration::from_secs(5);

/// The age after which a temporary file is from a run that has been killed.
const KILLED: Duration = Duration::from_secs(60 * 60);

/// The program of a student.
pub struct Student {
    /// The path of the file, from the folder of the package.
    pub file: String,
    path: PathBuf,
    /// The bytes of the file. `None` if the file does not exist.
    pub bytes: Option<Vec<u8>>,
    owner: Owner,
}

/// The command that writes a student's file.
pub struct Owner {
    /// The name of the command.
    pub command: &'static str,
    /// The name of the student's file without `my_`. The kept files have this name and a number.
    pub name: String,
    /// The end of the names, with the dot.
    pub ending: &'static str,
    /// The programs that the command writes. They are not a student's work.
    pub ours: Vec<String>,
}

/// Returns the folder of the package. Cargo says where it is when it runs this program.
pub fn top() -> PathBuf {
    match env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).to_owned(),
    }
}

/// Returns an error if the folder of the package does not have a folder `examples`.
pub fn find_folder(command: &str) -> Result<(), Failure> {
    let folder = top();
    if folder.join("examples").is_dir() {
        return Ok(());
    }
    let what = format!("{} does not have a folder examples", folder.display());
    Err(format!("{what}; start {command} with cargo run, in the folder of the workbook").into())
}

/// Returns the sentence to print about a kept file.
pub fn kept(kept: Option<String>) -> String {
    match kept {
        Some(kept) => paragraph(format!("Your file is kept in {kept}.")),
        None => String::new(),
    }
}

impl Student {
    /// Reads the student's program.
    pub fn read(owner: Owner) -> Result<Self, Failure> {
        let file = format!("examples/my_{}{}", owner.name, owner.ending);
        let path = top().join(&file);
        if let Ok(data) = fs::metadata(&path) {
            if data.is_dir() {
                return Err(format!("{file} is a folder; give the folder another name").into());
            }
            if !data.is_file() {
                return Err(format!("{file} is not a normal file; give it another name").into());
            }
        }
        let bytes = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(err) if err.kind() == ErrorKind::NotFound => None,
            Err(err) => return Err(cannot("read", &file, &err).into()),
        };
        Ok(Self { file, path, bytes, owner })
    }

    /// Returns the text of the file. Returns `None` if the file does not exist.
    pub fn text(&self) -> Result<Option<&str>, Failure> {
        let Some(bytes) = &self.bytes else { return Ok(None) };
        let file = &self.file;
        if bytes.len() > LARGEST {
            let command = self.owner.command;
            let length = bytes.len();
            let size = format!("{file} has {length} bytes, and {command} reads at most {LARGEST}");
            return Err(format!("{size}; remove the lines that are not your program").into());
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

    /// Returns the index of our program that has exactly these bytes.
    pub fn ours(&self, bytes: &[u8]) -> Option<usize> {
        self.owner.ours.iter().position(|text| text.as_bytes() == bytes)
    }

    /// Returns the path of a file in the folder of the kept files, from the folder of the package.
    fn file_in_kept(&self, number: u32, end: &str) -> String {
        format!("{KEPT}/{}.{number}{end}", self.owner.name)
    }

    /// Returns the numbers of the files with this end in the folder of the kept files,
    /// the lowest one first.
    fn numbers(&self, end: &str) -> Result<Vec<u32>, Failure> {
        let entries = match fs::read_dir(top().join(KEPT)) {
            Ok(entries) => entries,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(err) => return Err(cannot("read the folder", KEPT, &err).into()),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|err| cannot("read the folder", KEPT, &err))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some((start, rest)) = name.split_once('.') {
                let number = rest.strip_suffix(end).map(str::parse);
                if let (true, Some(Ok(number))) = (start == self.owner.name, number) {
                    numbers.push(number);
                }
            }
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Reads the kept files, the latest one first. Leaves out empty files, folders, and all that is
    /// not a normal file.
    fn kept(&self) -> Result<Vec<(u32, Vec<u8>)>, Failure> {
        let mut all = Vec::new();
        for number in self.numbers(self.owner.ending)?.into_iter().rev() {
            let file = self.file_in_kept(number, self.owner.ending);
            let path = top().join(&file);
            if path.is_file() {
                let bytes = fs::read(path).map_err(|err| cannot("read", &file, &err))?;
                if !bytes.is_empty() {
                    all.push((number, bytes));
                }
            }
        }
        Ok(all)
    }

    /// Returns the paths and the bytes of the kept files that the student has written, the latest
    /// one first. Leaves out our programs. Of several files with the same bytes, returns the latest.
    pub fn own_kept(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let mut own: Vec<(String, Vec<u8>)> = Vec::new();
        for (number, bytes) in self.kept()? {
            let is_known = own.iter().any(|(_, later)| *later == bytes);
            if !is_known && self.ours(&bytes).is_none() {
                own.push((self.file_in_kept(number, self.owner.ending), bytes));
            }
        }
        Ok(own)
    }

    /// Returns the latest kept file that differs from the student's file: its path and its bytes.
    pub fn latest_kept(&self) -> Result<(String, Vec<u8>), Failure> {
        for (file, bytes) in self.own_kept()? {
            if Some(&bytes) != self.bytes.as_ref() {
                return Ok((file, bytes));
            }
        }
        let Owner { command, name, .. } = &self.owner;
        let what = format!("{KEPT} does not have an older file of {name}");
        Err(format!("{what}; {command} keeps your file only if you have changed it").into())
    }

    /// Restores the latest kept file. Returns what to print.
    pub fn restore(&self) -> Result<String, Failure> {
        let (from, bytes) = self.latest_kept()?;
        let mut text = kept(self.replace(&bytes)?);
        let file = &self.file;
        text += &paragraph(format!("{file} is now the same as {from}."));
        text += RELOAD;
        let count = self.own_kept().unwrap_or_default().len();
        if count > 1 {
            let Owner { name, ending, .. } = &self.owner;
            let names = format!("{KEPT} has {count} of your files, {name}.NUMBER{ending}");
            text +=
                &paragraph(format!("{names}. To use another of these files, copy it to {file}."));
        }
        Ok(text)
    }

    /// Replaces the file, and keeps the old file. Returns the path of the kept file. Returns `None`
    /// if the old file does not have anything of the student.
    pub fn replace(&self, new: &[u8]) -> Result<Option<String>, Failure> {
        let file = &self.file;
        if let Ok(data) = fs::symlink_metadata(&self.path) {
            if data.is_symlink() {
                let advice = "replace the link with a copy of this file";
                return Err(format!("{file} is a link to another file; {advice}").into());
            }
            if data.permissions().readonly() {
                let advice = "allow writing, or rename the file";
                return Err(format!("{file} is read-only; {advice}, and try again").into());
            }
        }
        fs::create_dir_all(top().join(KEPT))
            .map_err(|err| cannot("make the folder", KEPT, &err))?;
        let temporary = self.file_in_kept(process::id(), ".new");
        let path = top().join(&temporary);
        // A killed run can have left this file. The file can be a second name of the student's
        // file. Therefore remove the file, and never overwrite it.
        let _ = fs::remove_file(&path);
        let written = File::create_new(&path).and_then(|new_file| write_all(new_file, new));
        let result = match written {
            Ok(()) => self.exchange(&path, new),
            Err(err) => Err(cannot("write", &temporary, &err).into()),
        };
        let _ = fs::remove_file(&path);
        result
    }

    /// Moves the old file to the kept files, and gives the temporary file its name.
    fn exchange(&self, temporary: &Path, new: &[u8]) -> Result<Option<String>, Failure> {
        let moved = self.move_away()?;
        if let Err(err) = put(temporary, &self.path, new) {
            return Err(self.not_put(moved, &err));
        }
        let Some(number) = moved else { return Ok(None) };
        self.clean_up(number);
        let kept = self.file_in_kept(number, self.owner.ending);
        match fs::read(top().join(&kept)) {
            Ok(bytes) if bytes.is_empty() || self.ours(&bytes).is_some() => Ok(None),
            _ => Ok(Some(kept)),
        }
    }

    /// Moves the student's file to the kept files. Returns its number there, or `None` if the file
    /// does not exist.
    fn move_away(&self) -> Result<Option<u32>, Failure> {
        if self.bytes.is_none() {
            return Ok(None);
        }
        let last = self.numbers(self.owner.ending)?.last().copied();
        for number in last.unwrap_or(0).saturating_add(1)..=u32::MAX {
            let kept = self.file_in_kept(number, self.owner.ending);
            let path = top().join(&kept);
            // `rename` replaces a file. An empty file reserves the number, so another run at the
            // same moment takes the next number.
            match File::create_new(&path) {
                Ok(_) => {}
                Err(err) if err.kind() == ErrorKind::AlreadyExists => continue,
                Err(err) => return Err(cannot("write", &kept, &err).into()),
            }
            let Err(err) = fs::rename(&self.path, &path) else { return Ok(Some(number)) };
            // On a network drive, `rename` can report an error although it has moved the file.
            if fs::metadata(&path).is_ok_and(|data| data.len() == 0) {
                let _ = fs::remove_file(&path);
            }
            if err.kind() == ErrorKind::NotFound {
                return Ok(None);
            }
            return Err(cannot("move", &format!("{} to {KEPT}", self.file), &err).into());
        }
        Err(format!("{KEPT} has a file with the number {}; rename this file", u32::MAX).into())
    }

    /// Moves the old file back, and returns what to say if the new file did not get its name.
    fn not_put(&self, moved: Option<u32>, err: &io::Error) -> Failure {
        let file = &self.file;
        let mut what = if err.kind() == ErrorKind::AlreadyExists {
            format!(
                "another program, perhaps your editor, has just saved {file}; run {} again",
                self.owner.command
            )
        } else {
            cannot("write", file, err)
        };
        let Some(number) = moved else { return what.into() };
        let kept = self.file_in_kept(number, self.owner.ending);
        // Unlike `rename`, `hard_link` does not replace a file that an editor has just saved.
        if fs::hard_link(top().join(&kept), &self.path).is_ok() {
            let _ = fs::remove_file(top().join(&kept));
        } else {
            what += ". Your old file is in ";
            what += &kept;
        }
        what.into()
    }

    /// Removes three kinds of kept files: our programs, files that have a later copy, and temporary
    /// files of killed runs. The file with the number `latest` stays, because an editor may still
    /// write to it. All files stay if this run follows immediately after another run, or after a
    /// save.
    fn clean_up(&self, latest: u32) {
        if age(&top().join(self.file_in_kept(latest, self.owner.ending))) < SAVING {
            return;
        }
        let mut seen = Vec::new();
        for (number, bytes) in self.kept().unwrap_or_default() {
            if number >= latest {
                continue;
            }
            if seen.contains(&bytes) || self.ours(&bytes).is_some() {
                let _ = fs::remove_file(top().join(self.file_in_kept(number, self.owner.ending)));
            }
            seen.push(bytes);
        }
        for number in self.numbers(".new").unwrap_or_default() {
            let path = top().join(self.file_in_kept(number, ".new"));
            if age(&path) > KILLED {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Returns the time since a program has written the file. Returns 0 if the time is not known.
fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).and_then(|data| data.modified());
    match modified.map(|time| time.elapsed()) {
        Ok(Ok(age)) => age,
        _ => Duration::ZERO,
    }
}

/// Gives a file a second name. Fails if a file has this name.
fn put(file: &Path, name: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::hard_link(file, name) {
        // Some file systems, for example on a USB stick, have only one name for a file.
        Err(err) if err.kind() != ErrorKind::AlreadyExists => {
            File::create_new(name).and_then(|copy| write_all(copy, bytes))
        }
        result => result,
    }
}

/// Writes a file, and waits until it is on the disk.
fn write_all(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns a sentence that says what did not work, and what to do.
pub fn cannot(what: &str, file: &str, err: &io::Error) -> String {
    let advice = match err.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "rename the file that has this name",
        ErrorKind::IsADirectory => "rename the folder that has this name",
        ErrorKind::CrossesDevices => "keep the file and this folder on the same disk",
        _ => "check its permissions, and close the file in other programs",
    };
    format!("cannot {what} {file}: {err}; {advice}")
}
