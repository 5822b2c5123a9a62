//! Lesson 9, from the program in short of lesson 4.

use super::{By, Path, Step, Symptom, failure};

/// The steps of `recvall_server`.
pub const PATH: Path = Path {
    lesson: "recvall_server",
    from: Some(("tcp_server", 3)),
    short: 3,
    steps: &[
        Step {
            title: "a length before each message",
            minutes: 6,
            lines: 14,
            by: By::Instructor,
            say: "A stream does not show where a message ends. So the client and the server send \
                  the length first, as four bytes in network byte order. Then the message follows, \
                  with exactly this number of bytes.",
            request: "This path begins with step 3 of lesson 4. Change the port to 1241. Read the \
                      four bytes of the length, then the message. Print how many bytes each read \
                      returns. Send the length of the reply before the reply.",
            run: &["cargo run --example block_client -- 1241 \"hello\" \"straße\""],
            until: "message: 7 of 7 bytes",
            look: None,
            sees: "The client prints both replies. For each message, the server prints that it has \
                   read all bytes.",
            ask: "Another client sends the letters one at a time. What does the second `read` \
                  return?",
            answer: "Only the first letter, because the other letters have not arrived yet.",
            problem: "one read is not one message",
            problem_command: "cargo run --example check -- recvall_server --own my_recvall_server \
                              --only byte_by_byte",
            if_it_fails: "If the client waits for its reply, make sure that the server sends the \
                          length with `to_be_bytes`, before the text.",
            fails: &[
                failure("byte_by_byte", &["ONE_RECV"]),
                failure("two_messages", &["MORE_BYTES"]),
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("empty_block", &["EMPTY_BLOCK"]),
                failure("prefix_in_pieces", &["ONE_RECV_4"]),
                failure("ends_inside", &["CUT_ANSWERED"]),
                failure("announces_4_gib", &["BELIEVED"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("megabyte", &["ONE_RECV"]),
                failure("last_word", &["ONE_RECV"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "read until all bytes have arrived",
            minutes: 4,
            lines: 7,
            by: By::Instructor,
            say: "The function `recvall` calls `read` in a loop until it has all bytes. Our \
                  library has this function. Look at its loop in `src/framing.rs`, before you call \
                  it.",
            request: "Replace both reads with `recvall`. The first call receives the four bytes of \
                      the length, and the second call receives the message.",
            run: &[
                "cargo run --example block_client -- 1241 \"hello\" \"straße\"",
                "cargo run --example rude -- recvall_server 1241 dribble",
            ],
            until: "",
            look: None,
            sees: "Both texts get a reply. A client that sends three letters with pauses receives \
                   one reply with all three letters.",
            ask: "What is the largest length that a client can announce?",
            answer: "4,294,967,295. These are 4 GiB, less one byte.",
            problem: "the server believes a length of 4 GiB, and waits for all these bytes",
            problem_command: "cargo run --example rude -- recvall_server 1241 lie",
            if_it_fails: "If the compiler does not accept the type of the length, use `as_slice` \
                          and `try_into`. `from_be_bytes` takes exactly four bytes.",
            fails: &[
                failure("two_messages", &["UNREAD"]),
                failure("not_utf8", &["DIED"]),
                failure("ends_inside", &["DIED"]),
                failure("announces_4_gib", &["BELIEVED", "DIED"]),
                failure("silence", &["DIED"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("last_word", &["BELIEVED", "DIED"]),
            ],
            brings: &["silence"],
            symptom: Some(Symptom::MemoryGrows),
        },
        Step {
            title: "a limit for the length",
            minutes: 2,
            lines: 4,
            by: By::Instructor,
            say: "Never trust a length that a client sends. `get_block` reads a message with its \
                  length and refuses more than 16 MiB, and `put_block` sends a message. This is \
                  the server of the lecture.",
            request: "Replace the lines that receive with `get_block`, and the lines that send \
                      with `put_block`.",
            run: &[
                "cargo run --example block_client -- 1241 \"hello\" \"straße\"",
                "cargo run --example tcp_client -- 1241 \"hello\"",
            ],
            until: "the limit is 16777216)\" }",
            look: None,
            sees: "Both texts get a reply. Then a client sends `hello` without a length. The \
                   server takes `hell` as a length of 1,751,477,356 bytes, and exits.",
            ask: "Why does the server exit?",
            answer: "`get_block` returns an error, and the `?` in `main` ends the program.",
            problem: "one client's error stops the server",
            problem_command: "cargo run --example check -- recvall_server --own my_recvall_server \
                              --only announces_4_gib",
            if_it_fails: "If the compiler warns about an unused import, remove `use \
                          std::io::Write`.",
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
            brings: &[],
            symptom: None,
        },
        Step {
            title: "one client's error ends one connection",
            minutes: 6,
            lines: 12,
            by: By::Room,
            say: "A client can announce 4 GiB, send invalid bytes, or disconnect in the middle of \
                  a message. None of these errors may stop the server. You know the solution from \
                  lesson 4.",
            request: "Move the work for one client into `handle_client`. If the function returns \
                      an error, print the error and continue.",
            run: &["cargo run --example check -- recvall_server --own my_recvall_server --only \
                 announces_4_gib"],
            until: "",
            look: None,
            sees: "The check passes, because the server drops this client and serves the next one.",
            ask: "The bytes before an invalid byte get no reply. Is this a bug, as in lesson 4?",
            answer: "No. The length says that all these bytes are one message, and this message is \
                     invalid.",
            problem: "a client that still sends while the server closes gets a reset",
            problem_command: "cargo run --example check -- recvall_server --own my_recvall_server \
                              --only last_word",
            if_it_fails: "If the types of the two errors do not match, use `map_err` after \
                          `from_utf8`, as in lesson 4.",
            fails: &[failure("two_messages", &["UNREAD"]), failure("last_word", &["UNREAD"])],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "close gracefully",
            minutes: 2,
            lines: 4,
            by: By::Instructor,
            say: "The server refuses a long message and does not read it. So unread bytes remain, \
                  and the kernel resets the connection. The server closes gracefully, as in lesson \
                  4.",
            request: "Call `close_gracefully` after `handle_client`, also after an error.",
            run: &["cargo run --example check -- recvall_server --own my_recvall_server"],
            until: "",
            look: None,
            sees: "All checks pass.",
            ask: "How long does the server wait for a client that sends without end?",
            answer: "One second. Then `close_gracefully` closes the socket.",
            problem: "the server cannot listen on IPv6, and does not log when a client connects",
            problem_command: "cargo run --example my_recvall_server -- \"[::1]:1241\"",
            if_it_fails: "If `client` has moved, lend the socket. Write `&client` in the call of \
                          `handle_client`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the finished lesson",
            minutes: 2,
            lines: 85,
            by: By::CatchUp,
            say: "Most lines are the same as in lesson 4: constants, `listen`, arguments, log \
                  lines, and a failed accept. `handle_client` now uses `match`, so the log says \
                  `invalid UTF-8`.",
            request: "Take this step with `live`, and look at the new lines for a minute.",
            run: &["cargo run --example block_client -- 1241 \"hello\" \"straße\""],
            until: "disconnected",
            look: None,
            sees: "The server logs when a client connects and disconnects.",
            ask: "Why does the server print four lines for two texts?",
            answer: "The client makes a new connection for each text.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          recvall_server --back`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};
