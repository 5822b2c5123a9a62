//! Lesson 4, from an empty file.

use super::{By, Path, Step, failure};

/// The steps of `tcp_server`.
pub const PATH: Path = Path {
    lesson: "tcp_server",
    from: None,
    short: 3,
    steps: &[
        Step {
            title: "four calls, and accept",
            minutes: 6,
            by: By::Instructor,
            say: "A TCP server makes four calls before it has a client: socket, bind, listen and \
                  accept. The option SO_REUSEADDR lets us start the server again immediately.",
            request: "Make a socket, bind it, listen, accept one client, and print its address.",
            run: &["cargo run --example tcp_client -- 1235 \"hello\""],
            until: " connected",
            look: None,
            sees: "The server prints the address of the client, and exits. The client gets an \
                   error, because no reply comes.",
            ask: "Which of these calls waits?",
            answer: "Only `accept` waits, until a client connects.",
            problem: "the server does not reply, and exits after one client",
            problem_command: "cargo run --example check -- tcp_server --own my_tcp_server --only upper_case",
            if_it_fails: "`Address already in use`: another server uses the port. Stop this \
                          server with Ctrl-C.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};
