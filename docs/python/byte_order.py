"""One number, two ways to write its bytes: which does the network use?

Slide 7, "byte order over the network". Run: python3 docs/python/byte_order.py

Beside examples/byte_order.rs, whose output is the same, line for line:

- The order is a character of the format, and a wrong one is an error of the running
  program. In Rust it is a type, and a wrong one is an error of the compiler.
- unpack returns a tuple, of one number too.
"""

# ANCHOR: program
import struct

from sockets101 import Args, run

# The slide's number.
NUMBER = 1234


def main():
    Args("byte_order").finish()

    print("hex(1234)                 ", hex(NUMBER))

    data = struct.pack("<i", NUMBER)
    print("pack('<i', 1234)          ", data.hex(" "))
    data = struct.pack(">i", NUMBER)
    print("pack('>i', 1234)          ", data.hex(" "))
    data = struct.pack("!i", NUMBER)
    print("pack('!i', 1234)          ", data.hex(" "))

    print("unpack('>i', 00 00 04 d2) ", struct.unpack(">i", data)[0])
    print("unpack('!i', 00 00 04 d2) ", struct.unpack("!i", data)[0])
    print("unpack('<i', 00 00 04 d2) ", struct.unpack("<i", data)[0])


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
