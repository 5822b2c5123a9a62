"""Exercise 20, make: a server with a task for each client. It keeps silent
clients forever.
"""

import argparse
import asyncio
import codecs
import signal
import sys


def main():
    args = argparse.ArgumentParser()
    args.add_argument("address", nargs="?", default="127.0.0.1:1243")
    # How long the server sleeps before each reply, in seconds.
    args.add_argument("--delay", type=float, default=0.0)
    # How long a client may be silent, in seconds. The default is more than 11
    # days.
    args.add_argument("--timeout", type=float, default=1e6)
    options = args.parse_args()
    # Ctrl-C stops the process with all its tasks.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print(f"idle clients may stay for {options.timeout} s", file=sys.stderr)
    # `run` runs the tasks, all of them in this thread.
    asyncio.run(serve_all(options))


async def serve_all(options):
    async def serve_client(reader, writer):
        await serve(reader, writer, options)

    host, port = options.address.split(":")
    # `start_server` starts a task for each client. The task calls this
    # function. `start_server` also sets SO_REUSEADDR, but not on Windows.
    server = await asyncio.start_server(serve_client, host, port, backlog=100)
    host, port = server.sockets[0].getsockname()
    print(f"server ready on {host}:{port}", flush=True)
    await server.serve_forever()


async def serve(reader, writer, options):
    peer = writer.get_extra_info("peername")
    if peer is None:
        # The client has already reset the connection.
        writer.close()
        return
    # `drain` waits until the kernel has taken all bytes.
    writer.transport.set_write_buffer_limits(0)
    log_event(peer, "connected")
    try:
        await handle_client(reader, writer, options)
        log_event(peer, "disconnected")
    except asyncio.TimeoutError:
        log_event(peer, "dropped: timed out")
    except (OSError, ValueError) as err:
        log_event(peer, f"dropped: {err}")
    await close_gracefully(reader, writer)


async def handle_client(reader, writer, options):
    # The decoder keeps the beginning of a character until the rest arrives.
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        received = await asyncio.wait_for(reader.read(4096), options.timeout)
        is_end = received == b""
        # With 0 seconds, `sleep` only lets the other tasks run.
        await asyncio.sleep(options.delay)
        try:
            # If the stream ends inside a character, `decode` raises an error.
            text = decoder.decode(received, is_end)
        except UnicodeDecodeError as err:
            # Reply to the valid text before the first invalid byte.
            valid = err.object[:err.start].decode("utf-8")
            writer.write(valid.upper().encode("utf-8"))
            await writer.drain()
            raise
        if is_end:
            return
        writer.write(text.upper().encode("utf-8"))
        await writer.drain()


async def close_gracefully(reader, writer):
    # Read until the client closes its sending side, but for a second at most.
    # If the server closes a socket with unread bytes, the client can lose the
    # last reply.
    try:
        writer.write_eof()
        await asyncio.wait_for(discard(reader), 1)
    except (OSError, asyncio.TimeoutError):
        # The client has reset the connection, or the second is over.
        pass
    writer.close()


async def discard(reader):
    while len(await reader.read(4096)) > 0:
        pass


def log_event(peer, event):
    host, port = peer
    print(f"{host}:{port} {event}", file=sys.stderr)


if __name__ == "__main__":
    main()
