"""From an ASGI scope to an `OAuth1Request`, and from a response to ASGI's messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, TypeVar

from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.responses import OAuth1Response

from .origin import may_be_rewritten, origin_form, peer_address, request_origin

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
#: The application behind a middleware that verifies, while it does so: its configuration counts.
application_behind: ContextVar[object | None] = ContextVar("async_oauth1.application_behind", default=None)
#: Any ASGI application: frameworks disagree about the types of the three.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

R = TypeVar("R", bound=OAuth1Request)


def snapshot(scope: Scope) -> Scope:
    """What is verified, and what the application must see: a scope of our own, which no server can change.

    uvicorn with httptools appends the trailers of a chunked body to the list that is ``scope["headers"]``, whenever
    they arrive. Its h11 and granian leave ``get`` as it was sent, which is signed as ``GET`` (RFC 5849 section
    3.4.1.1); hypercorn writes it in upper case.
    """
    return {**scope, "method": scope["method"].upper(), "headers": [*map(tuple, scope["headers"])]}


def request_from_scope(scope: Scope, policy: Policy, body: bytes | None = None) -> OAuth1Request:
    """Read an ASGI scope.

    The application must see what is verified here. Servers may append to ``scope["headers"]`` while a body arrives, and
    may leave a method in lower case, so give this function and the application the same copy:
    ``scope = {**scope, "method": scope["method"].upper(), "headers": list(scope["headers"])}``.

    Args:
        scope: of type ``http``.
        policy: its limits, and where the client thinks it is.
        body: the octets of a form; ``None`` where the body is no form and was not read.

    Raises:
        OAuth1Error: the request is malformed or too large.
    """
    return make_request(OAuth1Request, scope, policy, body)


def make_request(make: Callable[..., R], scope: Scope, policy: Policy, body: bytes | None) -> R:
    """Read an ASGI scope; ``make`` takes what `OAuth1Request` takes."""
    path = origin_form(scope, policy)
    scheme, host, prefix = request_origin(scope, policy)
    request = make(
        method=scope["method"],
        scheme=scheme,
        host=host,
        raw_path=prefix.encode() + path if prefix else path,
        raw_query=scope["query_string"],
        headers=scope["headers"],
        body=body,
        peer=peer_address(scope),
        max_parameters=policy.max_parameters,
        max_header_bytes=policy.max_header_bytes,
        max_query_bytes=policy.max_query_bytes,
        max_form_bytes=policy.max_form_bytes,
    )
    if may_be_rewritten(scope, policy):
        request.may_be_rewritten = True
    return request


def content_type_of(scope: Scope) -> bytes:
    """The first Content-Type; a second one is refused once the request is read."""
    for name, value in scope["headers"]:
        if len(name) == 12 and name.lower() == b"content-type":  # not every server lowers names
            return bytes(value)
    return b""


def has_unannounced_length(scope: Scope) -> bool:
    """Whether the request may have a body whose length is known only once it has arrived."""
    names = {name.lower() for name, _ in scope["headers"]}
    return b"transfer-encoding" in names or (
        b"content-length" not in names and not scope.get("http_version", "1.1").startswith("1")
    )


async def send_response(response: OAuth1Response, send: Send) -> None:
    """Send a whole response over ASGI."""
    body = response.body.encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse(response: OAuth1Response, receive: Receive, send: Send) -> None:
    """Answer while the body is received and dropped, as a framework would: `LingeringMiddleware` sees it end."""

    async def drop() -> None:
        while (await receive()).get("more_body", False):
            pass

    dropping = asyncio.ensure_future(drop())
    try:
        await send_response(response, send)
    finally:
        dropping.cancel()
