"""A TCP server that serves one client after another. Each client can send
several requests on its connection.

Slide 10, "sequential TCP server (with function)".
Run: python3 docs/python/sequential_server.py [IP:PORT]

Differences from examples/sequential_server.rs:

- Python's `recv` returns new bytes. Rust's `read` returns a length and writes
  the bytes to a buffer, because Rust lets the caller reuse its memory. At the
  end of the stream, `recv` returns `b""`, and `read` returns 0.
- Python's `decode` of bytes raises an exception for half a character, because
  it expects a complete text. Both programs therefore use a Decoder, which
  keeps the first half until the second half arrives.
- Python's UnicodeDecodeError is a subclass of ValueError, so `except OSError`
  does not catch it. In Rust both errors are an io::Error, because
  `handle_client` returns this type for all its errors.
"""

import os
import socket

from sockets101 import Args, Decoder, address_family, cannot_listen
from sockets101 import close_gracefully, format_address, log_and_pause
from sockets101 import log_disconnect, log_event, print_line, run

# The port of the slide.
PORT = 1234

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096


def main():
    args = Args("sequential_server [IP:PORT]")
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
    decoder = Decoder()
    while True:
        received = client.recv(BUFFER_SIZE)
        if len(received) == 0:
            # The client has closed its sending side. `finish` raises an
            # exception if the last character is not complete.
            decoder.finish()
            return
        # `valid` is False if there are invalid bytes after `text`.
        text, valid = decoder.decode(received)
        client.sendall(text.upper().encode("utf-8"))
        if not valid:
            raise ValueError("invalid UTF-8")


if __name__ == "__main__":
    run(main)
