//! Measures the figures that the pages quote.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::stage::{PATIENCE, Server, example};

/// Measures all of them at the same time, because most of the time is waiting.
pub fn measure() -> Result<Vec<(String, String)>, String> {
    thread::scope(|scope| {
        let slow = |name, clients| scope.spawn(move || seconds(name, clients));
        let sequential =
            [1, 2, 4].map(|clients| slow("slow_sequential_server", clients));
        let threads =
            [1, 2, 4, 8].map(|clients| slow("slow_thread_per_client", clients));
        let pool =
            [1, 4, 8].map(|clients| slow("slow_thread_pool_timeout", clients));
        let pool_ends = scope.spawn(pool_ends);
        let backlogs = [(1, 8), (100, 110)].map(|(backlog, clients)| {
            scope.spawn(move || complete(backlog, clients))
        });

        let mut figures = Vec::new();
        let mut add =
            |name: &str, value: String| figures.push((name.to_owned(), value));
        for (name, clients, measured) in [
            ("sequential", vec![1, 2, 4], Vec::from(sequential)),
            ("threads", vec![1, 2, 4, 8], Vec::from(threads)),
            ("pool", vec![1, 4, 8], Vec::from(pool)),
        ] {
            for (clients, measured) in clients.into_iter().zip(measured) {
                add(&format!("{name}_{clients}"), joined(measured)?);
            }
        }
        add("pool_ends", joined(pool_ends)?);
        for (name, count) in ["backlog_1", "backlog_100"].into_iter().zip(backlogs) {
            add(name, joined(count)?);
        }
        add("datagram_3000", datagram_of_3000()?);
        add("message_5000", message_of_5000()?);
        add("hell", announced_by_hell()?);

        Ok(figures)
    })
}

fn joined<T>(
    measured: thread::ScopedJoinHandle<Result<T, String>>,
) -> Result<T, String> {
    measured.join().map_err(|_| "a measurement panicked".to_owned())?
}

fn start(name: &str, options: &[&str]) -> Result<Server, String> {
    Server::start(name, Command::new(example(name)), options)
}

/// Returns when the clients of a slow server have their replies, if all connect at the same
/// time: in seconds, in the order of the replies. A sleep can be longer than it should, but not
/// shorter, so only the number of complete sleeps counts.
fn seconds(name: &str, clients: usize) -> Result<String, String> {
    const DELAY: u64 = 5;
    let server = start(name, &[])?;
    let together = Instant::now();
    let answers = thread::scope(|scope| {
        let answered = || answered(server.address).map(|()| together.elapsed());
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(answered)).collect();
        clients
            .into_iter()
            .map(|client| client.join().map_err(|_| io::ErrorKind::Other)?)
            .collect::<io::Result<Vec<_>>>()
    });
    let mut answers = answers.map_err(|err| format!("{name}: {err}"))?;
    answers.sort_unstable();
    let whole: Vec<_> =
        answers.iter().map(|time| time.as_secs() / DELAY * DELAY).collect();
    let text = match whole.split_last() {
        Some((last, others))
            if others.is_empty() || others.iter().all(|other| other == last) =>
        {
            last.to_string()
        }
        Some((last, others)) if others.len() < 4 => {
            let others: Vec<_> = others.iter().map(u64::to_string).collect();
            format!("{} and {last}", others.join(", "))
        }
        _ => {
            let first = whole.iter().filter(|time| **time == whole[0]).count();
            format!(
                "{first} after {} and {} after {}",
                whole[0],
                whole.len() - first,
                whole[whole.len() - 1]
            )
        }
    };
    Ok(text)
}

/// Connects, sends a request, and waits for the reply.
fn answered(server: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"hello")?;
    stream.read_exact(&mut [0; 5])
}

/// Returns after how many seconds without a client the pool exits.
fn pool_ends() -> Result<String, String> {
    const TIMEOUT: u64 = 20;
    let start_of_wait = Instant::now();
    let mut server = start("thread_pool_timeout", &[])?;
    server.terminal.wait()?;
    Ok((start_of_wait.elapsed().as_secs() / TIMEOUT * TIMEOUT).to_string())
}

/// Returns how many of these clients get a connection while the server serves another one.
fn complete(backlog: usize, clients: usize) -> Result<String, String> {
    let server = start("listen_backlog", &["--backlog", &backlog.to_string()])?;
    let busy = TcpStream::connect(server.address).map_err(|err| err.to_string())?;
    server.terminal.wait_for(1, " connected")?;
    // One after another. If two connect at the same moment, both can get a connection although
    // there is room for only one.
    let limit = Duration::from_millis(300);
    let connect = |_| TcpStream::connect_timeout(&server.address, limit).ok();
    let connected: Vec<_> = (0..clients).filter_map(connect).collect();
    drop(busy);
    Ok(connected.len().to_string())
}

/// Returns how many bytes of a datagram of 3,000 bytes come back.
fn datagram_of_3000() -> Result<String, String> {
    let server = start("udp_server_bytes", &[])?;
    let ask = || {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.send_to(&[b'x'; 3000], server.address)?;
        socket.recv(&mut [0; 4000])
    };
    ask().map(grouped).map_err(|err| err.to_string())
}

/// Returns how many bytes of a message of 5,000 bytes come back from a server that reads once.
fn message_of_5000() -> Result<String, String> {
    let server = start("tcp_server", &[])?;
    let ask = || {
        let mut stream = TcpStream::connect(server.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&[b'x'; 5000])?;
        stream.read_to_end(&mut Vec::new())
    };
    ask().map(grouped).map_err(|err| err.to_string())
}

/// Returns the length that the server reads from the first four bytes of `hello`.
fn announced_by_hell() -> Result<String, String> {
    let server = start("recvall_server", &[])?;
    let mut stream =
        TcpStream::connect(server.address).map_err(|err| err.to_string())?;
    stream.write_all(b"hello\n").map_err(|err| err.to_string())?;
    server.terminal.wait_for(1, "the limit is 16777216)")?;
    let output = server.terminal.output();
    let length = output
        .split("message too long (")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok());
    length.map(grouped).ok_or(output)
}

/// Formats a number with a comma before every three digits.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
