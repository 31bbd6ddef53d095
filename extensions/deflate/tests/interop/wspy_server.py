"""wspy's server on a free port, which it prints. Echoes; under /fragments, in fragments."""

import logging
import sys
import threading

import repaired
import wspy


class Echo(wspy.Connection):
    def onmessage(self, message):
        size = 5000 if 'fragments' in self.sock.location else None
        if not len(message.payload):
            # Cut into fragments, nothing is no frame at all.
            size = None
        if message.opcode == wspy.OPCODE_BINARY:
            # Its own BinaryMessage holds a bytearray, which zlib does not take.
            message = wspy.Message(message.opcode, str(message.payload))
        self.send(message, fragment_size=size)


server = wspy.websocket(extensions=[wspy.DeflateFrame(), wspy.DeflateMessage()])
server.bind(('127.0.0.1', 0))
server.listen(8)
print server.getsockname()[1]
sys.stdout.flush()
while True:
    try:
        client, _ = server.accept()
    except Exception as error:
        # A parameter that zlib refuses ends up here.
        sys.stderr.write('%r\n' % error)
        continue
    thread = threading.Thread(target=Echo(client).receive_forever)
    thread.daemon = True
    thread.start()
