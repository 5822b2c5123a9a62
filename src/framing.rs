//! Length-prefixed messages on a stream: first a length, then that many bytes.

use std::io::{Error, ErrorKind, Read, Result, Write};

use byteorder::{ByteOrder, NetworkEndian, WriteBytesExt};

/// The largest message that we send or receive, in bytes: 16 MiB.
///
/// The length comes from the other program. Without a limit, four bytes from a
/// client could make the server allocate 4 GiB of memory.
pub const MAX_BLOCK: usize = 16 * 1024 * 1024;

/// The size of the length prefix, in bytes.
const PREFIX_SIZE: usize = 4;

/// Reads exactly `length` bytes from a stream. Calls `read` as often as necessary.
///
/// One `read` returns the bytes that have arrived ([recv(2)]). These are often only
/// a part of what the sender wrote with one call. TCP keeps the order of the bytes,
/// but not the boundaries between writes ([RFC 9293], section 3.9.1.3). Even if
/// `length` is large, memory grows only as bytes arrive.
///
/// Slide 9, "TCP server with recvall".
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
/// [RFC 9293]: https://www.rfc-editor.org/rfc/rfc9293
///
/// # Errors
///
/// [`ErrorKind::UnexpectedEof`] if the stream ends early. The message says how many
/// bytes are missing. Any other error comes from `reader`. If a signal interrupts a
/// `read` ([`ErrorKind::Interrupted`]), `recvall` reads again.
///
/// # Examples
///
/// ```
/// let mut stream = &b"hello, world"[..];
/// assert_eq!(sockets101::recvall(&mut stream, 5)?, b"hello");
///
/// let err = sockets101::recvall(&mut stream, 10).unwrap_err();
/// assert_eq!(err.kind(), std::io::ErrorKind::UnexpectedEof);
/// assert_eq!(
///     err.to_string(),
///     "connection closed in the middle of a message (3 of 10 bytes missing)"
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn recvall(mut reader: impl Read, length: usize) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while data.len() < length {
        let missing = length - data.len();
        // Do not read beyond the end of this message, because the next bytes belong
        // to the next message.
        let limit = missing.min(buffer.len());
        match reader.read(&mut buffer[..limit]) {
            Ok(0) => return Err(incomplete(missing, length)),
            Ok(count) => data.extend_from_slice(&buffer[..count]),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(data)
}

/// Sends `message` as one length-prefixed message: its length, then its bytes.
///
/// The length counts the bytes of the message without the prefix. The prefix has
/// four bytes, with the most significant byte first (network byte order). For `hi`,
/// the function sends
///
/// ```text
///   00  00  00  02   68  69
///  └─ length: 2 ──┘ └ h   i ┘
/// ```
///
/// One write sends both parts. With two writes, Nagle's algorithm and delayed ACK
/// can delay the second part. On Linux, this delay is 40 to 200 ms.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if the message is larger than [`MAX_BLOCK`]. In this
/// case, the function sends nothing. Any other error comes from `writer`.
///
/// # Examples
///
/// ```
/// let mut wire = Vec::new();
/// sockets101::put_block(&mut wire, b"hi")?;
/// assert_eq!(wire, b"\x00\x00\x00\x02hi");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn put_block(mut writer: impl Write, message: &[u8]) -> Result<()> {
    let length = message.len();
    check_length(length, ErrorKind::InvalidInput)?;
    let mut bytes = Vec::with_capacity(PREFIX_SIZE + length);
    bytes.write_uint::<NetworkEndian>(length as u64, PREFIX_SIZE)?;
    bytes.extend_from_slice(message);
    writer.write_all(&bytes)
}

/// Receives one length-prefixed message and returns its bytes.
///
/// # Errors
///
/// - [`ErrorKind::UnexpectedEof`] if the stream ends in the middle of the length or
///   of the message, as in [`recvall`].
/// - [`ErrorKind::InvalidData`] if the length is larger than [`MAX_BLOCK`].
/// - Any other error comes from `reader`.
///
/// # Examples
///
/// ```
/// let mut wire = &b"\x00\x00\x00\x02hi\x00\x00\x00\x00"[..];
/// assert_eq!(sockets101::get_block(&mut wire)?, b"hi");
/// assert_eq!(sockets101::get_block(&mut wire)?, b"");
///
/// let err = sockets101::get_block(&b"\xff\xff\xff\xff"[..]).unwrap_err();
/// assert_eq!(
///     err.to_string(),
///     "message too long (4294967295 bytes; the limit is 16777216)"
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn get_block(mut reader: impl Read) -> Result<Vec<u8>> {
    let prefix = recvall(&mut reader, PREFIX_SIZE)?;
    let length = NetworkEndian::read_u32(&prefix) as usize;
    check_length(length, ErrorKind::InvalidData)?;
    recvall(reader, length)
}

/// Returns the error for a stream that ends before a message is complete.
fn incomplete(missing: usize, length: usize) -> Error {
    let missing = format!("{missing} of {length} bytes missing");
    let why = format!("connection closed in the middle of a message ({missing})");
    Error::new(ErrorKind::UnexpectedEof, why)
}

/// Returns an error of this kind if a message would be larger than [`MAX_BLOCK`].
fn check_length(length: usize, kind: ErrorKind) -> Result<()> {
    if length <= MAX_BLOCK {
        return Ok(());
    }
    let why = format!("message too long ({length} bytes; the limit is {MAX_BLOCK})");
    Err(Error::new(kind, why))
}
