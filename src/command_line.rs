//! The command line, and the sentence that a program ends with.

use std::io::{self, BufRead, IsTerminal};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::{ffi::OsString, fmt, process, str::FromStr, time::Duration};

use lexopt::{Arg::Long, Arg::Value, Parser};

use crate::{say, unresolved};

/// The name of those that have none.
const POSITIONAL: &str = "an argument";

/// Why a program ends early, in one sentence for the person at the terminal.
///
/// `fn main() -> Result<(), Failure>` prints it after `Error: ` and exits with 1. Any
/// error becomes one with `?`, and so does a text.
pub struct Failure(String);

/// The sentence itself: it is what the standard library prints, by way of `Debug`, of an
/// error that `main` returns.
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

/// The arguments of an example: positional ones in order, and named ones,
/// `--name VALUE`, before, between or after them. `--` ends the named ones.
///
/// One that needs no value, `[--name]` in the usage line, is an option whose value is `true`.
///
/// A mistake ends the program with a sentence, the usage line and exit status 2; `--help`
/// prints the usage line and ends it with 0.
pub struct Args {
    usage: &'static str,
    /// Name and value, as in `--delay` and `5`; positional ones are called [`POSITIONAL`].
    given: Vec<(String, OsString)>,
}

impl Args {
    /// Reads the command line.
    ///
    /// `usage` is the program's name and arguments, such as
    /// `"listen_backlog [IP:PORT] [--backlog 100]"`. An option that is not in it does not
    /// exist, so that what it says is true.
    pub fn new(usage: &'static str) -> Self {
        let mut args = Self { usage, given: Vec::new() };
        args.read(Parser::from_env()).unwrap_or_else(|err| args.refuse(err));
        args
    }

    fn read(&mut self, mut line: Parser) -> Result<(), lexopt::Error> {
        while let Some(arg) = line.next()? {
            match arg {
                Value(value) => self.given.push((POSITIONAL.into(), value)),
                Long("help") => {
                    println!("{}", self.usage_line());
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

    /// The last to be called by a server: where to listen. `IP:PORT`, or `PORT` on
    /// 127.0.0.1, which only this machine reaches; without the argument, `port` there.
    pub fn listen_address(mut self, port: u16) -> SocketAddr {
        let address = self.address(port);
        self.finish();
        let wanted = "neither IP:PORT nor PORT; the IP is a number, not a name";
        address.unwrap_or_else(|text| self.refuse(format!("'{text}' is {wanted}")))
    }

    /// Which server a client is to talk to: as for [`Args::listen_address`], or
    /// `HOST:PORT`, of which the first IPv4 address is taken, if there is one (our
    /// servers listen on IPv4 unless told otherwise).
    ///
    /// # Errors
    ///
    /// When the name cannot be resolved.
    pub fn server_address(&mut self, port: u16) -> Result<SocketAddr, Failure> {
        self.address(port).or_else(|text| match text.to_socket_addrs() {
            Ok(to) => Ok(to.min_by_key(SocketAddr::is_ipv6).ok_or("no address")?),
            Err(err) if err.kind() == io::ErrorKind::InvalidInput => {
                self.refuse(format!("'{text}' is not IP:PORT, HOST:PORT or PORT"))
            }
            Err(err) => Err(format!("{text} {}", unresolved(&err)).into()),
        })
    }

    /// The next positional argument, or `default` where there is none.
    pub fn positional<T: FromStr>(&mut self, default: T) -> T {
        self.option(POSITIONAL, default)
    }

    /// The value of `name`, such as `--backlog`, or `default`. Given twice, the last one counts.
    pub fn option<T: FromStr>(&mut self, name: &str, default: T) -> T {
        let place = self.given.iter().position(|(other, _)| other == name);
        let Some(place) = place else { return default };
        let (_, value) = self.given.remove(place);
        let wrong = |_| self.refuse(format!("{value:?} is no value for {name}"));
        value.to_string_lossy().parse().unwrap_or_else(wrong)
    }

    /// The value of `name`, such as `--delay`, in seconds, fractions allowed, or `default`.
    /// `least` is the shortest: a delay may be 0; a time limit may not, as 0 would mean none.
    pub fn seconds(&mut self, name: &str, default: f64, least: f64) -> Duration {
        let seconds = self.option(name, default);
        if !(least..=1e6).contains(&seconds) {
            self.refuse(format!("{name} takes {least} to 1000000 seconds"));
        }
        Duration::from_secs_f64(seconds)
    }

    /// The last to be called by a client: the texts to send. The remaining arguments, or
    /// where there are none the lines of standard input, without their line ends. They are
    /// bytes, so that a student can also send what is not UTF-8. An item is an error where
    /// standard input cannot be read.
    pub fn texts(self) -> Box<dyn Iterator<Item = io::Result<Vec<u8>>>> {
        if !self.given.is_empty() {
            let texts = self.given.into_iter();
            return Box::new(texts.map(|(_, text)| Ok(text.into_encoded_bytes())));
        }
        let input = io::stdin().lock();
        if input.is_terminal() {
            say("type a line, Enter sends it; Ctrl-D (Windows: Ctrl-Z, Enter) ends");
        }
        let cut = |line: Vec<u8>| line.strip_suffix(b"\r").unwrap_or(&line).to_vec();
        Box::new(input.split(b'\n').map(move |line| line.map(cut)))
    }

    /// The last to be called by another program: refuses what is left over.
    pub fn finish(&self) {
        if let Some((_, text)) = self.given.first() {
            self.refuse(format!("{text:?} is one argument too many"));
        }
    }

    /// The next argument as an address; as it stands, where it is none.
    fn address(&mut self, port: u16) -> Result<SocketAddr, String> {
        let text = self.positional(port.to_string());
        let local = text.parse().map(|port| (Ipv4Addr::LOCALHOST, port).into());
        text.parse().or(local).map_err(|_| text)
    }

    fn usage_line(&self) -> String {
        let words = self.usage.replacen(" [", " -- [", 1);
        format!("usage: cargo run --example {words}")
    }

    fn refuse(&self, mistake: impl fmt::Display) -> ! {
        say(format_args!("Error: {mistake}\n{}", self.usage_line()));
        process::exit(2);
    }
}
