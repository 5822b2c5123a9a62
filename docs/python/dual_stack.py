"""A TCP server that accepts IPv4 and IPv6 clients on one socket.

Beyond the lecture: lesson 14, "one thread per client", on a different socket.
Run: python3 docs/python/dual_stack.py [IP:PORT]

Differences from examples/beyond/dual_stack.rs:

- Python's `setsockopt` takes the number of the option and its value. In Rust,
  the library socket2 has a function for each option.
- In Python, an address is a tuple that contains a text. In Rust, it has the
  type SocketAddr, which knows its family.
"""

import os
import socket
import threading

from sockets101 import Args, Decoder, address_family, cannot_listen
from sockets101 import close_gracefully, format_address, log_and_pause
from sockets101 import log_disconnect, log_event, print_line, run

# A port that no slide uses.
PORT = 1245

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096


def main():
    args = Args("dual_stack [IP:PORT]")
    # The address :: means all addresses of this machine, of both families.
    address = args.listen_address(PORT, "::")
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    print_line(f"server ready on {format_address(listener.getsockname())}")
    if address[0] in ("::", "0.0.0.0", "::ffff:0.0.0.0"):
        print_line("other machines on the network can reach this server")

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
        arguments = (client, peer)
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
    if listener.family == socket.AF_INET6:
        # Accept IPv4 clients, too. The default depends on the operating
        # system.
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(client, peer):
    log_event(peer, "connected")
    result = None
    try:
        handle_client(client)
    except (OSError, ValueError) as err:
        result = err
    close_gracefully(client)
    log_disconnect(peer, result)


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
