"""Converts Starlette's request to an `OAuth1Request`."""

from __future__ import annotations

from typing import Any

from starlette.requests import ClientDisconnect, HTTPConnection, Request

from async_oauth1.asgi.bodies.pieces import read_pieces
from async_oauth1.asgi.bodies.received import check_length
from async_oauth1.asgi.requests import content_type_of, request_from_scope, snapshot
from async_oauth1.errors import InvalidRequestError
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request, is_form

__all__ = ["read_request"]

#: Seconds in which a form must have arrived.
_FORM_TIMEOUT = 60.0


async def read_request(request: HTTPConnection[Any], policy: Policy) -> OAuth1Request:
    """Make an `OAuth1Request` of Starlette's request, for verifiers that are not middleware.

    Of a form, the octets are read, and stay for ``await request.form()`` and ``await request.body()`` of the same
    object. Another body is only read if the verifier wants it.

    Args:
        request: Starlette's request, or a WebSocket.
        policy: sets the limits, the trusted proxies and the external base URL.

    Raises:
        OAuth1Error: the request is malformed or too large, or something else has read its form.
    """
    scope = snapshot(request.scope)
    content_type = content_type_of(scope)
    if not isinstance(request, Request):
        return request_from_scope(scope, policy)
    form = None
    if content_type and is_form(content_type):
        form = await _read_form(request, policy)
        check_length(scope, len(form))
    read = request_from_scope(scope, policy, form)
    if form is None:
        read.read_body = request.body
    return read


async def _read_form(request: Request[Any], policy: Policy) -> bytes:
    try:
        form = await read_pieces(
            request.stream(),
            "form",
            max_bytes=policy.max_form_bytes,
            seconds=_FORM_TIMEOUT,
            max_parameters=policy.max_parameters,
        )
    except RuntimeError as error:  # Starlette's, if the stream was consumed
        raise InvalidRequestError("The form has been read before, and its octets are gone.") from error
    except ClientDisconnect as error:
        raise InvalidRequestError("The client has left before its form had arrived.") from error
    cached: Any = request
    cached._body = form  # noqa: SLF001 - where Request.body() keeps what it has read
    return form
