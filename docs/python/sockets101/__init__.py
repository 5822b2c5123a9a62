"""What several twins need and that is not the subject of a slide: the twin of src/.

The calls that a slide teaches are in the twins themselves, in sight. Names are those
of the Rust library, wherever Python has nothing of its own for the purpose.

- Framing, slide 9: recvall, put_block, get_block, MAX_BLOCK.
- Text that arrives in pieces: Decoder.
- The command line, and the sentence that a program ends with: Args, Failure, run.
- Addresses: family, ip_port.
- What a program says: show, say, tell, ended, cannot_listen, unresolved.
- How it waits: within, call_failed, is_about_one_peer, hang_up.
"""

import codecs
import contextlib
import errno
import ipaddress
import re
import signal
import socket
import struct
import sys
import threading
import time

# How long hang_up reads on, in all, and how long call_failed waits.
SECOND = 1.0

# What a connection fails with whose other side has thrown it away.
RESET = (BrokenPipeError, ConnectionAbortedError, ConnectionResetError)

# The name of those arguments that have none.
POSITIONAL = "an argument"


# ANCHOR: blocks
# ---- Blocks on a stream: a length, then that many bytes

# The longest message of a block, in bytes: 16 MiB. Without a limit that both
# ends keep, the four bytes of a length let anybody ask for 4 GiB of our memory.
MAX_BLOCK = 16 * 1024 * 1024

# How a length is written: four bytes, in network byte order.
PREFIX = struct.Struct("!I")


def recvall(client, length):
    """Receives exactly length bytes, however many calls of recv that takes.

    One call returns what has arrived, which need not be what the sender wrote
    in one go. Memory grows with what arrives, not with length.

    EOFError when the stream ends early ("3 of 10 bytes left"); OSError as for
    recv.
    """
    data = bytearray()
    while len(data) < length:
        left = length - len(data)
        chunk = client.recv(min(left, 16 * 1024))
        if not chunk:
            raise EOFError(f"{left} of {length} bytes left")
        data += chunk
    return bytes(data)


def put_block(client, message):
    """Sends message as one block: its length, then its bytes, in one call.

    ValueError for a message over MAX_BLOCK, of which nothing is sent; OSError
    as for sendall.
    """
    client.sendall(PREFIX.pack(_checked(len(message))) + message)


def get_block(client):
    """Receives one block and returns its message.

    EOFError when the stream ends inside the block, as for recvall; ValueError
    when the announced length is over MAX_BLOCK; OSError as for recv.
    """
    (length,) = PREFIX.unpack(recvall(client, PREFIX.size))
    return recvall(client, _checked(length))


def _checked(length):
    """The length, unless it is one that no block may have."""
    if length > MAX_BLOCK:
        raise ValueError(f"a block of {length} bytes, the most is {MAX_BLOCK}")
    return length


# ANCHOR_END: blocks
# ---- Text that arrives in pieces


class Decoder:
    """Turns the bytes of a stream into text, wherever the reads cut them.

    The codec of the standard library keeps the first bytes of a character until the
    last ones are there. What it raises takes the good text before the flaw with it:
    this hands that back. (The first two bytes of a surrogate, such as ED A0, are a
    flaw for Rust; for this codec they are one when the third has come, or the end.)
    """

    def __init__(self):
        self.codec = codecs.getincrementaldecoder("utf-8")()

    def feed(self, data):
        """Returns the text that data completes, and a UnicodeDecodeError or None.

        With an error, the stream has lost its meaning: answer the text, then close.
        """
        try:
            return self.codec.decode(data), None
        except UnicodeDecodeError as err:
            return err.object[:err.start].decode("utf-8"), err

    def finish(self):
        """At the end of the stream: UnicodeDecodeError if that cuts a character."""
        self.codec.decode(b"", final=True)


# ---- The command line, and the sentence that a program ends with


class Failure(Exception):
    """Why a program ends early, in one sentence for the person at the terminal."""


def run(main):
    """Runs a program. A Failure is its last sentence, with exit status 1, and so is
    an error of the system that nobody has caught.

    Ctrl-C ends the process at once, whatever its threads are doing, as it does with
    a Rust program. Python's own way, KeyboardInterrupt, reaches the main thread
    alone, and on Windows not while that waits in accept.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        main()
    except (Failure, OSError, RuntimeError) as err:
        say(f"Error: {err}")
        sys.exit(1)


class Args:
    """The arguments of a program: positional ones in order, and named ones, --name
    VALUE or --name=VALUE, before, between or after them. -- ends the named ones.

    usage is the program's name and arguments, such as "listen_backlog [IP:PORT]
    [--backlog 100]". An option that is not in it does not exist. A mistake ends the
    program with a sentence, the usage line and exit status 2; --help prints that
    line and ends it with 0.
    """

    def __init__(self, usage):
        self.usage = usage
        self.positionals = []
        self.options = {}
        words = iter(sys.argv[1:])
        for word in words:
            name, equals, value = word.partition("=")
            if word == "--":
                self.positionals += words
            elif word == "-" or not word.startswith("-"):
                self.positionals.append(word)
            elif name == "--help":
                show(self.usage_line())
                sys.exit()
            elif f"[{name} " not in usage:
                self.refuse(f"there is no option {name!r}")
            else:
                self.options[name] = value if equals else next(words, None)
                if self.options[name] is None:
                    self.refuse(f"{name} needs a value")

    def listen_address(self, port):
        """The last to be called by a server: where to listen, as bind takes it.
        IP:PORT, or PORT on 127.0.0.1, which only this machine reaches; without the
        argument, port there.
        """
        text = self.positional(str(port))
        self.finish()
        full = text if ":" in text else f"127.0.0.1:{text}"
        host, _, number = full.rpartition(":")
        try:
            if host.startswith("[") and host.endswith("]"):
                ip = ipaddress.IPv6Address(host[1:-1])
            else:
                ip = ipaddress.IPv4Address(host)
            numeric = socket.AI_NUMERICHOST  # No name is looked up.
            return socket.getaddrinfo(str(ip), u16(number), flags=numeric)[0][4]
        except (ValueError, OSError):
            wanted = "neither IP:PORT nor PORT; the IP is a number, not a name"
            self.refuse(f"{text!r} is {wanted}")

    def positional(self, default, kind=str):
        """The next positional argument, made by kind of its text, or default."""
        if not self.positionals:
            return default
        return self._made(kind, self.positionals.pop(0), POSITIONAL)

    def option(self, name, default, kind):
        """The value of name, such as --backlog, made by kind, or default."""
        if name not in self.options:
            return default
        return self._made(kind, self.options[name], name)

    def seconds(self, name, default, least):
        """The value of name, such as --delay, in seconds, fractions allowed, or
        default. least is the shortest: a delay may be 0; a time limit may not, as 0
        would mean that nothing waits.
        """
        seconds = self.option(name, default, _decimal)
        if not least <= seconds <= 1e6:
            self.refuse(f"{name} takes {least} to 1000000 seconds")
        return seconds

    def finish(self):
        """The last to be called by another program: refuses what is left over."""
        if self.positionals:
            self.refuse(f"{self.positionals[0]!r} is one argument too many")

    def usage_line(self):
        """How to run it."""
        name, _, arguments = self.usage.partition(" ")
        return f"usage: python3 docs/python/{name}.py {arguments}".rstrip()

    def refuse(self, mistake):
        """Ends the program: the mistake, the usage line, exit status 2."""
        say(f"Error: {mistake}\n{self.usage_line()}")
        sys.exit(2)

    def _made(self, kind, text, name):
        try:
            return kind(text)
        except ValueError:
            self.refuse(f"{text!r} is no value for {name}")


def u16(text):
    """A number of 16 bits, such as a port or a backlog; else ValueError."""
    if not re.fullmatch("[0-9]+", text) or int(text) > 65535:
        raise ValueError(text)
    return int(text)


def _decimal(text):
    """A number, without what float allows beside: blanks, 1_000, nan, inf."""
    if not re.fullmatch("[-+.0-9eE]+", text):
        raise ValueError(text)
    return float(text)


# ---- Addresses, which in Python are tuples


def family(address):
    """The first argument of socket.socket for this address."""
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def ip_port(address):
    """An address as people write it: 127.0.0.1:80, [::1]:80, [fe80::1%2]:80."""
    host, port, *ipv6 = address
    if not ipv6:
        return f"{host}:{port}"
    scope = f"%{ipv6[1]}" if ipv6[1] else ""
    return f"[{host}{scope}]:{port}"


# ---- What the programs say


def show(text, end="\n"):
    """Writes a line to stdout, at once.

    Unlike print it raises nothing: a character that stdout has no code for is shown
    as its number, and when nobody reads stdout any more, the server goes on.
    """
    _write("stdout", text + end)


def say(line):
    """Writes a line to stderr; a server outlives its terminal."""
    _write("stderr", line + "\n")


def _write(name, text):
    """Writes text in one go, so that the lines of two threads do not mix."""
    stream = getattr(sys, name)
    if stream is None:  # The program was started without one.
        return
    code = stream.encoding
    try:
        stream.write(text.encode(code, "backslashreplace").decode(code))
        stream.flush()
    except BrokenPipeError:
        # Otherwise Python tries once more as it ends, and ends with status 120.
        setattr(sys, name, None)
    except OSError:
        pass  # A full disk, say: the next line may do better.


def tell(peer, event):
    """Says something of a client, or of whoever sent a datagram: [THREAD: ]PEER
    EVENT. The event is "connected", "left" or "dropped: WHY".
    """
    thread = threading.current_thread()
    speaker = "" if thread is threading.main_thread() else f"{thread.name}: "
    say(f"{speaker}{ip_port(peer)} {event}")


def ended(peer, visit):
    """Tells how a client's visit ended: it left (visit is None), or it was dropped,
    and why (visit is the exception).
    """
    if visit is None:
        tell(peer, "left")
    elif isinstance(visit, RESET):
        tell(peer, "dropped: reset")
    elif isinstance(visit, UnicodeError):
        tell(peer, "dropped: not UTF-8")
    elif getattr(visit, "errno", None) is not None:
        tell(peer, "dropped: connection lost")
    else:
        tell(peer, f"dropped: {visit}")  # No number: an error of ours, in our words.


def cannot_listen(address, err):
    """The Failure of a server that cannot listen at address, or bind a datagram
    socket to it: what the system said, and what to do about it.
    """
    advice = "give another IP:PORT, or stop the program that has this one"
    return Failure(f"cannot listen on {ip_port(address)}: {err}; {advice}")


def unresolved(err):
    """What is known when a lookup has failed: the reason, in the system's words. Not
    that there is no such name: without a network the system may say the very same.

    A UnicodeError has Python's own: it refuses a name with a label of over 63
    characters before it asks anybody.
    """
    why = getattr(err, "strerror", None) or err.__cause__ or err
    return f"could not be resolved: {why}"


# ---- How they wait, and for how long


def within(limit, call, *args):
    """Makes a call on a socket that has this time limit, in seconds, and names the
    silence: socket.timeout, "silent for N s". What else the call raises, it raises.
    """
    try:
        return call(*args)
    except socket.timeout:
        seconds = str(limit).removesuffix(".0")
        raise socket.timeout(f"silent for {seconds} s") from None


def is_about_one_peer(err):
    """Whether accept or recvfrom failed because of one peer, who has gone, so that
    the next call can be made at once.

    A connection can be reset while it waits in the queue. On Windows, recvfrom also
    fails after a reply to a port where nobody is, and for a datagram longer than the
    buffer.
    """
    gone = (ConnectionAbortedError, ConnectionResetError, InterruptedError)
    codes = (errno.ENOTCONN, errno.EMSGSIZE)
    return isinstance(err, gone) or getattr(err, "errno", None) in codes


_speaker = threading.Lock()


def call_failed(what, err):
    """To be called when accept has failed, or recvfrom, or starting a thread (what
    says it): says so and waits a second. Returns at once when the error is about one
    peer.

    Out of descriptors, accept fails at once and leaves the client in the queue:
    without the wait, a loop around it would use a whole processor and fill the
    terminal. In a pool, one thread says it, and the others only wait.
    """
    if is_about_one_peer(err):
        return
    speaks = _speaker.acquire(blocking=False)
    if speaks:
        say(f"cannot {what}: {err}; trying again in a second")
    time.sleep(SECOND)
    if speaks:
        _speaker.release()


def hang_up(client):
    """Closes a connection without taking the last reply away again.

    When a socket is closed with bytes still unread, the system answers with a reset,
    and a reset can overtake the reply that the client has not read yet. So this ends
    our side, reads and throws away what still comes until the client ends its side
    or a second in all has passed, and only then closes.
    """
    deadline = time.monotonic() + SECOND
    with contextlib.suppress(OSError), client:
        client.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            client.settimeout(left)
            if not client.recv(4096):
                break
