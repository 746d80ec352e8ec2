"""Read a launch, or a message with a body, from the request of any framework, by the reader of its adapter."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from async_oauth1.asgi.bodies.pieces import read_pieces, too_large
from async_oauth1.errors import InvalidRequestError
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import call_hook, resolve

__all__ = ["read_body", "read_launch"]

#: Seconds in which a body must have arrived.
_TIMEOUT = 60.0

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
    current = _current(request)
    if isinstance(current, OAuth1Request):
        return current
    for package in _packages(type(current)):
        if reader := _READERS.get(package):
            module, _, function = reader.partition(":")
            read: OAuth1Request = await resolve(getattr(import_module(module), function)(current, policy))
            return read
    raise TypeError(f"{type(current).__name__} is no request that is known; read it with the adapter's read_request.")


async def read_body(request: Any, read: OAuth1Request, limit: int) -> bytes:
    """Read the body of a request, whose hash is compared later.

    Args:
        request: what `read_launch` was given.
        read: what it has returned; keeps the body.
        limit: in octets.

    Raises:
        RequestTooLargeError: the body is larger.
        InvalidRequestError: it has not arrived, or something else has read it.
    """
    if read.body is None:
        announced = [value for name, value in read.raw_headers if name.lower() == b"content-length"]
        if any(len(value) > 18 or (value.isdigit() and int(value) > limit) for value in announced):
            raise too_large("body", limit)
        current = _current(request)
        if "starlette" in _packages(type(current)):
            read.body = await _read_stream(current, limit)
        elif read.read_body is not None:
            read.body = await call_hook(read.read_body)
    body = read.body or b""
    if len(body) > limit:
        raise too_large("body", limit)
    return body


async def _read_stream(request: Any, limit: int) -> bytes:
    """The body of Starlette's request, which has no limit of its own."""
    try:
        return await read_pieces(request.stream(), "body", max_bytes=limit, seconds=_TIMEOUT)
    except Exception as error:  # Starlette is not imported, so its ClientDisconnect is known by name only
        if type(error).__name__ == "ClientDisconnect" or isinstance(error, RuntimeError):  # the stream was consumed
            raise InvalidRequestError("The body has not arrived, or was read before.") from error
        raise


def _current(request: Any) -> object:
    """The request itself, if this is a proxy of Quart's or Flask's."""
    current: object = getattr(request, "_get_current_object", lambda: request)()
    return current


def _packages(cls: type) -> Iterator[str]:
    yield from (base.__module__.partition(".")[0] for base in cls.__mro__)
