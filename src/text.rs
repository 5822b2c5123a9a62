//! Text that arrives in pieces.

use std::{io, mem};

/// The error for bytes that are not UTF-8: [`io::ErrorKind::InvalidData`].
pub fn not_utf8() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not UTF-8")
}

/// Turns the bytes of a stream into text, wherever the reads cut them.
///
/// `é` is two bytes, and the two can come in two reads. The decoder keeps the first
/// until the second is there, so that how the network cut the bytes makes no
/// difference. It keeps three bytes at most; after a flaw, it stays at the flaw.
///
/// # Examples
///
/// ```
/// let mut decoder = sockets101::Decoder::default();
/// let (text, verdict) = decoder.feed(b"caf\xc3");
/// assert!(text == "caf" && verdict.is_ok());
/// let (text, verdict) = decoder.feed(b"\xa9!");
/// assert!(text == "é!" && verdict.is_ok());
///
/// // Good text before a flaw is handed back with the bad news.
/// let (text, verdict) = decoder.feed(b"ok\xff");
/// assert!(text == "ok" && verdict.is_err());
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a character whose end has not come.
    cut: Vec<u8>,
}

impl Decoder {
    /// Takes what a read gave, and returns the text that it completes.
    ///
    /// The second part is [`not_utf8`] when bytes that are not UTF-8 follow that text.
    /// Such a stream has lost its meaning: answer the text, then close.
    pub fn feed(&mut self, bytes: &[u8]) -> (String, io::Result<()>) {
        let bytes = [mem::take(&mut self.cut).as_slice(), bytes].concat();
        let mut verdict = Ok(());
        let text = String::from_utf8(bytes).unwrap_or_else(|err| {
            let (flaw, mut good) = (err.utf8_error(), err.into_bytes());
            self.cut = good.split_off(flaw.valid_up_to());
            verdict = flaw.error_len().map_or(Ok(()), |_| Err(not_utf8()));
            String::from_utf8_lossy(&good).into_owned()
        });
        (text, verdict)
    }

    /// To be asked when the stream has ended: was that inside a character?
    ///
    /// # Errors
    ///
    /// [`not_utf8`] when it was.
    pub fn finish(&self) -> io::Result<()> {
        if self.cut.is_empty() { Ok(()) } else { Err(not_utf8()) }
    }
}
