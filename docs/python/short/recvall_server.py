"""A TCP server in short: it replies to one length-prefixed
message of each client."""

import sys
from socket import *

sys.path.append(sys.path[0] + "/..")
from sockets101 import get_block, put_block

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1241"
host, port = ADDRESS.split(":")

listener = socket(AF_INET, SOCK_STREAM)
if sys.platform != "win32":
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
listener.bind((host, int(port)))
listener.listen(1)
print("server ready on %s:%s" % listener.getsockname())

while True:
    client, peer = listener.accept()
    text = get_block(client).decode("utf-8")
    put_block(client, text.upper().encode("utf-8"))
    client.close()
