"""The hooks with async drivers, and the Quart application around a check that uses them."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import redis.asyncio
from quart import Quart

from .models import Credential
from .settings import ANSWER, NONCE_LIFETIME, SELECT_CLIENT, SELECT_TOKEN, Settings

__all__ = ["AsyncHooks", "make_app"]

View = Callable[..., Awaitable[Any]]


class AsyncHooks:
    """The three hooks, with async drivers."""

    def __init__(self, app: Quart, settings: Settings) -> None:
        """Connect when the application starts."""
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
        """Look up a client, in one statement."""
        row = await self.pool.fetchrow(SELECT_CLIENT.format("$1"), client_id)
        return Credential(row) if row else None

    async def query_token(self, client_id: str, oauth_token: str) -> Credential | None:
        """Look up a token credential, in one statement."""
        row = await self.pool.fetchrow(SELECT_TOKEN.format("$1", "$2"), oauth_token, client_id)
        return Credential(row) if row else None

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str) -> bool:
        """Remember a nonce, in one command; whether it was known."""
        key = f"nonce:{nonce}-{timestamp}-{client_id}-{oauth_token}"
        return not await self.redis.set(key, 1, nx=True, ex=NONCE_LIFETIME)


def make_app(settings: Settings, check: Callable[[AsyncHooks], Awaitable[Any]]) -> Quart:
    """An application with a protected route and an unprotected one.

    Args:
        settings: addresses of the servers.
        check: verifies the current request; the error response, or ``None`` if the request is genuine.
    """
    app = Quart(__name__)
    hooks = AsyncHooks(app, settings)

    def require_oauth(view: View) -> View:
        @functools.wraps(view)
        async def protected(*args: Any, **kwargs: Any) -> Any:
            refused = await check(hooks)
            return await view(*args, **kwargs) if refused is None else refused

        return protected

    async def photos() -> dict[str, Any]:
        return ANSWER

    app.add_url_rule("/photos", "photos", require_oauth(photos))
    app.add_url_rule("/albums", "albums", photos)
    return app
