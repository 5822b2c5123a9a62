"""A server whose messages have a length in front, so that both sides know where each
one ends.

Slide 9, "TCP server with recvall".
Run: python3 docs/python/recvall_server.py [IP:PORT]

Beside examples/recvall_server.rs:

- recvall, put_block and get_block are in docs/python/sockets101: read them with this
  file.
- Three kinds of exception end a visit: OSError from the socket, EOFError when the
  stream ends inside a block, ValueError for a block that is too long or not UTF-8.
  In Rust all three are an io::Error, each with its kind.
"""

# ANCHOR: program
import os
import socket

from sockets101 import Args, call_failed, cannot_listen, ended, family
from sockets101 import get_block, hang_up, ip_port, put_block, run, show, tell

# The slide's port.
PORT = 1241

# How many connections the system may keep waiting for accept.
BACKLOG = 1


def main():
    address = Args("recvall_server [IP:PORT]").listen_address(PORT)
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
        except (OSError, EOFError, ValueError) as err:
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
    message = get_block(client)
    put_block(client, message.decode("utf-8").upper().encode("utf-8"))


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
