"""A server that talks with all its clients at once, in one thread.

Slide 13, "multiplexing (poll)". Run: python3 docs/python/poll_server.py [IP:PORT]
Python has no poll on Windows: there, this program says so and ends. The Rust one
runs.

Beside examples/poll_server.rs:

- The poll object keeps a list of descriptor numbers, not of sockets. A number that
  is not taken off when its socket is closed soon belongs to somebody else; in Rust
  the list is made anew each time and borrows the sockets, so that none can be closed
  meanwhile.
- Like the Rust one, it does not read on before it closes on a client whose bytes are
  not UTF-8: the system may reset that connection, and its last reply be lost.
"""

# ANCHOR: program
import select
import socket
import time

from sockets101 import Args, Decoder, Failure, cannot_listen, ended, family
from sockets101 import ip_port, is_about_one_peer, run, say, show, tell

# The slide's port.
PORT = 1236

# How many connections the system may keep waiting for accept.
BACKLOG = 100

# The most bytes that one read takes.
CHUNK = 4096

# A client with more unsent bytes than this is not read from.
UNSENT_LIMIT = 64 * 1024

# How many seconds nobody is accepted when the system is out of descriptors.
PAUSE = 1.0


def main():
    address = Args("poll_server [IP:PORT]").listen_address(PORT)
    if not hasattr(select, "poll"):
        raise Failure("Python has no poll on this system")
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err
    show(f"server ready on {ip_port(listener.getsockname())}")

    poller = select.poll()
    poller.register(listener, 0)
    clients = {}  # The number of a descriptor, and the Client behind it.
    accept_from = time.monotonic()
    while True:
        pause = max(0, accept_from - time.monotonic())
        poller.modify(listener, 0 if pause else select.POLLIN)
        events = dict(poller.poll(pause * 1000 or None))
        somebody_new = events.pop(listener.fileno(), 0)

        for number, event in events.items():
            client = clients[number]
            if client.serve(event):
                poller.modify(number, client.wanted())
            else:
                # Both together: the next client may get the same number.
                poller.unregister(number)
                clients.pop(number).stream.close()

        if somebody_new:
            try:
                accept(listener, poller, clients)
            except OSError as err:
                # The client stays in the queue, and poll would return at
                # once, again and again: so for a while it is not asked about
                # the listener.
                say(f"cannot accept: {err}; trying again in a second")
                accept_from = time.monotonic() + PAUSE


def listen(address):
    listener = socket.socket(family(address), socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def accept(listener, poller, clients):
    """Accepts who is in the queue, BACKLOG at most: the others' turn comes."""
    for _ in range(BACKLOG):
        try:
            stream, peer = listener.accept()
        except BlockingIOError:
            return
        except OSError as err:
            if is_about_one_peer(err):
                return
            raise
        tell(peer, "connected")
        stream.setblocking(False)
        clients[stream.fileno()] = Client(stream, peer)
        poller.register(stream, select.POLLIN)


class Client:
    """All that the server knows of one client."""

    def __init__(self, stream, peer):
        self.stream = stream
        self.peer = peer
        self.decoder = Decoder()
        self.unsent = b""  # What is answered, but not yet taken by the system.
        self.over = False  # Whether the client has said its last word,
        self.flaw = None  # and the error in it.

    def wanted(self):
        """What poll is to wait for. It tells of errors and hang-ups unasked."""
        reading = select.POLLIN if self.may_speak() else 0
        return reading | (select.POLLOUT if self.unsent else 0)

    def may_speak(self):
        """Whether to read from it: not after its end, nor while it lags."""
        return not self.over and len(self.unsent) <= UNSENT_LIMIT

    def serve(self, event):
        """Does what can be done, and says whether the client stays."""
        try:
            self.exchange(event)
            if self.unsent or not self.over:
                return True
            if self.flaw:
                raise self.flaw
            self.decoder.finish()
            ended(self.peer, None)
        except BlockingIOError:
            return True
        except (OSError, ValueError) as err:
            ended(self.peer, err)
        return False

    def exchange(self, event):
        """Reads once and writes once, where there is something to do."""
        # An error or a hang-up shows in the read, after all that came first.
        if event != select.POLLOUT and self.may_speak():
            data = self.stream.recv(CHUNK)
            text, self.flaw = self.decoder.feed(data)
            self.unsent += text.upper().encode("utf-8")
            self.over = not data or self.flaw is not None
        if self.unsent:
            sent = self.stream.send(self.unsent)
            self.unsent = self.unsent[sent:]


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
