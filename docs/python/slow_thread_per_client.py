"""The server of lesson 14 (thread_per_client), but each reply takes five
seconds.

Slide 15, "one slow thread per client".
Run: python3 docs/python/slow_thread_per_client.py [IP:PORT] [--delay 5]

The comments that begin with `slow` mark what thread_per_client does not have.
The imports, the port, the usage line and the lines that pass `delay` on are
also different.

Differences from examples/slow_thread_per_client.rs:

- Python's threads wait at the same time, as Rust's do, because `sleep`
  releases the global interpreter lock (GIL). Four clients receive their
  replies after 5 seconds.
- Python's threads would compute one after another, Rust's at the same time,
  because a thread that computes holds the GIL.
"""

import os
import socket
import threading
import time

from sockets101 import Args, Decoder, address_family, cannot_listen
from sockets101 import close_gracefully, format_address, log_and_pause
from sockets101 import log_disconnect, log_event, print_line, run

# The port of the slide.
PORT = 1238

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# slow: the default time that a reply takes, in seconds.
DELAY = 5.0


def main():
    args = Args("slow_thread_per_client [IP:PORT] [--delay 5]")
    delay = args.seconds("--delay", DELAY)  # slow
    address = args.listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    print_line(f"server ready on {format_address(listener.getsockname())}")

    number = 0
    while True:
        try:
            client, peer = listener.accept()
        except OSError as err:
            # The error may last, for example if the server has no more file
            # descriptors (a socket needs one). The pause keeps the log short.
            log_and_pause("accept", err)
            continue
        number += 1
        # The name of the thread is the beginning of its log lines.
        name = f"client-{number}"
        arguments = (client, peer, delay)
        # daemon: Python does not wait for this thread when the program exits.
        thread = threading.Thread(
            target=serve, args=arguments, name=name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as err:
            client.close()
            log_event(peer, "dropped: could not start a thread")
            log_and_pause("start a thread", err)


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


def serve(client, peer, delay):
    log_event(peer, "connected")
    result = None
    try:
        handle_client(client, delay)
    except (OSError, ValueError) as err:
        result = err
    close_gracefully(client)
    log_disconnect(peer, result)


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
