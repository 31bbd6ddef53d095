"""Opens a WebSocket, prints the first message and the echo of its own, or why it is not let in."""

import asyncio
import sys

import websockets


async def main(url):
    try:
        socket = await asyncio.wait_for(websockets.connect(url), 60)
    except Exception as error:
        # The status has changed its place with version 13.
        response = getattr(error, "response", None)
        status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
        print("refused:", status or repr(error))
        return
    print(await socket.recv())
    await socket.send("as I said")
    print(await socket.recv())
    await socket.close()
    print(socket.close_code)


asyncio.run(main(sys.argv[1]))
