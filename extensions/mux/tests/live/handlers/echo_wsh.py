"""Echoes. The query may refuse the handshake, or choose a subprotocol: /echo?refuse, /echo?chat."""


def web_socket_do_extra_handshake(request):
    _, _, query = request.ws_resource.partition('?')
    if query == 'refuse':
        raise ValueError('refused')
    if query:
        request.ws_protocol = query


def web_socket_transfer_data(request):
    while True:
        message = request.ws_stream.receive_message()
        if message is None:
            return
        binary = not isinstance(message, unicode)
        request.ws_stream.send_message(message, binary=binary)
