//! A picture of an exchange, and the same in words: what each program sent, and what each of
//! its calls returned.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use crate::trace::{Call, Event, Socket};

/// A program of an exchange: its name in the picture, and what strace saw of it.
pub struct Party {
    pub name: String,
    pub is_server: bool,
    /// What its threads are called, but for a number; nothing where it has one.
    pub threads: &'static str,
    pub events: Vec<Event>,
}

/// An exchange of clients with a server, or of a program with somebody who is not traced.
pub struct Exchange {
    pub parties: Vec<Party>,
    /// Who else there is: the name of what answers a program that has no server here.
    pub outside: Option<String>,
    /// How many routers are between the client and the server.
    pub routers: usize,
    /// When the reader did something, each time: what comes after it is drawn after it.
    pub steps: Vec<f64>,
}

/// A line of the picture: whose it is, and what.
pub struct Row {
    pub party: usize,
    pub what: What,
}

pub enum What {
    /// What a call returned, or that one ended.
    Note(String),
    /// Something goes from here to there, and may be dropped there.
    Arrow { to: To, label: String, lost: bool },
    /// And comes back from outside.
    FromOutside(String),
}

#[derive(Clone, Copy, PartialEq)]
pub enum To {
    Party(usize),
    Outside,
    /// No further than to this router, counted from 1.
    Router(usize),
}

/// A connection, or the datagrams between a client and the server. Ends: the client 0, the
/// server 1, where there is one.
struct Link {
    ends: Vec<(usize, Socket)>,
    /// In bytes of a stream, or in datagrams.
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

/// Puts the calls in an order in which they can have happened, and the same at each run: a
/// thread goes on for as long as what it received had been sent before.
///
/// # Errors
///
/// A sentence, when a call got what nobody is seen to have sent: then the picture would lack
/// something.
pub fn rows(exchange: &Exchange) -> Result<Vec<Row>, String> {
    let queues = queues(exchange);
    let mut stage =
        Stage { exchange, queues, links: Vec::new(), rows: Vec::new(), ttl: None };
    for step in 0..=exchange.steps.len() {
        // First what waits for others alone, then what was late.
        let moves = |stage: &mut Stage, late| {
            (0..stage.queues.len()).any(|place| stage.advance(place, step, late))
        };
        while moves(&mut stage, false) || moves(&mut stage, true) {}
    }
    // A thread of a pool may have been woken for nothing.
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
            let queue = threads.entry(event.thread).or_insert_with(|| Queue {
                party,
                name: String::new(),
                calls: VecDeque::new(),
            });
            let before = queue.calls.back().map_or(0, |(step, _)| *step);
            let due = match event.call {
                // What waits for nobody comes with the call before; poll with the one that it
                // lets through.
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
        // Which thread of a pool gets a client is chance: they come in the order of clients.
        threads.sort_by(|a, b| first_accept(a).total_cmp(&first_accept(b)));
        let serving = threads.iter_mut().filter(|queue| serves(queue, &who.events));
        for (number, queue) in
            serving.enumerate().filter(|_| !who.threads.is_empty())
        {
            queue.name = format!("{}{}: ", who.threads, number + 1);
        }
        queues.extend(threads);
    }
    // What clients do is where the rest comes from.
    queues.sort_by_key(|queue| exchange.parties[queue.party].is_server);
    queues
}

/// Whether a thread talks with clients, or would: not one that hands them to others.
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

/// When a thread first got a client; at once, where others hand it theirs.
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
    /// Makes the next calls of a thread, if they are of this step and can have happened.
    /// Says whether there was one.
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

    /// How many calls can be made now: one, or poll and the one that it lets through.
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
            // Another thread of a client may have to connect first.
            Call::Send(_) => event.datagrams || link.is_some(),
            Call::Receive(_, bytes) => link.is_none_or(|(number, end)| {
                let link = &self.links[number];
                let left = link.sent[1 - end].saturating_sub(link.taken[end]);
                let nobody = self.server().is_none();
                let wanted = amount(event, bytes);
                nobody
                    || if wanted == 0 { link.ended[1 - end] } else { left >= wanted }
            }),
            _ => true,
        };
        // A server's call for a datagram when there is none has no link yet.
        let is_server = self.exchange.parties[queue.party].is_server;
        let nobody =
            is_server && link.is_none() && matches!(event.call, Call::Receive(..));
        let now = *due <= step && (!event.late || late);
        (now && possible && !nobody).then_some(length + 1)
    }

    /// The link that a call is about, and the end of it that makes the call.
    fn link(&self, party: usize, event: &Event) -> Option<(usize, usize)> {
        if event.datagrams && self.exchange.parties[party].is_server {
            // One socket for all clients: who has sent is received from, and then replied to.
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

    /// The connection that has waited longest to be accepted.
    fn waiting(&self) -> Option<usize> {
        self.links.iter().position(|link| link.ends.len() == 1)
    }

    fn server(&self) -> Option<usize> {
        self.exchange.parties.iter().position(|party| party.is_server)
    }

    /// A link of this client, made known by its first call.
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
            Call::Connect(_) if event.datagrams => {} // Nothing goes anywhere.
            Call::Connect(Ok(())) => {
                self.begin(party, event);
                self.arrow(party, there, "connect: SYN, SYN+ACK, ACK");
            }
            Call::Connecting => {
                // It had no answer: the system drops what comes to a full queue.
                let label = "connect: SYN".to_owned();
                self.rows.push(Row {
                    party,
                    what: What::Arrow { to: there, label, lost: true },
                });
            }
            Call::Connect(Err(why)) => {
                self.arrow(party, there, "connect: SYN");
                self.rows
                    .push(Row { party, what: What::FromOutside("RST".to_owned()) });
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
            let label = label(bytes);
            self.rows.push(Row { party, what: What::FromOutside(label) });
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

    /// Whether poll is what a server has in place of threads, and not a way to wait in one.
    fn polls(&self, party: usize) -> bool {
        self.exchange.parties[party].is_server
            && self.exchange.parties[party].threads.is_empty()
    }

    /// What a server's socket is to its reader.
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
}

/// How much of what a link carries this is: bytes of a stream, or a datagram.
fn amount(event: &Event, bytes: &[u8]) -> usize {
    if event.datagrams { 1 } else { bytes.len() }
}

/// How many bytes, and which: a message of DNS in words, what is text as text, all else in
/// hexadecimal. What is long is cut.
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

/// What a message of DNS is, and its question, which also stands in the answer ([RFC 1035],
/// section 4.1).
///
/// [RFC 1035]: https://www.rfc-editor.org/rfc/rfc1035
fn dns(message: &[u8]) -> Option<String> {
    // One question; a question or an answer, and nothing rarer.
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

/// What an error of the system means here; its name, where that says it.
fn words(error: &str) -> &str {
    if error == "EAGAIN" { "nothing came in time" } else { error }
}
