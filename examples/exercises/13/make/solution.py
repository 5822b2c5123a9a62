"""Exercise 13, make: a server with an event loop that keeps silent clients
forever."""

import argparse
import enum
import os
import selectors
import socket
import sys
import time

# The address to listen on, unless an argument says otherwise.
ADDRESS = "127.0.0.1:1236"

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The server stops reading from a client that has more unsent bytes than this.
UNSENT_LIMIT = 64 * 1024

# The default time after which the server disconnects an idle client, in
# seconds: more than 11 days.
NO_TIMEOUT = 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default=ADDRESS)
    parser.add_argument("--timeout", type=float, default=NO_TIMEOUT)
    args = parser.parse_args()
    idle_timeout = args.timeout
    listener = listen(args.address)
    ip, port = listener.getsockname()
    print(f"server ready on {ip}:{port}", flush=True)

    # A selector does the same as `poll`, also on Windows. With each socket, it
    # keeps the events to wait for, and the client.
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    clients = set()
    while True:
        # Wake up at the latest when the next client has been idle for too
        # long.
        timeout = idle_timeout
        for client in clients:
            timeout = min(timeout, idle_timeout - client.idle())
        # Wait until a socket is ready, or until the timeout.
        for key, events in selector.select(timeout):
            if key.fileobj is listener:
                accept_new(listener, selector, clients)
            else:
                key.data.serve(events)
                update(selector, clients, key.data)
        for client in list(clients):
            if client.idle() >= idle_timeout:
                log_event(client.peer, "dropped: timed out")
                client.state = State.CLOSED
                update(selector, clients, client)


def listen(address):
    ip, port = address.split(":")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # `accept` must not wait, because this thread also serves the clients.
    listener.setblocking(False)
    listener.bind((ip, int(port)))
    listener.listen(BACKLOG)
    return listener


def accept_new(listener, selector, clients):
    """Accepts new connections, but at most BACKLOG of them, so that the
    connected clients do not wait too long.
    """
    for _ in range(BACKLOG):
        try:
            stream, peer = listener.accept()
        except (BlockingIOError, ConnectionError):
            # No more connections are pending, or a client has already
            # disconnected.
            return
        except OSError as err:
            # The error may last, for example if the server has no more file
            # descriptors (a socket needs one). The pause keeps the log short.
            log_line(f"cannot accept: {err}; trying again in a second")
            time.sleep(1)
            return
        stream.setblocking(False)
        log_event(peer, "connected")
        client = Client(stream, peer)
        selector.register(stream, client.events(), client)
        clients.add(client)


def update(selector, clients, client):
    """Sets the events of this client that the selector waits for. Removes the
    client if its connection is closed.
    """
    if client.state is State.CLOSED:
        # Unregister the socket before the close, because the next connection
        # may get the same file descriptor.
        selector.unregister(client.stream)
        client.stream.close()
        clients.remove(client)
    else:
        selector.modify(client.stream, client.events(), client)


class State(enum.Enum):
    """The state of a connection."""

    # The server reads requests and sends replies.
    OPEN = 1
    # The server reads no more. It sends the unsent replies.
    CLOSING = 2
    # The main loop removes this client.
    CLOSED = 3


class Client:
    """All that the server knows about one client."""

    def __init__(self, stream, peer):
        self.stream = stream
        self.peer = peer
        # The time when the last bytes arrived, or when the client connected.
        self.received_at = time.monotonic()
        # The first bytes of a character whose other bytes have not arrived
        # yet.
        self.incomplete = b""
        # Replies that the kernel has not taken yet.
        self.unsent = bytearray()
        self.state = State.OPEN
        # How the connection ended, for the log.
        self.result = "disconnected"

    def idle(self):
        """Returns the seconds since the server received the last bytes."""
        return time.monotonic() - self.received_at

    def events(self):
        """Returns the events that the selector should wait for."""
        events = 0
        if self.wants_to_read():
            events |= selectors.EVENT_READ
        # Ask for EVENT_WRITE only with unsent bytes. An idle socket is always
        # writable. So `select` would return immediately each time, and the
        # server would use 100 % of a CPU.
        if len(self.unsent) > 0:
            events |= selectors.EVENT_WRITE
        return events

    def wants_to_read(self):
        """Returns True if the connection is open and at most UNSENT_LIMIT
        bytes are unsent.
        """
        return self.state is State.OPEN and len(self.unsent) <= UNSENT_LIMIT

    def serve(self, events):
        """Reads and writes once, as far as this is possible now."""
        try:
            if events & selectors.EVENT_READ:
                self.receive_requests()
            if len(self.unsent) > 0:
                self.send_replies()
        except BlockingIOError:
            # The kernel has no bytes to read now, or it cannot take more
            # bytes.
            return
        except OSError as err:
            self.result = f"dropped: {err}"
        else:
            if self.state is State.OPEN or len(self.unsent) > 0:
                # There is more to read or to send.
                return
        log_event(self.peer, self.result)
        self.state = State.CLOSED

    def receive_requests(self):
        received = self.stream.recv(BUFFER_SIZE)
        self.received_at = time.monotonic()
        if len(received) == 0:
            # The client has closed its sending side.
            if len(self.incomplete) > 0:
                self.result = "dropped: invalid UTF-8"
            self.state = State.CLOSING
            return
        text, self.incomplete, is_valid = decode(self.incomplete + received)
        self.unsent += text.upper().encode("utf-8")
        if not is_valid:
            self.result = "dropped: invalid UTF-8"
            self.state = State.CLOSING

    def send_replies(self):
        sent = self.stream.send(self.unsent)
        del self.unsent[:sent]


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


def log_event(peer, event):
    ip, port = peer
    log_line(f"{ip}:{port} {event}")


def log_line(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
