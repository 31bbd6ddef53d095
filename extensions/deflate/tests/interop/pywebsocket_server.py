"""pywebsocket's standalone server on a free port, which it prints. Serves handlers/echo_wsh.py."""

import logging
import os
import sys

from mod_pywebsocket import standalone

logging.basicConfig(level=logging.CRITICAL)
handlers = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'handlers')
options, _ = standalone._parse_args_and_config(
    ['-H', '127.0.0.1', '-p', '0', '-w', handlers])
options.cgi_directories = []
options.is_executable_method = None
options.scan_dir = handlers
server = standalone.WebSocketServer(options)
print server.server_port
sys.stdout.flush()
server.serve_forever()
