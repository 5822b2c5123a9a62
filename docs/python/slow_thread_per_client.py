"""The service of thread_per_client, where each answer takes five seconds of work.

Slide 15, "one slow thread per client".
Run: python3 docs/python/slow_thread_per_client.py [IP:PORT] [--delay 5]

Beside examples/slow_thread_per_client.rs:

- A thread that sleeps lets the others run, so that four clients wait for 5 seconds,
  not 20. If each computed for 5 seconds, four would take 20 again in CPython, and 5
  in Rust, given four processors.
- What thread_per_client does not have is marked with slow; apart from that, the
  delay is only handed on.
"""

# ANCHOR: program
import itertools
import os
import socket
import threading
import time

from sockets101 import Args, Decoder, call_failed, cannot_listen, ended, family
from sockets101 import hang_up, ip_port, run, show, tell

# The slide's port.
PORT = 1238

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096

# slow: how long an answer takes, in seconds.
DELAY = 5.0


def main():
    args = Args("slow_thread_per_client [IP:PORT] [--delay 5]")
    delay = args.seconds("--delay", DELAY, 0)  # slow
    address = args.listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    show(f"server ready on {ip_port(listener.getsockname())}")

    for number in itertools.count(1):
        try:
            client, peer = listener.accept()
        except OSError as err:
            call_failed("accept", err)
            continue
        name = f"client-{number}"
        # A daemon: if main ended, the program would, and not wait for clients.
        thread = threading.Thread(
            target=serve, args=(client, peer, delay), name=name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as err:
            client.close()
            tell(peer, "dropped: no thread for it")
            call_failed("start a thread", err)


def listen(address):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this option would let another program take the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(client, peer, delay):
    tell(peer, "connected")
    visit = None
    try:
        handle_client(client, delay)
    except (OSError, ValueError) as err:
        visit = err
    hang_up(client)
    ended(peer, visit)


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
