"""A UDP server that decodes each datagram as text and replies with the text in
upper case.

Slide 2, "UDP server (text)". Run: python3 docs/python/udp_server.py [IP:PORT]

Differences from examples/udp_server.rs:

- Python's `decode` raises UnicodeDecodeError, Rust's `from_utf8` returns a
  Result, because in Rust an error is a value. In Python, `except OSError` does
  not catch UnicodeDecodeError, because it is a subclass of ValueError.
- Python's `print` raises an exception if stdout is closed. Rust's `println!`
  panics, because both languages assume that a program needs its output. Both
  servers call `print_line` instead, which continues.
- Python calls the socket `sock`, Rust `socket`, because Python's module has
  the name `socket`.
"""

import socket

from sockets101 import Args, address_family, cannot_listen, format_address
from sockets101 import log_and_pause, log_event, print_line, run

# The port of the slide.
PORT = 1235

# The largest datagram that the server receives completely, in bytes.
BUFFER_SIZE = 2048


def main():
    args = Args("udp_server [IP:PORT]")
    address = args.listen_address(PORT)
    try:
        sock = bind(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    own_address = sock.getsockname()
    print_line(f"server ready on {format_address(own_address)}")

    while True:
        try:
            datagram, peer = sock.recvfrom(BUFFER_SIZE)
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
            handle_datagram(sock, peer, datagram)


def bind(address):
    # The arguments mean AF_INET or AF_INET6, SOCK_DGRAM, and the default
    # protocol.
    sock = socket.socket(address_family(address), socket.SOCK_DGRAM)
    sock.bind(address)
    return sock


def handle_datagram(sock, peer, datagram):
    try:
        text = datagram.decode("utf-8")
    except UnicodeDecodeError:
        log_event(peer, "dropped: invalid UTF-8")
        return
    reply = text.upper()
    print_line(reply)
    try:
        sock.sendto(reply.encode("utf-8"), peer)
    except OSError:
        log_event(peer, "dropped: the reply could not be sent")


if __name__ == "__main__":
    run(main)
