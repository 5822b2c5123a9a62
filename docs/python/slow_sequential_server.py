"""The server of lesson 10 (sequential_server), but each reply takes five
seconds.

Slide 12, "slow sequential".
Run: python3 docs/python/slow_sequential_server.py [IP:PORT] [--delay 5]

The comments that begin with `slow` mark what sequential_server does not have.
The imports, the port, the usage line and the lines that pass `delay` on are
also different.

Differences from examples/slow_sequential_server.rs:

- Python's `sleep` takes a number of seconds. Rust's `sleep` takes a Duration,
  because then no call can confuse seconds and milliseconds.
- Python's program takes as long as Rust's, because both only wait.
"""

import os
import socket
import time

from sockets101 import Args, Decoder, address_family, cannot_listen
from sockets101 import close_gracefully, format_address, log_and_pause
from sockets101 import log_disconnect, log_event, print_line, run

# The port of the slide.
PORT = 1237

# slow: the length of the queue of pending connections that the server asks
# for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# slow: the default time that a reply takes, in seconds.
DELAY = 5.0


def main():
    args = Args("slow_sequential_server [IP:PORT] [--delay 5]")
    delay = args.seconds("--delay", DELAY)  # slow
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
            handle_client(client, delay)
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


def handle_client(client, delay):
    decoder = Decoder()
    while True:
        received = client.recv(BUFFER_SIZE)
        if len(received) == 0:
            # The client has closed its sending side. `finish` raises an
            # exception if the last character is not complete.
            decoder.finish()
            return
        time.sleep(delay)  # slow
        # `valid` is False if there are invalid bytes after `text`.
        text, valid = decoder.decode(received)
        client.sendall(text.upper().encode("utf-8"))
        if not valid:
            raise ValueError("invalid UTF-8")


if __name__ == "__main__":
    run(main)
