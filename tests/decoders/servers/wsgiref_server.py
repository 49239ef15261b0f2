"""Python's own WSGI server before Flask. Argument: a port."""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from flask_app import app


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", int(sys.argv[1]), app, handler_class=Silent).serve_forever()
