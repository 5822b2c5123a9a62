"""Looks up the IPv4 addresses of names, and the names of addresses.

Slide 5, "IPv4 names".
Run: python3 docs/python/names_ipv4.py [HOST=lip6.fr] [IP=132.227.104.15]

Differences from examples/names_ipv4.rs:

- Python's `print_result` gets a function, because in Python only the caller of
  a function can catch its exception. Rust's `print_result` gets a Result,
  because in Rust an error is a value, which a program can pass on.
- Python's `gethostbyaddr` returns the name, its aliases and its addresses.
  Rust's `lookup_addr` returns only the name, so this program prints only the
  name.
- Python's `getfqdn` also searches the aliases for a name with a dot. Rust's
  `full_name` does not, because it does not get the aliases. The two results
  can differ.
- Python's lookup errors, gaierror and herror, are subclasses of OSError.
  Rust's LookupError is a type of its own, because its numbers are not those
  of the operating system's other errors.
- Python raises UnicodeError if a part of a name has more than 63 characters,
  because Python checks the name before it calls the operating system. Rust
  does not check the name, and returns a LookupError.
"""

import ipaddress
import socket

from sockets101 import Args, lookup_error, print_or_exit, run

# The name of the slide.
HOST = "lip6.fr"

# The address of that name at the time of the slide.
IP = "132.227.104.15"


def main():
    args = Args("names_ipv4 [HOST=lip6.fr] [IP=132.227.104.15]")
    host = args.positional(HOST)
    ip = str(args.positional(IP, ipaddress.ip_address))
    args.finish()

    print_or_exit("gethostname(): ")
    own_name = socket.gethostname()
    print_or_exit(f"{own_name}\n")

    print_or_exit("getfqdn(): ")
    long_name = full_name(own_name)
    print_or_exit(f"{long_name}\n")

    # `lambda` makes a function without a name. `print_result` calls it, so
    # that it can catch the exception.
    print_or_exit(f"gethostbyname('{host}'): ")
    print_result(lambda: ipv4_address(host))

    print_or_exit(f"gethostbyaddr('{ip}'): ")
    print_result(lambda: socket.gethostbyaddr(ip)[0])

    print_or_exit("gethostbyname(getfqdn()): ")
    print_result(lambda: ipv4_address(long_name))


def full_name(name):
    """Looks up the address of `name`, then the name of that address (a reverse
    lookup). Returns `name` itself if either lookup fails.
    """
    try:
        return socket.getfqdn(name)
    except UnicodeError:
        return name


def ipv4_address(name):
    """Looks up the first IPv4 address of `name`."""
    return socket.gethostbyname(name)


def print_result(lookup):
    """Makes a lookup. Prints the result, or why the lookup failed."""
    try:
        found = lookup()
    except (OSError, UnicodeError) as err:
        print_or_exit(f"{lookup_error(err)}\n")
    else:
        print_or_exit(f"{found}\n")


if __name__ == "__main__":
    run(main)
