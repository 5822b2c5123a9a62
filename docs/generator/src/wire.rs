//! An exchange in an order in which it can have happened: the rows of its picture, and the moments
//! that its recording shows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::kernel::{Kernel, Link, Listener, Sockets};
use crate::trace::{Call, Event, Socket};

/// A program of an exchange: its name in the picture, and what strace saw of it.
pub struct Party {
    pub name: String,
    pub is_server: bool,
    /// The names of its threads, without their numbers. Empty if it has only one thread.
    pub threads: &'static str,
    /// Whether it calls `poll` to serve several clients in one thread. In other programs, `poll` only
    /// waits for a timeout.
    pub polls: bool,
    pub events: Vec<Event>,
    /// The lines of its terminal at the end. The first line is the command that starts it.
    pub screen: Vec<String>,
}

/// Something that the reader does: starts a program, or types into its terminal.
pub struct Action {
    pub time: f64,
    pub who: String,
    pub keys: Option<&'static [u8]>,
    /// What the kernel held immediately before, when all programs waited.
    pub before: Option<Sockets>,
}

/// An exchange of clients with a server, or of a program with others that are not traced.
pub struct Exchange {
    pub parties: Vec<Party>,
    /// The name of the programs that are not traced, if the server is not one of the parties.
    pub outside: Option<String>,
    /// How many routers are between the client and the server.
    pub routers: usize,
    /// What the reader did. The picture keeps the order.
    pub actions: Vec<Action>,
    /// What the kernel held at the end.
    pub after: Option<Sockets>,
}

/// An exchange in order.
pub struct Played {
    pub rows: Vec<Row>,
    pub moments: Vec<Moment>,
    /// For each thread: its program, and its name. The name is empty if the program has only one
    /// thread.
    pub threads: Vec<(usize, String)>,
    /// The number of each thread in its program.
    numbers: Vec<usize>,
    /// The sockets that were connected at some time, or have sent a datagram, each with its program.
    connected: BTreeSet<(usize, Socket)>,
}

impl Played {
    /// Returns whether the socket of a call was connected at some time.
    pub fn is_connected(&self, party: usize, event: &Event) -> bool {
        self.connected.contains(&(party, event.socket))
    }
    /// Returns the place of a thread in [`Self::threads`].
    pub fn thread_of(&self, party: usize, number: usize) -> Option<usize> {
        let mut threads = self.threads.iter().zip(&self.numbers);
        threads.position(|((other, _), found)| (*other, *found) == (party, number))
    }
}

/// Something that happens, and how everything is after it.
pub struct Moment {
    pub cause: Cause,
    /// The number of rows of the picture.
    pub rows: usize,
    /// The number of lines in the terminal of each program.
    pub lines: Vec<usize>,
    pub kernel: Kernel,
}

pub enum Cause {
    /// The reader did something.
    Reader(usize),
    /// A thread made this call. `peer` is the client at the other end of its socket.
    Call { thread: usize, event: Event, peer: Option<String> },
    /// A thread waits in this call.
    Wait { thread: usize, event: Event, peer: Option<String> },
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

/// The calls of one thread that are still to come, each with its step.
struct Queue {
    party: usize,
    name: String,
    /// The number of the thread in its program.
    thread: usize,
    calls: VecDeque<(usize, Event)>,
    /// Whether a moment already shows that the thread waits in its next call.
    waits: bool,
    /// The number of moments before the thread began to wait.
    since: usize,
}

/// Puts the calls in an order in which they can have happened. The order is the same in each
/// run: a thread continues as long as the bytes that it received have been sent before.
///
/// # Errors
///
/// A sentence, if a call received bytes that no program has sent, or if the kernel held something
/// else. The picture would then be incomplete.
pub fn play(exchange: &Exchange) -> Result<Played, String> {
    let mut stage = Stage::new(exchange);
    for step in 0..=exchange.actions.len() {
        if step > 0 {
            stage.act(step - 1);
        }
        // First the calls that depend only on others, then the late ones.
        while stage.advance_all(step) || stage.advance_late(step) {}
        let seen = match exchange.actions.get(step) {
            Some(action) => &action.before,
            None => &exchange.after,
        };
        if let Some(seen) = seen {
            seen.compare(&stage.links, &stage.dropped)?;
        }
    }
    // `poll` may have woken a thread of a pool although another one got the client.
    let mut left = stage.queues.iter().flat_map(|queue| &queue.calls);
    let is_over = |call: &Call| matches!(call, Call::Poll(_) | Call::Stopped);
    if let Some((_, event)) = left.find(|(_, event)| !is_over(&event.call)) {
        return Err(format!("nothing explains this call: {event:?}"));
    }
    for (party, lines) in exchange.parties.iter().zip(&stage.lines) {
        if *lines != party.screen.len() {
            return Err(format!(
                "{}: no call prints {:?}",
                party.name,
                party.screen.get(*lines)
            ));
        }
    }
    let connected =
        stage.links.iter().flat_map(|link| link.ends.iter().copied()).collect();
    let threads = stage.queues.iter();
    let threads = threads.map(|queue| (queue.party, queue.name.clone()));
    Ok(Played {
        threads: threads.collect(),
        connected,
        numbers: stage.queues.iter().map(|queue| queue.thread).collect(),
        rows: stage.rows,
        moments: stage.moments,
    })
}

fn queues(exchange: &Exchange) -> Vec<Queue> {
    let step = |time: f64| {
        exchange.actions.iter().filter(|action| time > action.time).count()
    };
    let mut queues = Vec::new();
    for (party, who) in exchange.parties.iter().enumerate() {
        let mut threads: BTreeMap<usize, Queue> = BTreeMap::new();
        for (place, event) in who.events.iter().enumerate() {
            // A client acts on what its reader has received, so its calls stay in their
            // order. Only the end of the stream arrives independently of what it does.
            let thread = match event.call {
                // Only the first thread of a server waits for other threads.
                Call::Joined if event.thread != 0 => continue,
                _ if who.is_server => event.thread,
                Call::Receive(_, ref bytes) if bytes.is_empty() => event.thread,
                Call::Exit | Call::Stopped if event.thread != 0 => continue,
                Call::Spawn(_) | Call::Joined => continue,
                _ => 0,
            };
            let queue = threads.entry(thread).or_insert_with(|| Queue {
                party,
                name: String::new(),
                thread,
                calls: VecDeque::new(),
                waits: false,
                since: 0,
            });
            let before = queue.calls.back().map_or(0, |(step, _)| *step);
            let due = match event.call {
                _ if !who.is_server && thread != 0 => 0,
                // A call that does not wait belongs to the step of the call before it. `poll`
                // belongs to the step of the call that it makes possible.
                Call::Close
                | Call::CloseListener
                | Call::PollWritable(_)
                | Call::PollNone
                | Call::Joined
                | Call::Exit
                | Call::Stopped => before,
                Call::Send(_)
                | Call::Shutdown
                | Call::Sleep(_)
                | Call::Print(..)
                | Call::Spawn(_)
                    if who.is_server =>
                {
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
            let mut event = event.clone();
            event.late |= is_waiting_line(&event.call);
            queue.calls.push_back((due.max(before), event));
        }
        let mut threads: Vec<_> = threads.into_values().collect();
        // Which thread of a pool gets a client is random. Order them by their first client.
        threads.sort_by(|a, b| first_accept(a).total_cmp(&first_accept(b)));
        if !who.threads.is_empty() {
            // Threads that get no client have the last numbers.
            let mut numbers = 1..;
            let mut name = |queue: &mut Queue| {
                let number = numbers.next().unwrap_or_default();
                queue.name = format!("{}{number}", who.threads);
            };
            threads
                .iter_mut()
                .filter(|queue| serves(queue, &who.events))
                .for_each(&mut name);
            for queue in threads.iter_mut().filter(|queue| queue.name.is_empty()) {
                if queue.thread == 0 {
                    MAIN.clone_into(&mut queue.name);
                } else {
                    name(queue);
                }
            }
        }
        order_spawns(&mut threads);
        queues.extend(threads);
    }
    // Clients first: the server reacts to them.
    queues.sort_by_key(|queue| exchange.parties[queue.party].is_server);
    queues
}

/// Returns whether a client prints that it waits. It prints this line after a second.
fn is_waiting_line(call: &Call) -> bool {
    matches!(call, Call::Print(_, text) if text.starts_with(b"waiting for "))
}

/// Lets the first thread start the others in the order of their names. In another run, it could
/// have been so: until they get a client, the threads of a pool are all the same.
fn order_spawns(threads: &mut [Queue]) {
    let started = threads.iter().filter(|queue| queue.thread != 0);
    let mut order: Vec<_> =
        started.map(|queue| (queue.name.clone(), queue.thread)).collect();
    order.sort_unstable();
    let mut order = order.into_iter();
    let Some(first) = threads.iter_mut().find(|queue| queue.thread == 0) else {
        return;
    };
    for (_, event) in &mut first.calls {
        if let Call::Spawn(thread) = &mut event.call {
            *thread = order.next().map_or(*thread, |(_, next)| next);
        }
    }
}

/// Returns the name of a program as it is written within a sentence.
pub fn title(name: &str) -> String {
    if name.len() == 1 { name.to_owned() } else { format!("the {name}") }
}

/// The name of the first thread of a program that has several threads.
pub const MAIN: &str = "main";

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

/// Returns the time of the first `accept` of a thread. The first thread of a program comes first,
/// and a thread without `accept` comes last.
fn first_accept(queue: &Queue) -> f64 {
    let first = queue.calls.iter().find(|(_, event)| event.call == Call::Accept);
    let time = first.map_or(f64::MAX, |(_, event)| event.time);
    if queue.thread == 0 { 0.0 } else { time }
}

struct Stage<'a> {
    exchange: &'a Exchange,
    queues: Vec<Queue>,
    links: Vec<Link>,
    /// The threads that exist: their programs and numbers.
    started: BTreeSet<(usize, usize)>,
    rows: Vec<Row>,
    moments: Vec<Moment>,
    /// The number of lines in the terminal of each program.
    lines: Vec<usize>,
    /// The line of each terminal that does not yet have its end.
    unfinished: Vec<String>,
    listens: bool,
    /// The clients whose SYN the kernel of the server has dropped.
    dropped: Vec<String>,
    /// The time to live of what a client sends.
    ttl: Option<usize>,
}

impl<'a> Stage<'a> {
    fn new(exchange: &'a Exchange) -> Self {
        // The terminals of the programs that run from the start have the command already.
        let is_started = |party: &Party| {
            exchange.actions.iter().all(|action| action.who != party.name)
        };
        Self {
            exchange,
            queues: queues(exchange),
            links: Vec::new(),
            started: BTreeSet::new(),
            rows: Vec::new(),
            moments: Vec::new(),
            lines: exchange
                .parties
                .iter()
                .map(|party| usize::from(is_started(party)))
                .collect(),
            unfinished: vec![String::new(); exchange.parties.len()],
            listens: false,
            dropped: Vec::new(),
            ttl: None,
        }
    }

    /// Shows what the reader does.
    fn act(&mut self, number: usize) {
        let action = &self.exchange.actions[number];
        let party =
            self.exchange.parties.iter().position(|party| party.name == action.who);
        // The terminal shows what the reader types, but not the end of the input.
        let lines = action
            .keys
            .map_or(1, |keys| keys.split(|key| *key == b'\n').count() - 1);
        self.lines[party.unwrap_or_default()] += lines;
        self.add(Cause::Reader(number));
    }

    fn add(&mut self, cause: Cause) {
        let (rows, lines) = (self.rows.len(), self.lines.clone());
        let kernel = self.kernel();
        self.moments.push(Moment { cause, rows, lines, kernel });
    }

    /// Returns what the kernel holds.
    fn kernel(&self) -> Kernel {
        let waiting = self.links.iter().filter(|link| link.waits());
        let listener = self.listens.then(|| Listener {
            waiting: waiting.map(|link| link.name.clone()).collect(),
            dropped: self.dropped.clone(),
        });
        Kernel { listener, links: self.links.iter().map(Link::held).collect() }
    }

    /// Makes the next calls of the first thread that can make one. Returns whether there was one.
    fn advance_all(&mut self, step: usize) -> bool {
        (0..self.queues.len()).any(|place| self.advance(place, step, false))
    }

    /// Makes the next calls of the thread whose late call returned first.
    fn advance_late(&mut self, step: usize) -> bool {
        let possible = (0..self.queues.len()).filter(|place| {
            self.possible(&self.queues[*place], step, true).is_some()
        });
        let first =
            possible.min_by(|a, b| earlier(&self.queues[*a], &self.queues[*b]));
        first.is_some_and(|first| self.advance(first, step, true))
    }

    /// Makes the next calls of a thread, if they belong to this step and can have happened.
    /// Returns whether there was one.
    fn advance(&mut self, place: usize, step: usize, late: bool) -> bool {
        let mut moved = false;
        while let Some(length) =
            self.possible(&self.queues[place], step, late && !moved)
        {
            if self.server().is_none() {
                self.wait(place); // What it waits for is not traced, so it can always have arrived.
            }
            let Queue { party, name, calls, waits, .. } = &mut self.queues[place];
            *waits = false;
            let (party, name) = (*party, name.clone());
            let events: Vec<_> = calls.drain(..length).collect();
            for (_, event) in events {
                let before = self.peer(party, &event);
                if matches!(event.call, Call::Sleep(_)) {
                    self.queues[place].since = self.moments.len();
                }
                self.happen(party, &name, &event);
                let peer = before.or_else(|| self.peer(party, &event));
                self.add(Cause::Call { thread: place, event, peer });
            }
            moved = true;
        }
        self.wait(place);
        moved
    }

    /// Shows that a thread waits in its next call.
    fn wait(&mut self, place: usize) {
        let queue = &self.queues[place];
        // Without a server, the picture does not show `poll`, and the call after it waits.
        let is_alone = self.exchange.outside.is_some();
        let is_shown = |(_, event): &&(usize, Event)| {
            !is_alone || !matches!(event.call, Call::Poll(_))
        };
        let Some((_, event)) = queue.calls.iter().find(is_shown) else { return };
        let exists = self.exists(queue);
        let waits = event.call.can_wait()
            || matches!(event.call, Call::Typed | Call::Joined);

        if exists && waits && !queue.waits {
            let (party, event) = (queue.party, event.clone());
            self.queues[place].waits = true;
            self.queues[place].since = self.moments.len();
            let peer = self.peer(party, &event);
            self.add(Cause::Wait { thread: place, event, peer });
        }
    }

    /// Returns whether another thread has started this one. Clients have only one queue of calls,
    /// and one for the end of the stream.
    fn exists(&self, queue: &Queue) -> bool {
        let Queue { party, thread, .. } = queue;
        *thread == 0
            || !self.exchange.parties[*party].is_server
            || self.started.contains(&(*party, *thread))
    }

    /// Returns the name of the client at the other end of the socket of a call.
    fn peer(&self, party: usize, event: &Event) -> Option<String> {
        if let Call::Poll(sockets) = &event.call {
            // With one socket, `poll` waits for the client at its other end.
            let [socket] = sockets[..] else { return None };
            let end = (party, socket);
            let link =
                self.links.iter().find(|link| link.ends.get(1) == Some(&end))?;
            return Some(link.name.clone());
        }
        let (number, end) = self.link(party, event)?;
        (end == 1).then(|| self.links[number].name.clone())
    }

    /// Returns how many calls can be made now: one, or `poll` and the call after it.
    fn possible(&self, queue: &Queue, step: usize, late: bool) -> Option<usize> {
        let length = queue
            .calls
            .iter()
            .take_while(|(_, event)| matches!(event.call, Call::Poll(_)))
            .count();
        let (due, event) = queue.calls.get(length)?;
        if !self.exists(queue) {
            return None;
        }
        let link = self.link(queue.party, event);
        let is_server = self.exchange.parties[queue.party].is_server;
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
            Call::Print(_, text) => self.prints(queue.party, text),
            Call::Stopped => false,
            // A process exits with its first thread, so the others have returned.
            Call::Joined | Call::Exit if is_server && queue.thread == 0 => {
                self.queues.iter().all(|other| {
                    other.party != queue.party
                        || other.thread == 0
                        || other.calls.is_empty()
                })
            }
            Call::ReceiveFailed(_, why) if why == "ECONNRESET" => {
                link.is_some_and(|(number, _)| self.links[number].is_reset())
            }
            Call::Receive(_, bytes) => match link {
                // A stream does not exist before its connection.
                None => event.datagrams,
                Some((number, end)) => {
                    self.links[number].has_arrived(end, bytes.len())
                        || self.server().is_none()
                }
            },
            _ => true,
        };
        // If no datagram is there, the server's `recv_from` has no link yet.
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
                    self.links.iter().position(|link| link.holds(0))
                }
                _ => self.links.iter().position(Link::owes_reply),
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
        self.links.iter().position(Link::waits)
    }

    /// Returns whether these bytes are what the terminal shows next.
    fn prints(&self, party: usize, text: &[u8]) -> bool {
        let text =
            format!("{}{}", self.unfinished[party], String::from_utf8_lossy(text));
        let mut shown =
            self.exchange.parties[party].screen[self.lines[party]..].iter();
        text.split_inclusive('\n').all(|line| {
            let next = shown.next().map_or("", String::as_str);
            line.strip_suffix('\n')
                .map_or(next.starts_with(line), |whole| whole == next)
        })
    }

    /// Shows these bytes in the terminal.
    fn print(&mut self, party: usize, text: &[u8]) {
        let unfinished = &mut self.unfinished[party];
        unfinished.push_str(&String::from_utf8_lossy(text));
        self.lines[party] += unfinished.matches('\n').count();
        let last = unfinished.rfind('\n').map_or(0, |end| end + 1);
        unfinished.drain(..last);
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
        let name = &self.exchange.parties[party].name;
        let before =
            self.links.iter().filter(|link| link.ends[0].0 == party).count();
        let is_alone = self.exchange.outside.is_some();
        let names = match before {
            _ if is_alone => {
                let kind = if event.datagrams {
                    "datagram socket"
                } else {
                    "stream socket"
                };
                (format!("{kind} {}", before + 1), "the program".to_owned())
            }
            0 => (name.clone(), title(name)),
            before => (format!("{name}, connection {}", before + 1), title(name)),
        };
        self.links.push(Link::new(names, is_alone, ends, event.datagrams));
        (self.links.len() - 1, 0)
    }

    fn happen(&mut self, party: usize, thread: &str, event: &Event) {
        let link = self.link(party, event);
        let label = if thread.is_empty() || thread == MAIN {
            String::new()
        } else {
            format!("{thread}: ")
        };
        let there = match link
            .and_then(|(number, end)| self.links[number].ends.get(1 - end))
        {
            Some((other, _)) => To::Party(*other),
            None => self.server().map_or(To::Outside, To::Party),
        };
        match &event.call {
            Call::Connect(_) if event.datagrams => {} // It sends nothing.
            Call::Connect(Ok(())) => self.connect(party, event, there),
            Call::Connecting => {
                // The kernel of the server drops a SYN if the queue is full.
                self.dropped.push(self.exchange.parties[party].name.clone());
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
                    format!("{label}accept() → {}", self.client(number)),
                );
            }
            Call::Send(bytes) => self.send(party, event, bytes, there),
            Call::Receive(room, bytes) => {
                self.receive(party, &label, event, (*room, bytes), there);
            }
            Call::ReceiveFailed(room, why) => {
                if let (Some((number, _)), "ECONNRESET") = (link, why.as_str()) {
                    self.links[number].reset();
                }
                self.note(party, format!("{label}recv({room}) → {}", words(why)));
            }
            Call::Shutdown | Call::Close => {
                if let Some(link) = link {
                    self.close(party, &label, event, link, there);
                }
            }
            Call::Poll(sockets) if self.exchange.parties[party].polls => {
                self.note(party, format!("poll() → {}", self.names(party, sockets)));
            }
            Call::PollWritable(sockets) => {
                let names = self.names(party, sockets);
                self.note(party, format!("poll() → {names}, for writing"));
            }
            Call::Sleep(seconds) => {
                self.note(party, format!("{label}sleep({seconds})"));
            }
            Call::Awake(_) => self.note(party, format!("{label}awake")),
            Call::Ttl(ttl) => {
                self.ttl = Some(*ttl);
                self.note(party, format!("time to live: {ttl}"));
            }
            Call::Listen => self.listens = true,
            Call::Spawn(started) => {
                self.started.insert((party, *started));
            }
            Call::Print(_, text) => self.print(party, text),
            Call::CloseListener => self.close_listener(party),
            Call::Create
            | Call::PollNone
            | Call::Poll(_)
            | Call::Joined
            | Call::Bind
            | Call::PollTimedOut
            | Call::Typed
            | Call::Exit
            | Call::Stopped => {}
        }
    }

    fn connect(&mut self, party: usize, event: &Event, there: To) {
        self.begin(party, event);
        let name = &self.exchange.parties[party].name;
        self.dropped.retain(|other| other != name);
        // A connection that took long is made by a retransmitted SYN.
        let again = if event.late { " (again)" } else { "" };
        self.arrow(party, there, &format!("connect: SYN{again}"));
        self.arrow_back(party, there, "SYN-ACK");
        self.arrow(party, there, "ACK");
    }

    fn close(
        &mut self,
        party: usize,
        label: &str,
        event: &Event,
        (number, end): (usize, usize),
        there: To,
    ) {
        let (call, segment) = if event.call == Call::Close {
            ("close", self.links[number].close(end))
        } else {
            ("shutdown", self.links[number].shut_down(end))
        };
        match segment {
            _ if event.datagrams => {} // The kernel sends nothing.
            Some(segment) => self.arrow(party, there, &format!("{call}: {segment}")),
            None => self.note(party, format!("{label}{call}()")),
        }
    }

    /// Closes the listening socket. The kernel resets the connections that wait for `accept`.
    fn close_listener(&mut self, party: usize) {
        self.listens = false;
        if self.server().is_none() {
            return; // The program has connected to itself.
        }
        while let Some(number) = self.waiting() {
            let client = To::Party(self.links[number].ends[0].0);
            self.arrow(party, client, "close: RST");
            self.links[number].reset();
        }
    }

    fn send(&mut self, party: usize, event: &Event, bytes: &[u8], there: To) {
        let link = self.link(party, event);
        let (number, end) = link.unwrap_or_else(|| self.begin(party, event));
        let lost = self.ttl.filter(|ttl| end == 0 && *ttl <= self.exchange.routers);
        if lost.is_none() {
            self.links[number].send(end, bytes.len());
        }
        let to = lost.map_or(there, To::Router);
        self.arrow(party, to, &in_words(bytes));
    }

    fn receive(
        &mut self,
        party: usize,
        label: &str,
        event: &Event,
        (room, bytes): (usize, &[u8]),
        there: To,
    ) {
        if let Some((number, end)) = self.link(party, event) {
            self.links[number].take(end, bytes.len());
        }
        if there == To::Outside && !bytes.is_empty() {
            self.arrow_back(party, there, &in_words(bytes));
        }
        let is_server = self.exchange.parties[party].is_server;
        let call = if event.datagrams && is_server { "recv_from" } else { "recv" };
        let over = if bytes.is_empty() && !event.datagrams {
            ", end of stream"
        } else {
            ""
        };
        self.note(party, format!("{label}{call}({room}) → {}{over}", bytes.len()));
    }

    fn names(&self, party: usize, sockets: &[Socket]) -> String {
        let names: Vec<_> =
            sockets.iter().map(|socket| self.name(party, *socket)).collect();
        names.join(", ")
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

/// Says which of two threads continues first, if both wait for a time. Two sleeps have the same
/// length, and two timeouts also. So the thread that began first is first.
fn earlier(a: &Queue, b: &Queue) -> Ordering {
    let (Some((_, first)), Some((_, second))) = (a.calls.front(), b.calls.front())
    else {
        return Ordering::Equal;
    };
    if first.call == second.call {
        return a.since.cmp(&b.since);
    }
    first.time.total_cmp(&second.time)
}

/// Describes the bytes of an arrow: their number, then a DNS message in words, a text as text,
/// and everything else in hexadecimal. A long text is cut.
fn in_words(bytes: &[u8]) -> String {
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
    match error {
        "EAGAIN" => "timed out",
        "EWOULDBLOCK" => "no more bytes",
        _ => error,
    }
}
