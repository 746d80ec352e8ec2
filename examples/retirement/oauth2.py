"""OAuth 2 tokens, made by Authlib's server and kept in memory."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6750 import BearerTokenGenerator

__all__ = ["OAuth2", "Token"]


@dataclass(frozen=True)
class Token:
    """What a bearer token stands for: the principal of its requests."""

    user_id: str
    client_id: str
    scope: str
    expires_at: float


@dataclass(frozen=True)
class _Client:
    """What Authlib asks of a client that gets a token: it allows the scope of the old token."""

    client_id: str
    scope: str

    def get_allowed_scope(self, _: str) -> str:
        return self.scope


@dataclass
class OAuth2:
    """Makes tokens and looks them up.

    Attributes:
        exchanged: tokens of OAuth 1.0 that were exchanged. A database has a table with a primary key here.
    """

    exchanged: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    _server: Any = field(default_factory=AuthorizationServer)

    def __post_init__(self) -> None:
        """Let Authlib make random tokens that are good for an hour."""
        generator: Any = BearerTokenGenerator(lambda **_: secrets.token_urlsafe(32), expires_generator=lambda *_: 3600)
        self._server.register_token_generator("default", generator)

    async def make_bearer(self, credential: Any, client: Any) -> dict[str, Any]:
        """Make a token for the user and the scope of a token credential."""
        owner = _Client(client.client_id, credential.get_scope() or "")
        made: dict[str, Any] = self._server.generate_token("token-exchange", owner, user=credential.get_user_id())
        expires_at = time.time() + made["expires_in"]
        self._tokens[made["access_token"]] = Token(credential.get_user_id(), owner.client_id, owner.scope, expires_at)
        return made

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """Mark a token, unless it is marked already."""
        key = (client_id, oauth_token)
        if key in self.exchanged:
            return False
        self.exchanged.add(key)
        return True

    async def look_up(self, token: str) -> Token | None:
        """The principal of a bearer token that is still good."""
        found = self._tokens.get(token)
        return found if found is not None and found.expires_at > time.time() else None
