"""A UDP server in short: it replies `PONG` to each
datagram."""

import sys
from socket import *

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1234"
host, port = ADDRESS.split(":")

sock = socket(AF_INET, SOCK_DGRAM)
sock.bind((host, int(port)))
print("server ready on %s:%s" % sock.getsockname())

while True:
    _, peer = sock.recvfrom(2048)
    sock.sendto(b"PONG", peer)
