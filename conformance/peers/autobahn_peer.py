"""AutobahnPython, as an echo server (`server`) or an echo client (`client URL AGENT`)."""

import asyncio
import sys
from urllib.parse import quote, urlsplit

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)

OPTIONS = {
    "maxFramePayloadSize": 64 * 2**20,
    "maxMessagePayloadSize": 64 * 2**20,
    # Say with a close frame what was wrong, rather than cut the connection.
    "failByDrop": False,
}


class EchoServer(WebSocketServerProtocol):
    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


class Client(WebSocketClientProtocol):
    def onMessage(self, payload, isBinary):
        self.factory.answer = payload

    def onClose(self, wasClean, code, reason):
        self.factory.closed.set_result((wasClean, code, reason))


class EchoClient(Client):
    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


def accept_offer(offers):
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)


def accept_response(response):
    if isinstance(response, PerMessageDeflateResponse):
        return PerMessageDeflateResponseAccept(response)


async def server():
    factory = WebSocketServerFactory()
    factory.protocol = EchoServer
    factory.setProtocolOptions(perMessageCompressionAccept=accept_offer, **OPTIONS)
    listening = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    print(f"listening on ws://127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def client(url, agent):
    loop = asyncio.get_running_loop()
    address = urlsplit(url)

    async def run(protocol, path):
        factory = WebSocketClientFactory(f"{url.rstrip('/')}/{path}")
        factory.protocol = protocol
        factory.closed = loop.create_future()
        factory.setProtocolOptions(
            perMessageCompressionOffers=[PerMessageDeflateOffer()],
            perMessageCompressionAccept=accept_response,
            **OPTIONS,
        )
        await loop.create_connection(factory, address.hostname, address.port)
        was_clean, code, reason = await factory.closed
        if not was_clean:
            print(f"{path}: {code} {reason}", file=sys.stderr)
        return factory

    count = int((await run(Client, "getCaseCount")).answer)
    for case in range(1, count + 1):
        try:
            await run(EchoClient, f"runCase?case={case}&agent={quote(agent, safe='')}")
        except Exception as error:  # most cases end in one, by design
            print(f"case {case}: {error!r}", file=sys.stderr)
    await run(Client, f"updateReports?agent={quote(agent, safe='')}")


role, *arguments = sys.argv[1:]
asyncio.run({"server": server, "client": client}[role](*arguments))
