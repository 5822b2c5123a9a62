"""A TCP server in short: one thread serves all clients,
because `poll` says which sockets are ready."""

import select
import sys
from socket import *

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1236"
host, port = ADDRESS.split(":")

listener = socket(AF_INET, SOCK_STREAM)
listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
listener.bind((host, int(port)))
listener.listen(100)
print("server ready on %s:%s" % listener.getsockname())

poller = select.poll()
poller.register(listener, select.POLLIN)
clients = {}
while True:
    for number, _ in poller.poll():
        if number == listener.fileno():
            client, peer = listener.accept()
            clients[client.fileno()] = client
            poller.register(client, select.POLLIN)
        elif received := clients[number].recv(4096):
            reply = received.decode("utf-8").upper()
            clients[number].sendall(reply.encode("utf-8"))
        else:
            poller.unregister(number)
            clients.pop(number).close()
