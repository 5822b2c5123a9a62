"""A datagram server that reads the bytes as text before it sends them back in upper
case.

Slide 2, "UDP server (text)". Run: python3 docs/python/udp_server.py [IP:PORT]

Beside examples/udp_server.rs:

- UnicodeDecodeError is no OSError: who catches the errors of the network has not
  caught it. In Rust, from_utf8 returns a result, and the text is inside.
- print raises where stdout has no code for a letter, or nobody reads it any more.
  show does not.
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
    address = Args("udp_server [IP:PORT]").listen_address(PORT)
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
            answer(server, peer, data.decode("utf-8").upper())
        except UnicodeDecodeError:
            tell(peer, "dropped: not UTF-8")


def bind(address):
    server = socket.socket(family(address), socket.SOCK_DGRAM)
    server.bind(address)
    return server


def answer(server, peer, reply):
    show(reply)
    try:
        server.sendto(reply.encode("utf-8"), peer)
    except OSError:
        tell(peer, "dropped: cannot be replied to")


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
