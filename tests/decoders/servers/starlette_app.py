"""The route table for Starlette, as an ASGI application."""

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

ROUTES = [
    ("/api/menu", "menu"),
    ("/api/menu/{id}", "item"),
    ("/api/users/{id}", "user"),
    ("/api/orders/{id}/status", "status"),
    ("/api/orders", "orders"),
    ("/api/orders/{rest:path}", "orders"),
    ("/api/kiosk", "kiosk"),
    ("/admin", "admin"),
    ("/admin/{rest:path}", "admin"),
    ("/files", "files"),
    ("/files/{rest:path}", "files"),
    ("/café", "cafe"),
    ("/two words", "words"),
    ("/a,b", "comma"),
    ("/{rest:path}", "rest"),
]


def say(route):
    async def endpoint(request):
        own = request.path_params.get("id")
        parts = [route, request.scope["path"]] + ([] if own is None else [own])
        body = "|~|".join(parts).encode(errors="surrogateescape")
        return Response(body, media_type="application/octet-stream")

    return endpoint


app = Starlette(routes=[Route(path, say(name)) for path, name in ROUTES])
