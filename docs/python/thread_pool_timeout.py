"""The server of lesson 16 (thread_pool), but a thread exits if no client
connects for a while.

Slide 17, "pool with timeout".
Run: python3 docs/python/thread_pool_timeout.py [IP:PORT] [--timeout 20]

The comments that begin with `timeout` mark what thread_pool does not have. The
imports, the port, the usage line and the lines that pass `timeout` on are also
different.

Differences from examples/thread_pool_timeout.rs:

- Python's `listen` calls `settimeout`, and `accept` then waits at most that
  long. Rust calls `accept_within`, because its standard library has no timeout
  for `accept`. `settimeout` itself does not wait.
- Python makes the listener non-blocking in `settimeout`, Rust in
  `set_nonblocking`, because several threads can wait for the same connection.
  A thread that does not get it waits for the rest of its time, in both
  languages.
- Python's `settimeout` applies to `recv` and `sendall`. Rust's
  `set_read_timeout` applies only to reads, because the kernel has a timeout
  for each direction. Python's `read_within` therefore removes the timeout
  after the read.
"""

import os
import socket
import threading

from sockets101 import Args, address_family, cannot_listen, close_gracefully
from sockets101 import format_address, log_and_pause, log_disconnect, log_event
from sockets101 import log_line, print_line, read_within, run

# The port of the slide.
PORT = 1240

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The number of threads that serve clients.
THREADS = 4

# timeout: the default time that a thread waits for a client, and then for its
# request, in seconds.
TIMEOUT = 20.0


def main():
    args = Args("thread_pool_timeout [IP:PORT] [--timeout 20]")
    timeout = args.timeout("--timeout", TIMEOUT)  # timeout
    address = args.listen_address(PORT)
    try:
        listener = listen(address, timeout)
    except OSError as err:
        raise cannot_listen(address, err) from err
    print_line(f"server ready on {format_address(listener.getsockname())}")

    workers = []
    for number in range(1, THREADS + 1):
        # The name of the thread is the beginning of its log lines.
        name = f"worker-{number}"
        arguments = (listener, timeout)
        worker = threading.Thread(target=serve, args=arguments, name=name)
        try:
            worker.start()
            workers.append(worker)
        except RuntimeError as err:
            log_line(f"cannot start {name}: {err}")
    # timeout: when all workers have returned, `main` returns, too.
    for worker in workers:
        worker.join()


def listen(address, timeout):
    # The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default
    # protocol.
    listener = socket.socket(address_family(address), socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # timeout: `accept` waits at most this long.
    listener.settimeout(timeout)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(listener, timeout):
    while True:
        try:
            client, peer = listener.accept()
        except socket.timeout:
            # timeout: no client has connected in time, so the thread exits.
            break
        except OSError as err:
            # The error may last, for example if the server has no more file
            # descriptors (a socket needs one). The pause keeps the log short.
            log_and_pause("accept", err)
            continue
        log_event(peer, "connected")
        result = None
        try:
            handle_client(client, timeout)
        except (OSError, ValueError) as err:
            # An error of one client must not stop the thread.
            result = err
        close_gracefully(client)
        log_disconnect(peer, result)
    print_line("Socket timed out, exiting thread")  # timeout


def handle_client(client, timeout):
    received = read_within(client, BUFFER_SIZE, timeout)  # timeout
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
