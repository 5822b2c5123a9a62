//! The programs in short, and the checks that each of them fails.
//!
//! A program in short shows the idea of a server, in the shape of the lecture. It is a good first
//! version, with the bugs of a first version. It is in Rust (`examples/steps/NAME/N.rs`) and in
//! Python (`docs/python/short/NAME.py`), and both versions have the same bugs.
//!
//! This table is the only place for these facts. A test makes all checks with each program, and
//! compares.

/// The program in short of one lesson.
pub struct Short {
    /// The name of the lesson.
    pub lesson: &'static str,
    /// The number of the Rust file. This is the number of the step in the path of the lesson.
    pub file: usize,
    /// The checks that fail, in the order in which `check` makes them. All other checks pass.
    pub fails: &'static [Failure],
}

/// A check that fails.
pub struct Failure {
    /// The name of the check.
    pub check: &'static str,
    /// The names of the reasons that `check` gives. More than one name: `check` prints the
    /// sentences of all these reasons, in this order.
    pub reasons: &'static [&'static str],
}

/// Returns a failure. With this function, each row of the table fits in one line.
const fn failure(check: &'static str, reasons: &'static [&'static str]) -> Failure {
    Failure { check, reasons }
}

/// What fails if one client's error ends a server that serves one client after another.
const ONE_CLIENT_ENDS_IT: [Failure; 7] = [
    failure("byte_by_byte", &["DIED"]),
    failure("cut_character", &["DIED"]),
    failure("not_utf8", &["DIED"]),
    failure("reset", &["DIED"]),
    failure("vanish", &["DIED"]),
    failure("megabyte", &["DIED"]),
    failure("last_word", &["DIED"]),
];

/// What fails if one client's error ends a thread of a pool.
const A_THREAD_EXITS: [Failure; 5] = [
    failure("cut_character", &["GOOD_LOST"]),
    failure("not_utf8", &["GOOD_LOST"]),
    failure("reset", &["EXITED"]),
    failure("vanish", &["EXITED"]),
    failure("last_word", &["UNREAD"]),
];

/// All servers, in the order of the lessons.
///
/// The programs of lessons 17 and 18 also fail the check `idle_end`, with the reason `NO_LIMIT`.
/// `check` skips `idle_end`, because these programs do not take the option `--timeout`. Another
/// test makes this check.
pub const SHORT: [Short; 14] = [
    Short { lesson: "udp_server_bytes", file: 1, fails: &[] },
    Short {
        lesson: "udp_server",
        file: 2,
        fails: &[
            failure("cut_character", &["DIED"]),
            failure("not_utf8", &["DIED"]),
            failure("vanish", &["DIED"]),
        ],
    },
    Short { lesson: "ttl_pong", file: 1, fails: &[] },
    Short {
        lesson: "tcp_server",
        file: 3,
        fails: &[
            failure("cut_character", &["DIED"]),
            failure("not_utf8", &["DIED"]),
            failure("reset", &["DIED"]),
            failure("vanish", &["DIED"]),
            failure("last_word", &["UNREAD"]),
        ],
    },
    Short {
        lesson: "recvall_server",
        file: 3,
        fails: &[
            failure("two_messages", &["UNREAD"]),
            failure("not_utf8", &["DIED"]),
            failure("ends_inside", &["DIED"]),
            failure("announces_4_gib", &["DIED"]),
            failure("silence", &["DIED"]),
            failure("reset", &["DIED"]),
            failure("vanish", &["DIED"]),
            failure("last_word", &["DIED"]),
        ],
    },
    Short { lesson: "sequential_server", file: 2, fails: &ONE_CLIENT_ENDS_IT },
    Short { lesson: "listen_backlog", file: 1, fails: &ONE_CLIENT_ENDS_IT },
    Short {
        lesson: "slow_sequential_server",
        file: 1,
        fails: &[
            failure("cut_character", &["DIED"]),
            failure("not_utf8", &["DIED"]),
            failure("reset", &["DIED"]),
            failure("vanish", &["DIED"]),
            failure("last_word", &["DIED"]),
        ],
    },
    Short {
        lesson: "poll_server",
        file: 3,
        fails: &[
            failure("byte_by_byte", &["DIED"]),
            failure("cut_character", &["DIED"]),
            failure("not_utf8", &["DIED"]),
            failure("reset", &["DIED"]),
            failure("vanish", &["DIED"]),
            failure("never_read", &["BLOCKED", "DIED"]),
            failure("megabyte", &["DIED"]),
        ],
    },
    Short {
        lesson: "thread_per_client",
        file: 2,
        fails: &[
            failure("byte_by_byte", &["FIRST_HALF"]),
            failure("cut_character", &["FIRST_HALF"]),
            failure("not_utf8", &["GOOD_LOST"]),
            failure("megabyte", &["FIRST_HALF"]),
            failure("last_word", &["GOOD_LOST"]),
        ],
    },
    Short {
        lesson: "slow_thread_per_client",
        file: 1,
        fails: &[
            failure("cut_character", &["FIRST_HALF"]),
            failure("not_utf8", &["GOOD_LOST"]),
            failure("last_word", &["GOOD_LOST"]),
        ],
    },
    Short { lesson: "thread_pool", file: 3, fails: &A_THREAD_EXITS },
    Short { lesson: "thread_pool_timeout", file: 1, fails: &A_THREAD_EXITS },
    Short {
        lesson: "slow_thread_pool_timeout",
        file: 1,
        fails: &[
            failure("byte_by_byte", &["UNREAD"]),
            failure("cut_character", &["GOOD_LOST"]),
            failure("not_utf8", &["GOOD_LOST"]),
            failure("reset", &["EXITED"]),
            failure("vanish", &["EXITED"]),
            failure("last_word", &["UNREAD"]),
        ],
    },
];
