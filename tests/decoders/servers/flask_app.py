"""The route table for Flask, as a WSGI application for any server."""

from flask import Flask, Response, request

app = Flask(__name__)

ROUTES = {
    "menu": ["/api/menu"],
    "item": ["/api/menu/<id>"],
    "user": ["/api/users/<id>"],
    "status": ["/api/orders/<id>/status"],
    "orders": ["/api/orders", "/api/orders/", "/api/orders/<path:rest>"],
    "kiosk": ["/api/kiosk"],
    "admin": ["/admin", "/admin/", "/admin/<path:rest>"],
    "files": ["/files", "/files/", "/files/<path:rest>"],
    "cafe": ["/café"],
    "words": ["/two words"],
    "comma": ["/a,b"],
    "rest": ["/", "/<path:rest>"],
}


def say(route):
    def view(id=None, rest=None):
        # As the server has handed it over, bytes as characters.
        path = request.environ["PATH_INFO"].encode("latin-1")
        parts = [route.encode(), path] + ([] if id is None else [id.encode()])
        return Response(b"|~|".join(parts), mimetype="application/octet-stream")

    return view


for name, paths in ROUTES.items():
    for number, path in enumerate(paths):
        app.add_url_rule(path, f"{name}{number}", say(name))
