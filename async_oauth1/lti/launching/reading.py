"""Read a launch from the request of any framework, by the reader of its adapter."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import resolve

__all__ = ["read_launch"]

# The package of a request's class, and the function that reads it. Each is imported at first use.
_READERS = {
    "quart": "async_oauth1.quart:read_request",
    "fastapi": "async_oauth1.fastapi:read_request",
    "starlette": "async_oauth1.starlette:read_request",
    "litestar": "async_oauth1.litestar:read_request",
    "django": "async_oauth1.django.requests:read_request",
    "flask": "flask_compat.frameworks.flask:read",
}


async def read_launch(request: Any, policy: Policy) -> OAuth1Request:
    """Read a request.

    Args:
        request: an `OAuth1Request`, or a request of Quart's, Starlette's, FastAPI's, Litestar's, Django's or Flask's.
        policy: sets the limits, and what clients sign.

    Raises:
        OAuth1Error: the request is malformed or too large.
        TypeError: the request is of a class that is not known.
    """
    current: object = getattr(request, "_get_current_object", lambda: request)()  # a proxy of Quart's or Flask's
    if isinstance(current, OAuth1Request):
        return current
    for package in _packages(type(current)):
        if reader := _READERS.get(package):
            module, _, function = reader.partition(":")
            read: OAuth1Request = await resolve(getattr(import_module(module), function)(current, policy))
            return read
    raise TypeError(f"verify_launch reads no {type(current).__name__}; read it with the adapter's read_request.")


def _packages(cls: type) -> Iterator[str]:
    yield from (base.__module__.partition(".")[0] for base in cls.__mro__)
