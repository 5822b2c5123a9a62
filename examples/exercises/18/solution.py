"""Exercise 18: a pool of four threads with a queue. It serves only one client
at a time.
"""

import argparse
import signal
import socket
import sys
import threading
import time
from queue import Queue


def main():
    # Ctrl-C stops the process immediately, even while its threads wait.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default="127.0.0.1:1241")
    parser.add_argument("--delay", type=float, default=5.0)
    parser.add_argument("--timeout", type=float, default=20.0)
    args = parser.parse_args()
    listener = listen(args.address, args.timeout)
    host, port = listener.getsockname()
    print_line(f"server ready on {host}:{port}")

    # The main thread puts clients into the queue, and the four threads take
    # them out.
    queue = Queue()
    lock = threading.Lock()
    for number in range(1, 5):
        # The name of the thread is the beginning of its log lines.
        name = f"worker-{number}"
        arguments = (queue, lock, args.timeout, args.delay)
        threading.Thread(target=serve, args=arguments, name=name).start()
    accept_clients(listener, queue)
    for _ in range(4):
        # Each thread takes one None, and exits.
        queue.put(None)


def listen(address, timeout):
    host, port = address.split(":")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # On Windows, SO_REUSEADDR would let another program listen on the port.
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # `accept` waits at most this long.
    listener.settimeout(timeout)
    listener.bind((host, int(port)))
    listener.listen(100)
    return listener


def accept_clients(listener, queue):
    # At the end of `with`, Python closes the listener. The kernel then refuses
    # other clients.
    with listener:
        while True:
            try:
                queue.put(listener.accept())
            except socket.timeout:
                # No client has connected in time, so the server stops.
                break
            except OSError:
                # The error may last. The pause keeps the CPU free.
                time.sleep(0.1)


def serve(queue, lock, timeout, delay):
    while True:
        # Only one thread at a time takes a client out of the queue.
        with lock:
            entry = queue.get()
        # The lock is free now, so the other threads can also take clients.
        if entry is None:
            break
        client, peer = entry
        serve_client(client, peer, timeout, delay)
    print_line("Socket timed out, exiting thread")


def serve_client(client, peer, timeout, delay):
    log_event(peer, "connected")
    event = "disconnected"
    try:
        handle_client(client, timeout, delay)
    except OSError as err:
        # An error of one client must not stop the thread.
        event = f"dropped: {err}"
    close_gracefully(client)
    log_event(peer, event)


def handle_client(client, timeout, delay):
    client.settimeout(timeout)
    received = client.recv(4096)
    # Do not wait if the client has not sent a request.
    if len(received) > 0:
        time.sleep(delay)
    try:
        text = received.decode("utf-8")
    except UnicodeDecodeError as err:
        # Reply to the valid text before the first invalid byte.
        text = received[:err.start].decode("utf-8")
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


def print_line(line, stream=sys.stdout):
    # `print` would write the line end separately. Another thread could then
    # write into the same line.
    print(line + "\n", end="", file=stream, flush=True)


def log_event(peer, event):
    name = threading.current_thread().name
    print_line(f"{name}: {peer[0]}:{peer[1]} {event}", sys.stderr)


if __name__ == "__main__":
    main()
