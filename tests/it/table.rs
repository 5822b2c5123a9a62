//! The servers of the workbook: the table is that of `check`.

#[path = "../../examples/tools/common/lessons.rs"]
mod lessons;

pub use lessons::{Design, Kind, Row, SERVERS};

use crate::harness::Server;

/// The rows that a promise is about.
pub fn servers(about: impl Fn(&Row) -> bool) -> impl Iterator<Item = Row> {
    SERVERS.into_iter().filter(about)
}

/// The server of that name.
pub fn server(name: &str) -> Row {
    servers(|row| row.name == name).next().expect("no such server in the table")
}

impl Row {
    /// Starts it on a free port, a slow one without its delay.
    #[track_caller]
    pub fn start(&self) -> Server {
        self.start_at("0")
    }

    /// Starts it at this address, a slow one without its delay.
    #[track_caller]
    pub fn start_at(&self, address: &str) -> Server {
        Server::start(self.name, &[&[address], self.no_delay()].concat())
    }

    /// Starts it on a free port with these options.
    #[track_caller]
    pub fn start_with(&self, options: &[&str]) -> Server {
        Server::start(self.name, &[&["0"], options].concat())
    }

    /// The options that make a slow server a fast one.
    pub fn no_delay(&self) -> &'static [&'static str] {
        if self.is_slow() { &["--delay", "0"] } else { &[] }
    }
}
