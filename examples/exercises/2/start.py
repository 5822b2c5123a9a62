"""Exercise 2: a UDP server that replies with text in upper case, but crashes
when some clients send a datagram."""

import argparse
import socket
import sys
import time

# The port of lesson 2.
PORT = 1235

# The largest datagram that the server receives completely, in bytes.
BUFFER_SIZE = 2048


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address", nargs="?", default=f"127.0.0.1:{PORT}")
    host, port = parser.parse_args().address.split(":")
    sock = bind((host, int(port)))
    own_host, own_port = sock.getsockname()
    # Some terminals cannot show all characters. Print the other characters as
    # `\uXXXX`.
    sys.stdout.reconfigure(errors="backslashreplace")
    print(f"server ready on {own_host}:{own_port}", flush=True)

    while True:
        try:
            datagram, peer = sock.recvfrom(BUFFER_SIZE)
        except OSError as err:
            # The error may last. The pause keeps the log short.
            print(f"cannot receive: {err}", file=sys.stderr)
            time.sleep(0.1)
            continue
        if peer[1] == own_port:
            # The address of the sender can be forged. If it is the address of
            # this server, the server would reply to itself forever. This
            # machine can have several IP addresses, so only the port is
            # compared.
            log_event(peer, "dropped: sent from the server's own port number")
        else:
            handle_datagram(sock, peer, datagram)


def bind(address):
    # The arguments mean IPv4 and UDP.
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(address)
    return sock


def handle_datagram(sock, peer, datagram):
    try:
        text = datagram.decode("utf-8")
        reply = text.upper()
        print(reply, flush=True)
        sock.sendto(reply.encode("utf-8"), peer)
    except OSError as err:
        log_event(peer, f"dropped: {err}")


def log_event(peer, event):
    print(f"{peer[0]}:{peer[1]} {event}", file=sys.stderr)


if __name__ == "__main__":
    main()
