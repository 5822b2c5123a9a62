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

    /// Whether it reads on before it closes: no server does that serves all in one thread.
    pub fn has_last_word(&self) -> bool {
        self.is_stream() && !["poll_server", "event_server"].contains(&self.name)
    }

    /// Whether an answer takes a while, since the slide sleeps.
    pub fn is_slow(&self) -> bool {
        self.options.contains(&"delay")
    }
}

use Design::{Pool, Sequential, Together};
use Kind::{Block, Conversation, Datagram, OneMessage};

#[rustfmt::skip]
pub const SERVERS: [Row; 14 + cfg!(feature = "event") as usize] = [
    Row { slide: 1, name: "udp_server_bytes", kind: Datagram, design: Sequential, port: 1235, backlog: 0, options: &[] },
    Row { slide: 2, name: "udp_server", kind: Datagram, design: Sequential, port: 1235, backlog: 0, options: &[] },
    Row { slide: 3, name: "ttl_pong", kind: Datagram, design: Sequential, port: 1234, backlog: 0, options: &[] },
    Row { slide: 4, name: "tcp_server", kind: OneMessage, design: Sequential, port: 1235, backlog: 1, options: &[] },
    Row { slide: 9, name: "recvall_server", kind: Block, design: Sequential, port: 1241, backlog: 1, options: &[] },
    Row { slide: 10, name: "sequential_server", kind: Conversation, design: Sequential, port: 1234, backlog: 1, options: &[] },
    Row { slide: 11, name: "listen_backlog", kind: Conversation, design: Sequential, port: 1236, backlog: 100, options: &["backlog"] },
    Row { slide: 12, name: "slow_sequential_server", kind: Conversation, design: Sequential, port: 1237, backlog: 100, options: &["delay"] },
    Row { slide: 13, name: "poll_server", kind: Conversation, design: Together, port: 1236, backlog: 100, options: &[] },
    Row { slide: 14, name: "thread_per_client", kind: Conversation, design: Together, port: 1237, backlog: 100, options: &[] },
    Row { slide: 15, name: "slow_thread_per_client", kind: Conversation, design: Together, port: 1238, backlog: 100, options: &["delay"] },
    Row { slide: 16, name: "thread_pool", kind: OneMessage, design: Pool, port: 1239, backlog: 100, options: &[] },
    Row { slide: 17, name: "thread_pool_timeout", kind: OneMessage, design: Pool, port: 1240, backlog: 100, options: &["timeout"] },
    Row { slide: 18, name: "slow_thread_pool_timeout", kind: OneMessage, design: Pool, port: 1241, backlog: 100, options: &["delay", "timeout"] },
    // Beyond the slides.
    #[cfg(feature = "event")] Row { slide: 0, name: "event_server", kind: Conversation, design: Together, port: 1242, backlog: 100, options: &[] },
];
