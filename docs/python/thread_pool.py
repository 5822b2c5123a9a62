"""A server with four threads, started once, that take turns at accept.

Slide 16, "pool of threads". Run: python3 docs/python/thread_pool.py [IP:PORT]

One read is not one message, as in tcp_server: a character that it cuts is lost.

Beside examples/thread_pool.rs:

- An exception that nobody catches ends its thread alone, with a traceback; the
  program would go on with three. Here an error ends one visit.
- Rust's scope waits for the threads, and so they may borrow the listener. Here join
  waits, and every thread refers to the listener anyway.
- concurrent.futures has a pool ready-made: it hands work to its threads. These four
  fetch it themselves, and need no queue but the system's.
"""

# ANCHOR: program
import os
import socket
import threading

from sockets101 import Args, call_failed, cannot_listen, ended, family, hang_up
from sockets101 import ip_port, run, show, tell

# The slide's port.
PORT = 1239

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096

# How many threads serve.
THREADS = 4


def main():
    address = Args("thread_pool [IP:PORT]").listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    show(f"server ready on {ip_port(listener.getsockname())}")

    pool = []
    for number in range(1, THREADS + 1):
        name = f"worker-{number}"
        arguments = (listener,)
        thread = threading.Thread(target=serve, args=arguments, name=name)
        thread.start()
        pool.append(thread)
    for thread in pool:
        thread.join()


def listen(address):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this option would let another program take the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(listener):
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
