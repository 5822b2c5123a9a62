"""The far end of a distance meter: it answers PONG to anything.

Slide 3, "UDP server (TTL estimator)". Run: python3 docs/python/ttl_pong.py [IP:PORT]

Beside examples/ttl_pong.rs:

- An address is a tuple: (host, port), with IPv6 (host, port, flow, scope). peer[1]
  is the port of both. Rust has a type for it, SocketAddr.
- b"PONG" is bytes, as it is in Rust: a text would have to be encoded first.
"""

# ANCHOR: program
import socket

from sockets101 import Args, call_failed, cannot_listen, family, ip_port
from sockets101 import run, show, tell

# The slide's port.
PORT = 1234

# The most bytes of a datagram that are taken. Nobody looks at them.
LONGEST = 2048


def main():
    address = Args("ttl_pong [IP:PORT]").listen_address(PORT)
    try:
        server = bind(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    own = server.getsockname()
    show(f"server ready on {ip_port(own)}")

    while True:
        try:
            _, peer = server.recvfrom(LONGEST)
        except OSError as err:
            call_failed("receive", err)
            continue
        if peer[1] == own[1]:
            # A PONG from our own port number could be answered for ever.
            tell(peer, "dropped: sent from our own port number")
            continue
        try:
            server.sendto(b"PONG", peer)
        except OSError:
            tell(peer, "dropped: cannot be replied to")


def bind(address):
    server = socket.socket(family(address), socket.SOCK_DGRAM)
    server.bind(address)
    return server


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
