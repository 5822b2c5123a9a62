"""Exercise 16: a pool of four threads that stops after a few broken
connections.
"""

import argparse
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

# The number of threads that serve clients.
THREADS = 4


def main():
    args = argparse.ArgumentParser()
    args.add_argument("address", nargs="?", default="127.0.0.1:1239")
    options = args.parse_args()
    # Ctrl-C stops the process with all its threads.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    listener = listen(options.address)
    host, port = listener.getsockname()
    print(f"server ready on {host}:{port}", flush=True)

    # At its end, `with` waits until all four calls of `serve` have returned.
    with ThreadPoolExecutor(THREADS, "worker") as pool:
        for _ in range(THREADS):
            pool.submit(serve, listener)


def listen(address):
    host, port = address.split(":")
    # `create_server` calls socket, bind and listen. It also sets SO_REUSEADDR,
    # but not on Windows.
    return socket.create_server((host, int(port)), backlog=100)


def serve(listener):
    while True:
        try:
            client, peer = listener.accept()
        except OSError as err:
            log_and_pause("accept", err)
            continue
        log_event(peer, "connected")
        handle_client(client)
        close_gracefully(client)
        log_event(peer, "disconnected")


def handle_client(client):
    received = client.recv(4096)
    try:
        text = received.decode("utf-8")
    except UnicodeDecodeError as err:
        # Reply to the valid text before the first invalid byte.
        valid = received[:err.start].decode("utf-8")
        client.sendall(valid.upper().encode("utf-8"))
        raise
    client.sendall(text.upper().encode("utf-8"))


def close_gracefully(client):
    # Read until the client closes its sending side, but for a second at most.
    # If the server closes a socket with unread bytes, the client can lose the
    # last reply.
    deadline = time.monotonic() + 1
    try:
        with client:
            client.shutdown(socket.SHUT_WR)
            while (remaining := deadline - time.monotonic()) > 0:
                client.settimeout(remaining)
                if len(client.recv(4096)) == 0:
                    break
    except OSError:
        # The client has reset the connection, or the second is over.
        pass


def log_event(peer, event):
    host, port = peer
    name = threading.current_thread().name
    print(f"{name}: {host}:{port} {event}", file=sys.stderr)


def log_and_pause(what, err):
    print(f"cannot {what}: {err}", file=sys.stderr)
    time.sleep(1)


if __name__ == "__main__":
    main()
