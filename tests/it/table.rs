//! The servers of the workbook.

use crate::harness::Server;

/// What the client of a server sends and gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Answers each datagram.
    Datagram,
    /// Reads once, answers, closes.
    OneMessage,
    /// One block a connection.
    Block,
    /// Answers until the client ends its side.
    Conversation,
}

/// Who has to wait for whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Design {
    /// One client after another.
    Sequential,
    /// All clients at the same time.
    Together,
    /// Four at the same time.
    Pool,
}

/// One server.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    pub design: Design,
    /// The port of its slide.
    pub port: u16,
    /// The queue that it asks for; 0 for datagrams.
    pub backlog: u32,
    /// The options that it takes, all in seconds but for `backlog`.
    pub options: &'static [&'static str],
}

const fn row(
    name: &'static str,
    kind: Kind,
    design: Design,
    port: u16,
    backlog: u32,
    options: &'static [&'static str],
) -> Row {
    Row { name, kind, design, port, backlog, options }
}

use Design::{Pool, Sequential, Together};
use Kind::{Block, Conversation, Datagram, OneMessage};

/// In slide order.
pub const SERVERS: [Row; 14] = [
    row("udp_server_bytes", Datagram, Sequential, 1235, 0, &[]),
    row("udp_server", Datagram, Sequential, 1235, 0, &[]),
    row("ttl_pong", Datagram, Sequential, 1234, 0, &[]),
    row("tcp_server", OneMessage, Sequential, 1235, 1, &[]),
    row("recvall_server", Block, Sequential, 1241, 1, &[]),
    row("sequential_server", Conversation, Sequential, 1234, 1, &[]),
    row("listen_backlog", Conversation, Sequential, 1236, 100, &["backlog"]),
    row("slow_sequential_server", Conversation, Sequential, 1237, 100, &["delay"]),
    row("poll_server", Conversation, Together, 1236, 100, &[]),
    row("thread_per_client", Conversation, Together, 1237, 100, &[]),
    row("slow_thread_per_client", Conversation, Together, 1238, 100, &["delay"]),
    row("thread_pool", OneMessage, Pool, 1239, 100, &[]),
    row("thread_pool_timeout", OneMessage, Pool, 1240, 100, &["timeout"]),
    row(
        "slow_thread_pool_timeout",
        OneMessage,
        Pool,
        1241,
        100,
        &["delay", "timeout"],
    ),
];

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
        if self.options.contains(&"delay") { &["--delay", "0"] } else { &[] }
    }

    pub fn is_stream(&self) -> bool {
        self.kind != Datagram
    }
}
