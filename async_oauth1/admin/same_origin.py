"""Whether a request was sent by a page of the same host."""

from __future__ import annotations

from urllib.parse import urlsplit

from async_oauth1.asgi.origin import request_origin
from async_oauth1.asgi.requests import Scope
from async_oauth1.errors import InvalidRequestError
from async_oauth1.policy import Policy
from async_oauth1.protocol.hosts import normalize_host

__all__ = ["is_same_origin"]


def is_same_origin(scope: Scope, policy: Policy) -> bool:
    """Whether the browser says that a request comes from a page of this host, or says nothing.

    Only hosts and ports are compared: behind a proxy without ``Policy.trusted_proxies``, the scheme is not known here.
    A program other than a browser sends neither ``Origin`` nor ``Sec-Fetch-Site``, and an old browser sends neither.

    Raises:
        InvalidRequestError: no usable ``Host`` field, or a trusted proxy's fields are malformed.
    """
    sites, origins = _values(scope, b"sec-fetch-site"), _values(scope, b"origin")
    if any(site not in ("same-origin", "none") for site in sites):
        return False
    if not origins:
        return True
    _, host, _ = request_origin(scope, policy)
    return len(origins) == 1 and _is_of_host(origins[0], host)


def _is_of_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        its_host = normalize_host(parts.netloc, parts.scheme)
    except (ValueError, InvalidRequestError):
        return False
    # Without the default port: a browser leaves it out of both fields, and a proxy may add it to one.
    return parts.scheme in ("http", "https") and its_host == normalize_host(host, parts.scheme)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for found, value in scope["headers"] if found.lower() == name]
