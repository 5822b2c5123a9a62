//! The steps to each server: one table for each path.
//!
//! A step is a whole program, `examples/steps/LESSON/N.rs`. The last step of a path is the lesson
//! itself, `examples/LESSON.rs`. This table is the only place for what a step shows. The program
//! `live`, the pages, the schedules and the tests use it.
//!
//! One step of each path is **the program in short**: the idea of a server, in the shape of the
//! lecture. It also exists in Python (`docs/python/short/LESSON.py`), with the same bugs. A server
//! without a path has only its program in short and the lesson.
//!
//! A test makes all checks with each step, and compares.

#[path = "script/poll_server.rs"]
mod poll_server;
#[path = "script/recvall_server.rs"]
mod recvall_server;
#[path = "script/sequential_server.rs"]
mod sequential_server;
#[path = "script/tcp_server.rs"]
mod tcp_server;
#[path = "script/thread_per_client.rs"]
mod thread_per_client;
#[path = "script/thread_pool.rs"]
mod thread_pool;
#[path = "script/udp_server.rs"]
mod udp_server;

use super::failure::{Failure, failure};

/// The steps from an empty file to the server of one lesson.
pub struct Path {
    /// The name of the lesson.
    pub lesson: &'static str,
    /// The file with which the path begins: a lesson and its step. `None` means an empty file.
    pub from: Option<(&'static str, usize)>,
    /// The number of the step that is the program in short.
    pub short: usize,
    /// The steps. The first one has the number 1.
    pub steps: &'static [Step],
}

/// A step: what changes, and what the new program shows.
pub struct Step {
    /// What the step does, as a few words without a capital letter: "one error, one connection".
    pub title: &'static str,
    /// How long the step takes, with everything that the class does in it.
    pub minutes: usize,
    /// How many lines are new. After an edit of one step only, the next step has another number.
    pub lines: usize,
    /// How the new lines get into the file.
    pub by: By,
    /// What the instructor says before the step: why the program needs it.
    pub say: &'static str,
    /// What to type. For a step of the students, this is their task.
    pub request: &'static str,
    /// The commands that show what is new, while the program of the step runs. A command is in
    /// full, and works on all operating systems. An empty list: the step only starts the program.
    pub run: &'static [&'static str],
    /// The end of the last line that the server prints during these commands. Empty: the server
    /// prints nothing after its ready line.
    pub until: &'static str,
    /// A command that is not the same on all operating systems.
    pub look: Option<Look>,
    /// What the class sees, in one or two sentences.
    pub sees: &'static str,
    /// A question to the class.
    pub ask: &'static str,
    /// The expected answer.
    pub answer: &'static str,
    /// The problem that this step leaves, as a sentence without a full stop: "one client's reset
    /// stops the server". Empty: the step is the last one.
    pub problem: &'static str,
    /// The command that shows this problem. Empty: no single command shows it.
    pub problem_command: &'static str,
    /// What often goes wrong in this step, and what to do then.
    pub if_it_fails: &'static str,
    /// The checks that fail, in the order in which `check` makes them. All other checks pass.
    pub fails: &'static [Failure],
    /// The failing checks that passed in the step before, because the step brings a new bug.
    pub brings: &'static [&'static str],
    /// What `check` cannot see, but a test measures on Linux.
    pub symptom: Option<Symptom>,
}

/// How the new lines of a step get into the file.
#[derive(Clone, Copy, PartialEq)]
pub enum By {
    /// The instructor types them, and the class types along. At most 15 lines.
    Instructor,
    /// The students write them on their own. At most 15 lines.
    Room,
    /// `live` writes them. The instructor explains the difference.
    CatchUp,
}

/// A command of the operating system that shows what the server does.
pub struct Look {
    /// What to do before the command, and what to look at.
    pub before: &'static str,
    /// The command for Linux and macOS.
    pub unix: &'static str,
    /// The command for Windows, in `PowerShell`.
    pub windows: &'static str,
}

/// What a test measures, because `check` does not show it.
#[derive(Clone, Copy, PartialEq)]
pub enum Symptom {
    /// The server uses more than half of a CPU while no client is connected.
    BusyWithoutClients,
    /// The server waits without using the CPU. When a client has disconnected, the server uses
    /// more than half of a CPU.
    BusyAfterAClient,
    /// The server does not use the CPU, neither before a client nor after it.
    NeverBusy,
    /// The memory of the server grows while one client sends and never reads.
    MemoryGrows,
    /// With this number of connected clients, the server has at least as many threads.
    ThreadPerClient(usize),
    /// After four resets, the server exits with status 0 and says nothing.
    FourResetsEndIt,
    /// With 20 file descriptors (`ulimit -n 20`) and 30 clients, the server exits.
    FewDescriptorsEndIt,
    /// With 20 file descriptors and 30 clients, the server keeps running, without using the CPU.
    FewDescriptorsAreFine,
}

/// All paths, in the order of the lessons.
pub const PATHS: [&Path; 7] = [
    &udp_server::PATH,
    &tcp_server::PATH,
    &recvall_server::PATH,
    &sequential_server::PATH,
    &poll_server::PATH,
    &thread_per_client::PATH,
    &thread_pool::PATH,
];

/// The servers that have a program in short but no path, and the checks that this program fails.
///
/// The programs of lessons 17 and 18 also fail the check `idle_end`, with the reason `NO_LIMIT`.
/// `check` skips `idle_end`, because these programs do not take the option `--timeout`. Another
/// test makes this check.
pub const ONLY_SHORT: [(&str, &[Failure]); 7] = [
    ("udp_server_bytes", &[]),
    ("ttl_pong", &[]),
    ("listen_backlog", &ONE_CLIENT_ENDS_IT),
    (
        "slow_sequential_server",
        &[
            failure("cut_character", &["DIED"]),
            failure("not_utf8", &["DIED"]),
            failure("reset", &["DIED"]),
            failure("vanish", &["DIED"]),
            failure("last_word", &["DIED"]),
        ],
    ),
    (
        "slow_thread_per_client",
        &[
            failure("cut_character", &["FIRST_HALF"]),
            failure("not_utf8", &["GOOD_LOST"]),
            failure("last_word", &["GOOD_LOST"]),
        ],
    ),
    ("thread_pool_timeout", &A_THREAD_EXITS),
    (
        "slow_thread_pool_timeout",
        &[
            failure("byte_by_byte", &["UNREAD"]),
            failure("cut_character", &["GOOD_LOST"]),
            failure("not_utf8", &["GOOD_LOST"]),
            failure("reset", &["EXITED"]),
            failure("vanish", &["EXITED"]),
            failure("last_word", &["UNREAD"]),
        ],
    ),
];

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
