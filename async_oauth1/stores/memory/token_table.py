"""The memory store's token credentials."""

from __future__ import annotations

from async_oauth1.credentials import TokenCredential
from async_oauth1.stores.base import EXPIRED_TOKENS_STAY, TOKEN_TAKEN
from async_oauth1.stores.lifecycle import is_live
from async_oauth1.stores.uses.last_use import SECONDS_BETWEEN_USES, LastUse, shown_user_agent

__all__ = ["TokenTable"]


class TokenTable(dict[str, TokenCredential]):
    """Token credentials by token, and when they were last used. Remove them only with ``del``.

    Attributes:
        uses: by client and token; the token is empty for requests without one.
        exchanged: by client and token, the credentials that were exchanged for a bearer token.
    """

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.uses: dict[tuple[str, str], tuple[float, str]] = {}
        self._expired: set[str] = set()
        self.exchanged: set[tuple[str, str]] = set()

    def __delitem__(self, oauth_token: str) -> None:
        """Remove token credentials."""
        key = (self[oauth_token].client_id, oauth_token)
        self.uses.pop(key, None)
        self.exchanged.discard(key)
        self._expired.discard(oauth_token)
        super().__delitem__(oauth_token)

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

    def take_expired(self, now: float) -> list[TokenCredential]:
        """The token credentials that have expired and were not returned before."""
        gone = [token for name, token in self.items() if not is_live(token, now) and name not in self._expired]
        self._expired.update(token.oauth_token for token in gone)
        return gone

    def remove_client(self, client_id: str) -> list[TokenCredential]:
        """Remove every token of a client, and return those whose expiry was not taken before."""
        self.uses.pop((client_id, ""), None)
        gone = [token for token in self.values() if token.client_id == client_id]
        unnoted = [token for token in gone if token.oauth_token not in self._expired]
        for token in gone:
            del self[token.oauth_token]
        return unnoted

    def note_use(self, client_id: str, oauth_token: str, now: float, user_agent: str) -> bool:
        """Note a use, at most once a minute, and return whether it is the first one."""
        key = (client_id, oauth_token)
        before = self.uses.get(key)
        if before is None or not 0 <= now - before[0] < SECONDS_BETWEEN_USES:
            self.uses[key] = now, shown_user_agent(user_agent)
        return before is None

    def last_uses(self, user_id: str | None, client_id: str | None) -> list[LastUse]:
        """The last uses of a user's tokens, of a client's, or of both; those of revoked tokens are not here."""
        return [
            LastUse(client, token or None, *use)
            for (client, token), use in self.uses.items()
            if client_id in (None, client)
            and (token in self or not token)
            and (user_id is None or (token in self and self[token].user_id == user_id))
        ]
