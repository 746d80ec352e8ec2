"""What is written where there is no async provider: Authlib's request and verifier on Quart, hooks awaited in turn.

Two look-ups with asyncpg and one ``SET NX EX`` with redis.asyncio, one after the other, in Authlib's order.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import redis.asyncio
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
from quart import Quart, g, jsonify, request

from .models import Credential
from .settings import ANSWER, NONCE_LIFETIME, SELECT_CLIENT, SELECT_TOKEN, Settings

__all__ = ["AsyncHooks", "create_app"]

View = Callable[..., Awaitable[Any]]


class AsyncHooks:
    """The three hooks, with async drivers."""

    def __init__(self, app: Quart, settings: Settings) -> None:
        """Connect when the application does."""
        self.settings = settings
        self.pool: asyncpg.Pool[Any]
        self.redis: Any
        app.before_serving(self.open)
        app.after_serving(self.close)

    async def open(self) -> None:
        """Connect."""
        self.pool = await asyncpg.create_pool(self.settings.postgres, min_size=4, max_size=16)
        self.redis = redis.asyncio.Redis.from_url(self.settings.valkey)

    async def close(self) -> None:
        """Disconnect."""
        await self.pool.close()
        await self.redis.aclose()

    async def query_client(self, client_id: str) -> Credential | None:
        """One statement."""
        row = await self.pool.fetchrow(SELECT_CLIENT.format("$1"), client_id)
        return Credential(row) if row else None

    async def query_token(self, client_id: str, oauth_token: str) -> Credential | None:
        """One statement."""
        row = await self.pool.fetchrow(SELECT_TOKEN.format("$1", "$2"), oauth_token, client_id)
        return Credential(row) if row else None

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str) -> bool:
        """One command."""
        key = f"nonce:{nonce}-{timestamp}-{client_id}-{oauth_token}"
        return not await self.redis.set(key, 1, nx=True, ex=NONCE_LIFETIME)


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


def require_oauth(hooks: AsyncHooks, view: View) -> View:
    """Protect a view."""

    @functools.wraps(view)
    async def protected(*args: Any, **kwargs: Any) -> Any:
        try:
            form = (await request.form).to_dict(flat=True)
            read = OAuth1Request(request.method, request.url, form, request.headers)
            g.credential = await validate(hooks, read)
        except OAuth1Error as error:
            return jsonify(dict(error.get_body())), error.status_code
        return await view(*args, **kwargs)

    return protected


def create_app(settings: Settings) -> Any:
    """An ASGI application."""
    app = Quart(__name__)
    hooks = AsyncHooks(app, settings)

    async def photos() -> dict[str, Any]:
        return ANSWER

    app.add_url_rule("/photos", "photos", require_oauth(hooks, photos))
    app.add_url_rule("/albums", "albums", photos)
    return app
