"""A TCP server with a task for each client. All tasks run in one thread.

Beyond the lecture: lesson 14, "one thread per client", with tasks.
Run: python3 docs/python/async_server.py [IP:PORT] [--delay 0]

Differences from examples/beyond/async_server.rs:

- asyncio is a part of Python. In Rust, the library tokio does this work.
- In Python, `await` comes before the call. In Rust, `.await` comes after it.
- `open_connection` makes a reader and a writer from the client's socket. In
  Rust, the socket itself has `read` and `write_all`.
- Python's streams have buffers. `write` only adds to the buffer of a stream,
  and `drain` waits until the kernel has taken the bytes.
"""

import asyncio
import os
import socket

from sockets101 import Args, Decoder, address_family, cannot_listen
from sockets101 import format_address, is_about_one_peer, log_disconnect
from sockets101 import log_event, log_line, print_line, run

# A port that no slide uses.
PORT = 1243

# The length of the queue of pending connections that the server asks for.
BACKLOG = 100

# The largest number of bytes that one read returns.
BUFFER_SIZE = 4096

# The default time that a reply takes, in seconds.
DELAY = 0.0

# How long the server waits after `accept` has failed, and for the last bytes of
# a client, in seconds.
PAUSE = 1.0


def main():
    args = Args("async_server [IP:PORT] [--delay 0]")
    delay = args.seconds("--delay", DELAY)
    address = args.listen_address(PORT)
    # `run` runs the tasks, all of them in this thread.
    asyncio.run(serve_all(address, delay))


async def serve_all(address, delay):
    try:
        listener = listen(address)
    except OSError as err:
        raise cannot_listen(address, err) from err

    print_line(f"server ready on {format_address(listener.getsockname())}")

    loop = asyncio.get_running_loop()
    # Without this set, Python could delete a task before its end.
    tasks = set()
    while True:
        try:
            client, peer = await loop.sock_accept(listener)
        except OSError as err:
            if not is_about_one_peer(err):
                # The error may last, for example if the server has no more
                # file descriptors (a socket needs one). The pause keeps the
                # log short.
                log_line(f"cannot accept: {err}; trying again in a second")
                await asyncio.sleep(PAUSE)
            continue
        # `create_task` starts a task. It does not wait for the end of the task.
        task = asyncio.create_task(serve(client, peer, delay))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def listen(address):
    # The arguments mean AF_INET or AF_INET6, SOCK_STREAM, and the default
    # protocol.
    listener = socket.socket(address_family(address), socket.SOCK_STREAM)
    # With SO_REUSEADDR, the server can use the port again immediately after a
    # restart. On Windows, SO_REUSEADDR would let another program listen on the
    # same port.
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


async def serve(client, peer, delay):
    log_event(peer, "connected")
    reader, writer = await asyncio.open_connection(sock=client)
    # `drain` waits until the kernel has taken all bytes.
    writer.transport.set_write_buffer_limits(0)
    result = None
    try:
        await handle_client(reader, writer, delay)
    except (OSError, ValueError) as err:
        result = err
    await close_gracefully(reader, writer)
    log_disconnect(peer, result)


async def handle_client(reader, writer, delay):
    decoder = Decoder()
    while True:
        received = await reader.read(BUFFER_SIZE)
        if len(received) == 0:
            # The client has closed its sending side. `finish` raises an
            # exception if the last character is not complete.
            decoder.finish()
            return
        await asyncio.sleep(delay)
        # `valid` is False if there are invalid bytes after `text`.
        text, valid = decoder.decode(received)
        writer.write(text.upper().encode("utf-8"))
        await writer.drain()
        if not valid:
            raise ValueError("invalid UTF-8")


async def close_gracefully(reader, writer):
    """Does the same as `sockets101.close_gracefully`, which blocks all tasks.
    """
    try:
        writer.write_eof()
        # Discard what the client still sends, but for a second at most.
        await asyncio.wait_for(discard(reader), PAUSE)
    except (OSError, asyncio.TimeoutError):
        pass
    writer.close()


async def discard(reader):
    while len(await reader.read(BUFFER_SIZE)) > 0:
        pass


if __name__ == "__main__":
    run(main)
