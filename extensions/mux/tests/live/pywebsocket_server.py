"""pywebsocket's standalone server on a free port, which it prints. Serves handlers/."""

import logging
import os
import socket
import sys

from mod_pywebsocket import standalone

logging.basicConfig(level=logging.CRITICAL + 1)
handlers = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'handlers')
options, _ = standalone._parse_args_and_config(
    ['-H', '127.0.0.1', '-p', '0', '-w', handlers])
options.cgi_directories = []
options.is_executable_method = None
options.scan_dir = handlers


class Server(standalone.WebSocketServer):
    def get_request(self):
        # It writes blocks one by one: Nagle's algorithm would hold each up for 40 ms.
        sock, address = standalone.WebSocketServer.get_request(self)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock, address


server = Server(options)
print server.server_port
sys.stdout.flush()
server.serve_forever()
