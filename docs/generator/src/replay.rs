//! Makes a recording that a reader can step through: where each thread is, what the kernel holds,
//! and what the terminals show.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::kernel::Held;
use crate::lines::Place;
use crate::parts::program;
use crate::read;
use crate::sentences::{Fact, Role, Scene, capital};
use crate::trace::{Call, Event, Socket};
use crate::wire::{Cause, Exchange, MAIN, Moment, Played, Row, title};

/// A program that a recording shows line by line.
pub struct Source {
    /// The path of the file.
    pub path: String,
    /// Whether the page has the program. The recording contains the text of any other program.
    pub is_on_page: bool,
}

/// The picture of a recording.
pub struct Picture {
    pub path: String,
    pub title: String,
    /// For each row, the column at which it begins, and the end of its arrow or its text.
    pub columns: Vec<[usize; 2]>,
}

/// The functions in which a thread can wait. A function comes before the functions that it calls.
const FUNCTIONS: [&str; 28] = [
    "accept_within",
    "read_within",
    "receive_within",
    "close_gracefully",
    "get_block",
    "put_block",
    "recvall",
    "log_and_pause",
    "show_waiting",
    "accept",
    "recv_from",
    "recvfrom",
    "recv",
    "read_exact",
    "read",
    "send_to",
    "sendto",
    "write_all",
    "write",
    "sendall",
    "send",
    "poll",
    "sleep",
    "join",
    "scope",
    "connect_timeout",
    "connect",
    "getaddrinfo",
];

/// Returns a recording as JSON. `sources` has the programs that it shows line by line, and
/// `screens` has the terminals as the page shows them. Both are by the number of the program.
///
/// # Errors
///
/// A sentence, if the lines of the calls and the programs do not agree.
pub fn recording(
    exchange: &Exchange,
    played: &Played,
    picture: &Picture,
    sources: &BTreeMap<usize, Source>,
    screens: &[Vec<String>],
) -> Result<String, String> {
    let mut programs = Vec::new();
    let mut texts = BTreeMap::new();
    let order = ordered(exchange, sources);
    for party in &order {
        let source = &sources[party];
        let (whole, shown) = (read(&source.path)?, program(&source.path)?);
        let first = 1 + whole.lines().count() - shown.lines().count();
        let mut entry =
            json!({"name": exchange.parties[*party].name, "first": first});
        if !source.is_on_page {
            entry["code"] = shown.into();
        }
        programs.push(entry);
        texts.insert(*party, whole.lines().map(str::to_owned).collect());
    }
    let mut writer = Writer {
        exchange,
        played,
        picture,
        sources,
        texts,
        screens,
        threads: Vec::new(),
        numbers: BTreeMap::new(),
        lines: BTreeMap::new(),
        ended: BTreeSet::new(),
        is_invalid: false,
        unfinished: BTreeMap::new(),
        steps: Vec::new(),
        now: Now::default(),
    };
    writer.start();
    let mut moments = played.moments.iter().peekable();
    let mut rows = 0;
    while let Some(mut moment) = moments.next() {
        // A program can print several lines in one place.
        while let Some(next) =
            moments.next_if(|next| writer.is_one_print(moment, next))
        {
            moment = next;
        }
        writer.moment(moment, &played.rows[rows..moment.rows])?;
        rows = moment.rows;
    }
    let threads = writer.threads.iter().map(|(party, name)| {
        json!({"program": order.iter().position(|other| other == party), "name": name})
    });
    let terminals = exchange.parties.iter().zip(screens);
    let terminals =
        terminals.map(|(party, lines)| json!({"name": party.name, "lines": lines}));
    let all = json!({
        "picture": {"src": format!("generated/{}", picture.path), "title": picture.title},
        "programs": programs,
        "threads": threads.collect::<Vec<_>>(),
        "terminals": terminals.collect::<Vec<_>>(),
        "steps": writer.steps,
    });
    Ok(all.to_string().replace('<', "\\u003c"))
}

/// Returns the programs that are shown line by line, the program of the page first.
fn ordered(exchange: &Exchange, sources: &BTreeMap<usize, Source>) -> Vec<usize> {
    let mut order: Vec<_> = sources.keys().copied().collect();
    order.sort_by_key(|party| !exchange.parties[*party].is_server);
    order
}

/// What the last step has shown.
#[derive(Default)]
struct Now {
    rows: usize,
    lines: Vec<usize>,
    kernel: Map<String, Value>,
    threads: BTreeMap<usize, (u32, &'static str)>,
}

struct Writer<'a> {
    exchange: &'a Exchange,
    played: &'a Played,
    picture: &'a Picture,
    sources: &'a BTreeMap<usize, Source>,
    /// The lines of each program.
    texts: BTreeMap<usize, Vec<String>>,
    screens: &'a [Vec<String>],
    /// The threads in the order in which they appear: their programs and names.
    threads: Vec<(usize, String)>,
    /// The place in this order, by the number of the thread in the exchange.
    numbers: BTreeMap<usize, usize>,
    /// The last line of each thread in the exchange.
    lines: BTreeMap<usize, u32>,
    /// The threads that have seen the end of a stream, and on which socket.
    ended: BTreeSet<(usize, Socket)>,
    /// Whether the server has just received bytes that are not valid UTF-8.
    is_invalid: bool,
    /// For each thread that has printed a part of a line, where it printed the first part.
    unfinished: BTreeMap<usize, Vec<Place>>,
    steps: Vec<Value>,
    now: Now,
}

impl Writer<'_> {
    /// The first step: the programs that run from the start.
    fn start(&mut self) {
        let started =
            |who: &str| self.exchange.actions.iter().all(|action| action.who != who);
        let parties = self.exchange.parties.iter();
        let lines: Vec<_> =
            parties.map(|party| usize::from(started(&party.name))).collect();
        let first = self.exchange.parties.iter().find(|party| started(&party.name));
        let name = first.map_or("", |party| party.name.as_str());
        let who = match &self.exchange.outside {
            Some(_) => "the program".to_owned(),
            None => title(name),
        };
        self.now.lines = vec![0; lines.len()];
        self.step(&format!("you start {who}."), 0, &lines, &Map::new(), None);
    }

    /// Returns whether both moments print lines from the same line of the same thread.
    fn is_one_print(&self, first: &Moment, second: &Moment) -> bool {
        let print = |moment: &Moment| match &moment.cause {
            Cause::Call { thread, event, .. }
                if matches!(event.call, Call::Print(..)) =>
            {
                Some((*thread, self.line(*thread, event)))
            }
            _ => None,
        };
        print(first).is_some() && print(first) == print(second)
    }

    fn moment(&mut self, moment: &Moment, rows: &[Row]) -> Result<(), String> {
        match &moment.cause {
            Cause::Reader(number) => {
                let sentence = self.action(*number);
                self.step(
                    &sentence,
                    moment.rows,
                    &moment.lines,
                    &kernel(moment),
                    None,
                );
                Ok(())
            }
            Cause::Call { thread, event, peer } => {
                let event = self.whole_line(*thread, event, moment);
                self.call(*thread, &event, peer.as_ref(), (moment, rows))
            }
            Cause::Wait { thread, event, peer } => {
                let (party, _) = self.played.threads[*thread];
                if !self.sources.contains_key(&party) {
                    return Ok(());
                }
                let name = self.thread_name(*thread);
                let scene = self.scene(
                    *thread,
                    event,
                    (peer.as_ref(), name),
                    (moment, rows),
                )?;
                let sentence = scene.wait(event).ok_or_else(|| {
                    format!(
                        "the line in which a thread waits is not known: {event:?}"
                    )
                })?;
                let at = self.place(*thread, event, "waits");
                self.step(
                    &sentence,
                    moment.rows,
                    &moment.lines,
                    &kernel(moment),
                    at,
                );
                Ok(())
            }
        }
    }

    /// Returns the sentence for what the reader does.
    fn action(&self, number: usize) -> String {
        let action = &self.exchange.actions[number];
        let who = title(&action.who);
        match action.keys.map(std::str::from_utf8) {
            None if action.who.len() == 1 => {
                format!("you start client {who} in another terminal.")
            }
            None => format!("you start {who} in another terminal."),
            Some(Ok("\x04")) => {
                format!(
                    "you press Ctrl-D in the terminal of {who} to end its input."
                )
            }
            Some(Ok(keys)) => {
                format!("you type `{}` in the terminal of {who}.", keys.trim_end())
            }
            Some(Err(_)) => format!(
                "you type `café` in the terminal of {who}. This terminal encodes `é` in Latin-1, not in UTF-8."
            ),
        }
    }

    /// Adds the steps of a call.
    fn call(
        &mut self,
        thread: usize,
        event: &Event,
        peer: Option<&String>,
        (moment, rows): (&Moment, &[Row]),
    ) -> Result<(), String> {
        let started = match event.call {
            Call::Spawn(started) => self.name_of(thread, started),
            _ => self.thread_name(thread),
        };
        let scene = self.scene(thread, event, (peer, started), (moment, rows))?;
        let mut sentences = if self.is_shown(thread, event) {
            scene.call(event)
        } else {
            Vec::new()
        };
        self.note_bytes(thread, event, &mut sentences);
        let connects = matches!(event.call, Call::Connect(_)) && !event.datagrams;
        let last = sentences.len();
        for (number, sentence) in sentences.into_iter().enumerate() {
            let number = number + 1;
            if number == last {
                let state = match event.call {
                    Call::Sleep(_) => "waits",
                    Call::Exit => "ended",
                    _ => "runs",
                };
                let at = self.place(thread, event, state);
                self.step(
                    &sentence,
                    moment.rows,
                    &moment.lines,
                    &kernel(moment),
                    at,
                );
            } else {
                // A thread waits until its call returns, which is the last step.
                let at =
                    if connects { self.place(thread, event, "waits") } else { None };
                let drawn = moment.rows - rows.len() + number;
                let (lines, kernel) =
                    (self.now.lines.clone(), self.now.kernel.clone());
                self.step(&sentence, drawn, &lines, &kernel, at);
            }
        }
        Ok(())
    }

    /// Notes which bytes a call has received. The sentence after invalid bytes says so, because a
    /// program in short then returns an error.
    fn note_bytes(
        &mut self,
        thread: usize,
        event: &Event,
        sentences: &mut [String],
    ) {
        if let (true, Some(first)) = (self.is_invalid, sentences.first_mut()) {
            *first = format!("these bytes are not valid UTF-8. {}", capital(first));
            self.is_invalid = false;
        }
        let Call::Receive(_, bytes) = &event.call else { return };
        let (party, _) = self.played.threads[thread];
        if self.exchange.parties[party].is_server {
            self.is_invalid = std::str::from_utf8(bytes).is_err();
        }
        if bytes.is_empty() {
            self.ended.insert((thread, event.socket));
        }
    }

    /// A program can print a line in several pieces. Returns the call for the last piece, with the
    /// place of the first one. If the program has made another call in between, only the last
    /// piece is new.
    fn whole_line(
        &mut self,
        thread: usize,
        event: &Event,
        moment: &Moment,
    ) -> Event {
        let mut event = event.clone();
        let first = self.unfinished.remove(&thread);
        if matches!(event.call, Call::Print(..)) {
            event.places = first.unwrap_or(event.places);
            let (party, _) = self.played.threads[thread];
            if moment.lines[party] == self.now.lines[party] {
                self.unfinished.insert(thread, event.places.clone());
            }
        }
        event
    }

    /// Returns whether a call is a step. A program that the recording does not list shows only what
    /// other programs can see. The C library also opens sockets that it does not use.
    fn is_shown(&self, thread: usize, event: &Event) -> bool {
        let party = self.played.threads[thread].0;
        if event.datagrams && matches!(event.call, Call::Connect(_)) {
            return self.sources.contains_key(&party)
                && self.exchange.outside.is_none();
        }
        let makes_socket =
            matches!(event.call, Call::Create | Call::Bind | Call::Close);
        if !makes_socket || !event.datagrams && self.sources.contains_key(&party) {
            return !matches!(
                event.call,
                Call::Create | Call::Bind | Call::Spawn(_)
            ) || self.sources.contains_key(&party);
        }
        let uses = |other: &Event| {
            other.socket == event.socket
                && matches!(other.call, Call::Send(_) | Call::Receive(..))
        };
        self.sources.contains_key(&party)
            && self.exchange.parties[party].events.iter().any(uses)
            || event.call == Call::Close && !event.datagrams
    }

    /// Returns the thread's number in the recording, its line, and its state.
    fn place(
        &mut self,
        thread: usize,
        event: &Event,
        state: &'static str,
    ) -> Option<(usize, u32, &'static str)> {
        let (party, name) = self.played.threads[thread].clone();
        if !self.sources.contains_key(&party) {
            return None;
        }
        if let Some(line) = self.line(thread, event) {
            self.lines.insert(thread, line);
        }
        let line = *self.lines.get(&thread)?;
        let number = *self.numbers.entry(thread).or_insert_with(|| {
            self.threads.push((party, name));
            self.threads.len() - 1
        });
        Some((number, line, state))
    }

    /// Returns the innermost line of the program that has led to a call.
    fn line(&self, thread: usize, event: &Event) -> Option<u32> {
        let source = self.sources.get(&self.played.threads[thread].0)?;
        let place = event.places.iter().find(|place| place.file == source.path);
        place.map(|place| place.line)
    }

    fn scene<'b>(
        &'b self,
        thread: usize,
        event: &Event,
        (peer, started): (Option<&String>, String),
        (moment, rows): (&'b Moment, &'b [Row]),
    ) -> Result<Scene<'b>, String> {
        let (party, _) = &self.played.threads[thread];
        let who = &self.exchange.parties[*party];
        let name = self.thread_name(thread);
        let is_alone = self.exchange.outside.is_some();
        let program =
            if is_alone { "the program".to_owned() } else { title(&who.name) };
        let exits = event.call == Call::Exit && (name.is_empty() || name == MAIN);
        let subject = if name.is_empty() || exits {
            program.clone()
        } else {
            format!("the thread {name}")
        };
        let listener = moment.kernel.listener.as_ref();
        let waiting =
            listener.map(|listener| listener.waiting.as_slice()).unwrap_or_default();
        let is_pending =
            waiting.iter().any(|client| client.split(',').next() == Some(&who.name));
        let client = peer.unwrap_or(&who.name);
        let reset = |link: &Held| link.state == "reset" && link.name == *client;
        let line = self.line(thread, event);
        let writes = |other: &Event| matches!(other.call, Call::PollWritable(_));
        let facts = [
            (Fact::Pending, is_pending),
            (Fact::Again, self.ended.contains(&(thread, event.socket))),
            (Fact::Reset, moment.kernel.links.iter().any(reset)),
            (Fact::BlockEnd, line.is_some_and(|line| self.is_end(*party, line))),
            (Fact::Queue, who.events.iter().any(writes)),
        ];
        let facts =
            facts.into_iter().filter(|(_, is_true)| *is_true).map(|(fact, _)| fact);
        let facts: Vec<_> = facts.collect();
        let is_connected = self.played.is_connected(*party, event);
        let peer = match peer {
            Some(client) => title(client.split(',').next().unwrap_or_default()),
            None if is_alone && event.datagrams => "the name server".to_owned(),
            None if who.is_server || !is_connected => String::new(),
            None => "the server".to_owned(),
        };
        let printed =
            &self.screens[*party][self.now.lines[*party]..moment.lines[*party]];
        let at = match self.line(thread, event) {
            Some(line) => Some((self.function(*party, line, event)?, line)),
            None => None,
        };
        Ok(Scene {
            subject,
            program,
            role: match (who.is_server, is_alone, listener) {
                (true, ..) => Role::Server,
                (_, true, None) => Role::Alone,
                (_, true, Some(_)) => Role::Both,
                (_, false, _) => Role::Client,
            },

            peer,
            facts,
            started,
            at,
            rows,
            printed,
            parties: &self.exchange.parties,
            ended: moment
                .kernel
                .links
                .iter()
                .filter(|link| {
                    link.ended && link.bytes.is_some_and(|bytes| bytes[0] == 0)
                })
                .map(|link| link.name.as_str())
                .collect(),
        })
    }

    /// Returns the function in a line of a program that makes this call.
    fn function(
        &self,
        party: usize,
        line: u32,
        event: &Event,
    ) -> Result<&'static str, String> {
        let source = &self.sources[&party].path;
        let number = usize::try_from(line).unwrap_or_default();
        let text =
            number.checked_sub(1).and_then(|number| self.texts[&party].get(number));
        let text =
            text.ok_or_else(|| format!("{source} does not have line {line}"))?;
        let found = FUNCTIONS.iter().find(|name| {
            text.match_indices(&format!("{name}(")).any(|(place, _)| {
                !text[..place].ends_with(|before: char| {
                    before.is_alphanumeric() || before == '_'
                })
            })
        });
        let waits = event.call.can_wait()
            || matches!(event.call, Call::Sleep(_) | Call::Send(_));
        match found {
            Some(name) => Ok(name),
            None if waits => Err(format!(
                "{source}, line {line}, does not make this call: {text}"
            )),
            None => Ok(""),
        }
    }

    /// Returns whether a line of a Rust program ends a block.
    fn is_end(&self, party: usize, line: u32) -> bool {
        let number = usize::try_from(line).unwrap_or_default();
        let text =
            number.checked_sub(1).and_then(|number| self.texts[&party].get(number));
        text.is_some_and(|text| text.trim() == "}")
    }

    fn thread_name(&self, thread: usize) -> String {
        self.played.threads[thread].1.clone()
    }

    /// Returns the name of the thread that another thread has started.
    fn name_of(&self, by: usize, started: usize) -> String {
        let (party, _) = self.played.threads[by];
        let found = self.played.thread_of(party, started);
        found.map_or_else(String::new, |thread| self.thread_name(thread))
    }

    /// Adds a step with what has changed.
    fn step(
        &mut self,
        sentence: &str,
        rows: usize,
        lines: &[usize],
        kernel: &Map<String, Value>,
        at: Option<(usize, u32, &'static str)>,
    ) {
        let mut step = json!({"say": capital(sentence)});
        if rows != self.now.rows {
            step["x"] = json!(self.picture.columns[rows - 1]);
            self.now.rows = rows;
        }
        if let Some((thread, line, state)) = at {
            if self.now.threads.insert(thread, (line, state)) != Some((line, state))
            {
                step["threads"] = json!({thread.to_string(): [line, state]});
            }
        }
        let mut changed = Map::new();
        for (number, (new, old)) in lines.iter().zip(&self.now.lines).enumerate() {
            if new != old {
                changed.insert(number.to_string(), (*new).into());
            }
        }
        if !changed.is_empty() {
            step["lines"] = changed.into();
            self.now.lines = lines.to_vec();
        }
        let mut changed: Map<_, _> = kernel
            .iter()
            .filter(|(name, value)| self.now.kernel.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for name in self.now.kernel.keys().filter(|name| !kernel.contains_key(*name))
        {
            changed.insert(name.clone(), Value::Null);
        }
        if !changed.is_empty() {
            step["kernel"] = changed.into();
            self.now.kernel.clone_from(kernel);
        }
        self.steps.push(step);
    }
}

fn kernel(moment: &Moment) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(listener) = &moment.kernel.listener {
        let mut value = json!({});
        for (key, clients) in
            [("waiting", &listener.waiting), ("dropped", &listener.dropped)]
        {
            if !clients.is_empty() {
                value[key] = json!(clients);
            }
        }
        all.insert("listener".to_owned(), value);
    }
    for link in &moment.kernel.links {
        let mut value = json!({"state": link.state});
        if let Some(bytes) = link.bytes {
            value["bytes"] = json!(bytes);
        }
        all.insert(link.name.clone(), value);
    }
    all
}
