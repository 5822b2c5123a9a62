//! The command line, and the error with which a program exits.

use std::io::{self, BufRead, IsTerminal};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::{ffi::OsString, fmt, process, str::FromStr, time::Duration};

use lexopt::{Arg::Long, Arg::Value, Parser};

use crate::{log_line, lookup_error, print_or_exit};

/// The name under which positional arguments are stored.
const POSITIONAL: &str = "argument";

/// The error with which a program exits: one sentence for the user.
///
/// If `main` returns a `Failure`, Rust prints `Error: ` and the sentence, and the
/// exit status is 1. The `?` operator converts any other error into a `Failure`.
pub struct Failure(String);

/// Prints the sentence without quotes. If `main` returns an error, Rust prints it
/// with `Debug`. Therefore `Debug` must give readable text.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: fmt::Display> From<T> for Failure {
    fn from(sentence: T) -> Self {
        Self(sentence.to_string())
    }
}

/// The command-line arguments of an example: positional arguments and options.
///
/// You write an option as `--name VALUE`. If the usage line shows it without a
/// value, you write only `--name`. Options may come before, between or after the
/// positional arguments. All arguments after `--` are positional.
///
/// If the command line has a mistake, the program prints an error message and the
/// usage line. It then exits with status 2. `--help` prints the usage line, and the
/// program exits with status 0.
pub struct Args {
    usage: &'static str,
    /// The rest of `usage`, from the positional argument that was read last.
    unread: &'static str,
    /// Pairs of name and value. The name is `--delay`, for example, or
    /// [`POSITIONAL`].
    given: Vec<(String, OsString)>,
}

impl Args {
    /// Reads the command line.
    ///
    /// `usage` is the name of the program and its arguments, for example
    /// `"listen_backlog [IP:PORT] [--backlog 100]"`. It also defines which options
    /// exist. In `usage`, positional arguments come before the options.
    pub fn new(usage: &'static str) -> Self {
        let mut args = Self { usage, unread: usage, given: Vec::new() };
        args.read(Parser::from_env()).unwrap_or_else(|err| args.refuse(err));
        args
    }

    fn read(&mut self, mut line: Parser) -> Result<(), lexopt::Error> {
        while let Some(arg) = line.next()? {
            match arg {
                Value(value) => self.given.push((POSITIONAL.into(), value)),
                Long("help") => {
                    print_or_exit(self.usage_line() + "\n");
                    process::exit(0);
                }
                Long(name) if self.usage.contains(&format!("[--{name}]")) => {
                    self.given.push((format!("--{name}"), "true".into()));
                }
                Long(name) if self.usage.contains(&format!("[--{name} ")) => {
                    let name = format!("--{name}");
                    self.given.retain(|(other, _)| *other != name);
                    self.given.push((name, line.value()?));
                }
                unknown => return Err(unknown.unexpected()),
            }
        }
        Ok(())
    }

    /// Returns the address that a server should listen on, and rejects leftover
    /// arguments. Call this last.
    ///
    /// The argument is `IP:PORT`, or only `PORT`, which means 127.0.0.1:PORT.
    /// Without an argument, the address is 127.0.0.1 with the port `default_port`.
    /// Programs on other machines cannot connect to 127.0.0.1.
    pub fn listen_address(self, default_port: u16) -> SocketAddr {
        self.listen_address_at(Ipv4Addr::LOCALHOST.into(), default_port)
    }

    /// Does the same as [`Args::listen_address`] with the IP address `default_ip`
    /// instead of 127.0.0.1.
    pub fn listen_address_at(
        mut self,
        default_ip: IpAddr,
        default_port: u16,
    ) -> SocketAddr {
        let text = self.positional(default_port.to_string());
        self.finish();
        match parse_address(&text, default_ip) {
            Some(address) => address,
            None => self.refuse_address(&text, "IP:PORT or PORT"),
        }
    }

    /// Returns the address of the server to which a client should connect.
    ///
    /// The argument is as in [`Args::listen_address`], or `HOST:PORT`. A host can
    /// have both IPv4 and IPv6 addresses. This function then returns the first IPv4
    /// address, because our servers listen on an IPv4 address by default.
    ///
    /// # Errors
    ///
    /// If the lookup of the host name fails.
    pub fn server_address(&mut self, port: u16) -> Result<SocketAddr, Failure> {
        let text = self.positional(port.to_string());
        let address = match parse_address(&text, Ipv4Addr::LOCALHOST.into()) {
            Some(address) => address,
            None => self.look_up(&text)?,
        };
        if address.port() == 0 {
            self.refuse("expected a port from 1 to 65535, got '0'");
        }
        Ok(address)
    }

    /// Looks up the address of `HOST:PORT`.
    fn look_up(&self, text: &str) -> Result<SocketAddr, Failure> {
        let expected = "IP:PORT, HOST:PORT or PORT";
        if text.parse::<Ipv6Addr>().is_ok() {
            self.refuse_address(text, expected);
        }
        let missing = format!("{text} has no address");
        match text.to_socket_addrs() {
            Ok(found) => Ok(found.min_by_key(SocketAddr::is_ipv6).ok_or(missing)?),
            Err(err) if err.kind() == io::ErrorKind::InvalidInput => {
                self.refuse_address(text, expected)
            }
            Err(err) => Err(format!("{text} {}", lookup_error(&err)).into()),
        }
    }

    /// Returns the next positional argument, or `default` after the last argument.
    pub fn positional<T: FromStr>(&mut self, default: T) -> T {
        // The usage line shows the name as `[NAME]`, `[NAME=DEFAULT]` or `[NAME [`.
        (_, self.unread) = self.unread.split_once(" [").unwrap_or_default();
        let name = self.unread.split(['=', ' ', ']']).next().unwrap_or_default();
        self.value(POSITIONAL, name, default)
    }

    /// Returns the value of an option such as `--backlog`, or `default` if the
    /// option was not given. If it was given twice, the last value counts.
    pub fn option<T: FromStr>(&mut self, name: &str, default: T) -> T {
        self.value(name, name, default)
    }

    /// Takes the first value that is stored as `key`, and converts it. The error
    /// message calls it `name`.
    fn value<T: FromStr>(&mut self, key: &str, name: &str, default: T) -> T {
        let index = self.given.iter().position(|(other, _)| other == key);
        let Some(index) = index else { return default };
        let (_, value) = self.given.remove(index);
        let text = value.to_string_lossy();
        let Ok(parsed) = text.parse() else {
            self.refuse(format!("'{text}' is not a valid value for {name}"))
        };
        parsed
    }

    /// Returns the value of an option such as `--delay`: a number of seconds.
    ///
    /// The number may be a fraction or 0.
    pub fn seconds(&mut self, name: &str, default: f64) -> Duration {
        self.seconds_from(0.0, name, default)
    }

    /// Returns the value of an option such as `--timeout`: a number of seconds.
    ///
    /// The number may be a fraction. It is at least 0.001, because a socket cannot
    /// have a timeout of 0.
    pub fn timeout(&mut self, name: &str, default: f64) -> Duration {
        self.seconds_from(0.001, name, default)
    }

    fn seconds_from(&mut self, least: f64, name: &str, default: f64) -> Duration {
        let seconds = self.option(name, default);
        if !(least..=1e6).contains(&seconds) {
            let limits = format!("from {least} to 1000000 seconds");
            self.refuse(format!("expected {name} {limits}, got {seconds}"));
        }
        Duration::from_secs_f64(seconds)
    }

    /// Returns the texts that a client should send. Call this last.
    ///
    /// The texts are the remaining arguments. Without such arguments, they are the lines
    /// of standard input without their line ends. The texts are bytes, so that you
    /// can also send invalid UTF-8. If the kernel cannot read standard input, the
    /// item is an error.
    pub fn texts(self) -> Box<dyn Iterator<Item = io::Result<Vec<u8>>>> {
        if !self.given.is_empty() {
            let texts = self.given.into_iter();
            return Box::new(texts.map(|(_, text)| Ok(text.into_encoded_bytes())));
        }
        let input = io::stdin().lock();
        if input.is_terminal() {
            let advice = "Type a line and press Enter to send it. \
                          To finish, press Ctrl-D (on Windows: Ctrl-Z, then Enter).";
            log_line(advice);
        }
        // On Windows, a line can end with `\r\n`.
        let cut = |line: Vec<u8>| line.strip_suffix(b"\r").unwrap_or(&line).to_vec();
        Box::new(input.split(b'\n').map(move |line| line.map(cut)))
    }

    /// Rejects leftover arguments. Programs that are neither clients nor servers
    /// call this last.
    pub fn finish(&self) {
        if let Some((name, text)) = self.given.first() {
            self.refuse(format!("unexpected {name} '{}'", text.to_string_lossy()));
        }
    }

    fn usage_line(&self) -> String {
        let arguments = self.usage.replacen(" [", " -- [", 1);
        format!("usage: cargo run --example {arguments}")
    }

    /// Prints an error message and the usage line, and exits with status 2.
    ///
    /// A program calls this function if it cannot use a value that has the right
    /// type.
    pub fn refuse(&self, mistake: impl fmt::Display) -> ! {
        log_line(format!("Error: {mistake}\n{}", self.usage_line()));
        process::exit(2);
    }

    /// Refuses an address, and says what is wrong with it.
    ///
    /// The most common mistake with IPv6 is to forget the brackets around the IP
    /// address.
    fn refuse_address(&self, text: &str, expected: &str) -> ! {
        let mut mistake = format!("expected {expected}, got '{text}'");
        let (ip, port) = text.rsplit_once(':').unwrap_or_default();
        if ip.contains(':') && !text.contains('[') {
            let advice = format!("an IPv6 address needs brackets: [{ip}]:{port}");
            mistake = format!("{mistake}; {advice}");
        }
        self.refuse(mistake)
    }
}

/// Parses `IP:PORT`, or `PORT` at `default_ip`. Returns `None` for any other text.
fn parse_address(text: &str, default_ip: IpAddr) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(port) = text.parse::<u16>() {
        return Some(SocketAddr::new(default_ip, port));
    }
    // In `[fe80::1%eth0]:PORT`, `eth0` is a network interface. Only the operating
    // system knows its number.
    let (ip, interface) = text.strip_prefix('[')?.split_once('%')?;
    ip.parse::<Ipv6Addr>().ok()?;
    let (interface, port) = interface.split_once("]:")?;
    let port: u16 = port.parse().ok()?;
    (format!("{ip}%{interface}"), port).to_socket_addrs().ok()?.next()
}
