//! Lesson 16, from the third step of lesson 4.

use super::{A_THREAD_EXITS, By, Failure, Look, Path, Step, Symptom, failure};

/// The steps of `thread_pool`.
pub const PATH: Path = Path {
    lesson: "thread_pool",
    from: Some(("tcp_server", 3)),
    short: 3,
    steps: &[
        Step {
            title: "one client after another",
            minutes: 2,
            lines: 2,
            by: By::Instructor,
            say: "We begin with step 3 of lesson 4, and give it another port and a longer queue. \
                  It serves one client after another.",
            request: "This path begins with step 3 of lesson 4. Change the port to 1239, and the \
                      length of the queue to 100.",
            run: &["cargo run --example tcp_client -- 1239 \"straße\""],
            until: "",
            look: None,
            sees: "The client prints the reply, as in lesson 4.",
            ask: "One client connects and sends nothing. What do the other clients get?",
            answer: "They are connected, but they get no reply. The server waits in `read` for the \
                     silent client.",
            problem: "one silent client makes all other clients wait",
            problem_command: "cargo run --example check -- thread_pool --own my_thread_pool --only \
                              silence",
            if_it_fails: "If the client prints `Connection refused`, look at the port in \
                          `ADDRESS`.",
            fails: &[
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("silence", &["FEWER"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("last_word", &["UNREAD"]),
                failure("pool_of_four", &["FEWER"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "a thread per client",
            minutes: 6,
            lines: 14,
            by: By::Instructor,
            say: "If each client has its own thread, a silent client makes only its own thread \
                  wait. The call of `serve` gives the socket to the thread.",
            request: "Move the work for one client into the function `serve`. Start a thread for \
                      each client, and let the thread call `serve`.",
            run: &[
                "cargo run --example crowd -- 1239 --clients 8 --silent 4",
                "cargo run --example crowd -- 1239 --clients 1 --idle 200 --seconds 20",
            ],
            until: "",
            look: Some(Look {
                before: "Type this command in another terminal before you start the second \
                         command. Run it while the second command runs:",
                unix: "ps -o nlwp= -C my_thread_pool 2>/dev/null || ps -M $(pgrep my_thread_pool) \
                       | wc -l",
                windows: "(Get-Process my_thread_pool).Threads.Count",
            }),
            sees: "Four clients are silent, and the other four get their replies immediately. \
                   While the second command runs, the server has about 202 threads.",
            ask: "Why does the server have so many threads?",
            answer: "Each of the 201 connected clients has a thread. The main thread accepts the \
                     next client.",
            problem: "the clients decide how many threads the server has",
            problem_command: "cargo run --example check -- thread_pool --own my_thread_pool --only \
                              pool_of_four",
            if_it_fails: "If the compiler cannot borrow `client` as mutable, write `mut` before \
                          `client` in the parameters of `serve`. If the server has only about 100 \
                          threads, its queue was full. Wait a second, and look again.",
            fails: &[
                failure("cut_character", &["GOOD_LOST"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("last_word", &["UNREAD"]),
                failure("pool_of_four", &["MORE_THAN_FOUR"]),
            ],
            brings: &[],
            symptom: Some(Symptom::ThreadPerClient(300)),
        },
        Step {
            title: "four threads, one listener",
            minutes: 4,
            lines: 13,
            by: By::Instructor,
            say: "Now the server decides how many threads there are. Four threads call `accept` on \
                  the same listener. They may borrow the listener, because `thread::scope` waits \
                  for them.",
            request: "Start four threads in a scope. Move the loop into `serve`, so that each \
                      thread accepts its own clients.",
            run: &[
                "cargo run --example crowd -- 1239 --clients 8 --silent 4",
                "cargo run --example rude -- thread_pool 1239 reset",
                "cargo run --example rude -- thread_pool 1239 reset",
                "cargo run --example rude -- thread_pool 1239 reset",
            ],
            until: "",
            look: None,
            sees: "Four silent clients hold all four threads, so the other four clients wait. \
                   After three resets, the server still serves.",
            ask: "What happens after the fourth reset?",
            answer: "Each reset ends one thread. After the fourth reset, no thread is left. So \
                     `main` returns `Ok(())`, and the exit status is 0.",
            problem: "the fourth reset stops the server, and the server prints no error",
            problem_command: "cargo run --example check -- thread_pool --own my_thread_pool --only \
                              reset",
            if_it_fails: "If the compiler expects `&TcpListener`, pass `&listener` to `serve`.",
            fails: &A_THREAD_EXITS,
            brings: &["reset", "vanish"],
            symptom: Some(Symptom::FourResetsEndIt),
        },
        Step {
            title: "one client's error ends one connection",
            minutes: 7,
            lines: 10,
            by: By::Room,
            say: "An error in a thread is silent if the program does not use the result of the \
                  thread. You know the solution from lesson 4.",
            request: "Move the work for one client into `handle_client`. If the function returns \
                      an error, print the error, and accept the next client.",
            run: &["cargo run --example check -- thread_pool --own my_thread_pool --only reset"],
            until: "",
            look: None,
            sees: "The check passes, because the server still serves after more than four resets.",
            ask: "Which error still ends a thread?",
            answer: "An error of `accept`, because the `?` after `accept` is still in the loop.",
            problem: "the server does not print which thread served a client",
            problem_command: "",
            if_it_fails: "If the check still fails, look for a `?` after the call of \
                          `handle_client`.",
            fails: &VALID_TEXT_IS_LOST,
            brings: &[],
            symptom: None,
        },
        Step {
            title: "names for threads",
            minutes: 4,
            lines: 12,
            by: By::Instructor,
            say: "A thread can have a name. The log functions of the library print this name at \
                  the beginning of each line.",
            request: "Start the threads with a `Builder`, which sets their names. Log when a \
                      client connects and disconnects.",
            run: &["cargo run --example tcp_client -- 1239 \"straße\""],
            until: "disconnected",
            look: None,
            sees: "Each log line begins with the name of the thread that serves the client.",
            ask: "Which thread serves the next client?",
            answer: "Any of the four. All of them wait in `accept`, and the kernel wakes one.",
            problem: "the text before an invalid byte gets no reply",
            problem_command: "cargo run --example check -- thread_pool --own my_thread_pool --only \
                              not_utf8",
            if_it_fails: "If the compiler does not find `spawn_scoped`, call it on the builder, \
                          with `scope` as its first argument.",
            fails: &VALID_TEXT_IS_LOST,
            brings: &[],
            symptom: None,
        },
        Step {
            title: "the finished lesson",
            minutes: 3,
            lines: 104,
            by: By::CatchUp,
            say: "The rest is the same as in lesson 4. The server replies to the text before \
                  invalid bytes, closes gracefully, and survives an error of `accept`.",
            request: "Take this step with `live`, and find three changes: the reply before invalid \
                      bytes, the graceful close, and the error of `accept`.",
            run: &["cargo run --example check -- thread_pool --own my_thread_pool"],
            until: "",
            look: None,
            sees: "All checks pass.",
            ask: "Why does `serve` not return a `Result` now?",
            answer: "It handles every error itself, so a thread never ends.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          thread_pool --back`.",
            fails: &[],
            brings: &[],
            symptom: None,
        },
    ],
};

/// What still fails when an error ends only one connection.
const VALID_TEXT_IS_LOST: [Failure; 3] = [
    failure("cut_character", &["GOOD_LOST"]),
    failure("not_utf8", &["GOOD_LOST"]),
    failure("last_word", &["UNREAD"]),
];
