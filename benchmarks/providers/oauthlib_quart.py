"""oauthlib on Quart: awaits the look-ups first, and gives oauthlib a validator that holds their results."""

from __future__ import annotations

from typing import Any

from oauthlib.oauth1 import RequestValidator, ResourceEndpoint
from oauthlib.oauth1.rfc5849.utils import parse_authorization_header
from quart import Quart, abort, request

from .async_hooks import AsyncHooks, make_app
from .models import Credential
from .settings import Settings

__all__ = ["create_app"]


class Found(RequestValidator):  # type: ignore[misc]  # oauthlib has no types
    """A validator with the results of the look-ups for one request."""

    enforce_ssl = False

    def __init__(self, client: Credential, token: Credential, *, known_nonce: bool) -> None:
        """Keep the results."""
        super().__init__()
        self.client, self.token, self.known_nonce = client, token, known_nonce

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        """True: the client was found."""
        return True

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        """True: the token was found."""
        return True

    def validate_realms(self, *_: Any, **__: Any) -> bool:
        """True: any realm is accepted."""
        return True

    def validate_timestamp_and_nonce(self, *_: Any, **__: Any) -> bool:
        """Whether the nonce is new; oauthlib has checked the timestamp."""
        return not self.known_nonce

    def get_client_secret(self, client_key: str, request: Any) -> str:
        """The secret of the client."""
        return self.client.get_client_secret()

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        """The secret of the token."""
        return self.token.get_oauth_token_secret()


async def is_genuine(hooks: AsyncHooks) -> bool:
    """Look up the credentials and the nonce of the current request, and verify it."""
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


async def check(hooks: AsyncHooks) -> None:
    """Refuse the current request with 403 unless it is genuine."""
    if not await is_genuine(hooks):
        abort(403)


def create_app(settings: Settings) -> Quart:
    """An ASGI application."""
    return make_app(settings, check)
