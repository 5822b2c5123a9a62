//! Says in one sentence what happens in a step of a recording.

use crate::trace::{Call, Event};
use crate::wire::{Row, What};

/// What a sentence needs to know.
pub struct Scene<'a> {
    /// The program or the thread, as at the start of a sentence.
    pub subject: String,
    /// The program, without the name of a thread.
    pub program: String,
    /// The client at the other end, or the server.
    pub peer: String,
    /// The name of the thread that this call has started.
    pub started: String,
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
        self.at.map_or_else(
            || format!("`{otherwise}`"),
            |(name, _)| format!("`{name}`"),
        )
    }

    /// Returns one sentence for each step of a call. An empty list means that the call is not a step.
    pub fn call(&self, event: &Event) -> Vec<String> {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        let one = match &event.call {
            Call::Connecting => format!(
                "{subject} calls `connect`{line}. Its kernel sends a SYN, and the kernel of the server drops it."
            ),
            Call::Connect(_) if event.datagrams => return Vec::new(),
            Call::Connect(outcome) => return self.connect(outcome, event.late),
            Call::Create if event.datagrams => {
                format!("{subject} creates a datagram socket{line}.")
            }
            Call::Create => format!("{subject} creates a socket{line}."),
            Call::Bind => {
                format!("{subject} binds the socket to its address{line}.")
            }
            Call::Listen => format!(
                "{subject} calls `listen`{line}. From now on, its kernel completes connections."
            ),
            Call::Accept => {
                let function = self.function("accept");
                format!(
                    "{subject} gets the connection of {peer} from {function}{line}."
                )
            }
            Call::Send(bytes) => self.send(event, bytes.len()),
            Call::Receive(_, bytes) => self.receive(event, bytes.len()),
            Call::ReceiveFailed(_, why) if why == "EAGAIN" => {
                format!("In {subject}, {} times out{line}.", self.function("recv"))
            }
            Call::ReceiveFailed(_, why) => {
                format!(
                    "In {subject}, {} fails with {why}{line}.",
                    self.function("recv")
                )
            }
            Call::Shutdown | Call::Close if event.datagrams => {
                format!("{subject} closes its socket{line}.")
            }
            Call::Shutdown => {
                format!(
                    "{subject} closes its sending side to {peer}{line}.{}",
                    self.segment()
                )
            }
            Call::Close => {
                format!(
                    "{subject} closes its connection to {peer}{line}.{}",
                    self.segment()
                )
            }
            Call::Poll(_) if self.rows.is_empty() => return Vec::new(),
            Call::Poll(_) => {
                let ready = self.rows.iter().find_map(|row| match &row.what {
                    What::Note(note) => note.split_once("→ "),
                    _ => None,
                });
                let ready = ready.map_or("a socket", |(_, names)| names);
                let verb = if ready.contains(", ") { "are" } else { "is" };
                format!(
                    "In {subject}, {} returns{line}: {ready} {verb} ready.",
                    self.function("poll")
                )
            }
            Call::PollTimedOut => {
                format!("In {subject}, {} times out{line}.", self.function("poll"))
            }
            Call::Sleep(seconds) => {
                format!(
                    "{subject} waits in `sleep`{line}, for {}.",
                    counted(*seconds, "second")
                )
            }
            Call::Awake => format!("{subject} wakes up{line}."),
            Call::Ttl(1) => {
                format!("{subject} sets the time to live to 1 hop{line}.")
            }
            Call::Ttl(ttl) => {
                format!("{subject} sets the time to live to {ttl} hops{line}.")
            }
            Call::Print(..) => match self.printed {
                [] => return Vec::new(),
                [text] => format!("{subject} prints `{text}`{line}."),
                several => {
                    format!("{subject} prints {} lines{line}.", several.len())
                }
            },
            Call::Spawn(_) => {
                format!("{subject} starts the thread {}{line}.", self.started)
            }
            Call::Exit if self.started.is_empty() => {
                format!("{} exits.", self.program)
            }
            Call::Exit => format!("The thread {} returns.", self.started),
            Call::Typed | Call::Stopped => return Vec::new(),
        };
        vec![one]
    }

    /// Returns the sentence for a thread that waits in a call.
    pub fn wait(&self, event: &Event) -> Option<String> {
        let (function, line) = self.at?;
        let what = match &event.call {
            Call::Accept => ", for a connection".to_owned(),
            Call::Receive(..) | Call::ReceiveFailed(..) if event.datagrams => {
                ", for a datagram".to_owned()
            }
            Call::Receive(..) | Call::ReceiveFailed(..) => {
                format!(", for bytes from {}", self.peer)
            }
            Call::Poll(_) | Call::PollTimedOut if function.starts_with("accept") => {
                ", for a connection".to_owned()
            }
            Call::Poll(_) | Call::PollTimedOut if function == "poll" => {
                ", until a socket is ready".to_owned()
            }
            Call::Typed => ", for what you type".to_owned(),
            _ => String::new(),
        };
        Some(format!("{} waits in `{function}`, line {line}{what}.", self.subject))
    }

    fn connect(&self, outcome: &Result<(), String>, again: bool) -> Vec<String> {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        let first = if again {
            format!("The kernel of {} sends the SYN again.", middle(&self.program))
        } else {
            format!("{subject} calls `connect`{line}. Its kernel sends a SYN.")
        };
        match outcome {
            Ok(()) => vec![
                first,
                format!("The kernel of {peer} replies with a SYN-ACK."),
                format!(
                    "The kernel of {} sends an ACK. The connection is complete, and it waits for `accept`.",
                    middle(&self.program)
                ),
            ],
            Err(why) => vec![
                first,
                format!("The kernel of {peer} refuses the connection with an RST."),
                format!("In {subject}, `connect` fails with {why}{line}."),
            ],
        }
    }

    fn send(&self, event: &Event, length: usize) -> String {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        let lost = self
            .rows
            .iter()
            .any(|row| matches!(row.what, What::Arrow { lost: true, .. }));
        let end = if lost {
            " A router drops it, because its time to live is over."
        } else {
            ""
        };
        if event.datagrams {
            format!(
                "{subject} sends a datagram of {} to {peer}{line}.{end}",
                bytes(length)
            )
        } else {
            format!("{subject} sends {} to {peer}{line}.", bytes(length))
        }
    }

    fn receive(&self, event: &Event, length: usize) -> String {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        match length {
            0 if !event.datagrams => {
                format!(
                    "{subject} receives the end of the stream from {peer}{line}."
                )
            }
            length if event.datagrams => {
                format!(
                    "{subject} receives a datagram of {} from {peer}{line}.",
                    bytes(length)
                )
            }
            length => {
                format!("{subject} receives {} from {peer}{line}.", bytes(length))
            }
        }
    }

    /// Returns what the kernel sends if the picture shows it.
    fn segment(&self) -> &'static str {
        let label = self.rows.iter().find_map(|row| match &row.what {
            What::Arrow { label, .. } => Some(label.as_str()),
            _ => None,
        });
        match label {
            Some(label) if label.ends_with("RST") => {
                " It has not received all bytes, so its kernel sends an RST."
            }
            Some(_) => " Its kernel sends a FIN.",
            None => "",
        }
    }
}

/// Returns a name as it is written within a sentence.
pub fn middle(name: &str) -> String {
    name.replacen("The ", "the ", 1)
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}

fn counted(count: f64, what: &str) -> String {
    if (count - 1.0).abs() < f64::EPSILON {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}
