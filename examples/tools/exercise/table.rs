//! The exercises: how `exercise` grades each of them, and which checks its start fails.
//!
//! An exercise is a folder, `examples/exercises/LESSON`, or `examples/exercises/LESSON/make` for a
//! make task. The servers beyond the lecture have make tasks with the numbers 19, 20 and 21. The
//! title and the task are in the file `task.md` of the folder. The start is the program with which
//! a student begins. A test makes all checks with each start and each solution, and compares the
//! results with this table. The solutions pass all checks.

use crate::failure::{Failure, failure};
use crate::lessons::{SPECIAL, Special};
use Grade::{Check, Tests};
use Kind::{Make, Repair};

/// One exercise.
pub struct Exercise {
    /// The number of the lesson. Larger numbers belong to servers beyond the lecture.
    pub lesson: usize,
    /// What a student does.
    pub kind: Kind,
    /// How `exercise` grades the program.
    pub grade: Grade,
    /// The options with which a student starts the program to see what the task says.
    pub options: &'static str,
    /// What a student can do after the exercise. Completes the sentence "You can now ...".
    pub skill: &'static str,
    /// True if the exercise also exists in Python.
    pub is_in_python: bool,
    /// What the start fails, in both languages: checks, or the names of tests.
    pub fails: &'static [Failure],
}

/// What a student does in an exercise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Repair a broken program.
    Repair,
    /// Make something new.
    Make,
}

/// What decides whether a program is right.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// `check`, with the checks of this lesson. For a make task, `check --make`.
    Check(&'static str),
    /// The tests in the file of the student.
    Tests,
}

/// A language of the exercises.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// All exercises exist in Rust.
    Rust,
    /// The exercises with a server exist in Python, too.
    Python,
}

impl Language {
    /// Returns the name of the language.
    pub fn name(self) -> &'static str {
        if self == Self::Rust { "Rust" } else { "Python" }
    }

    /// Returns the end of the name of a program, without the dot.
    pub fn ending(self) -> &'static str {
        if self == Self::Rust { "rs" } else { "py" }
    }
}

impl Exercise {
    /// Returns true if the exercise belongs to a server beyond the lecture.
    pub fn is_beyond(&self) -> bool {
        self.lesson > 18
    }

    /// Returns the server whose work the program does, if this server needs a feature.
    pub fn special(&self) -> Option<&'static Special> {
        let Check(server) = self.grade else { return None };
        SPECIAL.iter().find(|special| special.row.name == server)
    }

    /// Returns the arguments of cargo for the feature, for example `--features event `, or an empty
    /// text.
    pub fn features(&self) -> String {
        self.special().map_or(String::new(), |special| format!("--features {} ", special.feature))
    }

    /// Returns the languages in which the exercise exists.
    pub fn languages(&self) -> &'static [Language] {
        if self.is_in_python { &[Language::Rust, Language::Python] } else { &[Language::Rust] }
    }

    /// Returns the arguments of `exercise` that select this exercise, for example `10 make`.
    pub fn arguments(&self) -> String {
        if self.kind == Make { format!("{} make", self.lesson) } else { self.lesson.to_string() }
    }

    /// Returns the name of the student's program, for example `my_10_make`.
    pub fn program(&self) -> String {
        format!("my_{}", self.arguments().replace(' ', "_"))
    }

    /// Returns the path of a file of the exercise, from the folder of the package.
    pub fn file(&self, name: &str) -> String {
        format!("examples/exercises/{}/{name}", self.arguments().replace(' ', "/"))
    }
}

/// All exercises, in the order of the lessons.
pub const EXERCISES: [Exercise; 30] = [
    Exercise {
        lesson: 1,
        kind: Repair,
        grade: Check("udp_server_bytes"),
        options: "",
        skill: "keep a server running when a datagram is empty",
        is_in_python: true,
        fails: &[failure("empty_datagram", &["NO_END_OF_ANYTHING", "EXITED"])],
    },
    Exercise {
        lesson: 2,
        kind: Repair,
        grade: Check("udp_server"),
        options: "",
        skill: "keep a server running when a client sends invalid bytes",
        is_in_python: true,
        fails: &[
            failure("cut_character", &["DIED"]),
            failure("not_utf8", &["DIED"]),
            failure("vanish", &["DIED"]),
        ],
    },
    Exercise {
        lesson: 3,
        kind: Repair,
        grade: Check("ttl_pong"),
        options: "",
        skill: "reply to bytes that are not text",
        is_in_python: true,
        fails: &[failure("any_bytes", &["NO_TEXT_ASKED"])],
    },
    Exercise {
        lesson: 3,
        kind: Make,
        grade: Tests,
        options: "",
        skill: "measure the time until a reply arrives, and stop after a timeout",
        is_in_python: false,
        fails: &[
            failure("an_immediate_reply", &[]),
            failure("a_late_reply", &[]),
            failure("a_stranger_first", &[]),
            failure("another_text_first", &[]),
            failure("strangers_do_not_extend_the_timeout", &[]),
        ],
    },
    Exercise {
        lesson: 4,
        kind: Repair,
        grade: Check("tcp_server"),
        options: "",
        skill: "close a connection without losing the reply",
        is_in_python: true,
        fails: &[failure("last_word", &["UNREAD"])],
    },
    Exercise {
        lesson: 4,
        kind: Make,
        grade: Check("tcp_server"),
        options: "",
        skill: "read from a client until its request is complete",
        is_in_python: true,
        fails: &[
            failure("byte_by_byte", &["ONE_RECV"]),
            failure("line_in_pieces", &["EARLY_REPLY"]),
        ],
    },
    Exercise {
        lesson: 5,
        kind: Repair,
        grade: Tests,
        options: "",
        skill: "look up a name that has several addresses, and report a failed lookup",
        is_in_python: false,
        fails: &[
            failure("one_address_in_three_entries", &[]),
            failure("two_addresses_in_turn", &[]),
            failure("a_lookup_that_fails", &[]),
        ],
    },
    Exercise {
        lesson: 6,
        kind: Repair,
        grade: Tests,
        options: "",
        skill: "connect to a server that has several addresses",
        is_in_python: false,
        fails: &[
            failure("the_second_address_accepts", &[]),
            failure("the_last_of_four_addresses_accepts", &[]),
        ],
    },
    Exercise {
        lesson: 6,
        kind: Make,
        grade: Tests,
        options: "",
        skill: "alternate between IPv6 and IPv4, with a timeout for each address",
        is_in_python: false,
        fails: &[
            failure("the_first_address_is_ipv6", &[]),
            failure("the_first_address_is_ipv4", &[]),
            failure("each_family_keeps_its_order", &[]),
            failure("the_third_address_accepts", &[]),
            failure("the_first_address_does_not_reply", &[]),
        ],
    },
    Exercise {
        lesson: 7,
        kind: Repair,
        grade: Check("recvall_server"),
        options: "",
        skill: "send a number in the byte order that all clients expect",
        is_in_python: true,
        fails: &[failure("first_client", &["WRONG_ORDER"])],
    },
    Exercise {
        lesson: 8,
        kind: Repair,
        grade: Tests,
        options: "",
        skill: "show a user what to do after a network error",
        is_in_python: false,
        fails: &[
            failure("connection_refused", &[]),
            failure("connecting_timed_out", &[]),
            failure("reading_timed_out", &[]),
            failure("address_in_use", &[]),
        ],
    },
    Exercise {
        lesson: 9,
        kind: Repair,
        grade: Check("recvall_server"),
        options: "",
        skill: "receive a whole message, and refuse a length that is too large",
        is_in_python: true,
        fails: &[
            failure("byte_by_byte", &["ONE_RECV_4"]),
            failure("prefix_in_pieces", &["ONE_RECV_4"]),
            failure("ends_inside", &["CUT_ANSWERED"]),
            failure("announces_4_gib", &["BELIEVED"]),
            failure("last_word", &["BELIEVED"]),
        ],
    },
    Exercise {
        lesson: 9,
        kind: Make,
        grade: Check("recvall_server"),
        options: "",
        skill: "serve several length-prefixed messages on one connection",
        is_in_python: true,
        fails: &[failure("several_blocks", &["ONE_BLOCK"])],
    },
    Exercise {
        lesson: 10,
        kind: Repair,
        grade: Check("sequential_server"),
        options: "",
        skill: "keep half a character until the other half arrives",
        is_in_python: true,
        fails: &[
            failure("byte_by_byte", &["FIRST_HALF"]),
            failure("cut_character", &["FIRST_HALF"]),
            failure("megabyte", &["FIRST_HALF"]),
        ],
    },
    Exercise {
        lesson: 10,
        kind: Make,
        grade: Check("sequential_server"),
        options: "--limit 10",
        skill: "limit what one client may send, and still close gracefully",
        is_in_python: true,
        fails: &[failure("session_limit", &["OVER_LIMIT"])],
    },
    Exercise {
        lesson: 11,
        kind: Repair,
        grade: Check("listen_backlog"),
        options: "",
        skill: "choose a backlog for clients that connect at the same time",
        is_in_python: true,
        fails: &[failure("kept_apart", &["NO_CONNECTION"])],
    },
    Exercise {
        lesson: 12,
        kind: Repair,
        grade: Check("slow_thread_per_client"),
        options: "",
        skill: "serve slow requests at the same time",
        is_in_python: true,
        fails: &[
            failure("cut_character", &["ONE_AT_A_TIME"]),
            failure("silence", &["ONE_AT_A_TIME"]),
            failure("never_read", &["ONE_AT_A_TIME"]),
            failure("connections_200", &["ONE_AT_A_TIME"]),
            failure("slow_clients", &["IN_TURN"]),
        ],
    },
    Exercise {
        lesson: 13,
        kind: Repair,
        grade: Check("poll_server"),
        options: "",
        skill: "limit the memory that a server uses for a client that never reads",
        is_in_python: true,
        fails: &[failure("never_read", &["UNBOUND"])],
    },
    Exercise {
        lesson: 13,
        kind: Make,
        grade: Check("poll_server"),
        options: "--timeout 3",
        skill: "disconnect silent clients in an event loop",
        is_in_python: true,
        fails: &[failure("idle_client", &["STAYS_IDLE"])],
    },
    Exercise {
        lesson: 14,
        kind: Repair,
        grade: Check("thread_per_client"),
        options: "",
        skill: "serve each client in its own thread, without waiting for the thread",
        is_in_python: true,
        fails: &[
            failure("cut_character", &["ONE_AT_A_TIME"]),
            failure("silence", &["ONE_AT_A_TIME"]),
            failure("never_read", &["ONE_AT_A_TIME"]),
            failure("connections_200", &["ONE_AT_A_TIME"]),
        ],
    },
    Exercise {
        lesson: 14,
        kind: Make,
        grade: Check("thread_per_client"),
        options: "--clients 1",
        skill: "limit the number of clients, and refuse the next client with a message",
        is_in_python: true,
        fails: &[failure("too_many_clients", &["NOT_BUSY"])],
    },
    Exercise {
        lesson: 15,
        kind: Repair,
        grade: Check("slow_thread_per_client"),
        options: "",
        skill: "hold a lock only while a thread needs it",
        is_in_python: true,
        fails: &[failure("slow_clients", &["IN_TURN"])],
    },
    Exercise {
        lesson: 16,
        kind: Repair,
        grade: Check("thread_pool"),
        options: "",
        skill: "keep all threads of a pool when clients reset their connections",
        is_in_python: true,
        fails: &[
            failure("not_utf8", &["EXITED"]),
            failure("reset", &["EXITED"]),
            failure("vanish", &["EXITED"]),
        ],
    },
    Exercise {
        lesson: 16,
        kind: Make,
        grade: Check("thread_pool"),
        options: "",
        skill: "keep all threads of a pool when the program has a bug",
        is_in_python: true,
        fails: &[failure("crash", &["BUG_ENDS_THREADS"])],
    },
    Exercise {
        lesson: 17,
        kind: Repair,
        grade: Check("thread_pool_timeout"),
        options: "--timeout 10",
        skill: "set a timeout for a client, not only for `accept`",
        is_in_python: true,
        fails: &[failure("idle_end", &["NO_LIMIT"])],
    },
    Exercise {
        lesson: 17,
        kind: Make,
        grade: Check("thread_pool_timeout"),
        options: "--timeout 3",
        skill: "let threads of a pool exit, but never the last thread",
        is_in_python: true,
        fails: &[failure("last_worker", &["LAST_EXITS"])],
    },
    Exercise {
        lesson: 18,
        kind: Repair,
        grade: Check("slow_thread_pool_timeout"),
        options: "--delay 1",
        skill: "share a queue between threads",
        is_in_python: true,
        fails: &[
            failure("silence", &["FEWER"]),
            failure("pool_of_four", &["FEWER"]),
            failure("slow_clients", &["NOT_FOUR"]),
        ],
    },
    Exercise {
        lesson: 19,
        kind: Make,
        grade: Check("event_server"),
        options: "",
        skill: "stop an event loop from another thread, and let the clients finish",
        is_in_python: false,
        fails: &[failure("stops", &["STILL_ACCEPTS"])],
    },
    Exercise {
        lesson: 20,
        kind: Make,
        grade: Check("async_server"),
        options: "--timeout 3",
        skill: "disconnect silent clients in an async server",
        is_in_python: true,
        fails: &[failure("idle_client", &["STAYS_IDLE"])],
    },
    Exercise {
        lesson: 21,
        kind: Make,
        grade: Check("dual_stack"),
        options: "--clients 10",
        skill: "limit the number of clients, and refuse the next client of either family",
        is_in_python: true,
        fails: &[failure("too_many_clients", &["NOT_BUSY"])],
    },
];
