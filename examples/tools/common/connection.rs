//! One client: it connects, sends, receives and disconnects, politely or rudely.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::str;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use sockets101::put_block;

use super::lessons::{Kind, Row};

/// A time that is long enough for a server to read what was sent before.
pub const MOMENT: Duration = Duration::from_millis(30);

/// A connected client. A client of a datagram server is connected, too, so that the kernel
/// reports a refused datagram.
pub struct Connection {
    pub socket: Socket,
    kind: Kind,
    /// The server has closed its sending side, and this client has read everything before it.
    has_ended: bool,
}

impl Connection {
    /// Connects to a server.
    pub fn open(address: SocketAddr, kind: Kind, timeout: Duration) -> io::Result<Self> {
        let is_stream = kind != Kind::Datagram;
        let style = if is_stream { Type::STREAM } else { Type::DGRAM };
        let socket = Socket::new(Domain::for_address(address), style, None)?;
        socket.connect_timeout(&address.into(), timeout)?;
        socket.set_write_timeout(Some(timeout))?;
        if is_stream {
            // Each `send` is a segment of its own.
            socket.set_tcp_nodelay(true)?;
        }
        Ok(Self { socket, kind, has_ended: false })
    }

    /// Sends the bytes as one segment, or as one datagram.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        if self.kind == Kind::Datagram {
            return self.socket.send(bytes).map(drop).map_err(|err| self.portable(err));
        }
        (&self.socket).write_all(bytes)
    }

    /// Sends the bytes in pieces, with a pause after each, so that the server reads them one by
    /// one.
    pub fn send_in_pieces(&self, pieces: &[&[u8]]) -> io::Result<()> {
        for piece in pieces {
            self.send(piece)?;
            thread::sleep(MOMENT / 2);
        }
        Ok(())
    }

    /// Waits for bytes and appends them to `received`. Returns the number of bytes: 0 if the
    /// server has closed its sending side, or for an empty datagram.
    pub fn receive(&mut self, received: &mut Vec<u8>, timeout: Duration) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(timeout))?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match (&self.socket).read(&mut buffer) {
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(self.portable(err)),
                Ok(length) => {
                    self.has_ended = length == 0 && self.kind != Kind::Datagram;
                    received.extend(&buffer[..length]);
                    return Ok(length);
                }
            }
        }
    }

    /// Returns the error that Linux and macOS report. Windows reports a refused datagram as a
    /// reset (`WSAECONNRESET`).
    fn portable(&self, err: io::Error) -> io::Error {
        if self.kind == Kind::Datagram && err.kind() == ErrorKind::ConnectionReset {
            return ErrorKind::ConnectionRefused.into();
        }
        err
    }

    /// Closes the sending side. The client can still receive.
    pub fn half_close(&self) {
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Closes the connection with a reset.
    pub fn reset(self) {
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }
}

/// The side that closes first keeps the connection in `TIME_WAIT` for a minute, and a server
/// without `SO_REUSEADDR` cannot start again during this time. So when the server has closed
/// first, and only then, this client closes with a reset, which ends `TIME_WAIT`.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.has_ended {
            let _ = self.socket.set_linger(Some(Duration::ZERO));
        }
    }
}

/// Returns true if a server of this kind is at the address.
pub fn listens(address: SocketAddr, kind: Kind) -> bool {
    let Ok(connection) = Connection::open(address, kind, MOMENT * 10) else { return false };
    let _ = connection.send(if kind == Kind::Datagram { b"hello" } else { b"" });
    // A refused datagram is reported a moment later.
    thread::sleep(MOMENT);
    connection.socket.take_error().is_ok_and(|err| err.is_none())
}

/// Returns true if an error means that nothing came before the timeout.
pub fn is_timeout(err: &io::Error) -> bool {
    matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Returns the bytes of a message: with its length in front, if the server expects that.
pub fn framed(kind: Kind, message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    match kind {
        Kind::Block if put_block(&mut frame, message).is_ok() => frame,
        _ => message.to_vec(),
    }
}

/// Returns the correct reply to a text, without a length in front.
pub fn reply(row: &Row, text: &str) -> Vec<u8> {
    match row.name {
        "udp_server_bytes" => text.to_ascii_uppercase().into(),
        "ttl_pong" => b"PONG".into(),
        _ => text.to_uppercase().into(),
    }
}

/// The largest number of bytes that is shown. Of more, only the number is shown.
pub const LONG: usize = 48;

/// Formats bytes as text in quotation marks, or in hexadecimal if they are not text. The length
/// in front of a message is always hexadecimal.
pub fn shown(kind: Kind, bytes: &[u8]) -> String {
    let prefix = if kind == Kind::Block { bytes.len().min(4) } else { 0 };
    let (prefix, bytes) = bytes.split_at(prefix);
    let hex = |bytes: &[u8]| {
        let numbers: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        numbers.join(" ")
    };
    let is_text = |text: &&str| !text.contains(|c: char| c.is_control() && !"\n\r\0".contains(c));
    let body = match str::from_utf8(bytes).ok().filter(is_text) {
        Some("") => String::new(),
        _ if bytes.len() > LONG => format!("{} bytes", bytes.len()),
        Some(text) => {
            let text = text.replace('\n', "\\n").replace('\r', "\\r").replace('\0', "\\0");
            format!("\"{text}\"")
        }
        None => hex(bytes),
    };
    format!("{} {body}", hex(prefix)).trim().to_owned()
}
