"""Echoes. The query says what the extension's answer demands, and how echoes are sent.

/echo?window_bits=10&no_context_takeover&bfinal&fragments&as_published
"""


def _wishes(request):
    query = request.ws_resource.partition('?')[2]
    return dict(wish.partition('=')[::2] for wish in query.split('&'))


def web_socket_do_extra_handshake(request):
    wishes = _wishes(request)
    for processor in request.ws_extension_processors:
        # As published, it checks that max_window_bits is a number, keeps the string, and fails when
        # it comes to compress.
        parameters = processor.request()._parameters
        for i, (name, value) in enumerate(parameters):
            if 'as_published' not in wishes and value is not None and value.isdigit():
                parameters[i] = (name, int(value))
        if 'window_bits' in wishes:
            processor.set_response_window_bits(int(wishes['window_bits']))
        if 'no_context_takeover' in wishes:
            processor.set_response_no_context_takeover(True)
        if 'bfinal' in wishes:
            processor.set_bfinal(True)


def web_socket_transfer_data(request):
    fragments = 'fragments' in _wishes(request)
    stream = request.ws_stream
    while True:
        message = stream.receive_message()
        if message is None:
            return
        binary = not isinstance(message, unicode)
        while fragments and len(message) > 5000:
            stream.send_message(message[:5000], end=False, binary=binary)
            message = message[5000:]
        stream.send_message(message, end=True, binary=binary)
