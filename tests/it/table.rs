//! The table of the servers. `check` uses the same table.

#[allow(dead_code)] // Some of it is only for `check`.
#[path = "../../examples/tools/common/lessons.rs"]
mod lessons;

pub use lessons::{Design, Kind, Row, SERVERS};

use crate::harness::Server;

/// Returns the rows for which `about` returns true.
pub fn servers(about: impl Fn(&Row) -> bool) -> impl Iterator<Item = Row> {
    SERVERS.into_iter().filter(about)
}

/// Returns the server `name`.
pub fn server(name: &str) -> Row {
    servers(|row| row.name == name).next().expect("no such server in the table")
}

impl Row {
    /// Starts the server on a free port. A slow server starts without its delay.
    #[track_caller]
    pub fn start(&self) -> Server {
        self.start_at("0")
    }

    /// Starts the server on this address. A slow server starts without its delay.
    #[track_caller]
    pub fn start_at(&self, address: &str) -> Server {
        Server::start(self.name, &[&[address], self.no_delay()].concat())
    }

    /// Starts the server on a free port with these options.
    #[track_caller]
    pub fn start_with(&self, options: &[&str]) -> Server {
        Server::start(self.name, &[&["0"], options].concat())
    }

    /// Returns the options that remove the delay of a slow server.
    pub fn no_delay(&self) -> &'static [&'static str] {
        if self.is_slow() { &["--delay", "0"] } else { &[] }
    }
}
