//! Lesson 4, from an empty file.

use super::{By, Failure, Path, Step, failure};

/// The steps of `tcp_server`.
pub const PATH: Path = Path {
    lesson: "tcp_server",
    from: None,
    short: 3,
    steps: &[
        Step {
            title: "the four calls",
            minutes: 6,
            lines: 15,
            by: By::Instructor,
            say: "A TCP server makes three calls before it can have a client: socket, bind and \
                  listen. The fourth call, accept, waits for a client. The option SO_REUSEADDR \
                  lets you start the server again immediately. On Windows, it would let another \
                  program use the same port, so we do not set it there.",
            request: "Make a socket, bind the socket, listen, and accept one client. Print both \
                      addresses.",
            run: &["cargo run --example tcp_client -- 1235 \"hello\""],
            until: "connected",
            look: None,
            sees: "The server prints the address of the client and exits. The client reports that \
                   the server closed the connection. It can also report a reset.",
            ask: "Which of the four calls waits?",
            answer: "Only `accept` waits, until a client connects.",
            problem: "the server exits, and its client gets no reply",
            problem_command: "cargo run --example check -- tcp_server --own my_tcp_server --only \
                              first_client",
            if_it_fails: "If the operating system reports that the address is in use, stop the \
                          other server with Ctrl-C.",
            fails: &NO_REPLY,
            brings: &[],
            symptom: None,
        },
        Step {
            title: "a reply",
            minutes: 6,
            lines: 12,
            by: By::Instructor,
            say: "The server reads what has arrived, decodes it, and writes the text in upper \
                  case. From now on, check starts our program on a free port. Therefore the \
                  program takes the address as an argument.",
            request: "Read the address from the command line. Read once from the client, and write \
                      the reply.",
            run: &["cargo run --example tcp_client -- 1235 \"straße\""],
            until: "",
            look: None,
            sees: "The client prints the reply, and the server exits.",
            ask: "What does a second client get?",
            answer: "The connection is refused, because the server has exited.",
            problem: "the server exits after its first client",
            problem_command: "cargo run --example check -- tcp_server --own my_tcp_server --only \
                              first_client",
            if_it_fails: "If the compiler does not find `read`, import `Read` and `Write`.",
            fails: &[failure("first_client", &["ACCEPTS_ONCE"])],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "a loop",
            minutes: 2,
            lines: 4,
            by: By::Instructor,
            say: "A server serves one client after another, so accept belongs in a loop. This is \
                  the server of the lecture.",
            request: "Put the line with `accept` and all lines after it into a loop. Remove \
                      `Ok(())`.",
            run: &[
                "cargo run --example tcp_client -- 1235 \"hello\"",
                "cargo run --example tcp_client -- 1235 \"straße\"",
            ],
            until: "",
            look: None,
            sees: "Both clients get a reply, and the server continues.",
            ask: "When does this server exit?",
            answer: "When a call with `?` fails. For example, `read` fails after a reset.",
            problem: "one client's reset stops the server",
            problem_command: "cargo run --example check -- tcp_server --own my_tcp_server --only \
                              reset",
            if_it_fails: "If the compiler says that the code after the loop is unreachable, remove \
                          `Ok(())`.",
            fails: &[
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("last_word", &["UNREAD"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "one client's error ends one connection",
            minutes: 5,
            lines: 13,
            by: By::Instructor,
            say: "An error of one client must not stop the server. So the work for one client \
                  moves into a function, and the loop does not use `?` for its result.",
            request: "Move the work into `handle_client`. If the function returns an error, print \
                      the error and continue.",
            run: &["cargo run --example check -- tcp_server --own my_tcp_server --only reset"],
            until: "",
            look: None,
            sees: "The check passes, because the server serves the next client after a reset.",
            ask: "Which `?` is still in the loop?",
            answer: "The one after `accept`. If `accept` fails, the server exits. A later step \
                     changes that.",
            problem: "the text before an invalid byte gets no reply",
            problem_command: "cargo run --example check -- tcp_server --own my_tcp_server --only \
                              not_utf8",
            if_it_fails: "If the types of the two errors do not match, look at `map_err` after \
                          `from_utf8`.",
            fails: &[
                failure("cut_character", &["GOOD_LOST"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("last_word", &["UNREAD"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the valid text before invalid bytes",
            minutes: 3,
            lines: 12,
            by: By::Instructor,
            say: "A client can send invalid UTF-8. The valid text before these bytes must still \
                  get its reply.",
            request: "Decode the bytes with `match`. For an error, reply to the bytes up to \
                      `valid_up_to`.",
            run: &["cargo run --example check -- tcp_server --own my_tcp_server --only not_utf8"],
            until: "",
            look: None,
            sees: "The check passes, because the client gets the reply to the valid text.",
            ask: "What does the client get after that?",
            answer: "The end of the connection, because the server drops this client.",
            problem: "a client that sends 5,000 bytes can lose its reply",
            problem_command: "cargo run --example check -- tcp_server --own my_tcp_server --only \
                              last_word",
            if_it_fails: "If the compiler expects another type, compare the last expression of \
                          each arm with the page.",
            fails: &[failure("last_word", &["UNREAD"])],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "close gracefully",
            minutes: 8,
            lines: 4,
            by: By::Room,
            say: "A client can send more than 4,096 bytes. The server then closes a socket that \
                  has unread bytes. So the kernel resets the connection, and the client can lose \
                  the reply.",
            request: "Find the function that closes gracefully in `docs/src/helpers.md`. Import \
                      the function, and call it after `handle_client`, also after an error.",
            run: &["cargo run --example check -- tcp_server --own my_tcp_server"],
            until: "",
            look: None,
            sees: "All checks pass.",
            ask: "Why does the function read bytes that nothing uses?",
            answer: "When the server has read all bytes, the kernel does not reset the connection.",
            problem: "the server cannot listen on IPv6, and does not log when a client connects",
            problem_command: "cargo run --example my_tcp_server -- \"[::1]:1235\"",
            if_it_fails: "If `client` has moved, call `close_gracefully` after `handle_client` has \
                          returned.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the command line and the log",
            minutes: 2,
            lines: 38,
            by: By::CatchUp,
            say: "Most TCP servers of this workbook have these lines. The numbers get names, \
                  `listen` becomes a function, and the library reads the arguments and writes the \
                  log.",
            request: "Take this step with `live`, and look at the new lines for a minute.",
            run: &["cargo run --example tcp_client -- 1235 \"straße\""],
            until: "disconnected",
            look: None,
            sees: "The server logs when a client connects and disconnects.",
            ask: "Which domain does `Domain::for_address` return for `[::1]:1235`?",
            answer: "`Domain::IPV6`, which is `AF_INET6` in Python.",
            problem: "an error of `accept` stops the server",
            problem_command: "",
            if_it_fails: "If the file does not compile after your own changes, run `live` with the \
                          number of this step.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "a failed accept",
            minutes: 2,
            lines: 63,
            by: By::CatchUp,
            say: "`accept` can fail, for example when the process has too many open files. The \
                  server logs the error, pauses, and tries again. This is the finished lesson.",
            request: "Take this step with `live`, and read the comments.",
            run: &["cargo run --example check -- tcp_server --own my_tcp_server"],
            until: "",
            look: None,
            sees: "All checks pass.",
            ask: "Which error of `accept` goes away without our help?",
            answer: "Too many open files: it goes away when a client disconnects.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          tcp_server --back`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};

/// All checks fail if the server exits before it replies.
const NO_REPLY: [Failure; 16] = [
    failure("first_client", &["EXITED"]),
    failure("unicode", &["EXITED"]),
    failure("nul_bytes", &["EXITED"]),
    failure("one_message", &["EXITED"]),
    failure("kept_apart", &["EXITED"]),
    failure("byte_by_byte", &["EXITED"]),
    failure("two_messages", &["EXITED"]),
    failure("cut_character", &["EXITED"]),
    failure("not_utf8", &["EXITED"]),
    failure("half_close", &["EXITED"]),
    failure("silence", &["EXITED"]),
    failure("reset", &["EXITED"]),
    failure("vanish", &["EXITED"]),
    failure("last_word", &["EXITED"]),
    failure("connections_200", &["EXITED"]),
    failure("one_after_another", &["NOT_SEQUENTIAL", "EXITED"]),
];
