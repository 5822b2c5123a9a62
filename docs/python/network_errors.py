"""Causes three network errors on purpose, and shows how a program tells them
apart.

Slide 8, "network exceptions".
Run: python3 docs/python/network_errors.py [HOST=nonexistent.com]

Differences from examples/network_errors.rs:

- Python's error has a class. Rust's error has a kind, because Rust's network
  errors all have the type `io::Error`. In Python, `except` selects by the
  class. In Rust, `match` selects by `kind()`.
- Python's `print_result` gets a function, because in Python only the caller of
  a function can catch its exception. Rust's `print_result` gets a Result.
- Python's read timeout is socket.timeout, because Python measures the time
  itself. Rust's read timeout is `WouldBlock` or `TimedOut`, because Rust
  reports what the kernel reported. Since Python 3.10, socket.timeout is
  another name of TimeoutError.
- Python raises UnicodeError if a part of the name has more than 63 characters,
  because Python checks the name before it calls the operating system. Rust
  does not check the name, and returns a LookupError.
"""

import os
import socket

from sockets101 import Args, lookup_error, print_or_exit, run

# The name of the slide.
HOST = "nonexistent.com"

# The service of the slide.
SERVICE = "www"

# This machine. Port 0 lets the kernel choose a free port.
LOOPBACK = ("127.0.0.1", 0)

# The time to wait for a server that does not send anything, in seconds.
TIMEOUT = 0.2


def main():
    args = Args("network_errors [HOST=nonexistent.com]")
    host = args.positional(HOST)
    args.finish()

    print_or_exit(f"looking up {host}: ")
    try:
        socket.getaddrinfo(host, SERVICE)
    except (socket.gaierror, UnicodeError) as err:
        python = "socket.gaierror"
        if isinstance(err, UnicodeError):
            python = "UnicodeError"
        print_or_exit(f"{lookup_error(err)}\n")
        print_or_exit(f"  {python} in Python, ")
        print_or_exit("dns_lookup::LookupError in Rust\n")
        print_or_exit("  (without a network, the error can look the same)\n")
    else:
        print_or_exit("no error: this name exists\n")

    print_or_exit("connecting to a port without a server: ")
    print_result(connect_without_server)

    print_or_exit("reading from a silent server: ")
    print_result(read_from_silent_server)


def connect_without_server():
    """Connects to a port that a socket is bound to, but does not listen on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.bind(LOOPBACK)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect(bound.getsockname())


def read_from_silent_server():
    """Waits for one byte from a server that does not send anything."""
    # The client can connect although this program does not call `accept`.
    with socket.create_server(LOOPBACK) as silent_server:
        address = silent_server.getsockname()
        with socket.create_connection(address) as client:
            client.settimeout(TIMEOUT)
            client.recv(1)


def print_result(call):
    """Makes a call. Prints its error, and the names of the error in Python and
    in Rust.
    """
    try:
        call()
    except ConnectionRefusedError as err:
        print_or_exit(f"{err}\n")
        print_or_exit("  ConnectionRefusedError in Python, ")
        print_or_exit("io::ErrorKind::ConnectionRefused in Rust\n")
    except socket.timeout as err:
        kind = "WouldBlock"
        if os.name == "nt":
            kind = "TimedOut"
        print_or_exit(f"{err}\n")
        print_or_exit("  socket.timeout in Python, ")
        print_or_exit(f"io::ErrorKind::{kind} in Rust\n")
    except OSError as err:
        print_or_exit(f"{err}\n")
        print_or_exit("  OSError in Python, io::Error in Rust\n")
    else:
        print_or_exit("no error this time\n")


if __name__ == "__main__":
    run(main)
