"""Exercise 10, make: a sequential server that serves a client as long as the
client sends bytes."""

import argparse
import os
import socket
import sys
import time

# The address to listen on, unless an argument says otherwise.
ADDRESS = "127.0.0.1:1234"

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The default limit. No client can send that many bytes.
NO_LIMIT = sys.maxsize


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default=ADDRESS)
    parser.add_argument("--limit", type=int, default=NO_LIMIT)
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
            handle_client(client, args.limit)
        except (OSError, ValueError) as err:
            # An error of one client must not stop the server.
            result = f"dropped: {err}"
        close_gracefully(client)
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


def handle_client(client, limit):
    if limit != NO_LIMIT:
        log_line(f"the limit is {limit} bytes")
    incomplete = b""
    while True:
        received = client.recv(BUFFER_SIZE)
        if len(received) == 0:
            # The client has closed its sending side.
            if len(incomplete) > 0:
                raise ValueError("invalid UTF-8")
            return
        text, incomplete, is_valid = decode(incomplete + received)
        client.sendall(text.upper().encode("utf-8"))
        if not is_valid:
            raise ValueError("invalid UTF-8")


def decode(received):
    """Returns the complete text, and the first bytes of an incomplete
    character after the text. Also returns whether all bytes so far are valid
    UTF-8.
    """
    try:
        return received.decode("utf-8"), b"", True
    except UnicodeDecodeError as err:
        # With this reason, only the last character is incomplete.
        is_valid = err.reason == "unexpected end of data"
        text = received[:err.start].decode("utf-8")
        return text, received[err.start:], is_valid


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
    ip, port = peer
    log_line(f"{ip}:{port} {event}")


def log_line(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
