"""A datagram server: whatever bytes come, it sends them back in upper case.

Slide 1, "UDP server (bytes)". Run: python3 docs/python/udp_server_bytes.py [IP:PORT]

Beside examples/udp_server_bytes.rs:

- upper of bytes, as to_ascii_uppercase in Rust, knows the 26 letters of ASCII.
- Nothing in the line with sendto says that it can fail. Without its try, one
  datagram with a forged source ends the server; in Rust the compiler warns of a
  result that nobody looks at.
"""

# ANCHOR: program
import socket

from sockets101 import Args, call_failed, cannot_listen, family, ip_port
from sockets101 import run, show, tell

# The slide's port.
PORT = 1235

# The longest datagram that is received whole, in bytes.
LONGEST = 2048


def main():
    address = Args("udp_server_bytes [IP:PORT]").listen_address(PORT)
    try:
        server = bind(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    own = server.getsockname()
    show(f"server ready on {ip_port(own)}")

    while True:
        try:
            data, peer = server.recvfrom(LONGEST)
        except OSError as err:
            call_failed("receive", err)
            continue
        if peer[1] == own[1]:
            tell(peer, "dropped: sent from our own port number")
            continue
        try:
            server.sendto(data.upper(), peer)
        except OSError:
            tell(peer, "dropped: cannot be replied to")


def bind(address):
    server = socket.socket(family(address), socket.SOCK_DGRAM)
    server.bind(address)
    return server


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
