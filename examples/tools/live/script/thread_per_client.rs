//! Lesson 14, from a step of lesson 10 in which a client's error ends only its connection.

use super::{By, Path, Step, Symptom, failure};

/// The steps of `thread_per_client`.
pub const PATH: Path = Path {
    lesson: "thread_per_client",
    from: Some(("sequential_server", 3)),
    short: 2,
    steps: &[
        Step {
            title: "one client after another",
            minutes: 2,
            lines: 2,
            by: By::Instructor,
            say: "We begin with a step of lesson 10. Many clients may come at the same time, so \
                  the queue gets 100 places.",
            request: "This path begins with step 3 of lesson 10. Change the port to 1237, and the \
                      number in `listen` to 100.",
            run: &["cargo run --example tcp_client -- 1237 \"hello\" \"straße\""],
            until: "",
            look: None,
            sees: "The client gets both replies, as in lesson 10.",
            ask: "A client connects and sends nothing. What happens to the next client?",
            answer: "It is connected, but it waits for its reply until the first client \
                     disconnects.",
            problem: "one silent client makes all other clients wait",
            problem_command: "cargo run --example check -- thread_per_client --own \
                              my_thread_per_client --only silence",
            if_it_fails: "If the client cannot connect, compare the port in the file with the port \
                          in the command.",
            fails: &[
                failure("byte_by_byte", &["FIRST_HALF"]),
                failure("cut_character", &["FIRST_HALF"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("silence", &["ONE_AT_A_TIME"]),
                failure("never_read", &["ONE_AT_A_TIME"]),
                failure("megabyte", &["FIRST_HALF"]),
                failure("last_word", &["GOOD_LOST"]),
                failure("connections_200", &["ONE_AT_A_TIME"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "a thread for each client",
            minutes: 3,
            lines: 5,
            by: By::Instructor,
            say: "Each client gets its own thread. If a thread waits, only its own client waits. \
                  The call of `handle_client` gives the socket to the thread. So the thread owns \
                  and closes the socket.",
            request: "Import `thread`, and call `handle_client` in a new thread. Write a comment \
                      that says what happens to an error.",
            run: &[
                "cargo run --example check -- thread_per_client --own my_thread_per_client --only \
                 silence",
            ],
            until: "",
            look: None,
            sees: "The check passes, because each of the silent clients occupies only its own \
                   thread.",
            ask: "One client sends a reset. Why does the server continue?",
            answer: "Only the thread of this client ends. But its error is lost, and nothing \
                     prints it.",
            problem: "the server drops a client if a read ends inside a character",
            problem_command: "cargo run --example check -- thread_per_client --own \
                              my_thread_per_client --only cut_character",
            if_it_fails: "If the compiler does not find `thread`, add it to the names in `use \
                          std::{...}`.",
            fails: &[
                failure("byte_by_byte", &["FIRST_HALF"]),
                failure("cut_character", &["FIRST_HALF"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("megabyte", &["FIRST_HALF"]),
                failure("last_word", &["GOOD_LOST"]),
            ],
            brings: &[],
            symptom: Some(Symptom::ThreadPerClient(100)),
        },
        Step {
            title: "half a character",
            minutes: 4,
            lines: 9,
            by: By::Instructor,
            say: "The function may wait, because it has its own thread. So its loop can be the \
                  same as in lesson 10. The decoder is a local variable, so each client has its \
                  own.",
            request: "Make a decoder, and decode each read with it, as in step 4 of lesson 10.",
            run: &[
                "cargo run --example check -- thread_per_client --own my_thread_per_client --only \
                 cut_character",
            ],
            until: "",
            look: None,
            sees: "The check passes, because the decoder keeps the first half of `é`.",
            ask: "What happens if all threads share one decoder?",
            answer: "One client's half character is joined with the bytes of another client.",
            problem: "a client can lose its last reply, and the server does not print any error",
            problem_command: "cargo run --example check -- thread_per_client --own \
                              my_thread_per_client --only last_word",
            if_it_fails: "If the compiler warns about an unused import, remove `str`. To see step \
                          4 of lesson 10, run `cargo run -q --example live -- sequential_server 4 \
                          --show`.",
            fails: &[failure("last_word", &["UNREAD"])],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "how a thread ends",
            minutes: 7,
            lines: 11,
            by: By::Room,
            say: "When a client's thread ends, two things are missing. The server should close the \
                  connection gracefully, and print the error of this client. Both belong in the \
                  thread, because only this client may wait.",
            request: "Write a function `serve` that takes the socket and the address. It calls \
                      `handle_client`, closes gracefully, and prints an error. Call `serve` in the \
                      thread.",
            run: &["cargo run --example check -- thread_per_client --own my_thread_per_client"],
            until: "",
            look: None,
            sees: "All checks pass.",
            ask: "Why must `main` not call `close_gracefully`?",
            answer: "The function can wait for a second, so all other clients would wait. And \
                     `main` no longer owns the socket.",
            problem: "the operating system can refuse to start a thread, and `spawn` then panics",
            problem_command: "",
            if_it_fails: "If the compiler says that the closure may outlive `peer`, write `move` \
                          before `||`. If `client` has moved, the parameter of `handle_client` \
                          becomes `client: &mut TcpStream`, and the call passes `&mut client`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the finished lesson",
            minutes: 2,
            lines: 96,
            by: By::CatchUp,
            say: "Each thread gets a name, which begins its log lines. If the operating system \
                  cannot start a thread, the server drops this client and continues. The other \
                  lines are the same as in lesson 10.",
            request: "Take this step with `live`, and look at the new lines for a minute.",
            run: &["cargo run --example tcp_client -- 1237 \"hello\" \"straße\""],
            until: "disconnected",
            look: None,
            sees: "The server logs when a client connects and disconnects. Each line begins with \
                   the name of a thread.",
            ask: "What decides how many threads run?",
            answer: "The number of clients. Lesson 16 limits the threads.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          thread_per_client --back`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};
