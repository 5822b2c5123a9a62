"""Makes three network errors happen, and catches each by its kind.

Slide 8, "network exceptions".
Run: python3 docs/python/network_errors.py [HOST=nonexistent.com]

Differences from examples/network_errors.rs:

- In Python, the kind of an exception is its class, and except catches by
  class. In Rust, an error is a value, and match compares its kind().
- In Python, socket.timeout is a subclass of OSError. Since Python 3.10, it is
  another name of TimeoutError. This program also runs with Python 3.9, so it
  says socket.timeout.
"""

# ANCHOR: program
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
        print_or_exit("no error: this name exists\n")
    except (OSError, UnicodeError) as err:
        # A label of more than 63 characters is a UnicodeError.
        is_unicode = isinstance(err, UnicodeError)
        name = "UnicodeError" if is_unicode else "socket.gaierror"
        print_or_exit(f"{lookup_error(err)}\n")
        print_or_exit(f"  {name} in Python, ")
        print_or_exit("dns_lookup::LookupError in Rust\n")
        print_or_exit("  (without a network, the error can look the same)\n")

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
    # The client can connect although this program does not call accept.
    with socket.create_server(LOOPBACK) as silent_server:
        address = silent_server.getsockname()
        with socket.create_connection(address) as client:
            client.settimeout(TIMEOUT)
            client.recv(1)


def print_result(call):
    """Makes a call. Prints its error, and the names in Python and Rust."""
    try:
        call()
        print_or_exit("no error this time\n")
        return
    except ConnectionRefusedError as err:
        error = err
        python, rust = "ConnectionRefusedError", "ErrorKind::ConnectionRefused"
    except socket.timeout as err:
        error = err
        kind = "TimedOut" if os.name == "nt" else "WouldBlock"
        python, rust = "socket.timeout", f"ErrorKind::{kind}"
    except OSError as err:
        error = err
        python, rust = "OSError", "ErrorKind::Other"
    print_or_exit(f"{error}\n")
    print_or_exit(f"  {python} in Python, io::{rust} in Rust\n")


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
