//! Shows the bytes of one number in two orders, and which of them the network uses.
//!
//! Slide 7, "byte order over the network". In a terminal:
//!
//! ```text
//! $ cargo run --example byte_order
//! hex(1234)                  0x4d2
//! pack('<i', 1234)           d2 04 00 00
//! pack('>i', 1234)           00 00 04 d2
//! pack('!i', 1234)           00 00 04 d2
//! unpack('>i', 00 00 04 d2)  1234
//! unpack('!i', 00 00 04 d2)  1234
//! unpack('<i', 00 00 04 d2)  -771489792
//! ```
//!
//! This program does not have arguments.
//!
//! What to try:
//!
//! - `<` is little-endian: the least significant byte comes first. Most processors
//!   store numbers in this order. `>` is big-endian: the most significant byte comes
//!   first. `!` is network byte order, which is big-endian (RFC 1700, "Data
//!   Notations").
//! - The last line is not on the slide. It reads the same four bytes in the wrong
//!   order. The program prints a different number without an error. The bytes do not
//!   say how to read them, so client and server must agree on the order.
//! - Replace one `BigEndian` by `LittleEndian`. The program compiles, because the
//!   compiler cannot know which order the other program uses. The compiler only
//!   finds a misspelled name, such as `BigEndain`.

use byteorder::{BigEndian, ByteOrder, LittleEndian, NetworkEndian};
use sockets101::{Args, Failure, print_or_exit};

/// The number of the slide.
const NUMBER: i32 = 1234;

fn main() -> Result<(), Failure> {
    let args = Args::new("byte_order");
    args.finish();

    print_or_exit(format!("hex(1234)                  {NUMBER:#x}\n"));

    // Each `write_i32` writes the four bytes of the number to this buffer.
    let mut bytes = [0; 4];
    LittleEndian::write_i32(&mut bytes, NUMBER);
    print_or_exit(format!("pack('<i', 1234)           {}\n", hex(bytes)));
    BigEndian::write_i32(&mut bytes, NUMBER);
    print_or_exit(format!("pack('>i', 1234)           {}\n", hex(bytes)));
    NetworkEndian::write_i32(&mut bytes, NUMBER);
    print_or_exit(format!("pack('!i', 1234)           {}\n", hex(bytes)));

    let number = BigEndian::read_i32(&bytes);
    print_or_exit(format!("unpack('>i', 00 00 04 d2)  {number}\n"));
    let number = NetworkEndian::read_i32(&bytes);
    print_or_exit(format!("unpack('!i', 00 00 04 d2)  {number}\n"));
    let number = LittleEndian::read_i32(&bytes);
    print_or_exit(format!("unpack('<i', 00 00 04 d2)  {number}\n"));
    Ok(())
}

/// Returns the bytes as hexadecimal numbers, for example `d2 04 00 00`.
fn hex(bytes: [u8; 4]) -> String {
    let [a, b, c, d] = bytes;
    format!("{a:02x} {b:02x} {c:02x} {d:02x}")
}
