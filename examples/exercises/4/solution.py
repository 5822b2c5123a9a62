"""Exercise 4: a TCP server whose client sees an error after the reply."""

import argparse
import os
import socket
import sys
import time

# The address to listen on, unless an argument says otherwise.
ADDRESS = "127.0.0.1:1235"

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default=ADDRESS)
    args = parser.parse_args()
    listener = listen(args.address)
    ip, port = listener.getsockname()
    print(f"server ready on {ip}:{port}", flush=True)

    while True:
        try:
            client, peer = listener.accept()
        except OSError as err:
            # The error may last, for example if the server has no more file
            # descriptors (a socket needs one). The pause keeps the log short.
            log_line(f"cannot accept: {err}; trying again in a second")
            time.sleep(1)
            continue
        log_event(peer, "connected")
        result = "disconnected"
        try:
            handle_client(client)
        except (OSError, ValueError) as err:
            # An error of one client must not stop the server.
            result = f"dropped: {err}"
        close_client(client)
        log_event(peer, result)


def listen(address):
    ip, port = address.split(":")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((ip, int(port)))
    listener.listen(BACKLOG)
    return listener


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


def close_client(client):
    deadline = time.monotonic() + 1
    try:
        # The client now sees the end of the reply.
        client.shutdown(socket.SHUT_WR)
        # The kernel sends a reset if the server closes a socket that has
        # unread bytes.
        while (remaining := deadline - time.monotonic()) > 0:
            client.settimeout(remaining)
            if len(client.recv(BUFFER_SIZE)) == 0:
                break
    except OSError:
        # The client has reset the connection, or the second is over.
        pass
    client.close()


def log_event(peer, event):
    ip, port = peer
    log_line(f"{ip}:{port} {event}")


def log_line(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
