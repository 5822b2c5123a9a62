//! Finds the lines of a program at which its threads make their calls.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use addr2line::Loader;
use object::{File, Object, ObjectSegment};

use crate::{python, top};

/// A line of a file of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path of the file, below the top folder.
    pub file: String,
    pub line: u32,
}

/// Knows the line of each call of a program.
pub enum Lines {
    Rust(Box<Program>),
    /// The lines that each thread has run, by the number that the kernel gave the thread.
    Python(BTreeMap<u32, Vec<python::Line>>),
}

impl Lines {
    /// Reads the debug information of a program. `original` is the file of the program, if the
    /// compiler built a copy.
    pub fn rust(path: &Path, original: Option<String>) -> Result<Self, String> {
        Ok(Self::Rust(Box::new(Program::new(path, original)?)))
    }
    /// Returns the lines of the project that have led to a call, the innermost line first. `time`
    /// is when the call began. `is_output` says whether the call prints something. The result is `None` if the interpreter makes the call by itself.
    pub fn places(
        &self,
        thread: &str,
        time: f64,
        stack: &[&str],
        is_output: bool,
    ) -> Result<Option<Vec<Place>>, String> {
        let lines = match self {
            Self::Rust(program) => return program.places(stack).map(Some),
            Self::Python(threads) => {
                thread.parse().ok().and_then(|thread: u32| threads.get(&thread))
            }
        };
        let Some(lines) = lines
            .filter(|lines| lines.first().is_some_and(|first| first.time <= time))
        else {
            return Ok(None);
        };
        let mut places = python::at(lines, time).to_vec();
        if places.is_empty() && is_output {
            // The interpreter prints an exception after the program has left its last line.
            let ran =
                |line: &&python::Line| line.time <= time && !line.stack.is_empty();
            places =
                lines.iter().rfind(ran).map_or(places, |line| line.stack.clone());
        }
        places.reverse();
        Ok(Some(places))
    }
}

/// A program that the compiler built with debug information.
pub struct Program {
    path: PathBuf,
    /// The file of the program in the project, if the compiler built a copy.
    original: Option<String>,
    loader: Loader,
    /// The parts of the file that are loaded into memory: the first byte in the file, the number
    /// of bytes, and the address of the first byte.
    segments: Vec<(u64, u64, u64)>,
}

impl Program {
    fn new(path: &Path, original: Option<String>) -> Result<Self, String> {
        let failed =
            |err: &dyn std::fmt::Display| format!("{}: {err}", path.display());
        let bytes = fs::read(path).map_err(|err| failed(&err))?;
        let file = File::parse(&*bytes).map_err(|err| failed(&err))?;
        let segments = file.segments().map(|segment| {
            let (first, length) = segment.file_range();
            (first, length, segment.address())
        });
        Ok(Self {
            path: path.to_owned(),
            original,
            segments: segments.collect(),
            loader: Loader::new(path).map_err(|err| failed(&err))?,
        })
    }

    /// Returns the lines of the project in a stack that strace wrote, the innermost line first. Each line of the stack is ` > FILE(SYMBOL+0x1) [0x2]`, where the last number counts from
    /// the start of the file.
    fn places(&self, stack: &[&str]) -> Result<Vec<Place>, String> {
        let mut places = Vec::new();
        for line in stack {
            let Some((file, rest)) = line.trim_start_matches(" > ").split_once('(')
            else {
                continue;
            };
            let offset =
                rest.rsplit_once("[0x").map(|(_, hex)| hex.trim_end_matches(']'));
            let offset = offset.and_then(|hex| u64::from_str_radix(hex, 16).ok());
            if let (true, Some(offset)) = (Path::new(file) == self.path, offset) {
                self.add_places(offset, &mut places)?;
            }
        }
        Ok(places)
    }

    /// Adds the line at this position of the file, and the lines that inlined it.
    fn add_places(
        &self,
        offset: u64,
        places: &mut Vec<Place>,
    ) -> Result<(), String> {
        let segment = self
            .segments
            .iter()
            .find(|(first, length, _)| (*first..first + length).contains(&offset));
        let Some((first, _, address)) = segment else { return Ok(()) };
        // A frame has the address to which its call returns, which may be on the next line.
        let call = offset - first + address - 1;
        let failed =
            |err: &dyn std::fmt::Display| format!("{}: {err}", self.path.display());
        let mut frames =
            self.loader.find_frames(call).map_err(|err| failed(&err))?;
        while let Some(frame) = frames.next().map_err(|err| failed(&err))? {
            let Some(location) = frame.location else { continue };
            let (Some(file), Some(line)) = (location.file, location.line) else {
                continue;
            };
            if let Some(file) = self.within_project(file) {
                places.push(Place { file, line });
            }
        }
        Ok(())
    }

    /// Returns the path of a file below the top folder, or `None` for a file of a library.
    fn within_project(&self, file: &str) -> Option<String> {
        let file = Path::new(file);
        if let Some(original) = &self.original {
            if file.file_stem() == self.path.file_stem() {
                return Some(original.clone());
            }
        }
        let below =
            if file.is_absolute() { file.strip_prefix(top()).ok()? } else { file };
        let is_ours = ["examples", "src", "tests"]
            .iter()
            .any(|folder| below.starts_with(folder));
        is_ours.then(|| below.to_string_lossy().into_owned())
    }
}
