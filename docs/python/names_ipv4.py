"""Five questions about names and IPv4 addresses that a program can ask the
operating system.

Slide 5, "IPv4 names".
Run: python3 docs/python/names_ipv4.py [HOST=lip6.fr] [IP=132.227.104.15]

Differences from examples/names_ipv4.rs:

- Python's gethostbyaddr returns the name, its aliases and its addresses.
  The Rust function returns only the name, so this program prints only that.
- Python has getfqdn, which also searches the aliases for a name with a dot.
  Rust has to make two lookups, so the two results can differ.
- Python raises gaierror or herror, which are subclasses of OSError. A name
  with a label of more than 63 characters raises UnicodeError, which is not
  a subclass of OSError. Rust returns a LookupError in all these cases.
"""

# ANCHOR: program
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
    name = full_name(own_name)
    print_or_exit(f"{name}\n")

    # A lambda is a function without a name: print_result calls it.
    print_or_exit(f"gethostbyname('{host}'): ")
    print_result(lambda: ipv4_address(host))

    print_or_exit(f"gethostbyaddr('{ip}'): ")
    print_result(lambda: socket.gethostbyaddr(ip)[0])

    print_or_exit("gethostbyname(getfqdn()): ")
    print_result(lambda: ipv4_address(name))


def full_name(name):
    """Returns the full name of this machine, or name if the lookup fails."""
    try:
        return socket.getfqdn()
    except (OSError, UnicodeError):
        return name


def ipv4_address(name):
    """Looks up the first IPv4 address of name."""
    return socket.gethostbyname(name)


def print_result(look_up):
    """Calls look_up. Prints its result, or why the lookup failed."""
    try:
        print_or_exit(f"{look_up()}\n")
    except (OSError, UnicodeError) as err:
        print_or_exit(f"{lookup_error(err)}\n")


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
