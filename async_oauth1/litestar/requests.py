"""Converts Litestar's request to an `OAuth1Request`."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException

from async_oauth1.asgi.bodies.pieces import too_large, too_slow
from async_oauth1.asgi.bodies.received import check_length
from async_oauth1.asgi.event_loops import time_limit
from async_oauth1.asgi.requests import content_type_of, request_from_scope, snapshot
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request, is_form

__all__ = ["read_request"]

#: Seconds in which a form must have arrived.
_FORM_TIMEOUT = 60.0


async def read_request(request: ASGIConnection[Any, Any, Any, Any], policy: Policy) -> OAuth1Request:
    """Make an `OAuth1Request` of Litestar's request, for verifiers that are not middleware.

    Of a form, the octets are read, and stay for the handler's ``data`` and ``await request.form()``. Another body is
    only read if the verifier wants it.

    Args:
        request: Litestar's request, or a WebSocket.
        policy: sets the limits, the trusted proxies and the external base URL.

    Raises:
        OAuth1Error: the request is malformed or too large, or something else has read its form.
    """
    connection_scope: Any = request.scope
    scope = snapshot(connection_scope)
    if not isinstance(request, Request):
        return request_from_scope(scope, policy)
    content_type = content_type_of(scope)
    if not (content_type and is_form(content_type)):
        read = request_from_scope(scope, policy)
        read.read_body = request.body
        return read
    form = await _read_form(request, policy)
    check_length(scope, len(form))
    return request_from_scope(scope, policy, form)


async def _read_form(request: Request[Any, Any, Any], policy: Policy) -> bytes:
    try:
        async with time_limit(_FORM_TIMEOUT):
            form = await request.body()
    except HTTPException as error:
        if error.status_code != 413:  # request_max_body_size
            raise
        raise too_large("form", policy.max_form_bytes) from error
    except TimeoutError:
        raise too_slow("form") from None
    if len(form) > policy.max_form_bytes:
        raise too_large("form", policy.max_form_bytes)
    return form
