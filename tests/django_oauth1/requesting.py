"""Signed requests as Django's, without a server."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from oauthlib.oauth1 import Client

FORM = "application/x-www-form-urlencoded"


def signer(**more: Any) -> Client:
    given = {"client_secret": "secret", "resource_owner_key": "t", "resource_owner_secret": "s", **more}
    return Client("printer", **given)


def signed(
    method: str, target: str, body: str = "", content_type: str = FORM, **more: Any
) -> tuple[str, str, bytes, dict[str, str]]:
    headers = {"Content-Type": content_type} if body else {}
    _, headers, sent = signer(**more).sign(f"http://localhost{target}", method, body or None, headers)
    return method, target, (sent or "").encode(), headers


def wsgi(
    method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None, **environ: Any
) -> WSGIRequest:
    """A request as gunicorn hands it over."""
    parts = urlsplit(target)
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()}
    if "HTTP_CONTENT_TYPE" in fields:
        environ["CONTENT_TYPE"] = fields.pop("HTTP_CONTENT_TYPE")
    return WSGIRequest(
        {
            "REQUEST_METHOD": method,
            "RAW_URI": target,
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
            "QUERY_STRING": parts.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            **fields,
            **environ,
        }
    )


def asgi(method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> ASGIRequest:
    """A request as Django's ASGI handler makes it, its body in a file."""
    parts = urlsplit(target)
    fields = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"content-length", str(len(body)).encode()), *fields],
        "client": ("127.0.0.1", 5000),
        "server": ("localhost", 80),
    }
    return ASGIRequest(scope, BytesIO(body))
