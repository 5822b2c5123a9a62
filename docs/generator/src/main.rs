//! Runs the examples and writes the files that the book includes.

use std::process::ExitCode;
use std::{fs, io};

use sockets101_book::crowd::is_current;
use sockets101_book::{Generated, folder, generate, read, says, top};

fn main() -> ExitCode {
    let result = write_says()
        .and_then(|()| generate())
        .and_then(|all| write(&all).map_err(|err| err.to_string()));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("Error: {err}");
            ExitCode::FAILURE
        }
    }
}

fn write(all: &Generated) -> io::Result<()> {
    for (name, text) in &all.files {
        let path = folder().join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        if fs::read_to_string(&path).is_ok_and(|old| is_current(name, &old, text)) {
            continue;
        }
        println!("wrote {}", path.display());
        fs::write(path, text)?;
    }
    for sentence in &all.skipped {
        println!("skipped: {sentence}");
    }
    Ok(())
}

/// Writes the page "What `check` says" again, if it has changed.
fn write_says() -> Result<(), String> {
    let text = says::page()?;
    if text != read(says::PAGE)? {
        println!("wrote {}", says::PAGE);
        fs::write(top().join(says::PAGE), text).map_err(|err| err.to_string())?;
    }
    Ok(())
}
