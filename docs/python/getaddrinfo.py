"""Looks up a name and a service, and gets everything that `socket` and
`connect` need, for IPv4 and IPv6 alike.

Slide 6, "IPv4/IPv6 names".
Run: python3 docs/python/getaddrinfo.py [HOST=lip6.fr] [SERVICE=www]

Differences from examples/getaddrinfo.rs:

- Python's entry is a tuple of five values. Rust's entry is a struct whose
  fields have names, because Rust programs rarely use long tuples. The first
  three values are the arguments of `socket`, and the last value is the
  argument of `connect`. The fourth value is usually empty.
- Python replaces the type 0 in `look_up`. Rust does so in a function
  `socket_type`, because a Rust entry keeps the number that the operating
  system returned.
- Python's `entries[1]` raises IndexError if there is only one entry. Rust's
  `get(1)` returns an Option, because the compiler then asks for both cases.
- Python has no names for protocols, Rust's socket2 does, so this program has a
  dict with two names.
"""

import socket

from sockets101 import Args, format_address, lookup_error, print_or_exit, run

# The first name of the slide.
HOST = "lip6.fr"

# The service of the slide.
SERVICE = "www"

# The time to wait for a connection, in seconds. Without a timeout, `connect`
# can take minutes.
TIMEOUT = 5.0

# The names of the protocols. Python only has their numbers.
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
        address = format_address(entry[3])
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

    An entry is a tuple: the three arguments of `socket`, and the address.
    """
    print_or_exit(f"getaddrinfo('{host}', '{service}'):")
    entries = []
    try:
        found = socket.getaddrinfo(host, service)
    except (OSError, UnicodeError) as err:
        print_or_exit(f" {lookup_error(err)}\n")
        return entries
    print_or_exit("\n")
    for domain, kind, protocol, _, address in found:
        # On Windows, the type can be 0. This means any type, so we choose a
        # stream.
        if kind == 0:
            kind = socket.SOCK_STREAM
        name = PROTOCOLS.get(protocol, protocol)
        where = format_address(address)
        print_or_exit(f"  {domain.name} {kind.name} {name} {where}\n")
        entries.append((domain, kind, protocol, address))
    return entries


def choose(entries):
    """Returns the entry to connect to.

    This is the second entry, as on the slide, if it is for a stream socket.
    Otherwise it is the first entry for a stream socket. Returns None if the
    list does not contain such an entry.
    """
    note = "the second entry is missing"
    if len(entries) > 1:
        _, kind, _, _ = entries[1]
        if kind == socket.SOCK_STREAM:
            return entries[1]
        note = f"the second entry is {kind.name}"
    for entry in entries:
        _, kind, _, _ = entry
        if kind == socket.SOCK_STREAM:
            print_or_exit(f"{note}; using the first SOCK_STREAM entry\n")
            return entry
    return None


def connect(entry):
    """Connects a new socket to the address of an entry, and closes it."""
    # The three arguments of `socket` come from the entry.
    domain, kind, protocol, address = entry
    with socket.socket(domain, kind, protocol) as sock:
        sock.settimeout(TIMEOUT)
        sock.connect(address)


if __name__ == "__main__":
    run(main)
