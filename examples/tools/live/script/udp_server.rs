//! Lesson 2, from an empty file.

use super::{By, Path, Step, failure};

/// The steps of `udp_server`.
pub const PATH: Path = Path {
    lesson: "udp_server",
    from: None,
    short: 2,
    steps: &[
        Step {
            title: "four calls",
            minutes: 4,
            lines: 15,
            by: By::Instructor,
            say: "A UDP server makes four calls: socket, bind, recv_from and send_to. It does not \
                  have connections. Each datagram comes with the address of its sender, and the \
                  reply goes to this address.",
            request: "Make a socket and bind the socket. In a loop, receive a datagram and send \
                      the same bytes back.",
            run: &["cargo run --example udp_client -- 1235 \"hello\""],
            until: "",
            look: None,
            sees: "The client prints `hello`, and the server continues.",
            ask: "Which of the four calls waits?",
            answer: "Only `recv_from` waits, until a datagram arrives.",
            problem: "the reply is not in upper case",
            problem_command: "cargo run --example check -- udp_server --own my_udp_server --only \
                              first_client",
            if_it_fails: "If the operating system reports that the address is in use, stop the \
                          other server with Ctrl-C.",
            fails: &[
                failure("first_client", &["SAME_BYTES"]),
                failure("unicode", &["SAME_BYTES"]),
                failure("nul_bytes", &["SAME_BYTES"]),
                failure("datagram_2048", &["SAME_BYTES"]),
                failure("datagram_2049", &["SAME_BYTES"]),
                failure("several_messages", &["SAME_BYTES"]),
                failure("kept_apart", &["SAME_BYTES"]),
                failure("cut_character", &["HALF_ANSWERED"]),
                failure("not_utf8", &["INVALID_ANSWERED"]),
                failure("vanish", &["SAME_BYTES"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "text in upper case",
            minutes: 3,
            lines: 14,
            by: By::Instructor,
            say: "Bytes do not have an upper case, so the server decodes them to text first. From \
                  now on, check starts our program on a free port. Therefore the program takes the \
                  address as an argument.",
            request: "Read the address from the command line. Decode each datagram, convert the \
                      text to upper case, print the text, and send it.",
            run: &["cargo run --example udp_client -- 1235 \"hello\" \"straße\""],
            until: "STRASSE",
            look: None,
            sees: "The client and the server print both replies.",
            ask: "When does this server exit?",
            answer: "When a call with `?` fails. For example, `from_utf8` fails if a datagram is \
                     not text.",
            problem: "one invalid datagram stops the server",
            problem_command: "cargo run --example check -- udp_server --own my_udp_server --only \
                              not_utf8",
            if_it_fails: "If the compiler reports an unknown `argument`, compare the first lines \
                          of `main` with the page.",
            fails: &[
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("vanish", &["DIED"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "an invalid datagram",
            minutes: 5,
            lines: 5,
            by: By::Room,
            say: "Any program can send any bytes to our server. The sender has made the mistake, \
                  so the server drops this datagram and continues with the next one.",
            request: "Decode the datagram with `match` instead of `?`. If the bytes are invalid, \
                      print the address of the sender and the error.",
            run: &["cargo run --example check -- udp_server --own my_udp_server --only not_utf8"],
            until: "",
            look: None,
            sees: "The check passes, because the server drops this datagram and replies to the \
                   next one.",
            ask: "Why does the server not reply to the valid text before the invalid byte?",
            answer: "A datagram is one message. If a part of the message is invalid, the message \
                     is invalid.",
            problem: "the server believes the address of the sender, which can be forged",
            problem_command: "",
            if_it_fails: "If the compiler expects another type in the `Err` arm, make sure that \
                          both arms return `()`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the address of the sender",
            minutes: 3,
            lines: 11,
            by: By::Instructor,
            say: "Any program can forge the address of the sender. If this address is the server's \
                  own, the server replies to itself forever. If nothing can be sent to the \
                  address, `send_to` fails and `?` stops the server.",
            request: "Drop a datagram from the server's own port. If `send_to` fails, print the \
                      error and continue.",
            run: &["cargo run --example check -- udp_server --own my_udp_server"],
            until: "",
            look: None,
            sees: "All checks pass. `check` does not forge addresses, so they also pass without \
                   these lines.",
            ask: "Why does the server compare only the ports, not the whole addresses?",
            answer: "With `0.0.0.0`, the server has several addresses. A client can forge each of \
                     them.",
            problem: "the server cannot listen on IPv6, and an error of `recv_from` stops it",
            problem_command: "cargo run --example my_udp_server -- \"[::1]:1235\"",
            if_it_fails: "If the server drops all datagrams, look at the `if`. It must compare the \
                          ports with `==`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the finished lesson",
            minutes: 2,
            lines: 88,
            by: By::CatchUp,
            say: "The port and the buffer size get names, `bind` and `handle_datagram` become \
                  functions, and the library reads the arguments and writes the log. If \
                  `recv_from` fails, the server logs the error and tries again.",
            request: "Take this step with `live`, and look at the new lines for a minute.",
            run: &["cargo run --example udp_client -- 1235 \"hello\" \"straße\""],
            until: "STRASSE",
            look: None,
            sees: "The client and the server print both replies.",
            ask: "When can `recv_from` fail?",
            answer: "For example on Windows, if the server has sent a reply to a client that has \
                     already exited.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          udp_server --back`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};
