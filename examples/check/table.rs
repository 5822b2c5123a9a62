//! The servers of the workbook, in slide order.

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
    pub slide: usize,
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

impl Row {
    pub fn is_stream(&self) -> bool {
        self.kind != Datagram
    }

    /// Whether an answer takes a while, since the slide sleeps.
    pub fn is_slow(&self) -> bool {
        self.options.contains(&"delay")
    }
}

/// The rows are short, so that they can be read as a table.
const fn row(
    slide: usize,
    name: &'static str,
    (kind, design): (Kind, Design),
    port: u16,
    backlog: u32,
    options: &'static [&'static str],
) -> Row {
    Row { slide, name, kind, design, port, backlog, options }
}

use Design::{Pool, Sequential, Together};
use Kind::{Block, Conversation, Datagram, OneMessage};

#[rustfmt::skip]
pub const SERVERS: [Row; 14] = [
    row(1, "udp_server_bytes", (Datagram, Sequential), 1235, 0, &[]),
    row(2, "udp_server", (Datagram, Sequential), 1235, 0, &[]),
    row(3, "ttl_pong", (Datagram, Sequential), 1234, 0, &[]),
    row(4, "tcp_server", (OneMessage, Sequential), 1235, 1, &[]),
    row(9, "recvall_server", (Block, Sequential), 1241, 1, &[]),
    row(10, "sequential_server", (Conversation, Sequential), 1234, 1, &[]),
    row(11, "listen_backlog", (Conversation, Sequential), 1236, 100, &["backlog"]),
    row(12, "slow_sequential_server", (Conversation, Sequential), 1237, 100, &["delay"]),
    row(13, "poll_server", (Conversation, Together), 1236, 100, &[]),
    row(14, "thread_per_client", (Conversation, Together), 1237, 100, &[]),
    row(15, "slow_thread_per_client", (Conversation, Together), 1238, 100, &["delay"]),
    row(16, "thread_pool", (OneMessage, Pool), 1239, 100, &[]),
    row(17, "thread_pool_timeout", (OneMessage, Pool), 1240, 100, &["timeout"]),
    row(18, "slow_thread_pool_timeout", (OneMessage, Pool), 1241, 100, &["delay", "timeout"]),
];
