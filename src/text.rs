//! Text that arrives in pieces.

use std::{io, mem};

/// Converts the bytes of a stream to text, even if a read ends inside a character.
///
/// In UTF-8, `é` is two bytes. A program can receive them with two different reads.
/// The decoder keeps the first byte until the second byte arrives. If the text is
/// valid, it keeps at most three bytes, because a character has at most four.
///
/// # Examples
///
/// ```
/// let mut decoder = sockets101::Decoder::default();
/// assert_eq!(decoder.decode(b"caf\xc3"), ("caf".to_string(), true));
/// assert_eq!(decoder.decode(b"\xa9!"), ("é!".to_string(), true));
///
/// // The decoder also returns the valid text before the first invalid byte.
/// assert_eq!(decoder.decode(b"ok\xff"), ("ok".to_string(), false));
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    /// The first bytes of a character whose other bytes have not arrived yet.
    incomplete: Vec<u8>,
}

impl Decoder {
    /// Adds the bytes of one read. Returns the text that is now complete, and
    /// whether all bytes so far are valid UTF-8.
    ///
    /// This decoder does not decode any more text after an invalid byte. Reply to
    /// the text, then close the connection.
    pub fn decode(&mut self, bytes: &[u8]) -> (String, bool) {
        let mut received = mem::take(&mut self.incomplete);
        received.extend_from_slice(bytes);
        match String::from_utf8(received) {
            Ok(text) => (text, true),
            Err(err) => {
                let valid_length = err.utf8_error().valid_up_to();
                // Without an error length, the bytes are valid so far, but the last
                // character is incomplete.
                let is_valid = err.utf8_error().error_len().is_none();
                let mut received = err.into_bytes();
                self.incomplete = received.split_off(valid_length);
                (String::from_utf8_lossy(&received).into_owned(), is_valid)
            }
        }
    }

    /// Checks that the last character of the stream is complete. Call this at the
    /// end of the stream.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if the last character is incomplete.
    pub fn finish(&self) -> io::Result<()> {
        if self.incomplete.is_empty() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "invalid UTF-8"))
        }
    }
}
