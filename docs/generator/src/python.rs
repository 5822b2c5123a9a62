//! Reads what `lines.py` has recorded: where each thread of a Python program was, and when.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::lines::Place;

/// The program that records the lines of a Python program.
pub const TRACER: &str = "docs/generator/src/lines.py";

/// Where a thread is from a time on, until the time of its next record.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// In seconds since 1970, as in the output of strace.
    pub time: f64,
    /// The calls, from the outermost one. Without calls, the thread runs code of Python itself.
    pub stack: Vec<Place>,
}

/// Reads the files of a program's threads. The key is the number that the kernel gave the
/// thread, as in the names of the files of strace.
pub fn read(folder: &Path) -> Result<BTreeMap<u32, Vec<Line>>, String> {
    let failed = |err: std::io::Error| format!("{}: {err}", folder.display());
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let text = fs::read_to_string(&path).map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let thread = name.parse().map_err(|_| {
            format!("{}: expected the number of a thread", path.display())
        })?;
        let mut lines = Vec::new();
        for line in text.lines() {
            let line = parse(line).ok_or_else(|| {
                format!("{}: expected a time and calls, got: {line}", path.display())
            })?;
            lines.push(line);
        }
        threads.insert(thread, lines);
    }
    Ok(threads)
}

fn parse(line: &str) -> Option<Line> {
    let mut words = line.split(' ');
    let time = words.next()?.parse().ok()?;
    let mut stack = Vec::new();
    for word in words {
        let (file, line) = word.rsplit_once(':')?;
        stack.push(Place { file: file.to_owned(), line: line.parse().ok()? });
    }
    Some(Line { time, stack })
}

/// Returns where a thread was at a time. For a system call, give the time at which it began.
/// Before the first record, and in code of Python itself, the result is empty.
pub fn at(lines: &[Line], time: f64) -> &[Place] {
    let count = lines.partition_point(|line| line.time <= time);
    let last = lines[..count].last();
    last.map_or(&[], |line| &line.stack)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test reports a failure with a panic.

    use std::collections::BTreeSet;
    use std::fs;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{Shutdown, TcpStream};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use regex::Regex;
    use socket2::SockRef;

    use super::{Line, Place, TRACER, at, parse, read};
    use crate::stage::{Scratch, Server, python, traced, untraceable};
    use crate::top;
    use crate::trace::{self, Call};

    /// A request, and the reply to it.
    const HELLO: [&[u8]; 2] = [b"hello", b"HELLO"];

    /// A call of a server, with the line of code that made it.
    struct Made {
        /// The number that the kernel gave the thread.
        thread: u32,
        call: String,
        place: Place,
        /// The text of this line of code.
        source: String,
    }

    fn has_python() -> bool {
        let version = Command::new("python3").arg("--version").output();
        let has_python = version.is_ok_and(|output| output.status.success());
        if !has_python {
            eprintln!("skipped: the lines of Python: python3 is missing");
        }
        has_python
    }

    fn can_trace() -> bool {
        if let Some(why) = untraceable() {
            eprintln!("skipped: the lines of Python: {why}");
            return false;
        }
        has_python()
    }

    /// Sends a request to a server, and returns the reply.
    fn ask(mut client: TcpStream, request: &[u8]) -> Vec<u8> {
        client.write_all(request).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut reply = Vec::new();
        client.read_to_end(&mut reply).unwrap();
        reply
    }

    /// Runs a Python version that serves two clients. strace writes the calls into the first
    /// folder. With a second folder, `lines.py` writes the lines there.
    fn serve(
        program: &str,
        messages: [&[u8]; 2],
        calls: &Path,
        lines: Option<&Path>,
    ) {
        let mut command = traced(&python().unwrap(), Some(calls), false);
        if let Some(lines) = lines {
            command.arg(TRACER).arg(lines);
        }
        command.arg(format!("docs/python/{program}.py"));
        let mut server = Server::start(program, command, &[]).unwrap();
        let first = TcpStream::connect(server.address).unwrap();
        let second = TcpStream::connect(server.address).unwrap();
        // With threads, the second client need not wait for the first one. Two threads then
        // serve the clients, because the first client is still connected.
        let has_threads = program.starts_with("thread");
        let order = if has_threads { [second, first] } else { [first, second] };
        let [request, reply] = messages;
        for client in order {
            assert_eq!(ask(client, request), reply);
        }
        server.terminal.wait_for(2, " disconnected").unwrap();
        server.terminal.close().unwrap();
    }

    /// Returns the calls of a Python version, or `None` if this is impossible here.
    fn calls_of(program: &str, messages: [&[u8]; 2]) -> Option<Vec<Made>> {
        if !can_trace() {
            return None;
        }
        let scratch = Scratch::new(&format!("lines-{program}")).unwrap();
        let calls = scratch.folder("calls").unwrap();
        let lines = scratch.folder("lines").unwrap();
        serve(program, messages, &calls, Some(&lines));

        let lines = read(&lines).unwrap();
        let began =
            Regex::new(r"^([\d.]+) (socket\(AF_INET,|accept4|recvfrom|sendto)")
                .unwrap();
        let mut made = Vec::new();
        for entry in fs::read_dir(&calls).unwrap() {
            let path = entry.unwrap().path();
            let thread =
                path.extension().unwrap().to_str().unwrap().parse().unwrap();
            for line in fs::read_to_string(&path).unwrap().lines() {
                let Some(found) = began.captures(line) else { continue };
                let stack = at(&lines[&thread], found[1].parse().unwrap());
                let place = stack.last().unwrap().clone();
                let source = crate::read(&place.file).unwrap();
                let source = source
                    .lines()
                    .nth(usize::try_from(place.line).unwrap() - 1)
                    .unwrap()
                    .to_owned();
                let call = found[2].to_owned();
                made.push(Made { thread, call, place, source });
            }
        }
        Some(made)
    }

    /// Checks that each call is in a line of code with the name of the call. Returns the threads
    /// that accepted, received and sent.
    fn check(made: &[Made]) -> [BTreeSet<u32>; 3] {
        let threads = |call: &str, word: &str| {
            let mut threads = BTreeSet::new();
            for made in made.iter().filter(|made| made.call == call) {
                let Made { place, source, thread, .. } = made;
                assert!(source.contains(word), "{call}: {place:?}: {source}");
                threads.insert(*thread);
            }
            assert!(!threads.is_empty(), "{call}");
            threads
        };
        // In this line, `address_family` returns before the call.
        threads("socket(AF_INET,", "socket.socket(address_family(");
        [
            threads("accept4", ".accept("),
            threads("recvfrom", ".recv("),
            threads("sendto", ".sendall("),
        ]
    }

    #[test]
    fn the_tracer_adds_no_call_that_the_book_draws() {
        if !can_trace() {
            return;
        }
        let scratch = Scratch::new("lines-calls").unwrap();
        let [plain, traced, lines] =
            ["plain", "traced", "lines"].map(|name| scratch.folder(name).unwrap());
        serve("tcp_server", HELLO, &plain, None);
        serve("tcp_server", HELLO, &traced, Some(&lines));
        let [plain, traced] = [plain, traced].map(|folder| {
            let events = trace::read(&folder, None).unwrap();
            let calls = events.into_iter().map(|event| match event.call {
                // The tracer has a file, so the sockets get other file descriptors.
                Call::Poll(sockets) => Call::Poll(vec![(0, 0); sockets.len()]),
                // The programs print different ports.
                Call::Print(output, _) => Call::Print(output, Vec::new()),
                call => call,
            });
            calls.collect::<Vec<_>>()
        });
        assert!(plain.contains(&Call::Accept));
        assert_eq!(plain, traced);
    }

    #[test]
    fn one_thread_makes_each_call_in_its_line() {
        let Some(made) = calls_of("tcp_server", HELLO) else { return };
        let [accepts, receives, sends] = check(&made);
        assert_eq!(accepts.len(), 1);
        assert_eq!([&receives, &sends], [&accepts, &accepts]);
    }

    #[test]
    fn calls_in_the_library_are_in_the_lines_of_the_library() {
        let messages: [&[u8]; 2] = [b"\0\0\0\x05hello", b"\0\0\0\x05HELLO"];
        let Some(made) = calls_of("recvall_server", messages) else { return };
        check(&made);
        let library = "docs/python/sockets101/__init__.py";
        for made in made.iter().filter(|made| made.call == "recvfrom") {
            assert_eq!(made.place.file, library, "{}", made.source);
        }
    }

    #[test]
    fn each_client_has_a_thread() {
        let Some(made) = calls_of("thread_per_client", HELLO) else { return };
        let [accepts, receives, sends] = check(&made);
        assert_eq!([accepts.len(), receives.len()], [1, 2]);
        assert_eq!(sends, receives);
        assert!(accepts.is_disjoint(&receives));
    }

    #[test]
    fn each_thread_of_a_pool_accepts_and_serves() {
        let Some(made) = calls_of("thread_pool", HELLO) else { return };
        let [accepts, receives, sends] = check(&made);
        assert_eq!(receives.len(), 2);
        assert_eq!(sends, receives);
        assert!(receives.is_subset(&accepts));
    }

    /// Runs the server of lesson 4 in short, whose bug is that a reset by the client stops it.
    /// Returns its exit status and what it printed on stderr.
    fn crash(arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new("python3");
        // With -u, the first line does not wait in a buffer.
        command.arg("-u").args(arguments);
        command.args(["docs/python/short/tcp_server.py", "127.0.0.1:0"]);
        command.current_dir(top()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(server.stdout.as_mut().unwrap())
            .read_line(&mut ready)
            .unwrap();
        let address = ready.trim().strip_prefix("server ready on ").unwrap();
        let client = TcpStream::connect(address).unwrap();
        // With a linger time of 0, a close resets the connection.
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        let output = server.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn a_crash_looks_as_without_the_tracer() {
        if !has_python() {
            return;
        }
        let scratch = Scratch::new("lines-crash").unwrap();
        let folder = scratch.folder("lines").unwrap();
        let plain = crash(&[]);
        assert_eq!(plain.0, Some(1), "{}", plain.1);
        assert!(plain.1.contains("ConnectionResetError"), "{}", plain.1);
        assert_eq!(crash(&[TRACER, folder.to_str().unwrap()]), plain);
        // When the program has crashed, no code of the project runs.
        let threads = read(&folder).unwrap();
        let lines: Vec<_> = threads.into_values().collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].last().unwrap().stack, []);
    }

    #[test]
    fn a_record_counts_until_the_next_one() {
        let lines = ["10.5 a.py:3", "11.0 a.py:3 b.py:7", "12.0"]
            .map(|line| parse(line).unwrap());
        let place = |file: &str, line| Place { file: file.to_owned(), line };
        assert_eq!(at(&lines, 10.4), []);
        assert_eq!(at(&lines, 10.5), [place("a.py", 3)]);
        assert_eq!(at(&lines, 11.9), [place("a.py", 3), place("b.py", 7)]);
        assert_eq!(at(&lines, 13.0), []);
        assert_eq!(lines[2], Line { time: 12.0, stack: Vec::new() });
        for bad in ["", "time a.py:3", "10.5 a.py", "10.5 a.py:x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
