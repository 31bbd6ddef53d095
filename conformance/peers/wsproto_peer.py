"""Python's wsproto, as an echo server (`server`) or an echo client (`client URL AGENT`).

It does no input or output of its own: asyncio's streams carry the bytes. It has no limit on
the size of a message.
"""

import asyncio
import sys
from urllib.parse import quote, urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Message,
    Ping,
    RejectConnection,
    Request,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import RemoteProtocolError


async def converse(connection, reader, writer, on_message):
    """Answers what arrives, until the connection ends."""
    parts = []
    while data := await reader.read(2**16):
        connection.receive_data(data)
        for event in connection.events():
            if isinstance(event, Request):
                accept = AcceptConnection(extensions=[PerMessageDeflate()])
                writer.write(connection.send(accept))
            elif isinstance(event, RejectConnection):
                raise ConnectionError(f"refused with status {event.status_code}")
            elif isinstance(event, Message):
                parts.append(event.data)
                if event.message_finished:
                    whole = type(event.data)().join(parts)
                    parts.clear()
                    if answer := on_message(type(event)(data=whole)):
                        writer.write(connection.send(answer))
            elif isinstance(event, Ping):
                writer.write(connection.send(event.response()))
            elif isinstance(event, CloseConnection):
                # The peer's, or wsproto's own verdict on what the peer sent.
                writer.write(connection.send(event.response()))
                return await shut_down(reader, writer)
        await writer.drain()


async def shut_down(reader, writer):
    """Ends the sending side, and reads on for a while: a reset would overtake what was sent."""
    writer.write_eof()
    async with asyncio.timeout(1):
        while await reader.read(2**16):
            pass


async def serve(reader, writer):
    connection = WSConnection(ConnectionType.SERVER)
    try:
        await converse(connection, reader, writer, on_message=lambda message: message)
    except RemoteProtocolError as error:
        print(repr(error), file=sys.stderr)
        if error.event_hint:
            writer.write(connection.send(error.event_hint))
    except Exception as error:  # most cases end in one, by design
        print(repr(error), file=sys.stderr)
    finally:
        writer.close()


async def server():
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    print(f"listening on ws://127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def client(url, agent):
    address = urlsplit(url)

    async def run(path, on_message):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        connection = WSConnection(ConnectionType.CLIENT)
        request = Request(host=address.netloc, target=path, extensions=[PerMessageDeflate()])
        try:
            writer.write(connection.send(request))
            await converse(connection, reader, writer, on_message)
        finally:
            writer.close()

    answers = []
    await run("/getCaseCount", answers.append)
    for case in range(1, int(answers[0].data) + 1):
        try:
            path = f"/runCase?case={case}&agent={quote(agent, safe='')}"
            await run(path, on_message=lambda message: message)
        except Exception as error:  # most cases end in one, by design
            print(f"case {case}: {error!r}", file=sys.stderr)
    await run(f"/updateReports?agent={quote(agent, safe='')}", on_message=lambda message: None)


role, *arguments = sys.argv[1:]
asyncio.run({"server": server, "client": client}[role](*arguments))
