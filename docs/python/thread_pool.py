"""A TCP server that starts four threads at the beginning. Each of them accepts
and serves one client after another.

Slide 16, "pool of threads". Run: python3 docs/python/thread_pool.py [IP:PORT]

Differences from examples/thread_pool.rs:

- Python calls `join` for each thread, Rust does not, because `thread::scope`
  waits for its threads.
- Python's threads refer to `listener`, Rust's borrow it, because the scope
  guarantees that the listener lives longer than the threads.
- Python's threads print a traceback and stop if an exception is not caught,
  Rust's do so if they panic. The other threads continue. Both programs
  therefore handle the errors of a client inside `serve`.
- Python has a ready-made pool, concurrent.futures, Rust's standard library
  does not, because Rust leaves pools to other libraries. This program does not
  need one. The queue of the kernel distributes the connections.
"""

import os
import socket
import threading

from sockets101 import Args, address_family, cannot_listen, close_gracefully
from sockets101 import format_address, log_and_pause, log_disconnect, log_event
from sockets101 import log_line, print_line, run

# The port of the slide.
PORT = 1239

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The number of threads that serve clients.
THREADS = 4


def main():
    args = Args("thread_pool [IP:PORT]")
    address = args.listen_address(PORT)
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    print_line(f"server ready on {format_address(listener.getsockname())}")

    workers = []
    for number in range(1, THREADS + 1):
        # The name of the thread is the beginning of its log lines.
        name = f"worker-{number}"
        arguments = (listener,)
        worker = threading.Thread(target=serve, args=arguments, name=name)
        try:
            worker.start()
            workers.append(worker)
        except RuntimeError as err:
            log_line(f"cannot start {name}: {err}")
    # The workers never return, so `join` does not return, and neither does
    # `main`.
    for worker in workers:
        worker.join()


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


def serve(listener):
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
        except (OSError, ValueError) as err:
            # An error of one client must not stop the thread.
            result = err
        close_gracefully(client)
        log_disconnect(peer, result)


def handle_client(client):
    received = client.recv(BUFFER_SIZE)
    try:
        text = received.decode("utf-8")
    except UnicodeDecodeError as err:
        # Reply to the valid text before the first invalid byte.
        text = received[:err.start].decode("utf-8")
        client.sendall(text.upper().encode("utf-8"))
        raise ValueError("invalid UTF-8") from err
    client.sendall(text.upper().encode("utf-8"))


if __name__ == "__main__":
    run(main)
