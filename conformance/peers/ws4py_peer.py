"""Python's ws4py, as an echo server (`server`) or an echo client (`client URL AGENT`).

It has neither permessage-deflate nor a limit on the size of a message.
"""

import sys
import threading
from urllib.parse import quote
from wsgiref.simple_server import make_server

from ws4py.client.threadedclient import WebSocketClient
from ws4py.server.wsgirefserver import WebSocketWSGIRequestHandler, WSGIServer
from ws4py.server.wsgiutils import WebSocketWSGIApplication
from ws4py.websocket import EchoWebSocket


def server():
    listening = make_server(
        "127.0.0.1",
        0,
        server_class=WSGIServer,
        handler_class=WebSocketWSGIRequestHandler,
        app=WebSocketWSGIApplication(handler_cls=EchoWebSocket),
    )
    listening.initialize_websockets_manager()
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    print(f"listening on ws://127.0.0.1:{listening.server_port}", flush=True)
    sys.stdin.read()
    listening.shutdown()
    listening.server_close()


class Client(WebSocketClient):
    """Keeps what arrives together with the server's response.

    ws4py 0.6.0 hands it to its parser in one piece, which loses most of it, and while the
    thread that reads is running already. Cases would pass or fail by how TCP cuts the bytes.
    """

    def connect(self):
        super().connect()
        self._th.start()

    def handshake_ok(self):
        pass  # the thread is started when the early bytes are in the buffer

    def process(self, data):
        if not self._th.is_alive():
            self.buf += data
            return True
        return super().process(data)


class EchoClient(EchoWebSocket, Client):
    """Echoes, as the server does."""


class CaseCount(Client):
    def received_message(self, message):
        self.count = int(message.data)


def client(url, agent):
    def run(kind, path):
        socket = kind(f"{url.rstrip('/')}/{path}")
        socket.connect()
        socket.run_forever()
        return socket

    count = run(CaseCount, "getCaseCount").count
    for case in range(1, count + 1):
        try:
            run(EchoClient, f"runCase?case={case}&agent={quote(agent, safe='')}")
        except Exception as error:  # most cases end in one, by design
            print(f"case {case}: {error!r}", file=sys.stderr)
    run(Client, f"updateReports?agent={quote(agent, safe='')}")


role, *arguments = sys.argv[1:]
{"server": server, "client": client}[role](*arguments)
