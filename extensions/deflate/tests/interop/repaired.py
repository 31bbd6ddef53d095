"""wspy 0.91 as published cannot receive a frame of 126 octets or more.

It takes the tuple that struct.unpack returns for the length. Here the number is taken out of it, so
that there is something to try; nothing else of wspy is touched.
"""

from wspy.frame import SocketReader

_readn = SocketReader.readn


def _readn_number(self, n):
    return _readn(self, n[0] if isinstance(n, tuple) else n)


SocketReader.readn = _readn_number
