"""The mux client of pywebsocket's tests: PORT WHAT. What it does is one of the functions below.

`its_own_test` is the one procedure that its tests have for it, with its client as it is but for one
thing. All others use it as `Client` mends it, each time at the one place that keeps it from going on.
"""

import struct
import sys
import time

from test import client_for_testing
from test import mux_client_for_testing as published
from test import test_endtoend

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def _options(path='/echo'):
    options = client_for_testing.ClientOptions()
    options.server_host = '127.0.0.1'
    options.server_port = int(sys.argv[1])
    options.origin = 'http://localhost'
    options.resource = path
    options.socket_timeout = 20
    return options


class AlmostAsPublished(published.MuxClient):
    # It closes without a code, and takes the answer, which has none either, for no answer.
    def _process_control_message(self, opcode, message):
        published.MuxClient._process_control_message(self, opcode, message or 'no code')


class Client(published.MuxClient):
    def __init__(self):
        published.MuxClient.__init__(self, _options())
        self._timeout = 10
        self.drops = []
        self._fragmented = set()

    # It shifts the first octet to the left instead of to the right: FIN and RSV were always 0.
    def _parse_inner_frame(self, data):
        frame = published.MuxClient._parse_inner_frame(self, data)
        first = ord(data[0])
        frame.fin, frame.rsv1 = first >> 7, first >> 6 & 1
        return frame

    # It keeps every block for ever and carries all of them out again with each that comes, so that
    # quotas and slots add up to several times what was granted. It passes over DropChannel, and
    # ends at a FlowControl for a channel that is gone.
    def _process_mux_control_blocks(self):
        blocks, self._control_blocks = self._control_blocks, []
        for block in blocks:
            if block.opcode == published._MUX_OPCODE_ADD_CHANNEL_RESPONSE:
                self._control_blocks.append(block)
            elif block.opcode == published._MUX_OPCODE_NEW_CHANNEL_SLOT:
                self._channel_slots.extend([block.send_quota] * block.slots)
            elif block.opcode == published._MUX_OPCODE_DROP_CHANNEL:
                self.drops.append((block.channel_id, block.drop_code))
            elif block.channel_id in self._logical_channels:
                with self._logical_channels_condition:
                    self._logical_channels[block.channel_id].send_quota += block.send_quota
                    self._logical_channels_condition.notify()

    # The first frame of a message costs one octet more, which it counts for neither end.
    def _dispatch_frame(self, channel_id, payload):
        with self._logical_channels_condition:
            if ord(payload[0]) & 15 and channel_id in self._logical_channels:
                self._logical_channels[channel_id].receive_quota -= 1
        published.MuxClient._dispatch_frame(self, channel_id, payload)

    # Nor does it wait for quota, cut a message to it, or know of continuations.
    def send_message(self, channel_id, message, end=True, binary=False):
        opcode = BINARY if binary else TEXT
        if channel_id in self._fragmented:
            opcode = 0
        self._fragmented.discard(channel_id)
        if not end:
            self._fragmented.add(channel_id)
        self.send_frames(channel_id, opcode, message, end)

    def send_frames(self, channel_id, opcode, payload, end=True):
        channel = self._logical_channels[channel_id]
        while True:
            first = int(opcode != 0)
            with self._logical_channels_condition:
                self._wait(self._logical_channels_condition,
                           lambda: channel.send_quota or (not first and not payload))
                part = payload[:channel.send_quota - first]
                payload = payload[len(part):]
                channel.send_quota -= len(part) + first
            self.send_frame(channel_id, int(end and not payload) << 7 | opcode, part)
            opcode = 0
            if not payload:
                return

    def send_frame(self, channel_id, first, payload):
        self._stream.send_binary(
            published._encode_channel_id(channel_id) + chr(first) + payload)

    def send_control(self, blocks):
        self._stream.send_binary('\x00' + blocks)

    def _wait(self, condition, wanted):
        deadline = time.time() + self._timeout
        with condition:
            while not wanted():
                assert self._is_active and time.time() < deadline, 'it does not come'
                condition.wait(1)

    # It has nothing for messages in several frames.
    def receive(self, channel_id, grant=True):
        opcode, message = None, ''
        while True:
            frame = self._logical_channels[channel_id].queue.get(timeout=self._timeout)
            assert not frame.rsv1
            assert (frame.opcode == 0) == (opcode is not None), (opcode, frame.opcode)
            opcode = opcode or frame.opcode
            message += frame.payload
            if grant:
                self.send_flow_control(channel_id, len(frame.payload) + int(frame.opcode != 0))
            if frame.fin:
                return opcode, message

    def echo(self, channel_id, message, binary=False):
        self.send_message(channel_id, message, binary=binary)
        received = self.receive(channel_id)
        assert received == (BINARY if binary else TEXT, message), received

    # It knows whole requests only, grants nothing with them, and takes what a channel is sent before
    # the answer has been looked at for a mistake.
    def add_channel(self, channel_id, head=None, delta=False, quota=1024, path='/echo', slot=True):
        if head is None:
            head = 'GET %s HTTP/1.1\r\n' % path
            if not delta:
                head += 'Host: 127.0.0.1\r\nConnection: Upgrade\r\n'
            head += '\r\n'
        channel = published._LogicalChannelData()
        if slot:
            self._wait(self._control_blocks_condition, lambda: self._channel_slots)
            channel.send_quota = self._channel_slots.popleft()
        channel.receive_quota = quota
        self._logical_channels[channel_id] = channel
        self.send_control(
            published._create_add_channel_request(channel_id, head, int(delta)) +
            published._create_flow_control(channel_id, quota))

    def answer(self, channel_id):
        def answers():
            return [block for block in self._control_blocks if block.channel_id == channel_id]
        with self._control_blocks_condition:
            self._wait(self._control_blocks_condition, answers)
            block = answers()[0]
            self._control_blocks.remove(block)
        return block.rejected, block.encoded_handshake

    def open(self, channel_id, *args, **kwargs):
        self.add_channel(channel_id, *args, **kwargs)
        rejected, head = self.answer(channel_id)
        assert not rejected and head.startswith('HTTP/1.1 101 '), head

    # It never takes a channel for closed.
    def forget(self, channel_id):
        del self._logical_channels[channel_id]

    def close(self, channel_id, code=1000):
        self.send_frames(channel_id, CLOSE, struct.pack('!H', code))
        assert self.receive(channel_id, grant=False) == (CLOSE, struct.pack('!H', code))
        self.forget(channel_id)

    # To be written, it says.
    def drop_channel(self, channel_id, code=1000):
        self.send_control(chr(0x60) + published._encode_channel_id(channel_id) + chr(2) +
                          struct.pack('!H', code))

    def is_dropped(self, channel_id, code):
        self._wait(self._control_blocks_condition, lambda: (channel_id, code) in self.drops)
        self.drops.remove((channel_id, code))

    def end(self):
        self.send_physical_connection_close(1000)
        self.assert_physical_connection_receive_close()


def channels(client):
    # Of every length that a number has, and both ends of each.
    numbers = [2, 127, 128, 16383, 16384, 2097151, 2097152, 536870911]
    for number in numbers:
        client.open(number, delta=number % 2)
    for number in [1] + numbers:
        client.send_message(number, 'Gr\xc3\xbc\xc3\x9fe %d' % number)
        client.send_message(number, '\x00\xff%d' % number, binary=True)
    for number in [1] + numbers:
        assert client.receive(number) == (TEXT, 'Gr\xc3\xbc\xc3\x9fe %d' % number)
        assert client.receive(number) == (BINARY, '\x00\xff%d' % number)
        client.echo(number, '')


def fragments(client):
    for number in (2, 3):
        client.open(number)
    # Two messages in three frames each, one between the other, and a ping in both of them.
    for n, part in enumerate(['one ', 'two ', 'three']):
        for number in (2, 3):
            client.send_message(number, part, end=n == 2)
            if n == 0:
                client.send_frames(number, PING, 'Ping!')
    for number in (2, 3):
        assert client.receive(number) == (PONG, 'Ping!')
        assert client.receive(number) == (TEXT, 'one two three')
    # A ping in two frames.
    client.send_frame(2, PING, 'Pi')
    client.send_frame(2, 0x80, 'ng!')
    assert client.receive(2) == (PONG, 'Ping!')


def deltas(client):
    def seen(number, value):
        client.send_message(number, 'header x-room')
        assert client.receive(number) == (TEXT, value), number
    line = 'GET /echo HTTP/1.1\r\n'
    whole = line + 'Host: 127.0.0.1\r\nConnection: Upgrade\r\nX-Room: two\r\n\r\n'
    for number, head, delta, value in [
            (2, None, True, 'none'),
            (3, line + 'X-Room: one\r\n\r\n', True, 'one'),
            # A difference is no base of others.
            (4, None, True, 'none'),
            (5, whole, False, 'two'),
            (6, None, True, 'two'),
            (7, line + 'x-rOOM: three\r\n\r\n', True, 'three'),
            (8, line + 'X-Room:\r\n\r\n', True, 'none'),
            (9, None, True, 'two')]:
        client.open(number, head, delta)
        seen(number, value)


def flow(client):
    # Its own quota of 1000 is what our server is configured with.
    for number in (2, 3, 4):
        client.open(number, quota=100)
    messages = [(number, chr(number) * 20000) for number in (2, 3, 4)]
    # Its echoes wait for what is granted as they are read: it takes in 20000 octets meanwhile.
    for number, message in messages:
        client.send_message(number, message, binary=True)
    for number, message in messages:
        assert client.receive(number) == (BINARY, message)


def violation(client):
    for number in (2, 3):
        client.open(number)
    quota = client._logical_channels[2].send_quota
    client.send_frame(2, 0x80 | BINARY, 'x' * quota)
    client.is_dropped(2, 3005)
    client.forget(2)
    client.drop_channel(2, 3008)
    # To the last octet.
    client.echo(3, 'x' * (quota - 1), binary=True)


def overflow(client):
    client.open(2)
    client.send_control(published._create_flow_control(2, 2 ** 63 - 1))
    client.is_dropped(2, 3006)
    client.forget(2)
    client.drop_channel(2, 3008)
    client.echo(1, 'Hello')


def closing(client):
    slots = len(client._channel_slots)
    for n in range(3):
        client.open(2)
        client.open(3, delta=True)
        client.echo(2, 'Hello')
        # One is closed from here, one from there.
        client.close(2)
        client.send_message(3, 'close')
        assert client.receive(3, grant=False) == (CLOSE, '\x03\xe8')
        client.send_frames(3, CLOSE, '\x03\xe8')
        client.forget(3)
        client.echo(1, 'still there')
        client._wait(client._control_blocks_condition,
                     lambda: len(client._channel_slots) == slots)


def dropping(client):
    for n in range(3):
        client.open(2)
        client.open(3)
        client.drop_channel(2)
        client.is_dropped(2, 3008)
        client.forget(2)
        # What comes for one that is gone is passed over.
        client.send_frame(2, 0x81, 'too late')
        client.send_control(published._create_flow_control(2, 1))
        client.drop_channel(2)
        client.echo(3, 'still there')
        # Not UTF-8: our server closes the channel with 1007, and drops it.
        client.send_frames(3, TEXT, '\xff\xfe')
        opcode, body = client.receive(3, grant=False)
        assert (opcode, body[:2]) == (CLOSE, '\x03\xef'), body
        client.is_dropped(3, 3000)
        client.forget(3)
        client.drop_channel(3, 3008)
    assert client.drops == []


def refusals(client):
    for number, head, status in [
            (2, 'GET /nosuch HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n', 404),
            (3, 'GET /echo HTTP/1.1\r\nHost: a\r\n\r\n', 400),
            (4, 'POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n', 405),
            (5, 'GET /', 400)]:
        client.add_channel(number, head)
        rejected, answer = client.answer(number)
        assert rejected and answer.startswith('HTTP/1.1 %d ' % status), answer
        client.forget(number)
        client.echo(1, 'still there')
        client._wait(client._control_blocks_condition,
                     lambda: len(client._channel_slots) == 2)


def slots(client):
    assert len(client._channel_slots) == 2
    client.open(2)
    client.open(3)
    client.echo(2, 'Hello')
    client.add_channel(4, slot=False)
    client.is_dropped(0, 2007)
    client._read_thread.join(client._timeout)
    assert client._physical_connection_close_message.startswith('\x03\xf3')


if __name__ == '__main__':
    what = sys.argv[2]
    if what == 'its_own_test':
        client = AlmostAsPublished(_options())
        client._timeout = 10
        try:
            test_endtoend._mux_echo_check_procedure(client)
        finally:
            client.close_socket()
    else:
        client = Client()
        client.connect()
        client.send_flow_control(1, 1024)
        globals()[what](client)
        if client._is_active:
            client.end()
