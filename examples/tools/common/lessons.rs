//! The servers of the workbook, in the order of the lessons.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The environment variable with which `exercise` says that `check` must make all checks.
pub const ALL_CHECKS: &str = "SOCKETS101_ALL_CHECKS";

/// What a client of a server sends and receives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The server replies to each datagram.
    Datagram,
    /// The server reads once, replies, and closes the connection.
    OneMessage,
    /// The server receives one length-prefixed message, replies, and closes the connection.
    Block,
    /// The server replies until the client closes its sending side.
    Conversation,
}

/// How many clients a server serves at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Design {
    /// One.
    Sequential,
    /// All.
    Together,
    /// At most four.
    Pool,
}

/// One server.
#[derive(Clone, Copy)]
pub struct Row {
    /// The number of the lesson, or 0 for a server beyond the lecture.
    pub lesson: usize,
    pub name: &'static str,
    pub kind: Kind,
    pub design: Design,
    /// The port of the lecture's slide.
    pub port: u16,
    /// The length of the queue that the server asks for, or 0 for datagrams.
    pub backlog: u32,
    /// The options that the server takes. All but `backlog` are in seconds.
    pub options: &'static [&'static str],
    /// The check of the server's make task, or an empty text. The server itself does not pass it.
    pub make: &'static str,
}

impl Row {
    /// Returns true if the clients connect over TCP.
    pub fn is_stream(&self) -> bool {
        self.kind != Datagram
    }

    /// Returns true if the server closes connections gracefully. A server that serves all
    /// clients in one thread cannot wait for one of them.
    pub fn closes_gracefully(&self) -> bool {
        self.is_stream() && !["poll_server", "event_server"].contains(&self.name)
    }

    /// Returns the IP address on which a test lets the server listen.
    pub fn listen_ip(&self) -> IpAddr {
        if self.name == "dual_stack" {
            // Only this address accepts clients of both families.
            return Ipv6Addr::UNSPECIFIED.into();
        }
        Ipv4Addr::LOCALHOST.into()
    }

    /// Returns true if the server can sleep before each reply.
    pub fn is_slow(&self) -> bool {
        self.options.contains(&"delay")
    }

    /// Returns true if the server sleeps before each reply, unless it gets `--delay 0`.
    pub fn sleeps_by_default(&self) -> bool {
        self.is_slow() && self.name != "async_server"
    }

    /// Returns true for the make task whose requests are lines.
    pub fn reads_lines(&self) -> bool {
        self.make == "line_in_pieces"
    }

    /// Returns true for the make task that replies to several length-prefixed messages on one
    /// connection.
    pub fn reads_blocks(&self) -> bool {
        self.make == "several_blocks"
    }
}

use Design::{Pool, Sequential, Together};
use Kind::{Block, Conversation, Datagram, OneMessage};

/// A server that needs a feature.
pub struct Special {
    pub row: Row,
    pub feature: &'static str,
    /// True if this program was built with the feature.
    pub is_on: bool,
}

/// The servers that need a feature.
#[rustfmt::skip]
pub const SPECIAL: [Special; 2] = [
    Special {
        row: Row { lesson: 0, name: "event_server", kind: Conversation, design: Together, port: 1242, backlog: 100, options: &[], make: "stops" },
        feature: "event",
        is_on: cfg!(feature = "event"),
    },
    Special {
        row: Row { lesson: 0, name: "async_server", kind: Conversation, design: Together, port: 1243, backlog: 100, options: &["delay"], make: "idle_client" },
        feature: "async",
        is_on: cfg!(feature = "async"),
    },
];

/// The servers. A line for each is easier to compare than the several that rustfmt makes.
#[rustfmt::skip]
pub const SERVERS: [Row; 16 + cfg!(feature = "event") as usize + cfg!(feature = "async") as usize] = [
    Row { lesson: 1, name: "udp_server_bytes", kind: Datagram, design: Sequential, port: 1235, backlog: 0, options: &[], make: "" },
    Row { lesson: 2, name: "udp_server", kind: Datagram, design: Sequential, port: 1235, backlog: 0, options: &[], make: "" },
    Row { lesson: 3, name: "ttl_pong", kind: Datagram, design: Sequential, port: 1234, backlog: 0, options: &[], make: "" },
    Row { lesson: 4, name: "tcp_server", kind: OneMessage, design: Sequential, port: 1235, backlog: 1, options: &[], make: "line_in_pieces" },
    Row { lesson: 9, name: "recvall_server", kind: Block, design: Sequential, port: 1241, backlog: 1, options: &[], make: "several_blocks" },
    Row { lesson: 10, name: "sequential_server", kind: Conversation, design: Sequential, port: 1234, backlog: 1, options: &[], make: "session_limit" },
    Row { lesson: 11, name: "listen_backlog", kind: Conversation, design: Sequential, port: 1236, backlog: 100, options: &["backlog"], make: "" },
    Row { lesson: 12, name: "slow_sequential_server", kind: Conversation, design: Sequential, port: 1237, backlog: 100, options: &["delay"], make: "" },
    Row { lesson: 13, name: "poll_server", kind: Conversation, design: Together, port: 1236, backlog: 100, options: &[], make: "idle_client" },
    Row { lesson: 14, name: "thread_per_client", kind: Conversation, design: Together, port: 1237, backlog: 100, options: &[], make: "too_many_clients" },
    Row { lesson: 15, name: "slow_thread_per_client", kind: Conversation, design: Together, port: 1238, backlog: 100, options: &["delay"], make: "" },
    Row { lesson: 16, name: "thread_pool", kind: OneMessage, design: Pool, port: 1239, backlog: 100, options: &[], make: "crash" },
    Row { lesson: 17, name: "thread_pool_timeout", kind: OneMessage, design: Pool, port: 1240, backlog: 100, options: &["timeout"], make: "last_worker" },
    Row { lesson: 18, name: "slow_thread_pool_timeout", kind: OneMessage, design: Pool, port: 1241, backlog: 100, options: &["delay", "timeout"], make: "" },
    // Beyond the lecture.
    #[cfg(feature = "event")] SPECIAL[0].row,
    #[cfg(feature = "async")] SPECIAL[1].row,
    Row { lesson: 0, name: "stop_server", kind: Conversation, design: Together, port: 1244, backlog: 100, options: &["grace"], make: "" },
    Row { lesson: 0, name: "dual_stack", kind: Conversation, design: Together, port: 1245, backlog: 100, options: &[], make: "too_many_clients" },
];
