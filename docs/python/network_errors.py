"""Three ways in which the network says no: each is made to happen, and caught by its
kind.

Slide 8, "network exceptions".
Run: python3 docs/python/network_errors.py [HOST=nonexistent.com]

Beside examples/network_errors.rs:

- The kind of an exception is its class, and except picks by it. In Rust an error is
  a value, and match picks by its kind().
- socket.timeout is a kind of OSError of its own. From Python 3.10 on it is another
  name of TimeoutError; a program that is to run on both versions says
  socket.timeout.
"""

# ANCHOR: program
import os
import socket

from sockets101 import Args, lookup_error, print_or_exit, run

# The slide's name and service.
HOST = "nonexistent.com"
SERVICE = "www"

# This machine, any free port.
LOOPBACK = ("127.0.0.1", 0)

# How long to wait for somebody who says nothing, in seconds.
TIME_LIMIT = 0.2


def main():
    args = Args("network_errors [HOST=nonexistent.com]")
    host = args.positional(HOST)
    args.finish()

    ask(f"looking up {host}")
    try:
        socket.getaddrinfo(host, SERVICE)
        print_or_exit("no error: today there is such a name\n")
    except (OSError, UnicodeError) as err:
        # A label of over 63 characters is refused before anybody is asked.
        is_unicode = isinstance(err, UnicodeError)
        name = "UnicodeError" if is_unicode else "socket.gaierror"
        print_or_exit(f"{lookup_error(err)}\n")
        print_or_exit(f"  {name} in Python, dns_lookup::LookupError in Rust\n")
        print_or_exit("  (no network and no such name can look the same)\n")
    ask("connecting where nobody listens")
    report(refused)
    ask(f"reading where nobody writes, for {TIME_LIMIT * 1000:.0f}ms")
    report(timed_out)


def ask(question):
    """The question is printed before its answer is waited for."""
    print_or_exit(f"{question}: ")


def refused():
    """Connects to a socket that has a port and does not listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as deaf:
        deaf.bind(LOOPBACK)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
            caller.connect(deaf.getsockname())


def timed_out():
    """Reads from a connection of this program with itself."""
    with socket.create_server(LOOPBACK) as silent:
        with socket.create_connection(silent.getsockname()) as stream:
            stream.settimeout(TIME_LIMIT)
            stream.recv(1)


def report(call):
    """Tells an error by its kind."""
    try:
        call()
        print_or_exit("no error this time\n")
    except ConnectionRefusedError as err:
        told(err, "ConnectionRefusedError", "ErrorKind::ConnectionRefused")
    except socket.timeout as err:
        kind = "TimedOut" if os.name == "nt" else "WouldBlock"
        told(err, "socket.timeout", f"ErrorKind::{kind}")
    except OSError as err:
        told(err, "OSError", "Error")


def told(err, python, rust):
    """The error, and its name on both sides."""
    print_or_exit(f"{err}\n  {python} in Python, io::{rust} in Rust\n")


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
