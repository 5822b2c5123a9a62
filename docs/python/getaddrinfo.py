"""A name and a service become everything that socket and connect need, for IPv4 and
IPv6 alike.

Slide 6, "IPv4/IPv6 names".
Run: python3 docs/python/getaddrinfo.py [HOST=lip6.fr] [SERVICE=www]

Beside examples/getaddrinfo.rs:

- An entry is a tuple of five: the three arguments of socket, a name that is mostly
  empty, and the argument of connect. In Rust its fields have names.
- entries[1] of a list with one entry raises IndexError. In Rust get(1) returns an
  Option, and the compiler asks what happens when there is none.
"""

# ANCHOR: program
import socket

from sockets101 import Args, format_address, lookup_error, print_or_exit, run

# The slide's first name, and its service.
HOST = "lip6.fr"
SERVICE = "www"

# How many seconds connecting may take. Otherwise the system tries for minutes.
TIME_LIMIT = 5

# The names of protocols, for which Python has numbers only.
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
    if entry:
        address = format_address(entry[4])
        print_or_exit(f"connecting to {address}\n")
        try:
            connect(entry)
            print_or_exit(f"connected to {address}\n")
        except OSError as err:
            print_or_exit(f"could not connect to {address}: {err}\n")
    look_up("google.fr", service)
    look_up("lincs.fr", service)


def look_up(host, service):
    """Prints the question, then an entry a line; none when it has no answer."""
    print_or_exit(f"getaddrinfo('{host}', '{service}'):")
    try:
        entries = socket.getaddrinfo(host, service)
    except (OSError, UnicodeError) as err:
        print_or_exit(f" {lookup_error(err)}\n")
        return []
    print_or_exit("\n")
    for entry in entries:
        domain, kind, protocol = fields(entry)
        protocol = PROTOCOLS.get(protocol, protocol)
        print_or_exit(f"  {domain.name} {kind.name} {protocol} {format_address(entry[4])}\n")
    return entries


def fields(entry):
    """The arguments that socket is to be called with. A type of 0 means any
    (Windows says so where nobody asked for one), and connect wants a stream.
    """
    domain, kind, protocol, _, _ = entry
    return domain, kind or socket.SOCK_STREAM, protocol


def choose(entries):
    """The slide's, the second, if for a stream; else the first that is."""
    stream = socket.SOCK_STREAM
    streams = [entry for entry in entries if fields(entry)[1] == stream]
    if not streams:
        return None
    if len(entries) < 2:
        why = "does not exist"
    elif entries[1] in streams:
        return entries[1]
    else:
        why = f"is {fields(entries[1])[1].name}"
    print_or_exit(f"the second entry {why}: taking the first that is SOCK_STREAM\n")
    return streams[0]


def connect(entry):
    """A socket made of the entry's own fields, connected to its address."""
    domain, kind, protocol = fields(entry)
    with socket.socket(domain, kind, protocol) as caller:
        caller.settimeout(TIME_LIMIT)
        caller.connect(entry[4])


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
