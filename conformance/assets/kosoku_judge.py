"""Runs kosoku through its Python interface: MODE SPEC AGENT.

* As a client it runs the cases one by one and prints each verdict (`@verdict {...}`);
  as a server it can only say them all at the end.
* Every case's JSON file is written, under the agent's name given here (kosoku itself
  names a server after its `Server` header).
* As a server it prints `@listening PORT`, the system having chosen the port.
* It ends when its standard input does, so that it cannot outlive its parent; a server
  first ends its run, to keep the verdicts it has.
"""
import asyncio
import json
import os
import re
import socket
import sys
import threading
import time

from kosoku import FailureError, run_fuzzingclient, run_fuzzingserver
from kosoku._report import case_to_dict


def say(word, value):
    print(f'@{word} {json.dumps(value, sort_keys=True)}', flush=True)


def keep(results, spec, agent):
    for result in results:
        case = case_to_dict(result)
        case['agent'] = agent
        case['isServer'] = 'servers' not in spec  # always false after a crash
        name = re.sub('[^0-9]', '_', case['id'])
        unfinished = os.path.join(spec['outdir'], name + '.new')
        with open(unfinished, 'w') as file:
            json.dump(case, file, sort_keys=True, indent=3)
        os.rename(unfinished, os.path.join(spec['outdir'], name + '.json'))
        say('verdict', {
            'id': case['id'],
            'behavior': case['behavior'],
            'behaviorClose': case['behaviorClose'],
        })


async def verdicts(run):
    try:
        return await run
    except FailureError as failure:
        return failure.results


def end_run(port):
    """Asks our own fuzzing server for its reports, which ends its run."""
    with socket.create_connection(('127.0.0.1', port), timeout=2) as stream:
        stream.sendall(
            b'GET /updateReports?agent=end HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n'
            b'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
            b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n' % port)
        stream.recv(4096)


def end_with_standard_input(port):
    while os.read(0, 4096):
        pass
    if port is not None:
        try:
            end_run(port)
            time.sleep(5)
        except OSError:
            pass
    os._exit(0)


def watch(port=None):
    threading.Thread(target=end_with_standard_input, args=[port], daemon=True).start()


async def main(mode, spec, agent):
    if mode == 'fuzzingclient':
        watch()
        url = spec['servers'][0]['url']
        for case in spec['cases']:
            print(f'Running test case ID {case}', flush=True)
            keep(await verdicts(run_fuzzingclient(url, [case])), spec, agent)
    else:
        async with run_fuzzingserver(spec['cases'], host='127.0.0.1', port=0) as server:
            watch(server.port)
            say('listening', server.port)
            keep(await verdicts(server.get_result()), spec, agent)


if __name__ == '__main__':
    with open(sys.argv[2]) as file:
        asyncio.run(main(sys.argv[1], json.load(file), sys.argv[3]))
