"""Converts FastAPI's request to an `OAuth1Request`."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection

from async_oauth1 import starlette
from async_oauth1.asgi.bodies.received import ClientHasLeftError, check_length
from async_oauth1.asgi.requests import content_type_of, request_from_scope, snapshot
from async_oauth1.errors import InvalidRequestError
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request, is_form

from .recorder import recorded_body

__all__ = ["read_request"]


async def read_request(request: HTTPConnection[Any], policy: Policy) -> OAuth1Request:
    """Make an `OAuth1Request` of FastAPI's request, for the authorization server's methods.

    If `OAuth1.install` was called for the application, it has the octets of a form although FastAPI has read them. If
    not, the route must not have parameters that are read from the body.

    Args:
        request: FastAPI's request, or a WebSocket.
        policy: sets the limits, the trusted proxies and the external base URL.

    Raises:
        OAuth1Error: the request is malformed or too large, or something else has read its form.
    """
    scope = snapshot(request.scope)
    content_type, body = content_type_of(scope), recorded_body(request)
    if body is None or not (content_type and is_form(content_type)):
        return await starlette.read_request(request, policy)
    try:
        form = await body.read_form(policy)
    except ClientHasLeftError:
        raise InvalidRequestError("The client has left before its form had arrived.") from None
    check_length(scope, len(form))
    return request_from_scope(scope, policy, form)
