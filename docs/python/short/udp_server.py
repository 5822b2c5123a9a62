"""A UDP server in short: it replies to each datagram with
its text in upper case."""

import sys
from socket import *

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1235"
host, port = ADDRESS.split(":")

sock = socket(AF_INET, SOCK_DGRAM)
sock.bind((host, int(port)))
print("server ready on %s:%s" % sock.getsockname())

while True:
    datagram, peer = sock.recvfrom(2048)
    reply = datagram.decode("utf-8").upper()
    print(reply)
    sock.sendto(reply.encode("utf-8"), peer)
