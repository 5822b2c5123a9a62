"""The server of lesson 16 in short, but a thread exits when
no client has connected for 20 seconds."""

import sys
from socket import *
from threading import Thread

ADDRESS = sys.argv[1] if sys.argv[1:] else "127.0.0.1:1240"
host, port = ADDRESS.split(":")

listener = socket(AF_INET, SOCK_STREAM)
if sys.platform != "win32":
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
listener.settimeout(20)
listener.bind((host, int(port)))
listener.listen(100)
print("server ready on %s:%s" % listener.getsockname())


def serve():
    try:
        while True:
            client, peer = listener.accept()
            text = client.recv(4096).decode("utf-8")
            client.sendall(text.upper().encode("utf-8"))
            client.close()
    except timeout:
        print("Socket timed out, exiting thread")


for _ in range(4):
    Thread(target=serve).start()
