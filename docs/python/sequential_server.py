"""A server that talks with one client for as long as that client likes, and only
then with the next.

Slide 10, "sequential TCP server (with function)".
Run: python3 docs/python/sequential_server.py [IP:PORT]

Beside examples/sequential_server.rs:

- recv returns b"" when the other side has ended, and b"" counts as false: that ends
  the loop. In Rust the length of the read is 0, and the pattern 1.. no longer
  matches.
- decode of the bytes of each read, the obvious way, raises when a read cuts a
  character. The Decoder keeps the first half until the second has come.
"""

# ANCHOR: program
import os
import socket

from sockets101 import Args, Decoder, call_failed, cannot_listen, ended, family
from sockets101 import hang_up, ip_port, run, show, tell

# The slide's port.
PORT = 1234

# How many connections the system may keep waiting for accept.
BACKLOG = 1

# The most bytes that one read takes.
CHUNK = 4096


def main():
    address = Args("sequential_server [IP:PORT]").listen_address(PORT)
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
            handle_client(client)
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
