"""The functions that several programs share: the Python version of src/.

They are not the calls that a lesson teaches (socket, bind, listen, accept,
poll). The reader finds those calls in the file of the lesson. Only recvall,
put_block and get_block are here, although lesson 9 teaches them. The reason is
that in Rust, a client needs these functions, too.

The names and the order are those of the Rust library:

- Length-prefixed messages (lesson 9): recvall, put_block, get_block,
  MAX_BLOCK.
- Text that arrives in pieces (lesson 10): Decoder.
- The command line, and the error with which a program exits: Args, u16,
  Failure, run.
- Output and log lines: print_line, print_or_exit, log_line, log_event,
  log_disconnect.
- Error messages: cannot_listen, lookup_error.
- Waiting: read_within.
- Errors while a server runs: log_and_pause, is_about_one_peer.
- Closing a connection: close_gracefully.
- Addresses: address_family, format_address.

Differences from src/:

- A Python function raises an exception if it fails. A Rust function returns a
  Result, because in Rust an error is a value. If the kernel reports an error,
  Python raises an OSError. Other errors that a server logs are a ValueError,
  an EOFError or a socket.timeout.
- The two languages print an error of the operating system differently. Python
  prints `[Errno 98] Address already in use`. Rust prints `Address already in
  use (os error 98)`.
- Python's `upper` and Rust's `to_uppercase` differ for a few rare letters. The
  reason is that each version of a language contains one version of Unicode.
- Only Python needs run. If a Rust program's main returns an error, Rust prints
  the error. Ctrl-C stops a Rust program without further code.
- Only Python needs address_family and format_address, because an address is a
  tuple in Python. In Rust, an address has the type SocketAddr.
- Only Rust needs accept_within. In Python, `settimeout` sets a timeout for
  `accept`.
- Only Rust has the functions that clients call, because the clients exist only
  in Rust.
"""

import errno
import ipaddress
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

# The time for which log_and_pause pauses, in seconds. close_gracefully reads
# for this time at most.
SECOND = 1.0


# ---- Length-prefixed messages on a stream: a length, then that many bytes

# The largest message that we send or receive, in bytes: 16 MiB.
#
# The length comes from the other program. Without a limit, four bytes from a
# client could make the server allocate 4 GiB of memory.
MAX_BLOCK = 16 * 1024 * 1024

# The size of the length prefix, in bytes.
PREFIX_SIZE = 4


def recvall(client, length):
    """Reads exactly `length` bytes. Calls `recv` as often as necessary.

    One `recv` returns the bytes that have arrived. These are often only a part
    of what the sender wrote with one call. TCP keeps the order of the bytes,
    but not the boundaries between writes. Even if `length` is large, memory
    grows only as bytes arrive.

    Raises EOFError if the stream ends early. The message says how many bytes
    are missing. An OSError comes from `recv`.
    """
    data = bytearray()
    while len(data) < length:
        missing = length - len(data)
        # Do not read beyond the end of this message, because the next bytes
        # belong to the next message.
        limit = min(missing, 16 * 1024)
        received = client.recv(limit)
        if len(received) == 0:
            raise _incomplete(missing, length)
        data += received
    return bytes(data)


def put_block(client, message):
    """Sends `message` as one length-prefixed message: its length, then its
    bytes.

    The length has four bytes, with the most significant byte first (network
    byte order). One call sends both parts. With two calls, Nagle's algorithm
    and delayed ACK can delay the second part. On Linux, this delay is 40 to
    200 ms.

    Raises ValueError if the message is larger than MAX_BLOCK. In this case,
    the function sends nothing. An OSError comes from `sendall`.
    """
    length = len(message)
    _check_length(length)
    client.sendall(struct.pack("!I", length) + message)


def get_block(client):
    """Receives one length-prefixed message and returns its bytes.

    Raises EOFError if the stream ends in the middle of the length or of the
    message, as recvall does. Raises ValueError if the length is larger than
    MAX_BLOCK. An OSError comes from `recv`.
    """
    prefix = recvall(client, PREFIX_SIZE)
    (length,) = struct.unpack("!I", prefix)
    _check_length(length)
    return recvall(client, length)


def _incomplete(missing, length):
    """Returns the error for a stream that ends before a message is complete.
    """
    return EOFError(
        "connection closed in the middle of a message "
        f"({missing} of {length} bytes missing)"
    )


def _check_length(length):
    """Raises ValueError if a message would be larger than MAX_BLOCK."""
    if length <= MAX_BLOCK:
        return
    raise ValueError(
        f"message too long ({length} bytes; the limit is {MAX_BLOCK})"
    )


# ---- Text that arrives in pieces


class Decoder:
    """Converts the bytes of a stream to text, even if a read ends inside a
    character.

    In UTF-8, `é` is two bytes. A program can receive them with two different
    reads. The decoder keeps the first byte until the second byte arrives. If
    the text is valid, it keeps at most three bytes, because a character has at
    most four.

    Python's standard library has an incremental decoder, too. If a byte is
    invalid, that decoder raises an exception. It then does not return the
    valid text before the invalid byte.
    """

    def __init__(self):
        # The first bytes of a character whose other bytes have not arrived
        # yet.
        self.incomplete = b""

    def decode(self, data):
        """Adds the bytes of one read. Returns the text that is now complete,
        and whether all bytes so far are valid UTF-8.

        This decoder does not decode any more text after an invalid byte. Reply
        to the text, then close the connection.
        """
        received = self.incomplete + data
        self.incomplete = b""
        try:
            return received.decode("utf-8"), True
        except UnicodeDecodeError as err:
            # With this reason, the bytes are valid so far, but the last
            # character is incomplete.
            is_valid = err.reason == "unexpected end of data"
            self.incomplete = received[err.start:]
            text = received[:err.start].decode("utf-8")
            return text, is_valid

    def finish(self):
        """Checks that the last character of the stream is complete. Call this
        at the end of the stream.

        Raises ValueError if the last character is incomplete.
        """
        if len(self.incomplete) > 0:
            raise ValueError("invalid UTF-8")


# ---- The command line, and the error with which a program exits


class Failure(Exception):
    """The error with which a program exits: one sentence for the user."""


def run(main):
    """Calls `main`. If it raises a Failure or an OSError, prints `Error: ` and
    the sentence, and exits with status 1.

    Ctrl-C stops the process immediately, whatever its threads are doing. A
    Rust program does the same. By default, Python raises KeyboardInterrupt
    instead, but only in the main thread. On Windows, Python does not raise it
    while the main thread waits in `accept`.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        main()
    except (Failure, OSError) as err:
        log_line(f"Error: {err}")
        sys.exit(1)


class Args:
    """The command-line arguments of a program: positional arguments and
    options.

    You write an option as `--name VALUE` or `--name=VALUE`. Options may come
    before, between or after the positional arguments. All arguments after `--`
    are positional.

    If the command line has a mistake, the program prints an error message and
    the usage line. It then exits with status 2. `--help` prints the usage
    line, and the program exits with status 0.
    """

    def __init__(self, usage):
        """Reads the command line.

        `usage` is the name of the program and its arguments, for example
        "listen_backlog [IP:PORT] [--backlog 100]". It also defines which
        options exist. In `usage`, positional arguments come before the
        options.
        """
        self.usage = usage
        # The rest of `usage`, from the positional argument that was read last.
        self.unread = usage
        self.positionals = []
        self.options = {}
        self._read(iter(sys.argv[1:]))

    def _read(self, line):
        for arg in line:
            name, equals, value = arg.partition("=")
            if arg == "--":
                self.positionals += line
            elif arg == "-" or not arg.startswith("-"):
                self.positionals.append(arg)
            elif not arg.startswith("--"):
                self.refuse(f"invalid option '{arg[:2]}'")
            elif name == "--help":
                print_or_exit(self._usage_line() + "\n")
                sys.exit(0)
            elif f"[{name} " not in self.usage:
                self.refuse(f"invalid option '{name}'")
            else:
                if not equals:
                    value = next(line, None)
                if value is None:
                    self.refuse(f"missing argument for option '{name}'")
                self.options[name] = value

    def listen_address(self, default_port, default_ip="127.0.0.1"):
        """Returns the address that a server should listen on, and rejects
        leftover arguments. Call this last.

        The argument is `IP:PORT`, or only `PORT`, which means the address
        `default_ip` with this port. Without an argument, the port is
        `default_port`. Programs on other machines cannot connect to 127.0.0.1.
        """
        text = self.positional(str(default_port))
        self.finish()
        address = _parse_address(text, default_ip)
        if address is None:
            self._refuse_address(text, "IP:PORT or PORT")
        return address

    def positional(self, default, kind=str):
        """Returns the next positional argument, or `default` after the last one.

        `kind` is a function that converts the text, such as `u16`.
        """
        # The usage line shows the name as `[NAME]` or `[NAME=DEFAULT]`.
        _, _, self.unread = self.unread.partition(" [")
        name = re.split("[= \\]]", self.unread)[0]
        if len(self.positionals) == 0:
            return default
        return self._convert(kind, self.positionals.pop(0), name)

    def option(self, name, default, kind):
        """Returns the value of an option such as `--backlog`, or `default` if
        the option was not given. If it was given twice, the last value counts.

        `kind` is as in `positional`.
        """
        if name not in self.options:
            return default
        return self._convert(kind, self.options[name], name)

    def _convert(self, kind, text, name):
        try:
            return kind(text)
        except ValueError:
            self.refuse(f"'{text}' is not a valid value for {name}")

    def seconds(self, name, default):
        """Returns the value of an option such as `--delay`: a number of
        seconds.

        The number may be a fraction or 0.
        """
        return self._seconds_from(0.0, name, default)

    def timeout(self, name, default):
        """Returns the value of an option such as `--timeout`: a number of
        seconds.

        The number may be a fraction. It is at least 0.001, because a socket
        with a timeout of 0 does not wait.
        """
        return self._seconds_from(0.001, name, default)

    def _seconds_from(self, least, name, default):
        seconds = self.option(name, default, _f64)
        if not least <= seconds <= 1e6:
            limits = f"from {_decimal(least)} to 1000000 seconds"
            self.refuse(f"expected {name} {limits}, got {_decimal(seconds)}")
        return seconds

    def finish(self):
        """Rejects leftover arguments. Programs that are neither clients nor
        servers call this last.
        """
        if len(self.positionals) > 0:
            self.refuse(f"unexpected argument '{self.positionals[0]}'")

    def _usage_line(self):
        name, _, arguments = self.usage.partition(" ")
        return f"usage: python3 docs/python/{name}.py {arguments}".rstrip()

    def refuse(self, mistake):
        """Prints an error message and the usage line, and exits with status 2.

        A program calls this function if it cannot use a value that has the
        right type.
        """
        log_line(f"Error: {mistake}\n{self._usage_line()}")
        sys.exit(2)

    def _refuse_address(self, text, expected):
        """Refuses an address, and says what is wrong with it.

        The most common mistake with IPv6 is to forget the brackets around the
        IP address.
        """
        mistake = f"expected {expected}, got '{text}'"
        ip, _, port = text.rpartition(":")
        if ":" in ip and "[" not in text:
            advice = f"an IPv6 address needs brackets: [{ip}]:{port}"
            mistake = f"{mistake}; {advice}"
        self.refuse(mistake)


def _parse_address(text, default_ip):
    """Parses `IP:PORT`, or `PORT` at `default_ip`. Returns the tuple that
    `bind` takes. Returns None for any other text.
    """
    host, _, port = text.rpartition(":")
    if ":" not in text:
        host = f"[{default_ip}]" if ":" in default_ip else default_ip
    try:
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
            # In `[fe80::1%eth0]:PORT`, `eth0` is a network interface.
            # getaddrinfo finds its number.
            ip, _, _ = host.partition("%")
            ipaddress.IPv6Address(ip)
        else:
            ipaddress.IPv4Address(host)
        # AI_NUMERICHOST: do not look up a name.
        flags = socket.AI_NUMERICHOST
        entries = socket.getaddrinfo(host, u16(port), flags=flags)
    except (ValueError, OSError):
        return None
    _, _, _, _, address = entries[0]
    return address


def u16(text):
    """Converts a text to a number from 0 to 65535, such as a port. Raises
    ValueError for any other text.
    """
    if not re.fullmatch("[+]?[0-9]+", text) or int(text) > 65535:
        raise ValueError(text)
    return int(text)


def _f64(text):
    """Converts a text to a number. Rejects blanks and underscores, which
    `float` would accept.
    """
    if not re.fullmatch("[-+.0-9A-Za-z]+", text):
        raise ValueError(text)
    return float(text)


def _decimal(number):
    """Returns a number as Rust prints it: `3` instead of `3.0`."""
    return str(round(number, 9)).removesuffix(".0")


# ---- What the programs print: output, log lines and error messages


def print_line(line):
    """Prints a line on stdout. If stdout is closed or the disk is full, the
    line is lost and the program continues. If a pipe is full, the call waits
    for the reader.

    A server calls this function instead of `print`, which would raise an
    exception and stop the server.
    """
    try:
        _write(sys.stdout, f"{line}\n")
    except OSError:
        pass


def print_or_exit(text):
    """Prints `text` on stdout immediately, without adding a newline. If that
    is impossible, exits.

    A program whose only purpose is to print calls this function instead of
    `print`, which would raise an exception. If the reader has closed the pipe
    (`| head -1`), the program exits quietly with status 0. If the disk is
    full, the program prints an error message and exits with status 1.
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as err:
        log_line(f"Error: cannot write to stdout: {err}; free some space")
        sys.exit(1)


def log_line(line):
    """Prints a line on stderr. If stderr is closed or the disk is full, the
    line is lost and the program continues. If a pipe is full, the call waits
    for the reader.
    """
    try:
        _write(sys.stderr, f"{line}\n")
    except OSError:
        pass


def _write(stream, text):
    """Writes text to stdout or stderr as UTF-8.

    This function does not use Python's own buffer. After an error, that buffer
    would keep the bytes. Python would then try to write them again when it
    exits, and the exit status would be 120.
    """
    if stream is None:
        # The program was started without this stream.
        return
    data = text.encode("utf-8", "backslashreplace")
    # With the option -u of Python, the stream does not have a buffer.
    file = getattr(stream.buffer, "raw", stream.buffer)
    while len(data) > 0:
        count = file.write(data)
        if count is None:
            raise BlockingIOError("the stream is non-blocking and full")
        data = data[count:]


def log_event(peer, event):
    """Logs an event of a client: `[THREAD: ]PEER EVENT`.

    `peer` is the client's address. `event` is `connected`, `disconnected` or
    `dropped: WHY`. In a thread with a name, except the main thread, the line
    begins with this name.
    """
    thread = threading.current_thread()
    if thread is threading.main_thread():
        log_line(f"{format_address(peer)} {event}")
    else:
        log_line(f"{thread.name}: {format_address(peer)} {event}")


def log_disconnect(peer, result):
    """Logs how a connection ended: `disconnected` if `result` is None,
    otherwise `dropped: WHY`. `result` is then the exception.
    """
    if result is None:
        log_event(peer, "disconnected")
        return
    resets = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
    if isinstance(result, resets):
        why = "connection reset by the client"
    elif getattr(result, "errno", None) is not None:
        why = "connection lost"
    else:
        why = result  # An error of our own code says what happened.
    log_event(peer, f"dropped: {why}")


def cannot_listen(address, err):
    """Returns the error of a server that cannot listen on `address`.

    The error says what the operating system reported, and what to do about it.

    The error EADDRINUSE has two causes, so the advice names both. Either a
    program uses the port, or an earlier connection is in the state TIME_WAIT.
    On Linux, SO_REUSEADDR helps only if the earlier server has set it, too.
    """
    if err.errno == errno.EADDRINUSE:
        advice = (
            "stop the program that uses this port, or choose another port; if "
            "no program uses the port, wait a minute, because an earlier "
            "TCP server did not set SO_REUSEADDR"
        )
    elif isinstance(err, PermissionError):
        advice = "choose a port from 1024 to 65535"
    elif err.errno == errno.EADDRNOTAVAIL:
        advice = "choose an address of this machine, for example 127.0.0.1"
    else:
        advice = "choose another IP:PORT"
    what = f"cannot listen on {format_address(address)}: {err}"
    return Failure(f"{what}; {advice}")


def lookup_error(err):
    """Returns the message for a failed name lookup: `could not be resolved:
    WHY`.

    WHY is the reason that the operating system gives. A failed lookup does not
    prove that the name does not exist. Without a network, the operating system
    can give the same reason.

    If a part of the name has more than 63 characters, Python itself rejects
    the name with a UnicodeError. WHY then comes from Python.
    """
    why = getattr(err, "strerror", None) or err.__cause__ or err
    return f"could not be resolved: {why}"


# ---- How the programs wait for the network, and for how long


def read_within(client, size, timeout):
    """Reads at most `size` bytes from a connection. Waits at most `timeout`
    seconds for the first bytes.

    Returns the bytes, or no bytes at the end of the stream.

    Raises socket.timeout with the message `timed out: nothing received for N
    s` if no bytes arrived in time. Any other OSError comes from `recv`.
    """
    client.settimeout(timeout)
    try:
        return client.recv(size)
    except socket.timeout:
        why = f"timed out: nothing received for {_decimal(timeout)} s"
        raise socket.timeout(why) from None
    finally:
        # In Python, the timeout would also apply to `sendall`.
        client.settimeout(None)


def is_about_one_peer(err):
    """Returns True if `accept` or `recvfrom` failed because of one peer or a
    signal. The program can then make the next call immediately.

    - A client can reset its connection before the server accepts it. `accept`
      then raises ConnectionAbortedError, or on Windows ConnectionResetError or
      an OSError with ENOTCONN.
    - On Windows, `recvfrom` raises ConnectionResetError if the server has sent
      an earlier reply to a closed port.
    - On Windows, `recvfrom` raises an OSError with EMSGSIZE if a datagram is
      larger than the buffer. The datagram is then lost.
    - InterruptedError means that a signal interrupted the call.
    """
    number = getattr(err, "errno", None)
    is_too_large = os.name == "nt" and number == errno.EMSGSIZE
    kinds = (ConnectionAbortedError, ConnectionResetError, InterruptedError)
    return is_too_large or number == errno.ENOTCONN or isinstance(err, kinds)


_logging = threading.Lock()


def log_and_pause(what, err):
    """Logs that a call failed, and pauses for a second. Does nothing if the
    error is about one peer.

    A server calls this function when `accept` or `recvfrom` has failed, or
    when it could not start a thread. `what` completes the sentence "cannot
    ...".

    The pause matters if a server has no file descriptor left. `accept` then
    fails immediately and leaves the connection in the queue. Without the
    pause, the server would use 100 % of a CPU. If several threads call this
    function at the same time, only one of them logs.
    """
    if is_about_one_peer(err):
        return
    locked = _logging.acquire(blocking=False)
    if locked:
        log_line(f"cannot {what}: {err}; trying again in a second")
    time.sleep(SECOND)
    if locked:
        _logging.release()


def close_gracefully(client):
    """Closes a connection gracefully, so that the client still receives the
    last reply.

    A program may close a socket that has unread bytes, or bytes may arrive
    after the close. In both cases, the kernel sends a reset. The client's
    kernel may then discard a reply that the client has not read yet. Therefore
    this function

    1. closes the sending side, so that the client sees the end of the stream,
    2. reads and discards bytes until the client closes its sending side, but
       for a second at most,
    3. closes the socket.
    """
    deadline = time.monotonic() + SECOND
    try:
        # `with` closes the socket, whatever happens.
        with client:
            client.shutdown(socket.SHUT_WR)
            while True:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return
                client.settimeout(remaining)
                if len(client.recv(4096)) == 0:
                    return
    except OSError:
        # The client has reset the connection, or the second is over.
        pass


# ---- Addresses, which are tuples in Python


def address_family(address):
    """Returns AF_INET or AF_INET6, the first argument of `socket.socket`."""
    host = address[0]
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def format_address(address):
    """Returns an address as text: 127.0.0.1:80, [::1]:80, [fe80::1%2]:80.

    On macOS, `accept` of an IPv6 listener returns None as the address if the
    client has reset its connection.
    """
    if address is None:
        return "unknown address"
    host, port, *ipv6 = address
    if not ipv6:
        return f"{host}:{port}"
    _, scope = ipv6
    if scope == 0:
        return f"[{host}]:{port}"
    return f"[{host}%{scope}]:{port}"
