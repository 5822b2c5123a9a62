"""A UDP server that replies `PONG` to each datagram, so that a client can
measure the distance in hops.

Slide 3, "UDP server (TTL estimator)".
Run: python3 docs/python/ttl_pong.py [IP:PORT]

Differences from examples/ttl_pong.rs:

- Python's address is a tuple, Rust's is a SocketAddr, because Rust gives each
  kind of value its own type. The tuple is (host, port), or for IPv6 (host,
  port, flow, scope). `peer[1]` is the port of both.
- Python's `sendto` raises an exception, Rust's `send_to` returns a Result,
  because in Rust an error is a value.
- Python calls the socket `sock`, Rust `socket`, because Python's module has
  the name `socket`.
"""

import socket

from sockets101 import Args, address_family, cannot_listen, format_address
from sockets101 import log_and_pause, log_event, print_line, run

# The port of the slide.
PORT = 1234

# The size of the buffer, in bytes. The server does not look at what it
# receives.
BUFFER_SIZE = 2048


def main():
    args = Args("ttl_pong [IP:PORT]")
    address = args.listen_address(PORT)
    try:
        sock = bind(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    own_address = sock.getsockname()
    print_line(f"server ready on {format_address(own_address)}")

    while True:
        try:
            _, peer = sock.recvfrom(BUFFER_SIZE)
        except OSError as err:
            # The error may last. The pause keeps the log short.
            log_and_pause("receive", err)
            continue
        if peer[1] == own_address[1]:
            # The address of the sender can be forged. If it is the address of
            # this server, the server would reply to itself forever. This
            # machine can have several IP addresses, so only the port is
            # compared.
            log_event(peer, "dropped: sent from the server's own port number")
        else:
            reply(sock, peer)


def bind(address):
    # The arguments mean AF_INET or AF_INET6, SOCK_DGRAM, and the default
    # protocol.
    sock = socket.socket(address_family(address), socket.SOCK_DGRAM)
    sock.bind(address)
    return sock


def reply(sock, peer):
    try:
        sock.sendto(b"PONG", peer)
    except OSError:
        log_event(peer, "dropped: the reply could not be sent")


if __name__ == "__main__":
    run(main)
