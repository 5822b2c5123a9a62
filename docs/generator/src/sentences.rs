//! Says in one sentence what happens in a step of a recording.

use crate::trace::{Call, Event};
use crate::wire::{MAIN, Row, What};

/// What the sentences about a call need to know.
pub struct Scene<'a> {
    /// The thread, or the program if it has only one thread. It is written as within a sentence.
    pub subject: String,
    /// The program, written as within a sentence.
    pub program: String,
    /// The client at the other end, or the server.
    pub peer: String,
    /// Whether the recording has no server, so the page does not show the program at the other end.
    pub is_alone: bool,
    /// The thread that this call starts, or that returns.
    pub thread: String,
    /// The function that the line of the program calls, and the number of the line.
    pub at: Option<(&'a str, u32)>,
    /// What the call adds to the picture.
    pub rows: &'a [Row],
    /// What the call adds to the terminal.
    pub printed: &'a [String],
}

impl Scene<'_> {
    /// Returns `, line 12`, or nothing.
    fn line(&self) -> String {
        self.at.map_or_else(String::new, |(_, line)| format!(", line {line}"))
    }

    /// Returns the function in the line of the program, or this one if the line is not known.
    fn function(&self, otherwise: &str) -> String {
        let known = self.at.map(|(name, _)| name).filter(|name| !name.is_empty());
        format!("`{}`", known.unwrap_or(otherwise))
    }

    /// Returns one sentence for each step of a call. An empty list means that the call is not a step.
    pub fn call(&self, event: &Event) -> Vec<String> {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        let one = match &event.call {
            Call::Connecting => format!(
                "{subject} calls `connect`{line}. Its kernel sends a SYN, and the kernel of {peer} drops it."
            ),
            Call::Connect(_) if event.datagrams => return Vec::new(),
            Call::Connect(outcome) => return self.connect(outcome, event.late),
            Call::Create if event.datagrams => {
                format!("{subject} creates a datagram socket{line}.")
            }
            Call::Create => format!("{subject} creates a socket{line}."),
            Call::Bind => format!("{subject} binds the socket to an address{line}."),
            Call::Listen => format!(
                "{subject} calls `listen`{line}. From now on, the kernel completes connections."
            ),
            Call::Accept => {
                let function = self.function("accept");
                format!(
                    "{subject} gets the connection of {peer} from {function}{line}."
                )
            }
            Call::Send(bytes) => self.send(event, bytes.len()),
            Call::Receive(_, bytes) => return self.receive(event, bytes.len()),
            Call::ReceiveFailed(_, why) if why == "EAGAIN" => {
                format!("in {subject}, {} times out{line}.", self.function("recv"))
            }
            Call::ReceiveFailed(_, why) if why == "EWOULDBLOCK" => format!(
                "in {subject}, {} returns immediately{line}, because the kernel holds no more bytes.",
                self.function("recv")
            ),
            Call::ReceiveFailed(_, why) => {
                format!(
                    "in {subject}, {} fails with {why}{line}.",
                    self.function("recv")
                )
            }
            Call::Shutdown | Call::Close if event.datagrams => {
                format!("{subject} closes its socket{line}.")
            }
            Call::Shutdown | Call::Close => self.close(event),
            Call::Poll(_) | Call::PollWritable(_) => match self.ready() {
                Some(ready) => format!(
                    "in {subject}, {} returns{line}, because {ready}.",
                    self.function("poll")
                ),
                None => return Vec::new(),
            },
            Call::PollTimedOut => {
                format!("in {subject}, {} times out{line}.", self.function("poll"))
            }
            Call::Sleep(seconds) => {
                let seconds = counted(&seconds.to_string(), "second");
                format!(
                    "{subject} waits in {}{line}, for {seconds}.",
                    self.function("sleep")
                )
            }
            Call::Awake => format!("{subject} continues{line}."),
            Call::Ttl(hops) => {
                let hops = counted(&hops.to_string(), "hop");
                format!("{subject} sets the time to live to {hops}{line}.")
            }
            Call::Print(..) => match self.printed {
                [] => return Vec::new(),
                [text] => format!("{subject} prints `{}`{line}.", shortened(text)),
                several => {
                    format!("{subject} prints {} lines{line}.", several.len())
                }
            },
            Call::Spawn(_) => {
                format!("{subject} starts the thread {}{line}.", self.thread)
            }
            Call::CloseListener => self.close_listener(),
            Call::Exit if self.thread.is_empty() || self.thread == MAIN => {
                format!("{} exits.", self.program)
            }
            Call::Exit => format!("the thread {} returns.", self.thread),
            Call::Typed | Call::Joined | Call::Stopped => return Vec::new(),
        };
        vec![one]
    }

    /// Returns the sentence for a thread that waits in a call.
    pub fn wait(&self, event: &Event) -> Option<String> {
        let (function, line) = self.at?;
        let what = match function {
            "accept" | "accept_within" => ", for a connection".to_owned(),
            "poll" => ", until a socket is ready".to_owned(),
            "recv_from" | "recvfrom" | "receive_within" => {
                ", for a datagram".to_owned()
            }
            "getaddrinfo" => ", for the name server".to_owned(),
            "scope" | "join" => ", for its threads".to_owned(),
            _ => match &event.call {
                Call::Receive(..) | Call::ReceiveFailed(..) if self.is_alone => {
                    ", for bytes".to_owned()
                }
                Call::Receive(..) | Call::ReceiveFailed(..) | Call::Stopped
                    if !self.peer.is_empty() =>
                {
                    format!(", for bytes from {}", self.peer)
                }
                Call::Typed => ", for what you type".to_owned(),
                _ => String::new(),
            },
        };
        Some(format!("{} waits in `{function}`, line {line}{what}.", self.subject))
    }

    fn connect(&self, outcome: &Result<(), String>, is_late: bool) -> Vec<String> {
        let Scene { subject, program, peer, is_alone, .. } = self;
        let line = self.line();
        let first = if is_late {
            format!("the kernel of {program} sends the SYN again.")
        } else {
            format!("{subject} calls `connect`{line}. Its kernel sends a SYN.")
        };
        let from = |segment: &str| {
            if *is_alone {
                format!("the reply is {segment}")
            } else {
                format!("the kernel of {peer} replies with {segment}")
            }
        };
        match outcome {
            Ok(()) if *is_alone => vec![
                first,
                format!("{}.", from("a SYN-ACK")),
                format!(
                    "the kernel of {program} sends an ACK. The connection is complete."
                ),
            ],
            Ok(()) => vec![
                first,
                format!("{}.", from("a SYN-ACK")),
                format!(
                    "the kernel of {program} sends an ACK. The connection is complete, and it waits for `accept`."
                ),
            ],
            Err(why) => vec![
                first,
                format!(
                    "{}, because no program listens on the port.",
                    from("an RST")
                ),
                format!("in {subject}, `connect` fails with {why}{line}."),
            ],
        }
    }

    fn send(&self, event: &Event, length: usize) -> String {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        if let Some(question) =
            self.label().and_then(|label| label.split_once("question: "))
        {
            return format!("{subject} asks {peer} for `{}`{line}.", question.1);
        }
        let is_lost = self
            .rows
            .iter()
            .any(|row| matches!(row.what, What::Arrow { lost: true, .. }));
        let end = if is_lost {
            " A router drops it, because its time to live is over."
        } else {
            ""
        };
        let bytes = counted(&length.to_string(), "byte");
        if event.datagrams {
            format!("{subject} sends a datagram of {bytes} to {peer}{line}.{end}")
        } else {
            format!("{subject} sends {bytes} to {peer}{line}.")
        }
    }

    fn receive(&self, event: &Event, length: usize) -> Vec<String> {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        let bytes = counted(&length.to_string(), "byte");
        let what = match length {
            _ if event.datagrams => format!("a datagram of {bytes}"),
            0 => "the end of the stream".to_owned(),
            _ => bytes,
        };
        let received = format!("{subject} receives {what} from {peer}{line}.");
        // The picture also shows what a program sends that is not traced.
        if self.rows.len() < 2 {
            return vec![received];
        }
        let sent = match self.label().and_then(|label| label.split_once("answer: "))
        {
            Some((_, answer)) => match answer.split_once(": ") {
                Some((question, why)) => {
                    format!("{peer} answers `{question}`: {why}.")
                }
                None => format!("{peer} answers `{answer}`."),
            },
            None => format!("{peer} sends {what}."),
        };
        vec![sent, received]
    }

    fn close(&self, event: &Event) -> String {
        let Scene { subject, peer, is_alone, .. } = self;
        let line = self.line();
        let connection = if *is_alone {
            "its connection".to_owned()
        } else {
            format!("its connection to {peer}")
        };
        let what = match event.call {
            Call::Shutdown => format!("the sending side of {connection}"),
            _ => connection,
        };
        let segment = match self.label() {
            Some(label) if label.ends_with("RST") => {
                " It has not received all bytes, so its kernel sends an RST."
            }
            Some(_) => " Its kernel sends a FIN.",
            None => "",
        };
        format!("{subject} closes {what}{line}.{segment}")
    }

    fn close_listener(&self) -> String {
        let (subject, line) = (&self.subject, self.line());
        let closes = format!("{subject} closes its listening socket{line}.");
        match self.rows.len() {
            0 => closes,
            1 => format!(
                "{closes} Its kernel sends an RST to the client that waited."
            ),
            _ => format!(
                "{closes} Its kernel sends an RST to each client that waited."
            ),
        }
    }

    /// Returns the label of the first arrow that the picture shows.
    fn label(&self) -> Option<&str> {
        self.rows.iter().find_map(|row| match &row.what {
            What::Arrow { label, .. } | What::FromOutside(label) => {
                Some(label.as_str())
            }
            What::Note(_) => None,
        })
    }

    /// Returns the sockets that are ready, with their verb, if the picture shows them.
    fn ready(&self) -> Option<String> {
        let note = self.rows.iter().find_map(|row| match &row.what {
            What::Note(note) => note.split_once("→ "),
            _ => None,
        });
        let (_, names) = note?;
        if let Some(names) = names.strip_suffix(", for writing") {
            return Some(format!("the socket of {names} is ready for writing"));
        }
        Some(match names.rsplit_once(", ") {
            Some((first, last)) => format!("{first} and {last} are ready"),
            None => format!("{names} is ready"),
        })
    }
}

/// Returns a sentence with a capital at its start. The name of a thread, such as `worker-1`, stays
/// as it is.
pub fn capital(sentence: &str, threads: &[(usize, String)]) -> String {
    let first_word = sentence.split(' ').next().unwrap_or_default();
    if threads.iter().any(|(_, name)| name == first_word) {
        return sentence.to_owned();
    }
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Returns the start of a text, if it is too long for a sentence.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.trim().to_owned();
    }
    let start: String = text.chars().take(MOST - 10).collect();
    let end = start.rfind(' ').unwrap_or(start.len());
    format!("{} …", start[..end].trim())
}

fn counted(count: &str, what: &str) -> String {
    if count == "1" { format!("1 {what}") } else { format!("{count} {what}s") }
}
