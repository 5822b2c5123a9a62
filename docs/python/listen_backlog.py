"""The server of lesson 10 (sequential_server), with a longer queue of pending
connections.

Slide 11, "the impact of listen".
Run: python3 docs/python/listen_backlog.py [IP:PORT] [--backlog 100]

Differences from examples/listen_backlog.rs:

- Python's `listen` has an optional argument, the backlog. Rust's
  `TcpListener::bind` has no such argument, so the Rust program uses the
  library socket2. Without the argument, Python chooses at most 128 itself.
- Python passes `u16` to `option`, Rust does not, because the type of BACKLOG
  tells Rust which numbers are valid.

The queue belongs to the kernel. It works the same in both languages.
"""

import os
import socket

from sockets101 import Args, Decoder, address_family, cannot_listen
from sockets101 import close_gracefully, format_address, log_and_pause
from sockets101 import log_disconnect, log_event, print_line, run, u16

# The port of the slide.
PORT = 1236

# The default length of the queue of pending connections that the server asks
# for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096


def main():
    args = Args("listen_backlog [IP:PORT] [--backlog 100]")
    backlog = args.option("--backlog", BACKLOG, u16)
    address = args.listen_address(PORT)
    try:
        listener = listen(address, backlog)
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


def listen(address, backlog):
    # The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default
    # protocol.
    listener = socket.socket(address_family(address), socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(backlog)
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
