"""The pool of thread_pool_timeout, where each answer takes five seconds of work.

Slide 18, "slow pool with timeout". Run:
python3 docs/python/slow_thread_pool_timeout.py [IP:PORT] [--delay 5] [--timeout 20]

Beside examples/slow_thread_pool_timeout.rs:

- Eight clients at once: four have their answer after 5 seconds, four after 10, in
  both. Four threads that sleep are four answers at a time, in CPython too.
- What thread_pool_timeout does not have is marked with slow; apart from that, the
  delay is only handed on.
"""

# ANCHOR: program
import os
import socket
import threading
import time

from sockets101 import Args, call_failed, cannot_listen, ended, family, hang_up
from sockets101 import ip_port, run, show, tell, within

# The slide's port.
PORT = 1241

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096

# How many threads serve.
THREADS = 4

# slow: how long an answer takes, in seconds.
DELAY = 5.0

# How long a thread waits for a client, and for its message, in seconds.
TIMEOUT = 20.0


def main():
    args = Args("slow_thread_pool_timeout [IP:PORT] [--delay 5] [--timeout 20]")
    timeout = args.seconds("--timeout", TIMEOUT, 0.001)
    delay = args.seconds("--delay", DELAY, 0)  # slow
    address = args.listen_address(PORT)
    try:
        listener = listen(address, timeout)
    except OSError as err:
        raise cannot_listen(address, err) from err
    show(f"server ready on {ip_port(listener.getsockname())}")

    pool = []
    for number in range(1, THREADS + 1):
        name = f"worker-{number}"
        arguments = (listener, timeout, delay)
        thread = threading.Thread(target=serve, args=arguments, name=name)
        thread.start()
        pool.append(thread)
    for thread in pool:
        thread.join()
    listener.close()


def listen(address, timeout):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    if os.name != "nt":
        # On Windows this option would let another program take the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.settimeout(timeout)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(listener, timeout, delay):
    while True:
        try:
            client, peer = listener.accept()
        except socket.timeout:
            break
        except OSError as err:
            call_failed("accept", err)
            continue
        tell(peer, "connected")
        visit = None
        try:
            client.settimeout(timeout)
            within(timeout, handle_client, client, delay)
        except (OSError, ValueError) as err:
            visit = err
        hang_up(client)
        ended(peer, visit)
    show("Socket timed out, exiting thread")


def handle_client(client, delay):
    data = client.recv(CHUNK)
    if data:  # slow
        time.sleep(delay)
    try:
        client.sendall(data.decode("utf-8").upper().encode("utf-8"))
    except UnicodeDecodeError as flaw:
        good = data[:flaw.start].decode("utf-8")
        client.sendall(good.upper().encode("utf-8"))
        raise


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
