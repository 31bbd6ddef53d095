"""Does what each message says: a command, and numbers."""

from mod_pywebsocket import mux


def web_socket_do_extra_handshake(request):
    pass


def _pong(request, body):
    request.ws_stream.send_message(u'pong %d' % len(body))


def web_socket_transfer_data(request):
    stream = request.ws_stream
    request.on_pong_handler = _pong
    while True:
        message = stream.receive_message()
        if message is None:
            return
        words = message.split()
        if words[0] == 'header':
            value = request.headers_in.get(words[1])
            stream.send_message(u'none' if value is None else value.decode('ascii'))
            continue
        numbers = [int(word) for word in words[1:]]
        if words[0] == 'ping':
            # A text, and a ping behind it.
            stream.send_message(u'x' * numbers[0])
            stream.send_ping('p' * numbers[1])
        elif words[0] == 'send':
            stream.send_message('x' * numbers[0], binary=True)
        elif words[0] == 'slots':
            request.connection._mux_handler.add_channel_slots(*numbers)
        elif words[0] == 'fail':
            raise mux.LogicalChannelError(request.channel_id, numbers[0])
        elif words[0] == 'raise':
            raise ValueError('as it was told')
        elif words[0] == 'return':
            stream.send_message(u'returns')
            return
