//! Blocks on a stream: a length, then that many bytes.

// ANCHOR: blocks
use std::io::{Error, ErrorKind, Read, Result, Write};

use byteorder::{ByteOrder, NetworkEndian, WriteBytesExt};

/// The longest message of a block, in bytes: 16 MiB.
///
/// Without a limit that both ends keep, the four bytes of a length let anybody
/// ask for 4 GiB of our memory.
pub const MAX_BLOCK: usize = 16 * 1024 * 1024;

/// The bytes of a length.
const PREFIX: usize = 4;

/// Reads exactly `length` bytes, however many reads that takes.
///
/// One read returns what has arrived, which need not be what the sender wrote in
/// one go: TCP keeps the bytes and their order, not the borders between writes
/// ([recv(2)], [RFC 9293], section 3.9.1.3). Memory grows with what arrives, not
/// with `length`.
///
/// Slide 9, "TCP server with recvall".
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
/// [RFC 9293]: https://www.rfc-editor.org/rfc/rfc9293
///
/// # Errors
///
/// [`ErrorKind::UnexpectedEof`] when the stream ends early; the text says how many
/// of how many bytes were left. Otherwise whatever the reader reports, but for
/// [`ErrorKind::Interrupted`], after which it reads again.
///
/// # Examples
///
/// ```
/// let mut stream = &b"hello, world"[..];
/// assert_eq!(sockets101::recvall(&mut stream, 5)?, b"hello");
///
/// let err = sockets101::recvall(&mut stream, 10).unwrap_err();
/// assert_eq!(err.kind(), std::io::ErrorKind::UnexpectedEof);
/// assert_eq!(err.to_string(), "3 of 10 bytes left");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn recvall(mut reader: impl Read, length: usize) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while data.len() < length {
        let left = length - data.len();
        match reader.by_ref().take(left as u64).read(&mut chunk) {
            Ok(0) => {
                let why = format!("{left} of {length} bytes left");
                return Err(Error::new(ErrorKind::UnexpectedEof, why));
            }
            Ok(n) => data.extend_from_slice(&chunk[..n]),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(data)
}

/// Sends `message` as one block: its length, then its bytes.
///
/// The length counts the message alone, as four bytes, the most significant first
/// (network byte order). `hi` travels as
///
/// ```text
///   00  00  00  02   68  69
///  └─ length: 2 ──┘ └ h   i ┘
/// ```
///
/// Both parts go out in one write. In two, the length would often travel in a
/// segment of its own, and the message wait until that was acknowledged.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] for a message over [`MAX_BLOCK`], of which nothing
/// is sent; otherwise whatever the writer reports.
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
    let length = checked(message.len(), ErrorKind::InvalidInput)?;
    let mut block = Vec::with_capacity(PREFIX + length);
    block.write_uint::<NetworkEndian>(length as u64, PREFIX)?;
    block.extend_from_slice(message);
    writer.write_all(&block)
}

/// Receives one block and returns its message.
///
/// The length is believed only up to [`MAX_BLOCK`], and costs no memory until the
/// bytes themselves arrive.
///
/// # Errors
///
/// [`ErrorKind::UnexpectedEof`] when the stream ends inside the block, in its
/// length or in its message, as for [`recvall`]; [`ErrorKind::InvalidData`] when
/// the announced length is over [`MAX_BLOCK`]; otherwise whatever the reader
/// reports.
///
/// # Examples
///
/// ```
/// let mut wire = &b"\x00\x00\x00\x02hi\x00\x00\x00\x00"[..];
/// assert_eq!(sockets101::get_block(&mut wire)?, b"hi");
/// assert_eq!(sockets101::get_block(&mut wire)?, b"");
///
/// let err = sockets101::get_block(&b"\xff\xff\xff\xff"[..]).unwrap_err();
/// assert_eq!(err.to_string(), "a block of 4294967295 bytes, the most is 16777216");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn get_block(mut reader: impl Read) -> Result<Vec<u8>> {
    let prefix = recvall(&mut reader, PREFIX)?;
    let length = NetworkEndian::read_u32(&prefix) as usize;
    recvall(reader, checked(length, ErrorKind::InvalidData)?)
}

/// The length, unless it is one that no block may have.
fn checked(length: usize, refusal: ErrorKind) -> Result<usize> {
    let why = || format!("a block of {length} bytes, the most is {MAX_BLOCK}");
    if length > MAX_BLOCK { Err(Error::new(refusal, why())) } else { Ok(length) }
}
// ANCHOR_END: blocks
