"""The provider: photos for OAuth 1.0 and bearer tokens, the exchange between them, and the announced end."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, Retirement, token_exchange
from async_oauth1.stores import MemoryStore

from .oauth2 import OAuth2

__all__ = ["make_app"]

log = logging.getLogger(__name__)

END = datetime(2026, 12, 31, tzinfo=UTC)
BROWNOUTS = [(datetime(2026, 12, day, 9, tzinfo=UTC), datetime(2026, 12, day, 10, tzinfo=UTC)) for day in (8, 15, 22)]


def log_use(client_id: str, when: datetime) -> None:
    """Say which clients are still to be written to."""
    log.info("Client %r used OAuth 1.0 at %s.", client_id, when)


def log_exchange(client_id: str, oauth_token: str) -> None:
    """Say which clients are on their way; the token stays out of the log."""
    log.info("Client %r exchanged a token of %d characters.", client_id, len(oauth_token))


RETIREMENT = Retirement(
    deprecated_at=datetime(2026, 1, 1, tzinfo=UTC),
    sunset_at=END,
    link="https://photos.example.net/oauth1-ends",
    brownouts=[*BROWNOUTS, (END, None)],
    text="OAuth 1.0 ends on 2026-12-31. Exchange your tokens: https://photos.example.net/oauth1-ends",
    usage=log_use,
)


async def photos(request: Request) -> JSONResponse:
    """The photos of a user, however the request is authenticated."""
    return JSONResponse({"owner": request.user.identity, "scheme": request.scope["async_oauth1.verified"].scheme})


def make_app(store: Any = None, retirement: Retirement = RETIREMENT, oauth2: OAuth2 | None = None) -> Any:
    """Make the application.

    Args:
        store: of OAuth 1.0, with its clients and tokens; an empty one by default.
        retirement: the announced end.
        oauth2: makes the bearer tokens.
    """
    store, oauth2 = store or MemoryStore(), oauth2 or OAuth2()
    protector, always = ResourceProtector(retirement=retirement), ResourceProtector()  # the way out stays open
    for one in (protector, always):
        one.register_hooks(store)
    exchange = token_exchange(always, oauth2.make_bearer, oauth2.mark_exchanged, log_exchange)
    app = Starlette(routes=[Route("/photos", photos), Mount("/oauth/exchange", exchange)])
    return OAuth1Middleware(app, protector, prefixes=["/photos"], users=True, query_bearer=oauth2.look_up)
