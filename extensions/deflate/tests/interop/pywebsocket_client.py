"""A client on pywebsocket's stream and extension: PORT OFFER. Prints the server's answer.

The package has no client; the example client in its source distribution can offer one token without
parameters only, and is not installed.
"""

import base64
import os
import socket
import sys

from mod_pywebsocket import common
from mod_pywebsocket.extensions import get_extension_processor
from mod_pywebsocket.stream import Stream, StreamOptions

import traffic


class Connection(object):
    def __init__(self, sock):
        self.sock = sock

    def write(self, data):
        self.sock.sendall(data)

    def read(self, n):
        return self.sock.recv(n)

    def get_remote_addr(self):
        return self.sock.getpeername()


class Request(object):
    def __init__(self, sock):
        self.connection = Connection(sock)
        self.ws_version = common.VERSION_HYBI_LATEST
        self.server_terminated = False
        self.client_terminated = False

    def _drain_received_data(self):
        pass


port, offer = int(sys.argv[1]), sys.argv[2]
sock = socket.create_connection(('127.0.0.1', port), 20)
sock.sendall(
    'GET /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n'
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n'
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: %s\r\n\r\n'
    % (port, port, base64.b64encode(os.urandom(16)), offer))
head = ''
while not head.endswith('\r\n\r\n'):
    head += sock.recv(1)
assert head.startswith('HTTP/1.1 101 '), head
answer = [line.partition(':')[2].strip() for line in head.split('\r\n')
          if line.lower().startswith('sec-websocket-extensions:')]
print ', '.join(answer)

options = StreamOptions()
options.mask_send = True
options.unmask_receive = False
for extension in common.parse_extensions(', '.join(answer)):
    # As in handlers/echo_wsh.py.
    for i, (name, value) in enumerate(extension._parameters):
        if value is not None:
            extension._parameters[i] = (name, int(value))
    processor = get_extension_processor(extension)
    assert processor.get_extension_response() is not None
    processor.setup_stream_options(options)

stream = Stream(Request(sock), options)
for text in traffic.texts():
    stream.send_message(text.decode('utf-8'))
    assert stream.receive_message() == text.decode('utf-8')
# In fragments.
text = traffic.texts()[-1].decode('utf-8')
for start in range(0, 60000, 20000):
    stream.send_message(text[start:start + 20000], end=start == 40000)
assert stream.receive_message() == text[:60000]
octets = traffic.binary()
stream.send_message(octets, binary=True)
assert stream.receive_message() == octets
stream.close_connection()
