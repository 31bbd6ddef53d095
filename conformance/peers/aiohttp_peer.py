"""Python's aiohttp, as an echo server (`server`) or an echo client (`client URL AGENT`)."""

import asyncio
import sys
from urllib.parse import quote

from aiohttp import ClientSession, WSMsgType, web

# aiohttp refuses what reaches this size.
OPTIONS = {"max_msg_size": 64 * 2**20 + 1}


async def echo(socket):
    async for message in socket:
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)


async def serve(request):
    socket = web.WebSocketResponse(compress=True, autoping=True, **OPTIONS)
    await socket.prepare(request)
    await echo(socket)
    return socket


async def server():
    application = web.Application()
    application.add_routes([web.get("/{path:.*}", serve)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    print(f"listening on ws://127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def client(url, agent):
    async with ClientSession() as session:

        def fuzzing_server(path):
            return session.ws_connect(f"{url.rstrip('/')}/{path}", compress=15, **OPTIONS)

        async with fuzzing_server("getCaseCount") as socket:
            count = int(await socket.receive_str())
        for case in range(1, count + 1):
            try:
                path = f"runCase?case={case}&agent={quote(agent, safe='')}"
                async with fuzzing_server(path) as socket:
                    await echo(socket)
            except Exception as error:  # most cases end in one, by design
                print(f"case {case}: {error!r}", file=sys.stderr)
        async with fuzzing_server(f"updateReports?agent={quote(agent, safe='')}") as socket:
            await socket.receive()


role, *arguments = sys.argv[1:]
asyncio.run({"server": server, "client": client}[role](*arguments))
