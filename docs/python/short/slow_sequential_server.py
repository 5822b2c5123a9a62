"""The server of lesson 11 in short, but each reply takes
five seconds."""

import sys
from socket import *
from time import sleep

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1237"
host, port = ADDRESS.split(":")

listener = socket(AF_INET, SOCK_STREAM)
if sys.platform != "win32":
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
listener.bind((host, int(port)))
listener.listen(100)
print("server ready on %s:%s" % listener.getsockname())


def handle_client(client):
    with client:
        while received := client.recv(4096):
            sleep(5)
            text = received.decode("utf-8")
            client.sendall(text.upper().encode("utf-8"))


while True:
    client, peer = listener.accept()
    handle_client(client)
