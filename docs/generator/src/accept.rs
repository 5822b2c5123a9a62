//! What an error of `accept` costs, and a connection that is reset in the queue.
//!
//! The page `accept_errors.md` shows both. Each run measures other numbers, so the test ignores
//! them ([`is_current`]). Instead, `measure` fails if a run does not show what the page says.

#[cfg(target_os = "linux")]
pub(crate) use run::measure;

/// The table of the two servers under a limit of file descriptors.
const TABLE: &str = "accept/limit";

/// Returns whether a committed table differs from a new one only in its numbers. `mark` is the
/// mark of the table.
#[must_use]
pub fn is_current(mark: &str, committed: &str, fresh: &str) -> bool {
    let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    let shape = |text: &str| words(text).replace([',', '.'], "");
    mark.ends_with(TABLE) && shape(committed) == shape(fresh)
}

#[cfg(target_os = "linux")]
mod run {
    use std::fmt::Write;
    use std::fs::{self, File};
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use regex::Regex;
    use socket2::SockRef;

    use super::TABLE;
    use crate::figures::grouped;
    use crate::scenes::Readable;
    use crate::stage::{PATIENCE, Scratch, Server, example, untraceable};

    /// The limit of file descriptors. Three belong to the terminal, and one to the listener.
    const LIMIT: &str = "8";
    /// More clients than the server can accept.
    const CLIENTS: usize = 12;
    const BUG: &str = "retries_accept_at_once";
    /// A clock tick in `/proc/PID/stat`, in milliseconds.
    const TICK: u64 = 10;

    type Results = Vec<(String, String)>;

    /// Runs the two servers under the limit, and then the server whose client resets its
    /// connection in the queue. Returns the results, and a sentence for each part that this
    /// machine cannot make.
    pub(crate) fn measure() -> Result<(Results, Vec<String>), String> {
        let mut results = vec![(TABLE.to_owned(), table()?)];
        let mut skipped = Vec::new();
        match untraceable() {
            Some(why) => {
                skipped
                    .push(format!("a connection that is reset in the queue: {why}"));
            }
            None => results.push(("accept/reset".to_owned(), reset_in_the_queue()?)),
        }
        Ok((results, skipped))
    }

    fn table() -> Result<String, String> {
        let pauses = under_a_limit("thread_per_client")?;
        let retries = under_a_limit("mutant")?;
        let is_shown = pauses.lines <= 4
            && retries.lines >= 1000
            && retries.cpu >= 10 * pauses.cpu.max(TICK);
        if !is_shown {
            return Err(format!(
                "the two servers are alike: {pauses:?}, {retries:?}"
            ));
        }
        let mut table = String::from(
            "| server | CPU time in a second | new lines in the log | size of these lines |\n\
             |---|---|---|---|\n",
        );
        for (name, cost) in [("thread_per_client", pauses), (BUG, retries)] {
            let cpu = format!("{}.{:02} s", cost.cpu / 1000, cost.cpu % 1000 / 10);
            let (lines, kilobytes) =
                (grouped(cost.lines), grouped(cost.bytes.div_ceil(1000)));
            let _ =
                writeln!(table, "| `{name}` | {cpu} | {lines} | {kilobytes} kB |");
        }
        Ok(table)
    }

    /// What a server does in a second in which it has no file descriptor left.
    #[derive(Debug)]
    struct Cost {
        /// In milliseconds.
        cpu: u64,
        lines: usize,
        bytes: usize,
    }

    fn under_a_limit(name: &str) -> Result<Cost, String> {
        let scratch = Scratch::new(&format!("accept-{name}"))?;
        let log = scratch.folder("log")?.join("log.txt");
        measured(name, &log).map_err(|err| format!("{name}: {err}"))?
    }

    fn measured(name: &str, log: &Path) -> std::io::Result<Result<Cost, String>> {
        // Without `unsafe`, only a shell can set this limit for a child process.
        let script = format!("ulimit -n {LIMIT} && exec \"$0\" 127.0.0.1:0");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(example(name)).env("MUTANT", BUG);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = Running(command.stderr(File::create(log)?).spawn()?);
        let mut ready = String::new();
        if let Some(output) = server.0.stdout.take() {
            BufReader::new(output).read_line(&mut ready)?;
        }
        let address = ready.trim().strip_prefix("server ready on ");
        let Some(address) = address else { return Ok(Err(ready)) };
        let connect = |_| TcpStream::connect(address);
        let _clients =
            (0..CLIENTS).map(connect).collect::<std::io::Result<Vec<_>>>()?;
        let end = Instant::now() + PATIENCE;
        while !fs::read_to_string(log)?.contains("cannot accept: ") {
            if Instant::now() > end {
                return Ok(Err("`accept` does not fail".to_owned()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        let (cpu, old) = (server.cpu()?, fs::read(log)?.len());
        thread::sleep(Duration::from_secs(1));
        let cpu = server.cpu()? - cpu;
        let new = fs::read(log)?.split_off(old);
        let lines = new.lines().count();
        Ok(Ok(Cost { cpu, lines, bytes: new.len() }))
    }

    /// A process that is killed when this value is dropped.
    struct Running(Child);

    impl Running {
        /// Returns the CPU time that the process has used, in milliseconds.
        fn cpu(&self) -> std::io::Result<u64> {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
            let after_the_name = stat.rsplit(')').next().unwrap_or_default();
            let ticks = after_the_name.split_whitespace().skip(11).take(2);
            Ok(ticks.map(|ticks| ticks.parse().unwrap_or(0) * TICK).sum())
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// Returns the terminal of a sequential server. While it serves a client, another client
    /// connects and resets its connection.
    fn reset_in_the_queue() -> Result<String, String> {
        const NAME: &str = "sequential_server";
        const RESET: &str = "dropped: connection reset by the client";
        let failed = |err: std::io::Error| format!("{NAME}: {err}");
        let scratch = Scratch::new("accept-reset")?;
        let trace = scratch.folder("trace")?.join("trace");
        // Because of `-D`, this process stays the parent of the server.
        let mut strace = Command::new("strace");
        strace.args(["-D", "-s", "100", "-e", "trace=accept4,recvfrom,write", "-o"]);
        strace.arg(&trace).arg(example(NAME));
        let mut server = Server::start(NAME, strace, &[])?;
        let first = TcpStream::connect(server.address).map_err(failed)?;
        server.terminal.wait_for(1, " connected")?;
        let rude = TcpStream::connect(server.address).map_err(failed)?;
        // With a linger time of 0, a close resets the connection.
        let linger = Some(Duration::ZERO);
        SockRef::from(&rude).set_linger(linger).map_err(failed)?;
        drop(rude);
        drop(first);
        server.terminal.wait_for(1, RESET)?;
        server.terminal.close()?;

        // A reader's terminal has the calls and the lines of the server.
        let mut text = format!(
            "$ strace -e trace=accept4,recvfrom target/debug/examples/{NAME}\n"
        );
        let mut readable = Readable::new(1234, &server);
        for call in fs::read_to_string(trace).map_err(failed)?.lines() {
            if let Some((_, written)) = call.split_once("write(") {
                let line = written.split('"').nth(1).unwrap_or_default();
                text += &readable.text(&line.replace("\\n", "\n"));
                if line.contains(RESET) {
                    break;
                }
            } else {
                text += call;
                text.push('\n');
            }
        }
        // The addresses of the peers and of the buffers differ.
        let pattern = Regex::new(r"\{sa_family.*SOCK_CLOEXEC|0x[0-9a-f]+");
        let pattern = pattern.map_err(|err| err.to_string())?;
        Ok(pattern.replace_all(&text, "...").into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::is_current;

    #[test]
    fn a_table_is_current_whatever_its_numbers_are() {
        let row = "| `x` | 0.98 s | 1,234 | 56 kB |";
        assert!(is_current("table accept/limit", row, &row.replace("1,234", "999")));
        assert!(!is_current("table accept/limit", row, &row.replace('x', "y")));
        assert!(!is_current("table other", row, &row.replace("98", "97")));
    }
}
