"""A client on wspy: PORT TOKEN [PARAMETER]. Prints what was agreed."""

import sys

import repaired
import wspy
from wspy.frame import ControlFrame

import traffic

port, token = int(sys.argv[1]), sys.argv[2]


class Offered(wspy.DeflateFrame):
    # wspy's own class says neither: made for servers, it cannot be offered as it is.
    name = token
    request = {}


for parameter in sys.argv[3:]:
    name, _, value = parameter.partition('=')
    Offered.request[name] = int(value) if value else True

sock = wspy.websocket(origin='http://127.0.0.1:%d' % port, extensions=[Offered()])
sock.settimeout(20)
sock.connect(('127.0.0.1', port))
print ', '.join('%s %r' % (i.name, i.params) for i in sock.extension_instances)


def echo(*frames):
    # wspy's Connection does not mask, so that it is of no use to a client.
    sock.send(*frames)
    received = ''
    while True:
        frame = sock.recv()
        received += frame.payload
        if frame.final:
            return received


for text in traffic.texts():
    assert echo(wspy.Frame(wspy.OPCODE_TEXT, text, mask=True)) == text
text = traffic.texts()[-1]
whole = wspy.Frame(wspy.OPCODE_TEXT, text, mask=True)
assert echo(*whole.fragment(20000, mask=True)) == text
octets = traffic.binary()
assert echo(wspy.Frame(wspy.OPCODE_BINARY, octets, mask=True)) == octets
sock.send(ControlFrame(wspy.OPCODE_CLOSE, '\x03\xe8', mask=True))
assert sock.recv().opcode == wspy.OPCODE_CLOSE
sock.close()
