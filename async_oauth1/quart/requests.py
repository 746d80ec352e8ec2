"""Converts Quart's request to an `OAuth1Request`, and an `OAuth1Response` to Quart's response."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Awaitable, Callable, Sequence
from types import FunctionType
from typing import Any, cast

from quart import (
    Quart,
    Response,
    after_this_request,
    current_app,
    g,
    has_app_context,
    has_request_context,
    has_websocket_context,
)
from quart import request as quart_request
from quart import websocket as quart_websocket
from quart.wrappers import Request, Websocket
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from async_oauth1.asgi.bodies.pieces import read_pieces, too_large, too_slow
from async_oauth1.asgi.requests import content_type_of, make_request, snapshot
from async_oauth1.asgi.routing.preflights import answers_options, is_preflight
from async_oauth1.asgi.routing.targets import RequestTargetMiddleware, check_received, received_octets
from async_oauth1.asgi.verifying.announcing import missing_headers
from async_oauth1.current import sources
from async_oauth1.errors import InvalidRequestError, OAuth1Error, RequestTooLargeError
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request, is_form
from async_oauth1.provider.refusals import with_scope
from async_oauth1.provider.responses import OAuth1Response

_GUARD = "async_oauth1.request_targets"


def _getter_of(proxy: Any) -> Callable[[], Any]:
    """Return the function that returns the object behind a proxy.

    Every attribute access through a proxy is slow, so this one is made once.
    """
    getter: Callable[[], Any] = proxy._get_current_object  # noqa: SLF001 - how Werkzeug's documentation unwraps one
    return getter


_current_request, _current_websocket, _current_g = map(_getter_of, (quart_request, quart_websocket, g))


def _find_in_context() -> OAuth1Request | None:
    return cast("OAuth1Request | None", g.get("async_oauth1_request")) if has_app_context() else None


# Lets the proxies of `async_oauth1.asgi` find the request that a view has verified.
sources.append(_find_in_context)


async def read_request(request: Request | Websocket | None, policy: Policy) -> OAuth1Request:
    """Make an `OAuth1Request` from the octets as sent: Quart's ``url`` and ``form`` are decoded."""
    current = current_connection() if request is None else request
    return read_without_form(current, policy) or await _read_with_form(current, policy)


def read_without_form(current: Request | Websocket, policy: Policy) -> OAuth1Request | None:
    """Do the same at once; ``None`` if the body is a form, which must be awaited."""
    scope: Any = current.scope
    if isinstance(current, Websocket):
        return make_request(OAuth1Request, snapshot(scope), policy, None)
    if scope["method"] == "GET":  # it rarely has a form; if it does, the request is read again
        read = _readable(current, scope, policy, None)
        return None if read.is_form else read
    content_type = content_type_of(scope)
    return None if content_type and is_form(content_type) else _readable(current, scope, policy, None)


async def _read_with_form(current: Any, policy: Policy) -> OAuth1Request:
    scope = snapshot(current.scope)  # trailers may arrive with the body
    try:
        form = await read_form(current, policy)
    except OAuth1Error as error:
        with_scope(error, scope)
        raise
    return _readable(current, scope, policy, form)


def _readable(current: Request, scope: Any, policy: Policy, form: bytes | None) -> OAuth1Request:
    read = make_request(OAuth1Request, scope, policy, form)
    if "oauth_body_hash" in read.protocol_parameters or policy.require_signed_body:
        read.read_body = body_reader(current)
    return read


def current_connection() -> Request | Websocket:
    """The current request, or the WebSocket whose handshake is being handled: itself, and not Quart's proxy."""
    current: Request | Websocket = _current_websocket() if has_websocket_context() else _current_request()
    return current


def remember_in_context(request: OAuth1Request) -> None:
    """Let the proxies of the current connection find the request that was verified."""
    _current_g().async_oauth1_request = request


async def close_unanswered() -> None:
    """Close the current WebSocket with 1008 if the server cannot answer a handshake: Quart would say 1000."""
    if has_websocket_context():
        scope: Any = quart_websocket.scope
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await quart_websocket.close(1008)


def answers_preflight(cors: FunctionType) -> bool:
    """Whether the current request is a preflight that a CORS extension's wrapper answers without calling its view."""
    if has_websocket_context():
        return False
    return is_preflight(quart_request.method, quart_request.headers.keys()) and answers_options(
        cors, current_app.config
    )


async def read_form(request: Request, policy: Policy) -> bytes:
    """Read a form within the policy's limits, and leave it for the view."""
    limit = policy.max_form_bytes
    if request.max_content_length is not None:
        limit = min(limit, request.max_content_length)  # Quart's own check misses a body that is read while it arrives
    if request.content_length is not None:
        if request.content_length > limit:
            raise too_large("form", limit)
        return await read_body(request)
    try:
        form = await read_pieces(
            request.body,
            "form",
            max_bytes=limit,
            seconds=request.body_timeout,
            max_parameters=policy.max_parameters,
        )
    except RequestEntityTooLarge:
        raise too_large("form", limit) from None
    _check_length(request, len(form))
    request.body.append(form)
    return form


def body_reader(request: Request) -> Callable[[], Awaitable[bytes]]:
    """A function that calls `read_body`.

    It refers to the request weakly: the request's scope refers to what was verified, and that to this function.
    """
    return functools.partial(read_body, weakref.proxy(request))


async def read_body(request: Request) -> bytes:
    """Read a whole body, and leave it for the view."""
    try:
        body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    except RequestEntityTooLarge:
        raise RequestTooLargeError("The body is larger than this server reads.") from None
    except RequestTimeout:
        raise too_slow("body") from None
    _check_length(request, len(body))
    return body


def _check_length(request: Request, length: int) -> None:
    """Refuse a body that was read and thrown away before: what is left would verify, and what was read is unsigned."""
    expected = request.content_length
    if expected is not None and length != expected:
        raise InvalidRequestError("The body is not as long as Content-Length says.")
    scope: Any = request.scope
    check_received(received_octets(scope), length)


def guard_routing(app: Quart, policy: Policy) -> None:
    """Wrap an application in `RequestTargetMiddleware`, once: Quart's router fails on some targets and hosts."""
    if _GUARD not in app.extensions:
        assignable: Any = app  # Quart documents asgi_app as the place for middleware, but types it as a method
        app.extensions[_GUARD] = assignable.asgi_app = RequestTargetMiddleware(app.asgi_app, policy)


def announce_in_response(fields: Sequence[tuple[str, str]]) -> None:
    """Add header fields to the response to the current request; the handshake of a WebSocket gets none.

    Args:
        fields: such as those of a retirement.
    """
    _announce(lambda: fields)


def announce_later(request: OAuth1Request) -> None:
    """Add the header fields to the response that are found while a request is answered."""
    _announce(lambda: request.response_fields)


def _announce(find_fields: Callable[[], Sequence[tuple[str, str]]]) -> None:
    if not has_request_context():
        return

    async def announce(response: Any) -> Any:
        for name, value in missing_headers(find_fields(), [*response.headers]):
            response.headers.add(name, value)
        return response

    after_this_request(announce)


def make_response(response: OAuth1Response) -> Response:
    """Make a response of Quart's."""
    return Response(response.body, response.status_code, headers=Headers(response.headers))
