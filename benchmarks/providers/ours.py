"""This project on Quart: a protected route and an unprotected one, with any store."""

from __future__ import annotations

import functools
from typing import Any

from quart import Quart

from async_oauth1.credentials import Client, TemporaryCredential
from async_oauth1.quart import ResourceProtector
from async_oauth1.stores import MemoryStore, open_store
from benchmarks.load.signing import CLIENT_ID, CLIENT_SECRET, token_of

from .settings import ANSWER, Settings

__all__ = ["create_app"]

#: Entries in the cache of a process; the default of the caching store.
REMEMBERED = 10_000


def create_app(
    store: str, settings: Settings, *, middleware: bool = False, lingering: bool = False, explaining: bool = False
) -> Any:
    """An ASGI application.

    Args:
        store: ``memory``, ``sqlite``, ``postgres``, or ``redis`` for nonces there and credentials in PostgreSQL.
        settings: addresses of the servers.
        middleware: verify requests in `OAuth1Middleware`, before Quart.
        lingering: add `LingeringMiddleware`, as in the deployment guide.
        explaining: explain refusals.
    """
    app = Quart(__name__)
    if explaining:
        app.config["OAUTH1_EXPLAIN_REFUSALS"] = True
    protector = ResourceProtector(app)
    for opened in _stores(store, settings):
        protector.register_hooks(opened)
        if isinstance(opened, MemoryStore):
            app.before_serving(functools.partial(fill, opened, settings.tokens))
        else:
            app.before_serving(opened.open)
            app.after_serving(opened.close)

    async def photos() -> dict[str, Any]:
        return ANSWER

    app.add_url_rule("/photos", "photos", protector()(photos), methods=["GET", "POST"])
    app.add_url_rule("/albums", "albums", photos, methods=["GET", "POST"])
    wrap(app, protector, middleware=middleware, lingering=lingering)
    return app


def wrap(app: Quart, protector: ResourceProtector, *, middleware: bool, lingering: bool) -> None:
    """Add the middleware."""
    asgi_app: Any = app.asgi_app
    if middleware:
        from async_oauth1 import asgi

        make: Any = getattr(asgi, "OAuth1Middleware")  # noqa: B009 - older versions without it are measured too
        asgi_app = make(asgi_app, protector, prefixes=("/photos",))
    if lingering:
        from async_oauth1.asgi import LingeringMiddleware

        asgi_app = LingeringMiddleware(asgi_app)
    app.asgi_app = asgi_app  # type: ignore[method-assign]


def _stores(name: str, settings: Settings) -> list[Any]:
    postgres = f"{settings.postgres}&cache={REMEMBERED}"
    if name == "memory":
        return [MemoryStore()]
    if name == "sqlite":
        return [open_store(f"sqlite:///{settings.sqlite}")]
    if name == "postgres":
        return [open_store(postgres)]
    return [open_store(settings.valkey), open_store(postgres)]


async def fill(store: MemoryStore, tokens: int) -> None:
    """Add the credentials that the other stores find in their databases."""
    await store.add_client(Client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET))
    for number in range(tokens):
        name, secret = token_of(number)
        approved = TemporaryCredential(
            oauth_token=f"temporary{number}",
            oauth_token_secret="spent",
            client_id=CLIENT_ID,
            oauth_callback="oob",
            user_id="jane",
            decided=True,
        )
        await store.create_token_credential({"oauth_token": name, "oauth_token_secret": secret}, approved)
