"""The pool of thread_pool, whose threads end when no client comes for a while.

Slide 17, "pool with timeout".
Run: python3 docs/python/thread_pool_timeout.py [IP:PORT] [--timeout 20]

Beside examples/thread_pool_timeout.rs:

- settimeout is one limit for all calls of a socket: accept, recv, and sendall too.
  In Rust reads and writes each have their own, and accept has none: accept_within
  does here what Python does inside of settimeout.
- A thread that loses the race for a client to another goes on waiting for what is
  left of its time, in both.
- What thread_pool does not have is marked with timeout; apart from that, the limit
  is only handed on.
"""

# ANCHOR: program
import os
import socket
import threading

from sockets101 import Args, call_failed, cannot_listen, ended, family, hang_up
from sockets101 import ip_port, run, show, tell, within

# The slide's port.
PORT = 1240

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096

# How many threads serve.
THREADS = 4

# timeout: how many seconds a thread waits for a client, and for its message.
TIMEOUT = 20.0


def main():
    args = Args("thread_pool_timeout [IP:PORT] [--timeout 20]")
    timeout = args.seconds("--timeout", TIMEOUT, 0.001)  # timeout
    address = args.listen_address(PORT)
    try:
        listener = listen(address, timeout)
    except OSError as err:
        raise cannot_listen(address, err) from err
    show(f"server ready on {ip_port(listener.getsockname())}")

    pool = []
    for number in range(1, THREADS + 1):
        name = f"worker-{number}"
        arguments = (listener, timeout)
        thread = threading.Thread(target=serve, args=arguments, name=name)
        thread.start()
        pool.append(thread)
    for thread in pool:
        thread.join()
    listener.close()  # timeout: who is in the queue is told that nobody comes


def listen(address, timeout):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this option would let another program take the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.settimeout(timeout)  # timeout
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(listener, timeout):
    while True:
        try:
            client, peer = listener.accept()
        except socket.timeout:  # timeout
            break
        except OSError as err:
            call_failed("accept", err)
            continue
        tell(peer, "connected")
        visit = None
        try:
            # timeout: accept gives no limit to the socket that it returns.
            client.settimeout(timeout)
            within(timeout, handle_client, client)
        except (OSError, ValueError) as err:
            visit = err
        hang_up(client)
        ended(peer, visit)
    show("Socket timed out, exiting thread")  # timeout


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
