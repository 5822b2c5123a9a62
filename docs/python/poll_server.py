"""A TCP server that serves all its clients at the same time, in one thread.

Slide 13, "multiplexing (poll)".
Run: python3 docs/python/poll_server.py [IP:PORT]

Differences from examples/poll_server.rs:

- Python keeps one poll object and changes it, Rust builds a new list in each
  iteration, because a Rust list borrows the sockets that are in it.
- Python's poll object contains file descriptor numbers, Rust's list contains
  borrowed sockets, because Rust must know that no socket is closed during
  `poll`. If a Python program closes a socket and forgets to unregister its
  number, the kernel soon gives that number to another connection. So this
  program unregisters the number first.
- Python finds a client by its number in a dict, Rust by its position in a Vec,
  because Python's `poll` returns only the numbers of the ready sockets.
- Python's `poll` does not exist on Windows, Rust's does, because the Rust
  library rustix calls WSAPoll there. On Windows, this program exits with an
  error message. Therefore `listen` always sets SO_REUSEADDR.
- Python's `serve` catches exceptions, Rust's looks at a Result, because in
  Rust an error is a value.
"""

import enum
import select
import socket
import time

from sockets101 import Args, Decoder, Failure, address_family, cannot_listen
from sockets101 import format_address, is_about_one_peer, log_disconnect
from sockets101 import log_event, log_line, print_line, run

# The port of the slide.
PORT = 1236

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The server stops reading from a client that has more unsent bytes than this.
UNSENT_LIMIT = 64 * 1024

# How many seconds the server does not accept connections after `accept` has
# failed.
PAUSE = 1.0


def main():
    args = Args("poll_server [IP:PORT]")
    address = args.listen_address(PORT)
    if not hasattr(select, "poll"):
        what = "Python does not have poll on this operating system"
        raise Failure(f"{what}; run the Rust version instead")
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    print_line(f"server ready on {format_address(listener.getsockname())}")

    # The poll object: the numbers of the sockets, and the events to wait for.
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    # The clients, by the numbers of their sockets.
    clients = {}
    # After `accept` has failed, the server waits until this time.
    accept_again_at = time.monotonic()
    while True:
        # Usually, poll waits for new connections, too, and without a timeout.
        listener_events = select.POLLIN
        timeout = None
        pause = accept_again_at - time.monotonic()
        if pause > 0:
            listener_events = 0
            timeout = pause * 1000  # in milliseconds
        poller.modify(listener, listener_events)

        # Wait until a socket is ready. The result contains the number and the
        # events of each ready socket.
        ready = dict(poller.poll(timeout))
        listener_is_ready = listener.fileno() in ready
        ready.pop(listener.fileno(), None)

        # Serve the ready clients, and remove the closed ones.
        for number, events in ready.items():
            client = clients[number]
            client.serve(events)
            if client.state is State.CLOSED:
                # Unregister before the socket is closed: the next connection
                # may get the same number.
                poller.unregister(number)
                del clients[number]
                client.stream.close()
            else:
                poller.modify(number, client.events())

        # Accept new connections.
        if listener_is_ready:
            try:
                accept_new(listener, poller, clients)
            except BlockingIOError:
                # No more connections are pending.
                pass
            except OSError as err:
                if not is_about_one_peer(err):
                    # The connection is still pending, so `poll` would return
                    # immediately, again and again. Therefore the server does
                    # not ask for events of the listener for a while.
                    log_line(
                        f"cannot accept: {err}; trying again in a second"
                    )
                    accept_again_at = time.monotonic() + PAUSE


def listen(address):
    # The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default
    # protocol.
    listener = socket.socket(address_family(address), socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # `accept` must not wait, because this thread also serves the clients.
    listener.setblocking(False)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def accept_new(listener, poller, clients):
    """Accepts new connections, but at most BACKLOG of them, so that the
    connected clients do not wait too long. Raises the exception of the first
    call that fails.
    """
    for _ in range(BACKLOG):
        stream, peer = listener.accept()
        stream.setblocking(False)
        log_event(peer, "connected")
        client = Client(stream, peer)
        clients[stream.fileno()] = client
        poller.register(stream, client.events())


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
        # Keeps the first bytes of a character until the others arrive.
        self.decoder = Decoder()
        # Replies that the kernel has not taken yet.
        self.unsent = b""
        self.state = State.OPEN
        # How the connection ended: an exception, or None if the client has
        # disconnected.
        self.result = None

    def events(self):
        """Returns the events that `poll` should wait for. `poll` always
        reports errors and hang-ups, even if you do not ask for them.
        """
        events = 0
        if self.wants_to_read():
            events |= select.POLLIN
        # Only with unsent bytes: an idle socket is always writable, so `poll`
        # would return immediately each time, and the server would use 100 % of
        # a CPU.
        if len(self.unsent) > 0:
            events |= select.POLLOUT
        return events

    def wants_to_read(self):
        """Returns False if the client has closed its sending side, or if it
        does not read its replies.
        """
        return self.state is State.OPEN and len(self.unsent) <= UNSENT_LIMIT

    def serve(self, events):
        """Reads and writes once, as far as this is possible now."""
        try:
            # Read also if `poll` reports an error or a hang-up. The read then
            # raises the error, or returns 0 bytes.
            if events != select.POLLOUT and self.wants_to_read():
                self.receive_requests()
            if len(self.unsent) > 0:
                self.send_replies()
        except BlockingIOError:
            return
        except OSError as err:
            self.result = err
        else:
            if self.state is State.OPEN or len(self.unsent) > 0:
                # There is more to read or to send.
                return
        log_disconnect(self.peer, self.result)
        self.state = State.CLOSED

    def receive_requests(self):
        received = self.stream.recv(BUFFER_SIZE)
        if len(received) == 0:
            # The client has closed its sending side. `finish` raises an
            # exception if the last character is not complete.
            try:
                self.decoder.finish()
            except ValueError as err:
                self.result = err
            self.state = State.CLOSING
            return
        # `valid` is False if there are invalid bytes after `text`.
        text, valid = self.decoder.decode(received)
        self.unsent += text.upper().encode("utf-8")
        if not valid:
            self.result = ValueError("invalid UTF-8")
            self.state = State.CLOSING

    def send_replies(self):
        sent = self.stream.send(self.unsent)
        self.unsent = self.unsent[sent:]


if __name__ == "__main__":
    run(main)
