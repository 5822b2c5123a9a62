"""A TCP server in short: it replies once to each client,
one client after another."""

import sys
from socket import *

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1235"
host, port = ADDRESS.split(":")

listener = socket(AF_INET, SOCK_STREAM)
if sys.platform != "win32":
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
listener.bind((host, int(port)))
listener.listen(1)
print("server ready on %s:%s" % listener.getsockname())

while True:
    client, peer = listener.accept()
    text = client.recv(4096).decode("utf-8")
    client.sendall(text.upper().encode("utf-8"))
    client.close()
