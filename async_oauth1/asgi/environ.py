"""Convert a WSGI environ to an ASGI scope, so that WSGI requests are read by the same code as ASGI requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

__all__ = ["PATH_CHARACTERS", "scope_of_environ"]

_AUTHORITY = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
#: Characters of a path that are not percent-encoded.
PATH_CHARACTERS = "/:@!$&'()*+,;=~"
_URI_CHARACTERS = PATH_CHARACTERS + "".join(chr(code) for code in range(33, 127) if chr(code) not in PATH_CHARACTERS)


def scope_of_environ(environ: Mapping[str, Any]) -> dict[str, Any]:
    """Make the parts of an ASGI scope that the core reads from a WSGI environ (PEP 3333)."""
    headers = [
        (key[5:].replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for key, value in environ.items()
        if key.startswith("HTTP_")
    ]
    headers += [
        (key.replace("_", "-").lower().encode(), environ[key].encode("latin-1"))
        for key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(key)
    ]
    if "HTTP_HOST" not in environ:
        headers.append((b"host", f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}".encode("latin-1")))
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return {
        "type": "http",
        "method": environ["REQUEST_METHOD"].upper(),  # as the requests of Flask and Django have it
        "scheme": environ["wsgi.url_scheme"],
        "path": path.encode("latin-1").decode("utf-8", "replace"),
        "raw_path": _raw_path(environ, path.encode("latin-1")),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "headers": headers,
        "client": _peer(environ),
    }


def _peer(environ: Mapping[str, Any]) -> tuple[str, None] | None:
    """The address of the connection's other end. ProxyFix replaces it by the client's, but keeps the original.

    There is no port, because not every server provides it.
    """
    address = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR")
    return (address, None) if address else None


def _raw_path(environ: Mapping[str, Any], path: bytes) -> bytes:
    """The path as sent, if the server keeps it and nothing has changed it since.

    A prefix in SCRIPT_NAME that a proxy has removed is put in front of it again. Otherwise the decoded path is encoded
    again. Then ``%2F`` cannot be told from ``/``, nor ``%7E`` from ``~``.
    """
    sent: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    target = sent.partition("?")[0]
    raw = quote_from_bytes(_AUTHORITY.sub("", target).encode("latin-1"), safe=_URI_CHARACTERS)
    prefix = environ.get("SCRIPT_NAME", "").encode("latin-1")
    decoded = unquote_to_bytes(raw)
    if raw and decoded == path:
        authority = _AUTHORITY.match(target)
        return (authority[0] if authority else "").encode("latin-1") + raw.encode()
    if raw and prefix + decoded == path:
        return quote_from_bytes(prefix, safe=PATH_CHARACTERS).encode() + raw.encode()
    return quote_from_bytes(path or b"/", safe=PATH_CHARACTERS).encode()
