"""oauthlib on Quart: the look-ups are awaited first, and its validator answers from what they found."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header
from quart import Quart, abort, request

from .models import Credential
from .ported import AsyncHooks
from .settings import ANSWER, Settings

__all__ = ["create_app"]

View = Callable[..., Awaitable[Any]]


class Found(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """What was found for one request, as oauthlib asks for it."""

    enforce_ssl = False

    def __init__(self, client: Credential, token: Credential, *, known_nonce: bool) -> None:
        """Keep it."""
        super().__init__()
        self.client, self.token, self.known_nonce = client, token, known_nonce

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        """It was found."""
        return True

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        """It was found."""
        return True

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        """Any will do."""
        return True

    def validate_timestamp_and_nonce(self, *_: Any, **__: Any) -> bool:
        """The timestamp is checked before."""
        return not self.known_nonce

    def get_client_secret(self, client_key: str, request: Any) -> str:
        """Of the client that was found."""
        return self.client.get_client_secret()

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        """Of the token that was found."""
        return self.token.get_oauth_token_secret()


async def is_genuine(hooks: AsyncHooks) -> bool:
    """Look up, then verify."""
    sent = dict(parse_authorization_header(request.headers["Authorization"]))
    client_id, oauth_token = sent["oauth_consumer_key"], sent["oauth_token"]
    client = await hooks.query_client(client_id)
    token = await hooks.query_token(client_id, oauth_token)
    if client is None or token is None:
        return False
    known = await hooks.exists_nonce(sent["oauth_nonce"], sent["oauth_timestamp"], client_id, oauth_token)
    endpoint = ResourceEndpoint(Found(client, token, known_nonce=known))
    body, headers = await request.get_data(as_text=True), dict(request.headers)
    answer = endpoint.validate_protected_resource_request(request.url, request.method, body, headers)
    return bool(answer[0])


def require_oauth(hooks: AsyncHooks, view: View) -> View:
    """Protect a view."""

    @functools.wraps(view)
    async def protected(*args: Any, **kwargs: Any) -> Any:
        if not await is_genuine(hooks):
            abort(403)
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
