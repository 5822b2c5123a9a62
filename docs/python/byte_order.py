"""Shows the bytes of one number in two orders, and which of them the network
uses.

Slide 7, "byte order over the network". Run: python3 docs/python/byte_order.py

Differences from examples/byte_order.rs:

- Python selects the byte order with a character of the format. Rust selects it
  with a type, because Rust checks types before the program runs. If you write
  a character that does not exist, Python raises an exception when it runs the
  line. If you misspell the type, Rust does not compile the program.
- Python does not notice a wrong order, and neither does Rust, because the
  bytes do not say how to read them. Both then return another number.
- Python's `unpack` returns a tuple, Rust's `read_i32` returns a number,
  because a format can describe several numbers.
- Python's bytes have a method `hex`, Rust's do not, so the Rust program has a
  function with this name.
"""

import struct

from sockets101 import Args, print_or_exit, run

# The number of the slide.
NUMBER = 1234


def main():
    args = Args("byte_order")
    args.finish()

    print_or_exit(f"hex(1234)                  {NUMBER:#x}\n")

    # Each `pack` returns the four bytes of the number.
    data = struct.pack("<i", NUMBER)
    print_or_exit(f"pack('<i', 1234)           {data.hex(' ')}\n")
    data = struct.pack(">i", NUMBER)
    print_or_exit(f"pack('>i', 1234)           {data.hex(' ')}\n")
    data = struct.pack("!i", NUMBER)
    print_or_exit(f"pack('!i', 1234)           {data.hex(' ')}\n")

    (number,) = struct.unpack(">i", data)
    print_or_exit(f"unpack('>i', 00 00 04 d2)  {number}\n")
    (number,) = struct.unpack("!i", data)
    print_or_exit(f"unpack('!i', 00 00 04 d2)  {number}\n")
    (number,) = struct.unpack("<i", data)
    print_or_exit(f"unpack('<i', 00 00 04 d2)  {number}\n")


if __name__ == "__main__":
    run(main)
