"""The memory store's token credentials."""

from __future__ import annotations

from async_oauth1.credentials import TokenCredential
from async_oauth1.stores.base import EXPIRED_TOKENS_STAY, TOKEN_TAKEN
from async_oauth1.stores.lifecycle import is_live

__all__ = ["TokenTable"]


class TokenTable(dict[str, TokenCredential]):
    """Token credentials by token."""

    def live(self, oauth_token: str, now: float) -> TokenCredential | None:
        """The token credentials, if they have not expired."""
        token = self.get(oauth_token)
        return token if token is not None and (token.expires_at is None or token.expires_at > now) else None

    def add(self, credential: TokenCredential) -> TokenCredential:
        """Add token credentials, and return them.

        Raises:
            ValueError: the token is taken.
        """
        if credential.oauth_token in self:
            raise ValueError(TOKEN_TAKEN)
        self[credential.oauth_token] = credential
        return credential

    def select(self, user_id: str | None, client_id: str | None, now: float) -> list[TokenCredential]:
        """Live token credentials of a user, a client or both; removes those that expired long ago."""
        for name in [name for name, token in self.items() if not is_live(token, now - EXPIRED_TOKENS_STAY)]:
            del self[name]
        return [
            token
            for token in self.values()
            if user_id in (None, token.user_id) and client_id in (None, token.client_id) and is_live(token, now)
        ]

    def remove_client(self, client_id: str) -> None:
        """Remove every token of a client."""
        for oauth_token in [name for name, token in self.items() if token.client_id == client_id]:
            del self[oauth_token]
