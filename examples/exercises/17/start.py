"""Exercise 17: a pool of four threads. After four silent clients, it does not
serve any other client.
"""

import argparse
import signal
import socket
import sys
import threading
import time


def main():
    # Ctrl-C stops the process immediately, even while its threads wait.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default="127.0.0.1:1240")
    parser.add_argument("--timeout", type=float, default=20.0)
    args = parser.parse_args()
    listener = listen(args.address, args.timeout)
    host, port = listener.getsockname()
    print_line(f"server ready on {host}:{port}")

    # When all threads have returned, the process exits.
    for number in range(1, 5):
        # The name of the thread is the beginning of its log lines.
        name = f"worker-{number}"
        arguments = (listener,)
        threading.Thread(target=serve, args=arguments, name=name).start()


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


def serve(listener):
    while True:
        try:
            client, peer = listener.accept()
        except socket.timeout:
            # No client has connected in time, so the thread exits.
            break
        except OSError:
            # The error may last. The pause keeps the CPU free.
            time.sleep(0.1)
            continue
        log_event(peer, "connected")
        event = "disconnected"
        try:
            handle_client(client)
        except OSError as err:
            # An error of one client must not stop the thread.
            event = f"dropped: {err}"
        close_gracefully(client)
        log_event(peer, event)
    print_line("Socket timed out, exiting thread")


def handle_client(client):
    received = client.recv(4096)
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
