"""From names to IPv4 addresses and back: five questions that a program can ask the
system.

Slide 5, "IPv4 names".
Run: python3 docs/python/names_ipv4.py [HOST=lip6.fr] [IP=132.227.104.15]

Beside examples/names_ipv4.rs:

- gethostbyaddr returns the name, its aliases and its addresses; the Rust program has
  the name alone, and so only that is shown. getfqdn is Python's own: it also
  searches the aliases for a name with a dot in it, so that the answers can differ.
- The errors of a lookup, gaierror and herror, are kinds of OSError. UnicodeError is
  not: a name with a label of over 63 characters raises it before anybody is asked.
"""

# ANCHOR: program
import ipaddress
import socket

from sockets101 import Args, lookup_error, print_or_exit, run

# The slide's name, and its address when the slide was made.
HOST = "lip6.fr"
IP = "132.227.104.15"


def main():
    args = Args("names_ipv4 [HOST=lip6.fr] [IP=132.227.104.15]")
    host = args.positional(HOST)
    ip = str(args.positional(IP, ipaddress.ip_address))
    args.finish()

    own_name = socket.gethostname()
    answer("gethostname()", lambda: own_name)
    full_name = answer("getfqdn()", socket.getfqdn) or own_name
    answer(f"gethostbyname('{host}')", lambda: socket.gethostbyname(host))
    answer(f"gethostbyaddr('{ip}')", lambda: socket.gethostbyaddr(ip)[0])
    answer("gethostbyname(getfqdn())", lambda: socket.gethostbyname(full_name))


def answer(question, ask):
    """Prints the question, waits for the answer, prints and returns it."""
    print_or_exit(f"{question}: ")
    try:
        reply = ask()
    except (OSError, UnicodeError) as err:
        print_or_exit(f"{lookup_error(err)}\n")
        return None
    print_or_exit(f"{reply}\n")
    return reply


if __name__ == "__main__":
    run(main)
# ANCHOR_END: program
