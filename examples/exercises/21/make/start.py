"""Exercise 21, make: a server for IPv4 and IPv6. While N clients are
connected, the next client must get `BUSY`.
"""

import argparse
import codecs
import signal
import socket
import sys
import threading
import time


def main():
    args = argparse.ArgumentParser()
    args.add_argument("address", nargs="?", default="[::]:1245")
    # The largest number of clients at the same time. With 0, any number of
    # clients can connect.
    args.add_argument("--clients", type=int, default=0, metavar="N")
    options = args.parse_args()
    # Ctrl-C stops the process with all its threads.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limit = options.clients
    print(f"limit: {limit} clients (0 means no limit)", file=sys.stderr)
    listener = listen(options.address)
    print(f"server ready on {shown(listener.getsockname())}", flush=True)

    while True:
        try:
            client, peer = listener.accept()
        except OSError as err:
            log_and_pause("accept", err)
            continue
        thread = threading.Thread(target=serve, args=(client, peer))
        try:
            thread.start()
        except RuntimeError as err:
            client.close()
            log_event(peer, "dropped: could not start a thread")
            log_and_pause("start a thread", err)


def listen(address):
    # An IPv6 address has brackets: "[::]:1245".
    host, port = address.rsplit(":", 1)
    host = host.strip("[]")
    is_ipv6 = ":" in host
    # `create_server` calls socket, bind and listen. It also sets SO_REUSEADDR,
    # but not on Windows. With `dualstack_ipv6`, it accepts IPv4 clients, too.
    return socket.create_server(
        (host, int(port)),
        family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
        backlog=100,
        dualstack_ipv6=is_ipv6,
    )


def serve(client, peer):
    log_event(peer, "connected")
    try:
        handle_client(client)
        log_event(peer, "disconnected")
    except (OSError, ValueError) as err:
        log_event(peer, f"dropped: {err}")
    close_gracefully(client)


def handle_client(client):
    # The decoder keeps the beginning of a character until the rest arrives.
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        received = client.recv(4096)
        is_end = received == b""
        try:
            # If the stream ends inside a character, `decode` raises an error.
            text = decoder.decode(received, is_end)
        except UnicodeDecodeError as err:
            # Reply to the valid text before the first invalid byte.
            valid = err.object[:err.start].decode("utf-8")
            client.sendall(valid.upper().encode("utf-8"))
            raise
        if is_end:
            return
        client.sendall(text.upper().encode("utf-8"))


def close_gracefully(client):
    # Read until the client closes its sending side, but for a second at most.
    # If the server closes a socket with unread bytes, the client can lose the
    # last reply.
    deadline = time.monotonic() + 1
    try:
        with client:
            client.shutdown(socket.SHUT_WR)
            while (remaining := deadline - time.monotonic()) > 0:
                client.settimeout(remaining)
                if len(client.recv(4096)) == 0:
                    break
    except OSError:
        # The client has reset the connection, or the second is over.
        pass


def shown(address):
    # An IPv6 address has four parts. The first two are the host and the port.
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def log_event(peer, event):
    print(f"{shown(peer)} {event}", file=sys.stderr)


def log_and_pause(what, err):
    print(f"cannot {what}: {err}", file=sys.stderr)
    time.sleep(1)


if __name__ == "__main__":
    main()
