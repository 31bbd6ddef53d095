"""Python's websockets, as an echo server (`server`) or an echo client (`client URL AGENT`)."""

import asyncio
import sys
from urllib.parse import quote

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

OPTIONS = {"max_size": 64 * 2**20, "ping_interval": None}


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def server():
    async with serve(echo, "127.0.0.1", 0, **OPTIONS) as listening:
        port = listening.sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}", flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def client(url, agent):
    def fuzzing_server(path):
        # Never through the proxy that the environment may name.
        return connect(f"{url.rstrip('/')}/{path}", proxy=None, **OPTIONS)

    async with fuzzing_server("getCaseCount") as socket:
        count = int(await socket.recv())
    for case in range(1, count + 1):
        try:
            async with fuzzing_server(f"runCase?case={case}&agent={quote(agent, safe='')}") as socket:
                await echo(socket)
        except Exception as error:  # most cases end in one, by design
            print(f"case {case}: {error!r}", file=sys.stderr)
    async with fuzzing_server(f"updateReports?agent={quote(agent, safe='')}") as socket:
        await socket.wait_closed()


role, *arguments = sys.argv[1:]
asyncio.run({"server": server, "client": client}[role](*arguments))
