"""The service of sequential_server, with a longer queue of connections that wait for
accept.

Slide 11, "the impact of listen".
Run: python3 docs/python/listen_backlog.py [IP:PORT] [--backlog 100]

Beside examples/listen_backlog.rs:

- Without an argument, listen chooses a backlog itself: the system's limit, 128 at
  most. Rust's TcpListener::bind takes 128 on most systems and offers no choice,
  which is why the examples go through socket2.
- The queue is the system's: it is as long and behaves the same whatever the
  language.
"""

# ANCHOR: program
import os
import socket

from sockets101 import Args, Decoder, call_failed, cannot_listen, ended, family
from sockets101 import hang_up, ip_port, run, show, tell, u16

# The slide's port.
PORT = 1236

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096


def main():
    args = Args("listen_backlog [IP:PORT] [--backlog 100]")
    backlog = args.option("--backlog", BACKLOG, u16)
    address = args.listen_address(PORT)
    try:
        listener = listen(address, backlog)
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


def listen(address, backlog):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this option would let another program take the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(backlog)
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
