"""A TCP server whose messages begin with their length, so that both programs
know where a message ends.

Slide 9, "TCP server with recvall".
Run: python3 docs/python/recvall_server.py [IP:PORT]

The functions recvall, put_block and get_block are in docs/python/sockets101.

Differences from examples/recvall_server.rs:

- Python has three classes of exceptions here. Rust has one type, io::Error,
  because in Rust the kind of an error is a value inside the error. OSError
  comes from the socket. EOFError means that the stream ended inside a message.
  ValueError means that a message is too long or is not valid UTF-8.
- Python's `recvall` calls `recv` of a socket. Rust's `recvall` accepts
  anything that can be read, because a test can then read from memory.
"""

import os
import socket

from sockets101 import Args, address_family, cannot_listen, close_gracefully
from sockets101 import format_address, get_block, log_and_pause, log_disconnect
from sockets101 import log_event, print_line, put_block, run

# The port of the slide.
PORT = 1241

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1


def main():
    args = Args("recvall_server [IP:PORT]")
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
            handle_client(client)
        except (OSError, EOFError, ValueError) as err:
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


def handle_client(client):
    message = get_block(client)
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError as err:
        raise ValueError("invalid UTF-8") from err
    put_block(client, text.upper().encode("utf-8"))


if __name__ == "__main__":
    run(main)
