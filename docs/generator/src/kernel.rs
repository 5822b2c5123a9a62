//! What the kernel holds for the programs of an exchange. It is derived from the calls of both
//! programs, and compared with what `ss` prints.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::stage::PATIENCE;
use crate::trace::Socket;

/// What the kernel holds at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kernel {
    pub listener: Option<Listener>,
    pub links: Vec<Held>,
}

/// The clients that a listening socket has not yet given to `accept`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listener {
    pub waiting: Vec<String>,
    /// The clients whose SYN the kernel dropped, because the queue was full.
    pub dropped: Vec<String>,
}

/// A connection, or the datagrams between a client and the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub name: String,
    pub state: String,
    /// The bytes that were sent and not yet received: to the server, and to the client. `None` if
    /// only one of the two programs is traced.
    pub bytes: Option<[usize; 2]>,
    /// Whether the client has closed its sending side.
    pub ended: bool,
}

/// A connection, or the datagrams between a client and the server. End 0 is the client, and
/// end 1 is the server, if it is known.
pub struct Link {
    pub name: String,
    /// The client, as it is written within a sentence.
    client: String,
    /// Whether only the client is traced.
    is_alone: bool,
    pub ends: Vec<(usize, Socket)>,
    datagrams: bool,
    /// The lengths of what each end sent, and what the other end has not yet received.
    pending: [VecDeque<usize>; 2],
    /// Whether each end has closed its sending side.
    ended: [bool; 2],
    /// Whether each end has received the end of the stream.
    saw_end: [bool; 2],
    closed: [bool; 2],
    is_reset: bool,
    /// The number of datagrams that the server has received, without its replies.
    requests: usize,
}

impl Link {
    pub fn new(
        (name, client): (String, String),
        is_alone: bool,
        ends: Vec<(usize, Socket)>,
        datagrams: bool,
    ) -> Self {
        Self {
            name,
            client,
            is_alone,
            ends,
            datagrams,
            pending: [VecDeque::new(), VecDeque::new()],
            ended: [false; 2],
            saw_end: [false; 2],
            closed: [false; 2],
            is_reset: false,
            requests: 0,
        }
    }

    /// Returns whether the connection waits for `accept`.
    pub fn waits(&self) -> bool {
        self.ends.len() == 1 && !self.datagrams && !self.is_reset
    }

    /// Returns whether the kernel holds something that this end has sent.
    pub fn holds(&self, end: usize) -> bool {
        !self.pending[end].is_empty()
    }

    /// Returns whether the server has received more datagrams than it has sent replies.
    pub const fn owes_reply(&self) -> bool {
        self.requests > 0
    }

    /// Returns whether this end can receive a datagram, this number of bytes, or for 0 the end of
    /// the stream.
    pub fn has_arrived(&self, end: usize, length: usize) -> bool {
        match length {
            _ if self.datagrams => self.holds(1 - end),
            0 => self.ended[1 - end] && !self.holds(1 - end),
            _ => self.pending[1 - end].iter().sum::<usize>() >= length,
        }
    }

    pub fn send(&mut self, end: usize, length: usize) {
        if self.is_alone {
            return;
        }
        self.pending[end].push_back(length);
        if end == 1 {
            self.requests = self.requests.saturating_sub(1);
        }
    }

    /// Takes what `recv` returned to this end: a datagram, or this number of bytes.
    pub fn take(&mut self, end: usize, length: usize) {
        let pending = &mut self.pending[1 - end];
        if self.datagrams {
            pending.pop_front();
            self.requests += usize::from(end == 1);
            return;
        }
        self.saw_end[end] |= length == 0;
        let mut left = length;
        while let Some(first) = pending.front_mut().filter(|_| left > 0) {
            let taken = left.min(*first);
            *first -= taken;
            left -= taken;
            if *first == 0 {
                pending.pop_front();
            }
        }
    }

    /// Closes the sending side of this end. Returns the name of the segment that its kernel sends,
    /// or `None` if it has sent one before.
    pub fn shut_down(&mut self, end: usize) -> Option<&'static str> {
        let was_ended = std::mem::replace(&mut self.ended[end], true);
        (!was_ended && !self.is_reset).then_some("FIN")
    }

    /// Closes the socket of this end. Returns the same as [`Self::shut_down`]. If the program has
    /// not read all bytes, its kernel resets the connection.
    pub fn close(&mut self, end: usize) -> Option<&'static str> {
        self.closed[end] = true;
        if self.datagrams {
            return None;
        }
        if self.holds(1 - end) && !self.is_reset {
            self.reset();
            return Some("RST");
        }
        self.shut_down(end)
    }

    pub const fn is_reset(&self) -> bool {
        self.is_reset
    }

    /// The connection was reset, and the kernel has dropped what it held.
    pub fn reset(&mut self) {
        self.is_reset = true;
        self.ended = [true; 2];
        self.pending.iter_mut().for_each(VecDeque::clear);
    }

    /// Returns what the kernel holds.
    pub fn held(&self) -> Held {
        let state = match self.ended {
            _ if self.closed[0] && (self.is_alone || self.datagrams) => {
                "closed".to_owned()
            }
            _ if self.datagrams => "datagrams (no connection)".to_owned(),
            _ if self.is_reset => "reset".to_owned(),
            [false, false] => "open".to_owned(),
            [true, false] if self.closed[0] => {
                format!("{} has closed the connection", self.client)
            }
            [false, true] if self.closed[1] => {
                "the server has closed the connection".to_owned()
            }
            [true, false] => {
                format!("half-closed: {} has closed its sending side", self.client)
            }
            [false, true] => {
                "half-closed: the server has closed its sending side".to_owned()
            }
            [true, true] if self.closed == [true, true] => "closed".to_owned(),
            [true, true] => "both have closed their sending sides".to_owned(),
        };
        let bytes = (!self.is_alone)
            .then(|| [0, 1].map(|end| self.pending[end].iter().sum()));
        Held { name: self.name.clone(), state, bytes, ended: self.ended[0] }
    }

    /// Returns what `ss` prints about the socket of this end: its state, and the number of bytes in
    /// its receive queue. A FIN counts as one byte.
    fn shown(&self, end: usize) -> Seen {
        let state = match [self.ended[end], self.ended[1 - end]] {
            [false, false] => "ESTAB",
            [false, true] => "CLOSE-WAIT",
            [true, false] => "FIN-WAIT-2",
            [true, true] => "TIME-WAIT",
        };
        let bytes: usize = self.pending[1 - end].iter().sum();
        let fin = usize::from(self.ended[1 - end] && !self.saw_end[end]);
        Seen { state: state.to_owned(), queue: bytes + fin }
    }
}

/// The state and the receive queue of a socket.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    state: String,
    queue: usize,
}

/// What `ss` printed about a server and its clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sockets {
    /// For a listening socket: the number of connections that wait for `accept`.
    waiting: Option<usize>,
    /// For a datagram socket: whether it holds a datagram.
    holds_datagrams: Option<bool>,
    /// For each client: its own socket, and the socket of the server.
    connections: BTreeMap<String, Vec<(Seen, Option<Seen>)>>,
}

impl Sockets {
    /// Waits until all programs wait, then asks `ss` what the kernel holds. `programs` has the name
    /// and the process of each client, and the process of the server. Returns `None` without `ss`.
    pub fn of(
        port: u16,
        server: u32,
        clients: &[(&str, u32)],
    ) -> Result<Option<Self>, String> {
        let end = Instant::now() + PATIENCE;
        let mut before = None;
        loop {
            let all_wait =
                clients.iter().map(|(_, client)| *client).chain([server]).all(waits);
            let Some(now) = list(port, clients) else { return Ok(None) };
            if all_wait && before.as_ref() == Some(&now) {
                return Ok(Some(now));
            }
            if Instant::now() > end {
                return Err(format!("the programs do not wait: {now:?}"));
            }
            before = Some(now);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Compares what `ss` printed with what was derived.
    ///
    /// # Errors
    ///
    /// A sentence, if they differ.
    pub fn compare(&self, links: &[Link], dropped: &[String]) -> Result<(), String> {
        let differ = |what: &str,
                      derived: &dyn std::fmt::Debug,
                      seen: &dyn std::fmt::Debug| {
            Err(format!("{what}: the calls say {derived:?}, and ss says {seen:?}"))
        };
        let waiting = links.iter().filter(|link| link.waits()).count();
        if self.waiting.is_some_and(|seen| seen != waiting) {
            return differ(
                "connections that wait for accept",
                &waiting,
                &self.waiting,
            );
        }
        let datagrams = links.iter().any(|link| link.datagrams && link.holds(0));
        if self.holds_datagrams.is_some_and(|seen| seen != datagrams) {
            return differ("a datagram waits", &datagrams, &self.holds_datagrams);
        }
        let mut derived: BTreeMap<&str, Vec<(Seen, Option<Seen>)>> = BTreeMap::new();
        for link in links.iter().filter(|link| !link.datagrams && !link.closed[0]) {
            let client = link.name.split(',').next().unwrap_or_default();
            // After `close`, the kernel still keeps the socket until the client has sent its FIN, too.
            let of_server = (!link.closed[1] || link.ended == [false, true])
                .then(|| link.shown(1));
            derived.entry(client).or_default().push((link.shown(0), of_server));
        }
        for client in dropped {
            let state = Seen { state: "SYN-SENT".to_owned(), queue: 0 };
            derived.entry(client).or_default().push((state, None));
        }
        for client in derived
            .keys()
            .copied()
            .chain(self.connections.keys().map(String::as_str))
        {
            let (calls, seen) = (derived.get(client), self.connections.get(client));
            if calls != seen {
                return differ(client, &calls, &seen);
            }
        }
        Ok(())
    }
}

/// Returns whether `ss` is installed.
pub fn is_installed() -> bool {
    list(0, &[]).is_some()
}

/// Returns whether all threads of a process wait, or whether the process has exited.
fn waits(process: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    threads.into_iter().flatten().flatten().all(|thread| {
        let text =
            fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The state comes after the name of the program, which is in parentheses. S means that
        // the thread waits, and Z that it has exited.
        let state = text.rsplit_once(") ").map_or("Z", |(_, rest)| &rest[..1]);
        ["S", "Z", "X"].contains(&state)
    })
}

/// Asks `ss` for all sockets that use a port. Returns `None` if it does not run.
fn list(port: u16, clients: &[(&str, u32)]) -> Option<Sockets> {
    let filter = format!("sport = :{port} or dport = :{port}");
    let output = Command::new("ss").args(["-Htuanp", &filter]).output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    let text = String::from_utf8_lossy(&text);
    let rows: Vec<Vec<&str>> =
        text.lines().map(|line| line.split_whitespace().collect()).collect();
    let seen = |row: &[&str]| {
        // A socket is in these states only until the other kernel acknowledges the FIN.
        let state = match row[1] {
            "FIN-WAIT-1" => "FIN-WAIT-2",
            "CLOSING" | "LAST-ACK" => "TIME-WAIT",
            other => other,
        };
        Seen { state: state.to_owned(), queue: row[2].parse().unwrap_or_default() }
    };
    let mut sockets = Sockets::default();
    for row in rows.iter().filter(|row| row.len() >= 6) {
        let is_server = row[4].ends_with(&format!(":{port}"));
        match (row[0], row[1]) {
            ("tcp", "LISTEN") => sockets.waiting = Some(seen(row).queue),
            ("udp", _) if is_server => {
                sockets.holds_datagrams = Some(seen(row).queue > 0);
            }
            ("tcp", _) if !is_server => {
                let process = row.get(6).unwrap_or(&"");
                let client = clients
                    .iter()
                    .find(|(_, id)| process.contains(&format!("pid={id},")));
                let Some((client, _)) = client else { continue };
                let other = rows.iter().find(|other| {
                    other.len() >= 6 && other[4] == row[5] && other[5] == row[4]
                });
                let ends = (seen(row), other.map(|row| seen(row)));
                sockets
                    .connections
                    .entry((*client).to_owned())
                    .or_default()
                    .push(ends);
            }
            _ => {}
        }
    }
    Some(sockets)
}

#[cfg(test)]
mod tests {
    use super::Link;

    fn link() -> Link {
        let names = ("A".to_owned(), "A".to_owned());
        Link::new(names, false, vec![(0, (3, 1)), (1, (4, 1))], false)
    }

    #[test]
    fn a_read_takes_a_part_of_a_send_or_several_sends() {
        let mut link = link();
        for length in [9, 2] {
            link.send(0, length);
        }
        let mut left = Vec::new();
        for length in [4, 6, 1] {
            assert!(link.has_arrived(1, length));
            link.take(1, length);
            left.extend(link.held().bytes.map(|bytes| bytes[0]));
        }
        assert_eq!(left, [7, 1, 0]);
        assert!(!link.has_arrived(1, 1));
    }

    #[test]
    fn a_close_with_unread_bytes_is_a_reset() {
        let mut link = link();
        link.send(0, 1);
        assert_eq!(link.close(1), Some("RST"));
        assert_eq!(link.held().state, "reset");
        assert_eq!(link.close(0), None);
    }

    #[test]
    fn the_state_says_which_program_has_closed_what() {
        let mut link = link();
        let mut states = vec![link.held().state];
        assert_eq!(link.shut_down(0), Some("FIN"));
        states.push(link.held().state);
        assert_eq!(link.close(1), Some("FIN"));
        states.push(link.held().state);
        assert_eq!(link.close(0), None);
        states.push(link.held().state);
        let expected = [
            "open",
            "half-closed: A has closed its sending side",
            "both have closed their sending sides",
            "closed",
        ];
        assert_eq!(states, expected);
    }
}
