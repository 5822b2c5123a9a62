"""The service of sequential_server, where each answer takes five seconds of work.

Slide 12, "slow sequential".
Run: python3 docs/python/slow_sequential_server.py [IP:PORT] [--delay 5]

Beside examples/slow_sequential_server.rs:

- sleep takes seconds, a number like any other. In Rust it takes a Duration, which
  nobody can mistake for milliseconds.
- What differs from sequential_server, the delay and the queue of 100, is marked with
  slow; apart from that, the delay is only handed on.
"""

# ANCHOR: program
import os
import socket
import time

from sockets101 import Args, Decoder, call_failed, cannot_listen, ended, family
from sockets101 import hang_up, ip_port, run, show, tell

# The slide's port.
PORT = 1237

# slow: how many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096

# slow: how long an answer takes, in seconds.
DELAY = 5.0


def main():
    args = Args("slow_sequential_server [IP:PORT] [--delay 5]")
    delay = args.seconds("--delay", DELAY, 0)  # slow
    address = args.listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    show(f"server ready on {ip_port(listener.getsockname())}")

    while True:
        try:
            client, peer = listener.accept()
        except OSError as err:
            call_failed("accept", err)
            continue
        tell(peer, "connected")
        visit = None
        try:
            handle_client(client, delay)
        except (OSError, ValueError) as err:
            visit = err
        hang_up(client)
        ended(peer, visit)


def listen(address):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this option would let another program take the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def handle_client(client, delay):
    decoder = Decoder()
    while data := client.recv(CHUNK):
        time.sleep(delay)  # slow
        text, flaw = decoder.feed(data)
        client.sendall(text.upper().encode("utf-8"))
        if flaw:
            raise flaw
    decoder.finish()


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
