//! One number, two ways to write its bytes: which does the network use?
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
//! No arguments.
//!
//! What to look for:
//!
//! - `<` is little-endian: the least significant byte first, as most processors of today
//!   store it. `>` is big-endian, and `!` is the network's order, which is big-endian
//!   (RFC 1700, "Data Notations").
//! - The last line is not on the slide: the same four bytes, read in the wrong order. No
//!   error, just another number. Nothing in the bytes says how to read them; both sides
//!   must have agreed.

// ANCHOR: program
use byteorder::{BigEndian, ByteOrder, LittleEndian, NetworkEndian};
use sockets101::{Args, Failure};

/// The slide's number.
const NUMBER: i32 = 1234;

fn main() -> Result<(), Failure> {
    Args::new("byte_order").finish();

    println!("hex(1234)                  {NUMBER:#x}");

    let mut bytes = [0; 4];
    LittleEndian::write_i32(&mut bytes, NUMBER);
    println!("pack('<i', 1234)           {}", hex(bytes));
    BigEndian::write_i32(&mut bytes, NUMBER);
    println!("pack('>i', 1234)           {}", hex(bytes));
    NetworkEndian::write_i32(&mut bytes, NUMBER);
    println!("pack('!i', 1234)           {}", hex(bytes));

    println!("unpack('>i', 00 00 04 d2)  {}", BigEndian::read_i32(&bytes));
    println!("unpack('!i', 00 00 04 d2)  {}", NetworkEndian::read_i32(&bytes));
    println!("unpack('<i', 00 00 04 d2)  {}", LittleEndian::read_i32(&bytes));
    Ok(())
}

fn hex(bytes: [u8; 4]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(" ")
}
// ANCHOR_END: program
