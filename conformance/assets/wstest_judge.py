"""Runs wstest, unchanged in what it judges, but

* bound to the loopback interface, where plain wstest listens on all of them;
* on a port the system chooses, printed as `@listening PORT`;
* with every verdict printed as `@verdict {...}` and its JSON file written as soon
  as it falls, so that a run which is cut short keeps what it measured;
* without wstest's own HTML pages;
* ending when its standard input does, so that it cannot outlive its parent.

The arguments are those of wstest. Python 2.7, CPython or PyPy.
"""
import json
import os
import sys
import threading

from autobahntestsuite import wstest  # first: it chooses the Twisted reactor
from autobahntestsuite.fuzzing import FuzzingFactory
from twisted.internet.posixbase import PosixReactorBase


def say(word, value):
    sys.stdout.write('@%s %s\n' % (word, json.dumps(value, sort_keys=True)))
    sys.stdout.flush()


def on_loopback(listen):
    def listen_on_loopback(self, port, factory, *args, **kwargs):
        # After the factory come the TLS context (listenSSL only), backlog, interface.
        args = args[:2] if listen.__name__ == 'listenSSL' else args[:1]
        kwargs['interface'] = '127.0.0.1'
        listener = listen(self, 0, factory, *args, **kwargs)
        chosen = listener.getHost().port
        # Autobahn compares the port of the Host header with the one it was told.
        factory.port = factory.externalPort = chosen
        say('listening', chosen)
        return listener
    return listen_on_loopback


def announced(log_case):
    def log_and_announce(self, result):
        log_case(self, result)
        if not os.path.isdir(self.outdir):
            os.makedirs(self.outdir)
        self.createAgentCaseReportJSON(result['agent'], result['id'], self.outdir)
        say('verdict', {
            'id': result['id'],
            'behavior': result['behavior'],
            'behaviorClose': result['behaviorClose'],
        })
    return log_and_announce


def without_pages(create_reports):
    def create_json_only(self):
        create_reports(self, produceHtml=False)
    return create_json_only


def end_with_standard_input():
    while os.read(0, 4096):
        pass
    os._exit(0)


PosixReactorBase.listenTCP = on_loopback(PosixReactorBase.listenTCP)
PosixReactorBase.listenSSL = on_loopback(PosixReactorBase.listenSSL)
FuzzingFactory.logCase = announced(FuzzingFactory.logCase)
FuzzingFactory.createReports = without_pages(FuzzingFactory.createReports)

if __name__ == '__main__':
    watcher = threading.Thread(target=end_with_standard_input)
    watcher.daemon = True
    watcher.start()
    wstest.run()
