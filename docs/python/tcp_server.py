"""A TCP server that serves one client after another: one message, one reply.

Slide 4, "TCP server (sequential)".
Run: python3 docs/python/tcp_server.py [IP:PORT]

Differences from examples/tcp_server.rs:

- Python's `handle_client` raises an exception, Rust's returns a Result,
  because in Rust an error is a value. In Python you must know which exceptions
  a call can raise. Here they are OSError from the socket, and ValueError for
  invalid bytes.
- Python's `client` still refers to the closed socket after `close_gracefully`.
  Rust's function takes `client` away, because the compiler then rejects any
  later use of it.
- Python closes a forgotten socket when no variable refers to it. Rust closes
  it at the end of its scope, because in Rust each value has exactly one owner.
"""

import os
import socket

from sockets101 import Args, address_family, cannot_listen, close_gracefully
from sockets101 import format_address, log_and_pause, log_disconnect, log_event
from sockets101 import print_line, run

# The port of the slide.
PORT = 1235

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096


def main():
    args = Args("tcp_server [IP:PORT]")
    address = args.listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    print_line(f"server ready on {format_address(listener.getsockname())}")

    while True:
        try:
            client, peer = listener.accept()
        except OSError as err:
            # The error may last, for example if the server has no more file
            # descriptors (a socket needs one). The pause keeps the log short.
            log_and_pause("accept", err)
            continue
        log_event(peer, "connected")
        result = None
        try:
            handle_client(client)
        except (OSError, ValueError) as err:
            # An error of one client must not stop the server.
            result = err
        close_gracefully(client)
        log_disconnect(peer, result)


def listen(address):
    # The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default
    # protocol.
    listener = socket.socket(address_family(address), socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def handle_client(client):
    received = client.recv(BUFFER_SIZE)
    try:
        text = received.decode("utf-8")
    except UnicodeDecodeError as err:
        # Reply to the valid text before the first invalid byte.
        text = received[:err.start].decode("utf-8")
        client.sendall(text.upper().encode("utf-8"))
        raise ValueError("invalid UTF-8") from err
    client.sendall(text.upper().encode("utf-8"))


if __name__ == "__main__":
    run(main)
