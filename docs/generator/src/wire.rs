//! The rows of the picture of an exchange: what each program sent, and what each of its
//! calls returned.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use crate::trace::{Call, Event, Socket};

/// A program of an exchange: its name in the picture, and what strace saw of it.
pub struct Party {
    pub name: String,
    pub is_server: bool,
    /// The names of its threads, without their numbers. Empty if it has only one thread.
    pub threads: &'static str,
    pub events: Vec<Event>,
}

/// An exchange of clients with a server, or of a program with others that are not traced.
pub struct Exchange {
    pub parties: Vec<Party>,
    /// The name of the programs that are not traced, if the server is not one of the parties.
    pub outside: Option<String>,
    /// How many routers are between the client and the server.
    pub routers: usize,
    /// The times at which the reader did something. The picture keeps their order.
    pub steps: Vec<f64>,
}

/// A line of the picture: the program that it belongs to, and what is drawn.
pub struct Row {
    pub party: usize,
    pub what: What,
}

pub enum What {
    /// What a call returned, or that a call was made.
    Note(String),
    /// A segment or a datagram from this program to another place. `lost`: dropped there.
    Arrow { to: To, label: String, lost: bool },
    /// A segment or a datagram from a program that is not traced to this one.
    FromOutside(String),
}

#[derive(Clone, Copy, PartialEq)]
pub enum To {
    Party(usize),
    Outside,
    /// Only as far as this router, counted from 1.
    Router(usize),
}

/// A connection, or the datagrams between a client and the server. End 0 is the client, and
/// end 1 is the server, if it is known.
struct Link {
    ends: Vec<(usize, Socket)>,
    /// The number of bytes of a stream, or of datagrams, for each end.
    sent: [usize; 2],
    taken: [usize; 2],
    ended: [bool; 2],
}

/// The calls of one thread that are still to come, each with its step.
struct Queue {
    party: usize,
    name: String,
    calls: VecDeque<(usize, Event)>,
}

/// Puts the calls in an order in which they can have happened. The order is the same in each
/// run: a thread continues as long as the bytes that it received have been sent before.
///
/// # Errors
///
/// A sentence, if a call received bytes that no program has sent. The picture would then be
/// incomplete.
pub fn rows(exchange: &Exchange) -> Result<Vec<Row>, String> {
    let queues = queues(exchange);
    let mut stage =
        Stage { exchange, queues, links: Vec::new(), rows: Vec::new(), ttl: None };
    for step in 0..=exchange.steps.len() {
        // First the calls that depend only on others, then the late ones.
        let moves = |stage: &mut Stage, late| {
            (0..stage.queues.len()).any(|place| stage.advance(place, step, late))
        };
        while moves(&mut stage, false) || moves(&mut stage, true) {}
    }
    // `poll` may have woken a thread of a pool although another one got the client.
    let mut left = stage.queues.iter().flat_map(|queue| &queue.calls);
    match left.find(|(_, event)| !matches!(event.call, Call::Poll(_))) {
        Some((_, event)) => Err(format!("nothing explains this call: {event:?}")),
        None => Ok(stage.rows),
    }
}

fn queues(exchange: &Exchange) -> Vec<Queue> {
    let step =
        |time: f64| exchange.steps.iter().filter(|start| time > **start).count();
    let mut queues = Vec::new();
    for (party, who) in exchange.parties.iter().enumerate() {
        let mut threads: BTreeMap<usize, Queue> = BTreeMap::new();
        for (place, event) in who.events.iter().enumerate() {
            // A client acts on what its reader has received, so its calls stay in their
            // order. Only the end of the stream arrives independently of what it does.
            let thread = match event.call {
                _ if who.is_server => event.thread,
                Call::Receive(_, ref bytes) if bytes.is_empty() => event.thread,
                _ => 0,
            };
            let queue = threads.entry(thread).or_insert_with(|| Queue {
                party,
                name: String::new(),
                calls: VecDeque::new(),
            });
            let before = queue.calls.back().map_or(0, |(step, _)| *step);
            let due = match event.call {
                _ if !who.is_server && thread != 0 => 0,
                // A call that does not wait belongs to the step of the call before it. `poll`
                // belongs to the step of the call that it makes possible.
                Call::Close => before,
                Call::Send(_) | Call::Shutdown | Call::Sleep(_) if who.is_server => {
                    before
                }
                Call::Poll(_) => {
                    let mut later = who.events[place + 1..].iter();
                    later
                        .find(|next| next.thread == event.thread)
                        .map_or(before, |next| step(next.time))
                }
                _ => step(event.time),
            };
            queue.calls.push_back((due.max(before), event.clone()));
        }
        let mut threads: Vec<_> = threads.into_values().collect();
        // Which thread of a pool gets a client is random. Order them by their first client.
        threads.sort_by(|a, b| first_accept(a).total_cmp(&first_accept(b)));
        let serving = threads.iter_mut().filter(|queue| serves(queue, &who.events));
        for (number, queue) in
            serving.enumerate().filter(|_| !who.threads.is_empty())
        {
            queue.name = format!("{}{}: ", who.threads, number + 1);
        }
        queues.extend(threads);
    }
    // Clients first: the server reacts to them.
    queues.sort_by_key(|queue| exchange.parties[queue.party].is_server);
    queues
}

/// Returns whether a thread serves clients. False for a thread that passes them to others.
fn serves(queue: &Queue, all: &[Event]) -> bool {
    let receives = |event: &Event| matches!(event.call, Call::Receive(..));
    queue.calls.iter().any(|(_, event)| {
        let handed_on = |other: &Event| {
            receives(other)
                && other.socket == event.socket
                && other.thread != event.thread
        };
        receives(event) || event.call == Call::Accept && !all.iter().any(handed_on)
    })
}

/// Returns the time of the first `accept` of a thread, or 0 if it makes none.
fn first_accept(queue: &Queue) -> f64 {
    let first = queue.calls.iter().find(|(_, event)| event.call == Call::Accept);
    first.map_or(0.0, |(_, event)| event.time)
}

struct Stage<'a> {
    exchange: &'a Exchange,
    queues: Vec<Queue>,
    links: Vec<Link>,
    rows: Vec<Row>,
    /// The time to live of what a client sends.
    ttl: Option<usize>,
}

impl Stage<'_> {
    /// Makes the next calls of a thread, if they belong to this step and can have happened.
    /// Returns whether there was one.
    fn advance(&mut self, place: usize, step: usize, late: bool) -> bool {
        let mut moved = false;
        while let Some(length) =
            self.possible(&self.queues[place], step, late && !moved)
        {
            let Queue { party, name, calls } = &mut self.queues[place];
            let (party, thread) = (*party, name.clone());
            let events: Vec<_> = calls.drain(..length).collect();
            for (_, event) in events {
                self.happen(party, &thread, &event);
            }
            moved = true;
        }
        moved
    }

    /// Returns how many calls can be made now: one, or `poll` and the call after it.
    fn possible(&self, queue: &Queue, step: usize, late: bool) -> Option<usize> {
        let length = queue
            .calls
            .iter()
            .take_while(|(_, event)| matches!(event.call, Call::Poll(_)))
            .count();
        let (due, event) = queue.calls.get(length)?;
        let link = self.link(queue.party, event);
        let possible = match &event.call {
            Call::Accept => self.waiting().is_some(),
            Call::Send(_) => event.datagrams || link.is_some(),
            // A client reads the end of the stream before it closes the socket.
            Call::Close => !self.queues.iter().any(|other| {
                other.party == queue.party
                    && other.calls.iter().any(|(_, pending)| {
                        pending.socket == event.socket
                            && matches!(pending.call, Call::Receive(..))
                    })
            }),
            Call::Receive(_, bytes) => match link {
                // A stream does not exist before its connection.
                None => event.datagrams,
                Some((number, end)) => {
                    let link = &self.links[number];
                    let left = link.sent[1 - end].saturating_sub(link.taken[end]);
                    let wanted = amount(event, bytes);
                    let has_arrived = if wanted == 0 {
                        link.ended[1 - end]
                    } else {
                        left >= wanted
                    };
                    has_arrived || self.server().is_none()
                }
            },
            _ => true,
        };
        // If no datagram is there, the server's `recv_from` has no link yet.
        let is_server = self.exchange.parties[queue.party].is_server;
        let no_datagram =
            is_server && link.is_none() && matches!(event.call, Call::Receive(..));
        let now = *due <= step && (!event.late || late);
        (now && possible && !no_datagram).then_some(length + 1)
    }

    /// Returns the link of a call, and which end of the link makes the call.
    fn link(&self, party: usize, event: &Event) -> Option<(usize, usize)> {
        if event.datagrams && self.exchange.parties[party].is_server {
            // One socket serves all clients. It receives from a client that has sent, and then
            // replies to it.
            let next = match event.call {
                Call::Receive(..) => {
                    self.links.iter().position(|link| link.sent[0] > link.taken[1])
                }
                _ => self.links.iter().position(|link| link.taken[1] > link.sent[1]),
            };
            return next.map(|number| (number, 1));
        }
        self.links.iter().enumerate().find_map(|(number, link)| {
            let end =
                link.ends.iter().position(|end| *end == (party, event.socket))?;
            Some((number, end))
        })
    }

    /// Returns the connection that has waited longest for `accept`.
    fn waiting(&self) -> Option<usize> {
        self.links.iter().position(|link| link.ends.len() == 1)
    }

    fn server(&self) -> Option<usize> {
        self.exchange.parties.iter().position(|party| party.is_server)
    }

    /// Adds a link for this client, at its first call.
    fn begin(&mut self, party: usize, event: &Event) -> (usize, usize) {
        let mut ends = vec![(party, event.socket)];
        if let Some(server) = self.server().filter(|_| event.datagrams) {
            ends.push((server, (0, 0)));
        }
        self.links.push(Link {
            ends,
            sent: [0; 2],
            taken: [0; 2],
            ended: [false; 2],
        });
        (self.links.len() - 1, 0)
    }

    fn happen(&mut self, party: usize, thread: &str, event: &Event) {
        let link = self.link(party, event);
        let there = match link
            .and_then(|(number, end)| self.links[number].ends.get(1 - end))
        {
            Some((other, _)) => To::Party(*other),
            None => self.server().map_or(To::Outside, To::Party),
        };
        match &event.call {
            Call::Connect(_) if event.datagrams => {} // It sends nothing.
            Call::Connect(Ok(())) => {
                self.begin(party, event);
                // A connection that took long is made by a retransmitted SYN.
                let again = if event.late { " (again)" } else { "" };
                self.arrow(party, there, &format!("connect: SYN{again}"));
                self.arrow_back(party, there, "SYN-ACK");
                self.arrow(party, there, "ACK");
            }
            Call::Connecting => {
                // The kernel of the server drops a SYN if the queue is full.
                let label = "connect: SYN".to_owned();
                self.rows.push(Row {
                    party,
                    what: What::Arrow { to: there, label, lost: true },
                });
            }
            Call::Connect(Err(why)) => {
                self.arrow(party, there, "connect: SYN");
                self.arrow_back(party, there, "RST");
                self.note(party, format!("connect() → {}", words(why)));
            }
            Call::Accept => {
                let Some(number) = self.waiting() else { return };
                self.links[number].ends.push((party, event.socket));
                self.note(
                    party,
                    format!("{thread}accept() → {}", self.client(number)),
                );
            }
            Call::Send(bytes) => self.send(party, event, bytes, there),
            Call::Receive(room, bytes) => {
                self.receive(party, thread, event, (*room, bytes), there);
            }
            Call::ReceiveFailed(room, why) => {
                self.note(party, format!("{thread}recv({room}) → {}", words(why)));
            }
            Call::Shutdown | Call::Close => {
                let Some((number, end)) = link.filter(|_| !event.datagrams) else {
                    return;
                };
                let call =
                    if event.call == Call::Close { "close" } else { "shutdown" };
                if mem::replace(&mut self.links[number].ended[end], true) {
                    self.note(party, format!("{thread}{call}()"));
                } else {
                    self.arrow(party, there, &format!("{call}: FIN"));
                }
            }
            Call::Poll(sockets) if self.polls(party) => {
                let ready: Vec<_> =
                    sockets.iter().map(|socket| self.name(party, *socket)).collect();
                self.note(party, format!("poll() → {}", ready.join(", ")));
            }
            Call::Poll(_) => {}
            Call::Sleep(seconds) => {
                self.note(party, format!("{thread}sleep({seconds})"));
            }
            Call::Awake => self.note(party, format!("{thread}awake")),
            Call::Ttl(ttl) => {
                self.ttl = Some(*ttl);
                self.note(party, format!("time to live: {ttl}"));
            }
        }
    }

    fn send(&mut self, party: usize, event: &Event, bytes: &[u8], there: To) {
        let link = self.link(party, event);
        let (number, end) = link.unwrap_or_else(|| self.begin(party, event));
        let lost = self.ttl.filter(|ttl| end == 0 && *ttl <= self.exchange.routers);
        if lost.is_none() {
            self.links[number].sent[end] += amount(event, bytes);
        }
        let to = lost.map_or(there, To::Router);
        self.arrow(party, to, &label(bytes));
    }

    fn receive(
        &mut self,
        party: usize,
        thread: &str,
        event: &Event,
        (room, bytes): (usize, &[u8]),
        there: To,
    ) {
        if let Some((number, end)) = self.link(party, event) {
            self.links[number].taken[end] += amount(event, bytes);
        }
        if there == To::Outside && !bytes.is_empty() {
            self.arrow_back(party, there, &label(bytes));
        }
        let is_server = self.exchange.parties[party].is_server;
        let call = if event.datagrams && is_server { "recv_from" } else { "recv" };
        let over = if bytes.is_empty() && !event.datagrams {
            ", end of stream"
        } else {
            ""
        };
        self.note(party, format!("{thread}{call}({room}) → {}{over}", bytes.len()));
    }

    /// Returns whether a server uses `poll` to serve several clients in one thread. In a pool,
    /// `poll` only waits in `accept_within`.
    fn polls(&self, party: usize) -> bool {
        self.exchange.parties[party].is_server
            && self.exchange.parties[party].threads.is_empty()
    }

    /// Returns the name of a server's socket in the picture: its client, or the listener.
    fn name(&self, party: usize, socket: Socket) -> String {
        let number =
            self.links.iter().position(|link| link.ends.contains(&(party, socket)));
        number
            .map_or_else(|| "the listener".to_owned(), |number| self.client(number))
    }

    fn client(&self, link: usize) -> String {
        self.exchange.parties[self.links[link].ends[0].0].name.clone()
    }

    fn note(&mut self, party: usize, text: String) {
        self.rows.push(Row { party, what: What::Note(text) });
    }

    fn arrow(&mut self, party: usize, to: To, label: &str) {
        let lost = matches!(to, To::Router(_));
        self.rows.push(Row {
            party,
            what: What::Arrow { to, label: label.to_owned(), lost },
        });
    }

    /// An arrow in the other direction: to `party`, from the program that it talks to.
    fn arrow_back(&mut self, party: usize, from: To, label: &str) {
        match from {
            To::Party(other) => self.arrow(other, To::Party(party), label),
            To::Outside | To::Router(_) => {
                let what = What::FromOutside(label.to_owned());
                self.rows.push(Row { party, what });
            }
        }
    }
}

/// Returns what a call adds to the counts of a link: bytes of a stream, or one datagram.
fn amount(event: &Event, bytes: &[u8]) -> usize {
    if event.datagrams { 1 } else { bytes.len() }
}

/// Describes the bytes of an arrow: their number, then a DNS message in words, a text as text,
/// and everything else in hexadecimal. A long text is cut.
fn label(bytes: &[u8]) -> String {
    const MOST: usize = 28;
    let count = match bytes.len() {
        1 => "1 byte".to_owned(),
        length => format!("{length} bytes"),
    };
    if let Some(message) = dns(bytes) {
        return format!("{count}, {message}");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            format!("\"{}\"", text.replace('\n', "\\n"))
        }
        _ => {
            let all: Vec<_> = bytes
                .iter()
                .map(|byte| match byte {
                    b' '..=b'~' => (*byte as char).to_string(),
                    _ => format!("{byte:02x}"),
                })
                .collect();
            all.join(" ")
        }
    };
    if text.chars().count() <= MOST {
        return format!("{count} {text}");
    }
    format!("{count} {} …", text.chars().take(MOST - 2).collect::<String>())
}

/// Describes a DNS message, or returns `None` if the bytes are not one. The question is also in
/// the answer ([RFC 1035], section 4.1).
///
/// [RFC 1035]: https://www.rfc-editor.org/rfc/rfc1035
fn dns(message: &[u8]) -> Option<String> {
    // A message with exactly one question.
    let (header, mut rest) = message.split_at_checked(12)?;
    if header[4..6] != [0, 1] {
        return None;
    }
    let mut labels = Vec::new();
    loop {
        let (length, after) = rest.split_first()?;
        if *length == 0 {
            rest = after;
            break;
        }
        let (label, after) = after.split_at_checked((*length).into())?;
        labels.push(std::str::from_utf8(label).ok()?);
        rest = after;
    }
    let kind = match rest.get(..2)? {
        [0, 1] => "A",
        [0, 12] => "PTR",
        [0, 28] => "AAAA",
        _ => return None,
    };
    let what = if header[2] & 0x80 == 0 { "question" } else { "answer" };
    let nothing = if header[3] & 0x0f == 3 { ": no such name" } else { "" };
    Some(format!("{what}: {kind} {}{nothing}", labels.join(".")))
}

/// Returns the words for an error: its name, unless the picture needs something clearer.
fn words(error: &str) -> &str {
    if error == "EAGAIN" { "timed out" } else { error }
}
