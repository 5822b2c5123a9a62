"""Exercise 7: a server of length-prefixed messages that passes its
self-test, but does not reply to a client."""

import argparse
import os
import socket
import struct
import sys
import time

# The address to listen on, unless an argument says otherwise.
ADDRESS = "127.0.0.1:1241"

# The length of the queue of pending connections that the server asks for.
BACKLOG = 1

# The size of the length prefix, in bytes.
PREFIX_SIZE = 4

# The largest message that we send or receive, in bytes: 16 MiB.
MAX_BLOCK = 16 * 1024 * 1024

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default=ADDRESS)
    args = parser.parse_args()
    self_test()
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


def self_test():
    """Writes a message to a pair of connected sockets, and reads it again."""
    writer, reader = socket.socketpair()
    with writer, reader:
        put_block(writer, b"hello")
        message = get_block(reader)
    if message != b"hello":
        raise ValueError("get_block did not return the message")
    log_line("self-test passed: get_block reads what put_block writes")


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
    # `decode` raises UnicodeDecodeError, which is a ValueError.
    text = get_block(client).decode("utf-8")
    put_block(client, text.upper().encode("utf-8"))


def put_block(client, message):
    """Sends `message` as one length-prefixed message: its length, then its
    bytes.
    """
    check_length(len(message))
    # One call sends both parts, so that the second part is not delayed.
    client.sendall(struct.pack("I", len(message)) + message)


def get_block(client):
    """Receives one length-prefixed message and returns its bytes."""
    (length,) = struct.unpack("I", recvall(client, PREFIX_SIZE))
    check_length(length)
    return recvall(client, length)


def recvall(client, length):
    """Reads exactly `length` bytes. Calls `recv` as often as necessary."""
    data = bytearray()
    while len(data) < length:
        # Do not read beyond the end of this message, because the next bytes
        # belong to the next message.
        received = client.recv(min(length - len(data), BUFFER_SIZE))
        if len(received) == 0:
            raise EOFError("connection closed in the middle of a message")
        data += received
    return bytes(data)


def check_length(length):
    """Raises ValueError if a message would be larger than MAX_BLOCK."""
    if length > MAX_BLOCK:
        limit = f"the limit is {MAX_BLOCK}"
        raise ValueError(f"message too long ({length} bytes; {limit})")


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
