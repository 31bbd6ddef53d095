"""What the clients written in Python send, and what they expect to come back: the same."""

import os


def texts():
    record = '{"id":%d,"name":"alpha","price":%d.50,"active":true},'
    records = ''.join(record % (i * 7919 % 10007, i) for i in range(1600))
    return ['', 'Hello', 'Hello', 'Gr\xc3\xbc\xc3\x9fe, '  * 60, records[:2000],
            records[:2000], records[:65536]]


def binary():
    return os.urandom(65536)
