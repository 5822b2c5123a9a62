"""Looks up a name and a service. The result is all that socket and connect
need, for IPv4 and for IPv6.

Slide 6, "IPv4/IPv6 names".
Run: python3 docs/python/getaddrinfo.py [HOST=lip6.fr] [SERVICE=www]

Differences from examples/getaddrinfo.rs:

- In Python, an entry is a tuple of five: the three arguments of socket, a
  name that is usually empty, and the argument of connect. In Rust, an entry
  is a struct, so its fields have names.
- In Python, entries[1] raises IndexError if there is only one entry. In
  Rust, get(1) returns an Option, because the entry may be missing.
"""

# ANCHOR: program
import socket

from sockets101 import Args, format_address, lookup_error, print_or_exit, run

# The first name of the slide.
HOST = "lip6.fr"

# The service of the slide.
SERVICE = "www"

# The time to wait for a connection, in seconds.
# Without a timeout, connect can take minutes.
TIMEOUT = 5

# The names of the protocols, because Python has only numbers for them.
PROTOCOLS = {
    socket.IPPROTO_TCP: "IPPROTO_TCP",
    socket.IPPROTO_UDP: "IPPROTO_UDP",
}


def main():
    args = Args("getaddrinfo [HOST=lip6.fr] [SERVICE=www]")
    host = args.positional(HOST)
    service = args.positional(SERVICE)
    args.finish()

    entries = look_up(host, service)
    entry = choose(entries)
    if entry is not None:
        address = format_address(entry[4])
        print_or_exit(f"connecting to {address}\n")
        try:
            connect(entry)
        except OSError as err:
            print_or_exit(f"could not connect to {address}: {err}\n")
        else:
            print_or_exit(f"connected to {address}\n")
    look_up("google.fr", service)
    look_up("lincs.fr", service)


def look_up(host, service):
    """Looks up a name and a service, and prints the entries. Returns no
    entries if the lookup fails.
    """
    print_or_exit(f"getaddrinfo('{host}', '{service}'):")
    try:
        entries = socket.getaddrinfo(host, service)
    except (OSError, UnicodeError) as err:
        print_or_exit(f" {lookup_error(err)}\n")
        return []
    print_or_exit("\n")
    for entry in entries:
        domain = entry[0].name
        kind = socket_type(entry).name
        protocol = PROTOCOLS.get(entry[2], entry[2])
        address = format_address(entry[4])
        print_or_exit(f"  {domain} {kind} {protocol} {address}\n")
    return entries


def socket_type(entry):
    """Returns the type of socket that an entry is for."""
    # On Windows, the type can be 0. This means any type, so we choose a
    # stream.
    return entry[1] or socket.SOCK_STREAM


def choose(entries):
    """Returns the entry to connect to: the second one, as on the slide, if
    it is for a stream socket; otherwise the first entry that is.
    """
    note = "there is no second entry"
    if len(entries) > 1:
        kind = socket_type(entries[1])
        if kind == socket.SOCK_STREAM:
            return entries[1]
        note = f"the second entry is {kind.name}"
    for entry in entries:
        if socket_type(entry) == socket.SOCK_STREAM:
            print_or_exit(f"{note}; using the first SOCK_STREAM entry\n")
            return entry
    return None


def connect(entry):
    """Connects a new socket to the address of an entry, and closes it."""
    # The three arguments of socket come from the entry.
    with socket.socket(entry[0], socket_type(entry), entry[2]) as client:
        client.settimeout(TIMEOUT)
        client.connect(entry[4])


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
