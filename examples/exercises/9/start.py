"""Exercise 9: a server for length-prefixed messages whose replies are
sometimes wrong or missing."""

import argparse
import os
import socket
import sys
import time

# The address to listen on, unless an argument says otherwise.
ADDRESS = "127.0.0.1:1241"

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The size of the length prefix, in bytes.
PREFIX_SIZE = 4


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
        except (OSError, EOFError, ValueError) as err:
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


def handle_client(client):
    message = get_block(client)
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError as err:
        raise ValueError("invalid UTF-8") from err
    put_block(client, text.upper().encode("utf-8"))


def put_block(client, message):
    """Sends one length-prefixed message: its length, then its bytes."""
    prefix = len(message).to_bytes(PREFIX_SIZE, "big")
    client.sendall(prefix + message)


def get_block(client):
    """Receives one length-prefixed message and returns its bytes."""
    prefix = client.recv(PREFIX_SIZE)
    length = int.from_bytes(prefix, "big")
    return recvall(client, length)


def recvall(client, length):
    """Reads `length` bytes from a stream."""
    data = bytearray()
    while len(data) < length:
        missing = length - len(data)
        # Do not read beyond the end of this message, because the next bytes
        # belong to the next message.
        limit = min(missing, BUFFER_SIZE)
        received = client.recv(limit)
        if len(received) == 0:
            # The client has closed its sending side.
            break
        data += received
    return bytes(data)


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
