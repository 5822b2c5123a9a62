"""A UDP server in short: it replies to each datagram with
the same bytes, with ASCII letters in upper case."""

import sys
from socket import *

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1235"
host, port = ADDRESS.split(":")

sock = socket(AF_INET, SOCK_DGRAM)
sock.bind((host, int(port)))
print("server ready on %s:%s" % sock.getsockname())

while True:
    datagram, peer = sock.recvfrom(2048)
    sock.sendto(datagram.upper(), peer)
