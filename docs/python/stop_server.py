"""A TCP server that stops when the user types `quit`, after its clients have
finished.

Beyond the lecture: lesson 14, "one thread per client", with a way to stop.
Run: python3 docs/python/stop_server.py [IP:PORT] [--grace 5]

Differences from examples/beyond/stop_server.rs:

- In Python, `settimeout` sets a timeout for `accept`. The Rust program calls
  `accept_within`.
- Python needs `daemon=True`. Without `daemon=True`, Python would wait for the
  threads of all clients after `main` has returned.
"""

import os
import socket
import sys
import threading
import time

from sockets101 import Args, Decoder, Failure, address_family, cannot_listen
from sockets101 import close_gracefully, format_address, log_and_pause
from sockets101 import log_disconnect, log_event, print_line, run

# A port that no slide uses.
PORT = 1244

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The default time that the clients have to finish, in seconds.
GRACE = 5.0

# How long the server waits before it checks again whether it must stop, in
# seconds.
TICK = 0.1

# The longest line that the server reads at once, in bytes.
MAX_LINE = 100


def main():
    args = Args("stop_server [IP:PORT] [--grace 5]")
    grace = args.seconds("--grace", GRACE)
    address = args.listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    # This thread ends when the user wants to stop the server.
    stop = threading.Thread(target=wait_for_quit, daemon=True)
    try:
        stop.start()
    except RuntimeError as err:
        advice = "stop other programs, and try again"
        raise Failure(f"cannot start a thread: {err}; {advice}") from err
    print_line(f"server ready on {format_address(listener.getsockname())}")
    if is_terminal():
        print_line("type quit and press Enter to stop the server")

    clients = []
    number = 0
    while stop.is_alive():
        try:
            client, peer = listener.accept()
        except socket.timeout:
            # No client came in this time.
            pass
        except OSError as err:
            # The error may last, for example if the server has no more file
            # descriptors (a socket needs one). The pause keeps the log short.
            log_and_pause("accept", err)
        else:
            number += 1
            # The name of the thread is the beginning of its log lines.
            name = f"client-{number}"
            arguments = (client, peer)
            # daemon: Python does not wait for this thread when the program
            # exits.
            thread = threading.Thread(
                target=serve, args=arguments, name=name, daemon=True
            )
            try:
                thread.start()
                clients.append(thread)
            except RuntimeError as err:
                number -= 1
                client.close()
                log_event(peer, "dropped: could not start a thread")
                log_and_pause("start a thread", err)
        # Forget the threads of the clients that have disconnected.
        clients = [thread for thread in clients if thread.is_alive()]

    # Without the listener, the kernel refuses new clients.
    listener.close()
    print_line(f"stopping; connected clients: {len(clients)}")
    deadline = time.monotonic() + grace
    while len(clients) > 0 and time.monotonic() < deadline:
        time.sleep(TICK)
        clients = [thread for thread in clients if thread.is_alive()]
    cut_off = len(clients)
    served = number - cut_off
    print_line(f"stopped; clients served: {served}, cut off: {cut_off}")
    # When `main` returns, the process exits. Its threads end, and the kernel
    # closes its connections.


def listen(address):
    # The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default
    # protocol.
    listener = socket.socket(address_family(address), socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # `accept` waits at most this long.
    listener.settimeout(TICK)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def is_terminal():
    # If the process does not have an input, `sys.stdin` is None.
    return sys.stdin is not None and sys.stdin.isatty()


def wait_for_quit():
    """Returns when the server must stop."""
    if sys.stdin is not None:
        try:
            # The loop reads a longer line in parts, so no line needs much
            # memory.
            while True:
                line = sys.stdin.buffer.readline(MAX_LINE)
                if line.strip() == b"quit":
                    return
                if len(line) == 0:
                    break
        except OSError:
            pass  # This is the end of the input, too.
    # If the input is not a terminal, the server runs until the user or
    # another program stops it.
    while not is_terminal():
        threading.Event().wait()


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
