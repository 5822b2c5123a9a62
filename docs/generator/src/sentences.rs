//! Says in one or two short sentences what happens in a step of a recording.

use crate::trace::{Call, Event};
use crate::wire::{Party, Row, To, What, title};

/// What a program is in its recording.
#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    Client,
    Server,
    /// The other program is not traced.
    Alone,
    /// The program has a listening socket, and connects to it.
    Both,
}

/// Something that can be true of a call.
#[derive(Clone, Copy, PartialEq)]
pub enum Fact {
    /// The connection still waits for `accept`.
    Pending,
    /// The thread has seen the end of this stream before.
    Again,
    /// An RST has reset the connection.
    Reset,
    /// The line is the end of a block.
    BlockEnd,
    /// `poll` waits for a queue of events.
    Queue,
}

/// What the sentences about a call need to know. Names are written as within a sentence.
pub struct Scene<'a> {
    /// The thread, or the program if it has only one thread.
    pub subject: String,
    pub program: String,
    pub role: Role,
    /// The program at the other end of the socket. Empty if the socket is not connected.
    pub peer: String,

    /// What else is true of the call.
    pub facts: Vec<Fact>,
    /// The thread that this call starts.
    pub started: String,
    /// The function that the line of the program calls, and the number of the line.
    pub at: Option<(&'a str, u32)>,
    /// What the call adds to the picture.
    pub rows: &'a [Row],
    /// What the call adds to the terminal.
    pub printed: &'a [String],
    pub parties: &'a [Party],

    /// The clients that have closed their sending sides, and have no bytes in the kernel.
    pub ended: Vec<&'a str>,
}

impl Scene<'_> {
    fn is(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }

    fn is_alone(&self) -> bool {
        matches!(self.role, Role::Alone | Role::Both)
    }
    /// Returns ` (line 12)`, or nothing.
    fn line(&self) -> String {
        self.at.map_or_else(String::new, |(_, line)| format!(" (line {line})"))
    }

    /// Returns the function in the line of the program, and the line. If the line is not known,
    /// returns the function `otherwise`.
    fn function(&self, otherwise: &str) -> String {
        let known = self.at.map(|(name, _)| name).filter(|name| !name.is_empty());
        format!("`{}`{}", known.unwrap_or(otherwise), self.line())
    }

    /// Returns the sentences for each step of a call. An empty list means that the call is not a
    /// step.
    pub fn call(&self, event: &Event) -> Vec<String> {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        let one = match &event.call {
            Call::Connecting => format!(
                "{subject} calls `connect`{line}. The kernel drops the SYN, because the accept queue is full."
            ),
            Call::Connect(_) if event.datagrams => format!(
                "{subject} calls {}. The kernel only notes the address, and sends nothing.",
                self.function("connect")
            ),
            Call::Connect(outcome) => return self.connect(outcome, event.late),
            Call::Create if event.datagrams => {
                format!("{subject} creates a datagram socket{line}.")
            }
            Call::Create => format!("{subject} creates a stream socket{line}."),
            Call::Bind if self.role == Role::Server => {
                format!("{subject} binds the socket to its address and port{line}.")
            }
            Call::Bind => {
                format!("{subject} binds the socket to any free port{line}.")
            }
            Call::Listen => format!(
                "{subject} calls `listen`{line}. From now on, the kernel completes handshakes, even before `accept`."
            ),
            Call::Accept => {
                let function = self.function("accept");
                format!("in {subject}, {function} returns a new socket for {peer}.")
            }
            Call::Send(bytes) => self.send(event, bytes),
            Call::Receive(_, bytes) => return self.receive(event, bytes),
            Call::ReceiveFailed(_, why) => self.receive_failed(why),
            Call::Shutdown | Call::Close if event.datagrams => {
                format!("{}.", self.closes("its datagram socket"))
            }
            Call::Shutdown => format!(
                "{subject} closes the sending side of {}{line}.{}",
                self.connection(),
                self.segment()
            ),
            Call::Close if peer.is_empty() => {
                format!("{}.", self.closes("its socket"))
            }
            Call::Close if self.is(Fact::Reset) => {
                format!(
                    "{}. The connection is already reset.",
                    self.closes("its socket")
                )
            }
            Call::Close => {
                format!("{}.{}", self.closes(&self.connection()), self.segment())
            }
            Call::CloseListener => self.close_listener(),
            Call::Poll(_)
            | Call::PollWritable(_)
            | Call::PollNone
            | Call::PollTimedOut => {
                return self.poll(event);
            }
            Call::Sleep(seconds) => {
                let seconds = counted(&seconds.to_string(), "second");
                format!(
                    "{subject} waits in {} for {seconds}.",
                    self.function("sleep")
                )
            }
            Call::Awake(seconds) => {
                let seconds = counted(&seconds.to_string(), "second");
                format!(
                    "in {subject}, {} returns after {seconds}.",
                    self.function("sleep")
                )
            }
            Call::Ttl(ttl) => {
                format!("{subject} sets the time to live (TTL) to {ttl}{line}.")
            }
            Call::Print(..) => match self.printed {
                [] => return Vec::new(),
                [text] => format!("{subject} prints `{}`{line}.", shortened(text)),
                [.., last] => format!(
                    "{subject} prints {} lines{line}. The last line is `{}`.",
                    self.printed.len(),
                    shortened(last)
                ),
            },
            Call::Spawn(_) => {
                format!("{subject} starts the thread {}{line}.", self.started)
            }
            Call::Joined => format!(
                "in {subject}, {} returns, because the other threads have exited.",
                self.function("join")
            ),
            Call::Exit => format!("{subject} exits."),
            Call::Typed | Call::Stopped => return Vec::new(),
        };
        vec![one]
    }

    /// Returns the sentence for a thread that waits in a call.
    pub fn wait(&self, event: &Event) -> Option<String> {
        let (function, _) = self.at?;
        let peer = if self.peer.is_empty() { "the client" } else { &self.peer };
        let what = match function {
            "accept" => "for a connection".to_owned(),
            "accept_within" => "for a connection, with a timeout".to_owned(),
            "poll" if self.is(Fact::Queue) => "until a new event comes".to_owned(),
            "poll" => "until a socket is ready".to_owned(),
            "recv_from" | "recvfrom" | "receive_within" => {
                "for a datagram".to_owned()
            }
            "getaddrinfo" => "for a reply of the name server".to_owned(),
            "scope" => "until the other threads have exited".to_owned(),
            "join" => "for one of the other threads".to_owned(),
            "close_gracefully" => {
                format!("for at most a second, until {peer} closes its sending side")
            }
            _ if event.call == Call::Typed => "for what you type".to_owned(),
            _ if self.is_alone() => "for bytes".to_owned(),
            _ => format!("for bytes from {peer}"),
        };
        Some(format!("{} waits in {} {what}.", self.subject, self.function("")))
    }

    fn poll(&self, event: &Event) -> Vec<String> {
        let function = self.function("poll");
        let what = match &event.call {
            Call::PollNone => {
                "returns immediately without an event, because its timeout is 0"
                    .to_owned()
            }
            Call::PollTimedOut => {
                "times out, because this thread has got no client in time".to_owned()
            }
            _ => match self.ready() {
                Some(why) => format!("returns, because {why}"),
                None => return Vec::new(),
            },
        };
        vec![format!("in {}, {function} {what}.", self.subject)]
    }

    fn connect(&self, outcome: &Result<(), String>, is_late: bool) -> Vec<String> {
        let Scene { subject, program, .. } = self;
        let first = if is_late {
            format!(
                "the kernel retransmits the SYN of {program}, because no SYN-ACK came."
            )
        } else {
            format!(
                "{subject} calls {} and waits. The kernel sends a SYN.",
                self.function("connect")
            )
        };
        if let Err(why) = outcome {
            return vec![
                first,
                "the kernel replies with an RST, because no program listens on the port.".to_owned(),
                format!("in {subject}, {} fails with {}.", self.function("connect"), error(why)),
            ];
        }
        let reply = match self.role {
            Role::Client | Role::Server => {
                "the kernel replies with a SYN-ACK for the server."
            }
            Role::Both => {
                "the kernel replies with a SYN-ACK for the listening socket."
            }
            Role::Alone => "the other kernel replies with a SYN-ACK.",
        };
        let complete = if self.role == Role::Alone {
            "The connection is complete."
        } else {
            "The connection is complete, and waits in the accept queue."
        };
        vec![
            first,
            reply.to_owned(),
            format!("the kernel sends an ACK for {program}. {complete}"),
        ]
    }

    fn send(&self, event: &Event, bytes: &[u8]) -> String {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        if let Some(question) =
            self.label().and_then(|label| label.split_once("question: "))
        {
            return format!(
                "{subject} asks {peer} for the {}{line}.",
                records(question.1)
            );
        }
        let is_lost = self
            .rows
            .iter()
            .any(|row| matches!(row.what, What::Arrow { lost: true, .. }));
        let end = if is_lost {
            " A router drops it, because its time to live is over."
        } else if self.is(Fact::Pending) {
            " The server has not accepted the connection, so the kernel keeps the bytes."
        } else {
            ""
        };
        format!("{subject} sends {} to {peer}{line}.{end}", quoted(event, bytes))
    }

    fn receive(&self, event: &Event, bytes: &[u8]) -> Vec<String> {
        let Scene { subject, peer, .. } = self;
        let line = self.line();
        if bytes.is_empty() && !event.datagrams {
            return vec![self.end_of_stream()];
        }
        let what = quoted(event, bytes);
        let label = self.label();
        let answer = label.and_then(|label| label.split_once("answer: "));
        let what = if answer.is_some() { "this reply" } else { &what };
        let received = format!("{subject} receives {what} from {peer}{line}.");
        // The picture also shows what a program sends that is not traced.
        let sent = match answer {
            _ if self.rows.len() < 2 => return vec![received],
            None => format!("{peer} sends {what}."),
            Some((_, answer)) => match answer.split_once(": ") {
                Some((question, _)) => {
                    let records = records(question);
                    format!(
                        "{peer} replies that it has no {records}, because this name does not exist."
                    )
                }
                None => format!(
                    "{peer} replies to the question about the {}.",
                    records(answer)
                ),
            },
        };
        vec![sent, received]
    }

    fn end_of_stream(&self) -> String {
        let Scene { subject, peer, .. } = self;
        match self.at {
            None => format!("{subject} receives the end of the stream from {peer}."),
            Some(("close_gracefully", _)) => {
                let again = if self.is(Fact::Again) { " again" } else { "" };
                let function = self.function("");
                format!(
                    "in {subject}, {function} sees the end of the stream from {peer}{again}."
                )
            }
            Some(_) => format!(
                "in {subject}, {} returns 0 bytes, because {peer} has closed its sending side.",
                self.function("recv")
            ),
        }
    }

    fn receive_failed(&self, why: &str) -> String {
        let (subject, function) = (&self.subject, self.function("recv"));
        match why {
            "EAGAIN" => format!(
                "in {subject}, {function} times out, because no bytes have arrived."
            ),
            "EWOULDBLOCK" => {
                format!(
                    "in {subject}, {function} would block, because no more bytes have arrived."
                )
            }
            why => format!("in {subject}, {function} fails with {}.", error(why)),
        }
    }

    /// Returns which segment a close sends.
    fn segment(&self) -> &'static str {
        match self.label() {
            Some(label) if label.ends_with("RST") => {
                " It has not received all bytes, so the kernel sends an RST."
            }
            Some(_) => " The kernel sends a FIN.",
            None => " The kernel has sent the FIN before.",
        }
    }

    /// Returns the connection, as within a sentence.
    fn connection(&self) -> String {
        match self.role {
            Role::Server => format!("the connection to {}", self.peer),
            _ => "the connection".to_owned(),
        }
    }

    /// Says that a socket is closed. In Rust, this happens where its variable goes out of scope.
    fn closes(&self, what: &str) -> String {
        let what = what.replace("its ", "the ");
        if self.is(Fact::BlockEnd) {
            return format!(
                "{} leaves a block{}, so Rust closes {what}",
                self.subject,
                self.line()
            );
        }
        if self.role == Role::Server && self.at.is_none() {
            return format!("{} exits, so Python closes {what}", self.program);
        }
        format!("{} closes {what}{}", self.subject, self.line())
    }

    fn close_listener(&self) -> String {
        let closes = format!("{}.", self.closes("the listening socket"));
        let client = self.rows.iter().find_map(|row| match &row.what {
            What::Arrow { to: To::Party(party), .. } => {
                Some(&self.parties[*party].name)
            }
            _ => None,
        });
        match client {
            None => closes,
            Some(name) => format!(
                "{closes} The kernel sends an RST to {}, because the server has not accepted it.",
                title(name)
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

    /// Returns why `poll` returns, if the picture shows it.
    fn ready(&self) -> Option<String> {
        let note = self.rows.iter().find_map(|row| match &row.what {
            What::Note(note) => note.split_once("→ "),
            What::Arrow { .. } | What::FromOutside(_) => None,
        });
        let (_, names) = note?;
        Some(
            match (
                names,
                names.strip_suffix(", for writing"),
                names.rsplit_once(", "),
            ) {
                ("the listener", ..) => {
                    "a connection waits in the accept queue".to_owned()
                }
                (_, Some(name), _) => {
                    format!(
                        "the socket of {name} is ready for writing. The server has nothing to send"
                    )
                }
                (.., Some((first, last))) => {
                    format!(
                        "the sockets of {first} and {last} are ready for reading"
                    )
                }
                _ if self.ended.contains(&names) => {
                    format!("{names} has closed its sending side")
                }
                _ => format!("the socket of {names} is ready for reading"),
            },
        )
    }
}

/// Returns a sentence with a capital at its start. A name such as A stays as it is.
pub fn capital(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Returns what a DNS question such as `A lip6.fr` asks for.
fn records(question: &str) -> String {
    match question.split_once(' ') {
        Some(("A", name)) => format!("IPv4 addresses of `{name}`"),
        Some(("AAAA", name)) => format!("IPv6 addresses of `{name}`"),
        _ => format!("records of `{question}`"),
    }
}

/// Returns the name of an error, and what it means.
fn error(name: &str) -> String {
    match name {
        "ECONNREFUSED" => "ECONNREFUSED (connection refused)".to_owned(),
        "ECONNRESET" => {
            "ECONNRESET (connection reset), because an RST arrived".to_owned()
        }
        other => other.to_owned(),
    }
}

/// Returns the bytes as code, and their number.
fn quoted(event: &Event, bytes: &[u8]) -> String {
    let number = counted(&bytes.len().to_string(), "byte");
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text.replace('\n', "\\n"),
        _ => bytes.escape_ascii().to_string(),
    };
    let what = if event.datagrams { "the datagram " } else { "" };
    format!("{what}`{}` ({number})", shortened(&text))
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
