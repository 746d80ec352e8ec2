"""Convert an ASGI scope to an `OAuth1Request`, and a response to ASGI messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any, TypeVar

from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.refusals import log_refusal, with_scope
from async_oauth1.provider.responses import OAuth1Response, resource_error_response

from .origin import may_be_rewritten, origin_form, peer_address, request_origin

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
#: While a middleware verifies a request: the application that it wraps, whose configuration counts.
application_behind: ContextVar[object | None] = ContextVar("async_oauth1.application_behind", default=None)
#: Any ASGI application. The arguments are `Any` because frameworks disagree about their types.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

R = TypeVar("R", bound=OAuth1Request)


def snapshot(scope: Scope) -> Scope:
    """Copy a scope, so that the server cannot change it between verification and application.

    uvicorn with httptools appends the trailers of a chunked body to the list ``scope["headers"]`` when they arrive.
    The method is in upper case, as it is signed (RFC 5849 section 3.4.1.1): hypercorn converts ``get`` to ``GET``, but
    granian and uvicorn with h11 do not.
    """
    return {**scope, "method": scope["method"].upper(), "headers": [*map(tuple, scope["headers"])]}


def request_from_scope(scope: Scope, policy: Policy, body: bytes | None = None) -> OAuth1Request:
    """Make an `OAuth1Request` from an ASGI scope.

    The application must see what is verified here. Servers may append to ``scope["headers"]`` while a body arrives, and
    may leave a method in lower case, so give this function and the application the same copy:
    ``scope = {**scope, "method": scope["method"].upper(), "headers": list(scope["headers"])}``.

    Args:
        scope: of type ``http``.
        policy: sets the limits, the trusted proxies and the external base URL.
        body: the octets of a form; ``None`` if the body is not a form and was not read.

    Raises:
        OAuth1Error: the request is malformed or too large.
    """
    return make_request(OAuth1Request, scope, policy, body)


def make_request(make: Callable[..., R], scope: Scope, policy: Policy, body: bytes | None) -> R:
    """Make a request from an ASGI scope. ``make`` takes the arguments of `OAuth1Request`."""
    try:
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
            limits=policy,
        )
        if may_be_rewritten(scope, policy):
            request.may_be_rewritten = True
    except OAuth1Error as error:
        with_scope(error, scope)
        raise
    return request


def content_type_of(scope: Scope) -> bytes:
    """The first Content-Type. `OAuth1Request` refuses a second one."""
    for name, value in scope["headers"]:
        if len(name) == 12 and name.lower() == b"content-type":  # some servers keep upper case in names
            return bytes(value)
    return b""


def has_unannounced_length(scope: Scope) -> bool:
    """Whether the request may have a body whose length is known only once it has arrived."""
    has_length = False
    for raw_name, _ in scope["headers"]:
        name = raw_name.lower()
        if name == b"transfer-encoding":
            return True
        has_length = has_length or name == b"content-length"
    return not has_length and not scope.get("http_version", "1.1").startswith("1")


async def send_response(response: OAuth1Response, send: Send) -> None:
    """Send a whole response over ASGI."""
    body = response.body.encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse_websocket(error: OAuth1Error, scope: Scope, send: Send) -> None:
    """Log why a WebSocket is refused, and close it before it is accepted: servers answer 403."""
    log_refusal(with_scope(error, scope))
    await send({"type": "websocket.close", "code": 1008})


async def refuse(error: OAuth1Error, policy: Policy, scope: Scope, receive: Receive, send: Send) -> None:
    """Log an error at a protected resource, unless it has been logged, and send the response.

    Meanwhile the body is received and dropped, as frameworks do, so that `LingeringMiddleware` sees its end.
    """

    async def drop() -> None:
        while (await receive()).get("more_body", False):
            pass

    log_refusal(with_scope(error, scope))
    dropping = asyncio.ensure_future(drop())
    try:
        await send_response(resource_error_response(error, realm=policy.realm), send)
    finally:
        dropping.cancel()
