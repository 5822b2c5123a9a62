//! Lesson 10, from the program in short of lesson 4.

use super::{By, Look, Path, Step, Symptom, failure};

/// The steps of `sequential_server`.
pub const PATH: Path = Path {
    lesson: "sequential_server",
    from: Some(("tcp_server", 3)),
    short: 2,
    steps: &[
        Step {
            title: "a loop for each client",
            minutes: 5,
            lines: 13,
            by: By::Instructor,
            say: "A client can send many requests on one connection. So the server reads from the \
                  same client again and again. A function has this loop, and `main` still accepts \
                  the clients.",
            request: "This path begins with step 3 of lesson 4. Change the port to 1234. Move the \
                      work for one client into the function `handle_client`, and put a loop around \
                      `read` and `write_all`.",
            run: &["cargo run --example tcp_client -- 1234 \"hello\" \"straße\" --patience 3"],
            until: "",
            look: Some(Look {
                before: "Look at the use of the CPU, in a terminal of full width. On Windows, run \
                         the command twice: the seconds in the column `CPU(s)` grow.",
                unix: "top",
                windows: "Get-Process my_sequential_server",
            }),
            sees: "The client gets two replies, but the server does not close the connection. From \
                   now on, the server uses almost 100 % of a CPU.",
            ask: "The client has sent everything and has closed its sending side. Why does the \
                  loop not end?",
            answer: "`read` returns 0 bytes, immediately, in every call. The loop ignores that, so \
                     it never waits.",
            problem: "the server never notices that its client has disconnected",
            problem_command: "cargo run --example check -- sequential_server --own \
                              my_sequential_server --only first_client",
            if_it_fails: "If `?` after `from_utf8` does not compile, use `map_err`. The function \
                          returns an `io::Error`, but `from_utf8` returns another type.",
            fails: &[
                failure("first_client", &["NO_END_SEEN"]),
                failure("byte_by_byte", &["DIED"]),
                failure("megabyte", &["DIED"]),
            ],
            brings: &[],
            symptom: Some(Symptom::BusyAfterAClient),
        },
        Step {
            title: "0 bytes mean the end of the requests",
            minutes: 2,
            lines: 3,
            by: By::Instructor,
            say: "When a client closes its sending side, `read` returns 0 bytes. This is not an \
                  empty message, because a stream has no messages. This is the server of the \
                  lecture.",
            request: "If `read` returns 0 bytes, return from the function.",
            run: &[
                "cargo run --example tcp_client -- 1234 \"hello\" \"straße\"",
                "cargo run --example tcp_client -- 1234 \"again\"",
            ],
            until: "",
            look: None,
            sees: "Both clients get their replies and exit. The server waits for the next client.",
            ask: "Client A stays connected and sends nothing. When does client B get its reply?",
            answer: "When client A disconnects. The server cannot call `accept` while it reads \
                     from client A.",
            problem: "one client's reset stops the server",
            problem_command: "cargo run --example check -- sequential_server --own \
                              my_sequential_server --only reset",
            if_it_fails: "If the second client waits, make sure that the `if` is directly after \
                          `read`.",
            fails: &[
                failure("byte_by_byte", &["DIED"]),
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("megabyte", &["DIED"]),
                failure("last_word", &["DIED"]),
            ],
            brings: &[],
            symptom: Some(Symptom::NeverBusy),
        },
        Step {
            title: "one client's error ends one connection",
            minutes: 2,
            lines: 4,
            by: By::Instructor,
            say: "You know this from lesson 4. An error of one client must not stop the server. So \
                  `main` does not use `?` for the result of `handle_client`.",
            request: "If `handle_client` returns an error, print the error and continue.",
            run: &[
                "cargo run --example check -- sequential_server --own my_sequential_server --only \
                 reset",
            ],
            until: "",
            look: None,
            sees: "The check passes: the server prints the error and serves the next client.",
            ask: "A client sends `é` in two segments. What does the server do?",
            answer: "It drops the client, because the first byte alone is not valid UTF-8.",
            problem: "the server drops a client if a read ends inside a character",
            problem_command: "cargo run --example check -- sequential_server --own \
                              my_sequential_server --only cut_character",
            if_it_fails: "If the compiler says that it cannot find `peer`, remove the underscore \
                          from `_peer`.",
            fails: &[
                failure("byte_by_byte", &["FIRST_HALF"]),
                failure("cut_character", &["FIRST_HALF"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("megabyte", &["FIRST_HALF"]),
                failure("last_word", &["GOOD_LOST"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "half a character",
            minutes: 10,
            lines: 9,
            by: By::Room,
            say: "A read can end anywhere, even inside `é`. A decoder keeps the first byte of `é` \
                  until the second byte arrives. The library has such a decoder.",
            request: "Find `Decoder` in `docs/src/helpers.md`. Make one decoder for each client, \
                      and decode each read with it. If the bytes are invalid, reply to the text \
                      before them, then return an error. When `read` returns 0 bytes, return what \
                      `finish` returns.",
            run: &[
                "cargo run --example check -- sequential_server --own my_sequential_server --only \
                 cut_character",
            ],
            until: "",
            look: None,
            sees: "The check passes, because the decoder keeps the first half of `é`.",
            ask: "Why does each client need its own decoder?",
            answer: "The decoder keeps half a character of one client. The next bytes must come \
                     from the same client.",
            problem: "a client that sends more after invalid bytes can lose its reply",
            problem_command: "cargo run --example check -- sequential_server --own \
                              my_sequential_server --only last_word",
            if_it_fails: "If the second half still fails, make the decoder before the loop, not in \
                          the loop.",
            fails: &[failure("last_word", &["UNREAD"])],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "close gracefully",
            minutes: 4,
            lines: 6,
            by: By::Instructor,
            say: "The server drops a client that has sent invalid bytes. If unread bytes remain, \
                  the kernel resets the connection, and the client can lose the reply. So the \
                  server closes gracefully, as in lesson 4.",
            request: "Lend the socket to `handle_client`. Call `close_gracefully` after it, also \
                      after an error.",
            run: &["cargo run --example check -- sequential_server --own my_sequential_server"],
            until: "",
            look: None,
            sees: "All checks pass.",
            ask: "Why does `handle_client` take `&mut client` now?",
            answer: "`main` still needs the socket, because `close_gracefully` takes it after the \
                     function has returned.",
            problem: "the server cannot listen on IPv6, and does not log when a client connects",
            problem_command: "cargo run --example my_sequential_server -- \"[::1]:1234\"",
            if_it_fails: "If the compiler says that `client` has moved, write `&mut client` in the \
                          call of `handle_client`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the finished lesson",
            minutes: 2,
            lines: 80,
            by: By::CatchUp,
            say: "These lines are the same as in lesson 4: constants, `listen`, arguments, log \
                  lines, and a failed accept.",
            request: "Take this step with `live`, and look at the new lines for a minute.",
            run: &["cargo run --example tcp_client -- 1234 \"hello\" \"straße\""],
            until: "disconnected",
            look: None,
            sees: "The server logs when a client connects and disconnects.",
            ask: "Which lines of `handle_client` are different now?",
            answer: "Only the size of the buffer, which now has a name, and the new comments.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          sequential_server --back`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};
