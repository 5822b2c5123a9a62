"""A server that gives each client a thread of its own.

Slide 14, "one thread per client".
Run: python3 docs/python/thread_per_client.py [IP:PORT]

Beside examples/thread_per_client.rs:

- In CPython one thread at a time runs Python code, but a thread that waits, in recv
  or in sendall, lets the others run. Servers mostly wait, so that here threads help;
  in Rust they also compute side by side.
- In Rust the thread takes the socket along, and if the thread cannot be started the
  socket is closed. Here main still refers to it, and has to close it.
"""

# ANCHOR: program
import itertools
import os
import socket
import threading

from sockets101 import Args, Decoder, call_failed, cannot_listen, ended, family
from sockets101 import hang_up, ip_port, run, show, tell

# The slide's port.
PORT = 1237

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096


def main():
    address = Args("thread_per_client [IP:PORT]").listen_address(PORT)
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
            target=serve, args=(client, peer), name=name, daemon=True
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


def serve(client, peer):
    tell(peer, "connected")
    visit = None
    try:
        handle_client(client)
    except (OSError, ValueError) as err:
        visit = err
    hang_up(client)
    ended(peer, visit)


def handle_client(client):
    decoder = Decoder()
    while data := client.recv(CHUNK):
        text, flaw = decoder.feed(data)
        client.sendall(text.upper().encode("utf-8"))
        if flaw:
            raise flaw
    decoder.finish()


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
