"""Authlib's request and verifier on Quart, with awaited hooks: what one writes without an async provider.

The hooks are two look-ups with asyncpg and one ``SET NX EX`` with redis.asyncio, in Authlib's order.
"""

from __future__ import annotations

import time
from typing import Any

from authlib.oauth1.errors import (
    InvalidClientError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    InvalidTokenError,
    MissingRequiredParameterError,
    OAuth1Error,
    UnsupportedSignatureMethodError,
)
from authlib.oauth1.rfc5849.signature import verify_hmac_sha1
from authlib.oauth1.rfc5849.wrapper import OAuth1Request
from quart import g, jsonify, request

from .async_hooks import AsyncHooks, make_app
from .settings import Settings

__all__ = ["create_app"]


async def validate(hooks: AsyncHooks, oauth1_request: Any) -> Any:
    """Authlib's ``validate_request``, with its hooks awaited."""
    if not oauth1_request.client_id:
        raise MissingRequiredParameterError("oauth_consumer_key")
    oauth1_request.client = await hooks.query_client(oauth1_request.client_id)
    if not oauth1_request.client:
        raise InvalidClientError()
    if not oauth1_request.token:
        raise MissingRequiredParameterError("oauth_token")
    oauth1_request.credential = await hooks.query_token(oauth1_request.client_id, oauth1_request.token)
    if not oauth1_request.credential:
        raise InvalidTokenError()
    timestamp, nonce = oauth1_request.timestamp, oauth1_request.oauth_params.get("oauth_nonce")
    if not (timestamp and timestamp.isdigit()) or time.time() - int(timestamp) > 300:
        raise InvalidRequestError('Invalid "oauth_timestamp" value')
    if not nonce:
        raise MissingRequiredParameterError("oauth_nonce")
    if await hooks.exists_nonce(nonce, timestamp, oauth1_request.client_id, oauth1_request.token):
        raise InvalidNonceError()
    if oauth1_request.signature_method != "HMAC-SHA1":
        raise UnsupportedSignatureMethodError()
    if not verify_hmac_sha1(oauth1_request):
        raise InvalidSignatureError()
    return oauth1_request.credential


async def check(hooks: AsyncHooks) -> Any:
    """Verify the current request; the error response if that fails."""
    try:
        form = (await request.form).to_dict(flat=True)
        g.credential = await validate(hooks, OAuth1Request(request.method, request.url, form, request.headers))
    except OAuth1Error as error:
        return jsonify(dict(error.get_body())), error.status_code
    return None


def create_app(settings: Settings) -> Any:
    """An ASGI application."""
    return make_app(settings, check)
