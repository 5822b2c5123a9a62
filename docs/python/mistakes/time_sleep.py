"""A server with a mistake: `time.sleep` in a task blocks all tasks.

Run: python3 docs/python/mistakes/time_sleep.py 127.0.0.1:1301
"""

import asyncio
import codecs
import sys
import time


async def serve(reader, writer):
    decoder = codecs.getincrementaldecoder("utf-8")()
    while received := await reader.read(4096):
        time.sleep(1)  # The mistake. Correct: await asyncio.sleep(1)
        text = decoder.decode(received)
        writer.write(text.upper().encode("utf-8"))
        await writer.drain()
    writer.close()


async def main(host, port):
    server = await asyncio.start_server(serve, host, port)
    address = server.sockets[0].getsockname()
    print("server ready on %s:%s" % address)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1].split(":")))
