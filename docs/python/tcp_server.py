"""A stream server that serves one client after another, one message each.

Slide 4, "TCP server (sequential)". Run: python3 docs/python/tcp_server.py [IP:PORT]

Beside examples/tcp_server.rs:

- One read is not one message: of 5,000 bytes 4,096 at most are answered, and a
  character that the read cuts in two is lost.
- In Rust a visit is a value, and its error too. Here the call raises, and somebody
  has to know what: OSError from the socket, and UnicodeDecodeError, which is a
  ValueError.
- Left to itself, Python closes a socket when nothing refers to it any more: here,
  when the next client takes over its name. hang_up closes it at once; in Rust it
  also takes it away, and the compiler sees to it that nobody uses it again.
"""

# ANCHOR: program
import os
import socket

from sockets101 import Args, call_failed, cannot_listen, ended, family, hang_up
from sockets101 import ip_port, run, show, tell

# The slide's port.
PORT = 1235

# How many connections the system may keep waiting for accept.
BACKLOG = 1

# The most bytes that one read takes.
CHUNK = 4096


def main():
    address = Args("tcp_server [IP:PORT]").listen_address(PORT)
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
    data = client.recv(CHUNK)
    try:
        client.sendall(data.decode("utf-8").upper().encode("utf-8"))
    except UnicodeDecodeError as flaw:
        good = data[:flaw.start].decode("utf-8")
        client.sendall(good.upper().encode("utf-8"))
        raise


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
