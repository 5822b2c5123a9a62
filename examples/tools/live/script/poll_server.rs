//! Lesson 13, from the sequential server in short.

use super::{By, Look, Path, Step, Symptom, failure};

/// The steps of `poll_server`.
pub const PATH: Path = Path {
    lesson: "poll_server",
    from: Some(("sequential_server", 2)),
    short: 3,
    steps: &[
        Step {
            title: "try every socket, all the time",
            minutes: 6,
            lines: 14,
            by: By::Instructor,
            say: "In the sequential server, `read` waits for one client, so all other clients \
                  wait. A call on a non-blocking socket never waits. So one thread can try to read \
                  from all sockets, again and again.",
            request: "This path begins with step 2 of lesson 10. Change the port to 1236, and the \
                      number in `listen` to 100. Make all sockets non-blocking, and keep the \
                      clients in a list. In a loop, read from each client, then accept. If `read` \
                      fails, continue as if it had returned 0 bytes.",
            run: &[
                "cargo run --example tcp_client -- 1236 \"hello\" --patience 3",
                "cargo run --example check -- poll_server --own my_poll_server --only silence",
            ],
            until: "",
            look: Some(CPU),
            sees: "The server replies, even while five other clients are silent. But it always \
                   uses almost 100 % of a CPU.",
            ask: "What does `read` return while a client is silent?",
            answer: "An error, because a non-blocking call does not wait. `unwrap_or(0)` replaces \
                     the error with 0 bytes.",
            problem: "the server uses almost 100 % of a CPU, even without a client",
            problem_command: "",
            if_it_fails: "If the server exits when a client connects, look at `unwrap_or(0)`. The \
                          error of `read` must not reach a `?`.",
            fails: &[
                failure("byte_by_byte", &["DIED"]),
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("half_close", &["NO_OWN_END"]),
                failure("vanish", &["DIED"]),
                failure("never_read", &["DIED"]),
                failure("megabyte", &["DIED"]),
            ],
            brings: &[],
            symptom: Some(Symptom::BusyWithoutClients),
        },
        Step {
            title: "wait with poll",
            minutes: 5,
            lines: 15,
            by: By::Instructor,
            say: "The kernel knows which sockets are ready. `poll` takes a list of sockets and \
                  waits until at least one of them is ready. The server then reads only from the \
                  ready clients.",
            request: "In each iteration, build the list and call `poll`. Copy what `poll` reports, \
                      because the list borrows the clients. Skip each client that is not ready. \
                      Replace `unwrap_or(0)` with `?`.",
            run: &["cargo run --example tcp_client -- 1236 \"hello\" --patience 3"],
            until: "",
            look: Some(CPU),
            sees: "The server uses 0 % of a CPU, until the client closes its sending side. After \
                   that, the server uses almost 100 %. The client gives up after 3 seconds.",
            ask: "Why does `poll` not wait now?",
            answer: "The client has closed its sending side, so a read returns 0 bytes \
                     immediately. Therefore `poll` reports this socket as ready in each iteration.",
            problem: "the server never removes a disconnected client, so `poll` never waits again",
            problem_command: "cargo run --example check -- poll_server --own my_poll_server --only \
                              half_close",
            if_it_fails: "If a reset stops the server, continue. The new `?` after `read` causes \
                          this bug, and step 4 repairs it.",
            fails: &[
                failure("byte_by_byte", &["DIED"]),
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("half_close", &["NO_OWN_END"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("never_read", &["DIED"]),
                failure("megabyte", &["DIED"]),
            ],
            brings: &["reset"],
            symptom: Some(Symptom::BusyAfterAClient),
        },
        Step {
            title: "remove disconnected clients",
            minutes: 6,
            lines: 14,
            by: By::Instructor,
            say: "If a read returns 0 bytes, the server removes the client. `accept` and `read` \
                  usually do not wait if the socket is ready. Step 8 shows an exception. So the \
                  sockets can be blocking again, as in the lecture.",
            request: "After 0 bytes, remove the client, and make the loop count backwards. Accept \
                      only if the listener is ready. Remove the lines with `set_nonblocking`. \
                      Write `?;` instead of `.map_err(...)?;`. Add the first two lines, which \
                      begin with `//!`.",
            run: &[
                "cargo run --example tcp_client -- 1236 \"hello\" --patience 3",
                "cargo run --example check -- poll_server --own my_poll_server --only half_close",
            ],
            until: "",
            look: Some(CPU),
            sees: "The check passes. The server uses 0 % of a CPU, also after the client has \
                   disconnected.",
            ask: "Why does the loop count backwards?",
            answer: "`remove` changes the place of all later clients. The loop has already served \
                     these clients.",
            problem: "a client that does not read its replies blocks all other clients",
            problem_command: "cargo run --example rude -- poll_server 1236 never_read",
            if_it_fails: "The last command takes about 15 seconds, and at its end the server \
                          exits. If you want to show the problem, connect another client during \
                          this time. This client gets no reply.",
            fails: &[
                failure("byte_by_byte", &["DIED"]),
                failure("cut_character", &["DIED"]),
                failure("not_utf8", &["DIED"]),
                failure("reset", &["DIED"]),
                failure("vanish", &["DIED"]),
                failure("never_read", &["BLOCKED", "DIED"]),
                failure("megabyte", &["DIED"]),
            ],
            brings: &[],
            symptom: Some(Symptom::NeverBusy),
        },
        Step {
            title: "keep unsent bytes",
            minutes: 5,
            lines: 76,
            by: By::CatchUp,
            say: "`write_all` waits for a client that does not read. So the clients are \
                  non-blocking again, and the server keeps the unsent bytes of each client. `OUT` \
                  means that the kernel can take more bytes.",
            request: "Take this step with `live`. Then read `events`, `serve` and `send_replies`.",
            run: &["cargo run --example rude -- poll_server 1236 never_read"],
            until: "dropped: Connection reset by peer (os error 104)",
            look: Some(MEMORY),
            sees: "The client sends 16 MiB without waiting, and the server still serves. Another \
                   client sends 200 MB, and the server then uses 200 MB of memory.",
            ask: "Why does the server not always ask for `OUT`?",
            answer: "An idle socket is always writable. So `poll` would return immediately each \
                     time.",
            problem: "the memory of the server grows while a client sends and does not read",
            problem_command: "cargo run --example check -- poll_server --own my_poll_server --only \
                              never_read",
            if_it_fails: "If the file does not compile after your own changes, run `live` with the \
                          number of this step.",
            fails: &[
                failure("byte_by_byte", &["FIRST_HALF"]),
                failure("cut_character", &["FIRST_HALF"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("never_read", &["UNBOUND"]),
                failure("megabyte", &["FIRST_HALF"]),
            ],
            brings: &[],
            symptom: Some(Symptom::MemoryGrows),
        },
        Step {
            title: "back-pressure",
            minutes: 8,
            lines: 8,
            by: By::Room,
            say: "The server must limit the unsent bytes. It stops reading from a client that has \
                  too many of them. The kernel's buffers become full, and the client's own `send` \
                  waits.",
            request: "Define `UNSENT_LIMIT` as 64 KiB. Write a method `wants_to_read`, which \
                      returns false above this limit. In `events`, ask for `IN` only if the method \
                      returns true.",
            run: &[
                "cargo run --example check -- poll_server --own my_poll_server --only never_read",
            ],
            until: "",
            look: None,
            sees: "The check passes, because the client's `send` waits and the other clients get \
                   their replies.",
            ask: "Where are the requests that the server does not read?",
            answer: "In the receive buffer of the server's kernel and in the send buffer of the \
                     client's kernel.",
            problem: "a read that ends inside a character ends the connection",
            problem_command: "cargo run --example check -- poll_server --own my_poll_server --only \
                              cut_character",
            if_it_fails: "If a client gets no replies, begin with `PollFlags::empty()` and add \
                          each event with `|=`.",
            fails: &[
                failure("byte_by_byte", &["FIRST_HALF"]),
                failure("cut_character", &["FIRST_HALF"]),
                failure("not_utf8", &["GOOD_LOST"]),
                failure("megabyte", &["FIRST_HALF"]),
            ],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "a decoder for each client",
            minutes: 3,
            lines: 9,
            by: By::Instructor,
            say: "A read can end in the middle of a character. A decoder keeps the first bytes of \
                  this character until the next read. Each client needs its own decoder.",
            request: "Give each client a `Decoder`. If the decoder finds invalid bytes, return an \
                      error after the valid text.",
            run: &[
                "cargo run --example check -- poll_server --own my_poll_server --only \
                 cut_character",
                "cargo run --example check -- poll_server --own my_poll_server --only megabyte",
            ],
            until: "",
            look: None,
            sees: "Both checks pass. In a text of 1 MiB, many reads end inside a character.",
            ask: "What happens if all clients share one decoder?",
            answer: "The decoder puts the first half of one client's character before another \
                     client's text.",
            problem: "the server closes a connection that still has unsent replies",
            problem_command: "cargo run --example check -- poll_server --own my_poll_server --only \
                              not_utf8",
            if_it_fails: "If the compiler warns about `str`, remove the import. The decoder calls \
                          `from_utf8` now.",
            fails: &[failure("not_utf8", &["GOOD_LOST"])],
            brings: &[],
            symptom: None,
        },
        Step {
            title: "how a connection ends",
            minutes: 5,
            lines: 13,
            by: By::Instructor,
            say: "A client can half-close its connection and still wait for its replies. So 0 \
                  bytes are only the end of the requests. In a third state, the server reads no \
                  more and sends the unsent replies.",
            request: "Add the state `Closing`, for 0 bytes and for invalid bytes. Read only in the \
                      state `Open`. When nothing is unsent, change `Closing` to `Closed`.",
            run: &["cargo run --example check -- poll_server --own my_poll_server"],
            until: "",
            look: Some(FEW_DESCRIPTORS),
            sees: "All checks pass. But with a limit of 20 file descriptors, the server exits when \
                   100 clients connect.",
            ask: "Why does the server not call `close_gracefully`?",
            answer: "This function can wait for a second, and all other clients would wait, too.",
            problem: "an error of `accept` stops the server",
            problem_command: "",
            if_it_fails: "If the check `half_close` fails, look at the end of `serve`. When all \
                          replies are sent, the state must become `Closed`.",
            fails: &[],
            brings: &[],
            symptom: Some(Symptom::FewDescriptorsEndIt),
        },
        Step {
            title: "an error of accept",
            minutes: 3,
            lines: 12,
            by: By::Instructor,
            say: "`accept` fails if the process has no free file descriptor. The server logs the \
                  error and pauses, because the connection is still pending. A pending connection \
                  can disappear. A blocking `accept` would then wait, so the listener is \
                  non-blocking.",
            request: "Make the listener non-blocking. Replace the `?` after `accept` with a \
                      `match`. For an error, call `log_and_pause`, except for `WouldBlock`.",
            run: &["cargo run --example rude -- poll_server 1236 hundred"],
            until: "",
            look: Some(FEW_DESCRIPTORS),
            sees: "All 100 clients get a reply. With a limit of 20 file descriptors, the server \
                   logs an error each second. The 100 clients still get their replies.",
            ask: "What happens without the pause?",
            answer: "`poll` reports the pending connection again, and `accept` fails again. So the \
                     server uses almost 100 % of a CPU.",
            problem: "during the pause after a failed `accept`, all clients wait",
            problem_command: "",
            if_it_fails: "On Windows, leave out the limit, because Windows does not have `ulimit`.",
            fails: &[],
            brings: &[],
            symptom: Some(Symptom::FewDescriptorsAreFine),
        },
        Step {
            title: "the command line, the log, and a better pause",
            minutes: 4,
            lines: 184,
            by: By::CatchUp,
            say: "The library reads the arguments and writes the log. During the pause, the server \
                  does not sleep. `poll` waits only for the connected clients, so the server still \
                  serves them. This is the finished lesson.",
            request: "Take this step with `live`, and look at the timeout of `poll` and at the end \
                      of `serve`.",
            run: &[
                "cargo run --example tcp_client -- 1236 \"straße\"",
                "cargo run --example check -- poll_server --own my_poll_server",
            ],
            until: "disconnected",
            look: None,
            sees: "The server logs when a client connects and disconnects. All checks pass.",
            ask: "Find the call that can wait, other than `poll`. How long does it wait?",
            answer: "`thread::sleep` waits for one millisecond, if `poll` reports only a hang-up.",
            problem: "",
            problem_command: "",
            if_it_fails: "To get your own version back, run `cargo run -q --example live -- \
                          poll_server --back`.",
            fails: &[],
            brings: &[],
            symptom: Some(Symptom::FewDescriptorsAreFine),
        },
    ],
};

/// Shows how much of a CPU each process uses.
const CPU: Look = Look {
    before: "Look at the use of the CPU, in a terminal of full width. On Windows, run the command \
             twice: the seconds in the column `CPU(s)` grow if the server is busy.",
    unix: "top",
    windows: "Get-Process my_poll_server",
};

/// A client sends 200 MB and does not read. Then it shows how much memory the server uses.
const MEMORY: Look = Look {
    before: "If this computer has Python, look at the memory of the server after a client has sent \
             200 MB:",
    unix: "python3 -c \"import os, socket; client = socket.create_connection(('127.0.0.1', 1236)); \
           client.sendall(b'x' * 200_000_000); os.system('ps aux | grep my_poll_server')\"",
    windows: "python -c \"import os, socket; client = socket.create_connection(('127.0.0.1', \
              1236)); client.sendall(b'x' * 200_000_000); os.system('tasklist | findstr \
              my_poll_server')\"",
};

/// Starts the server in terminal 1 again, with few file descriptors.
const FEW_DESCRIPTORS: Look = Look {
    before: "If the server is running, stop it. Start it with the next command, which sets a limit \
             of 20 file descriptors. In another terminal, run `cargo run --example rude -- \
             poll_server 1236 hundred`. Windows does not have this limit. There, the next command \
             shows how many handles the server uses.",
    unix: "(ulimit -n 20; cargo run --example my_poll_server)",
    windows: "Get-Process my_poll_server",
};
