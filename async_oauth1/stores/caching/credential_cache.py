"""Clients and token credentials in memory, and what a change removes from there."""

from __future__ import annotations

from collections.abc import Callable

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores.announced_changes import PendingChanges, parse_announcement
from async_oauth1.stores.lifecycle import is_live, live_client

from .ttl_cache import TTLCache

__all__ = ["CredentialCache", "LookupKey"]

# Seconds for which an answer is cached while a change may be under way that was announced before this process
# subscribed.
_SETTLING_LIFETIME = 0.5

#: A client identifier, and a token or ``None`` for the client alone.
LookupKey = tuple[str, str | None]


class CredentialCache:
    """Known clients, known tokens and unknown names.

    Attributes:
        generation: a number that grows with each change. An answer that was asked for in an older generation may be
            from before a change, and must not be put here.
    """

    def __init__(
        self,
        *,
        max_entries: int,
        lifetime: float,
        unknown_lifetime: float,
        settling_time: float,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        """Start empty.

        Args:
            max_entries: of each kind.
            lifetime: seconds for which clients and tokens are kept.
            unknown_lifetime: the same for unknown names.
            settling_time: as `ChangeFeed.settling_time`.
            clock: Unix time, in seconds: when tokens expire and former secrets end.
            timer: monotonic seconds.
        """
        self.generation = 0
        self._clients: TTLCache[str, Client] = TTLCache(max_entries, lifetime, timer)
        self._tokens: TTLCache[str, TokenCredential] = TTLCache(max_entries, lifetime, timer)
        # Separate, so that lookups of unknown names do not evict credentials. The values do not matter.
        self._unknown: TTLCache[LookupKey, str] = TTLCache(max_entries, unknown_lifetime, timer)
        self._pending = PendingChanges(timer)
        self._clock = clock
        self._timer = timer
        self._settling_time = settling_time
        self._settling_until = float("-inf")

    def client(self, client_id: str) -> tuple[bool, Client | None]:
        """Whether a client, or its absence, is cached; and the client."""
        client = self._clients.get(client_id)
        if client is not None:
            return True, live_client(client, self._clock())
        return self._unknown.get((client_id, None)) is not None, None

    def token(self, client_id: str, oauth_token: str) -> tuple[bool, TokenCredential | None]:
        """Whether a token, or its absence, is cached; and the token if it is this client's and has not expired."""
        token = self._tokens.get(oauth_token)
        if token is not None:
            return True, token if token.client_id == client_id and is_live(token, self._clock()) else None
        return self._unknown.get((client_id, oauth_token)) is not None, None

    def put(self, key: LookupKey, client: Client | None, token: TokenCredential | None) -> None:
        """Add the store's answer, except for what a pending change may affect."""
        client_id, oauth_token = key
        lifetime = _SETTLING_LIFETIME if self._timer() < self._settling_until else None
        if self._pending.contains("c" + client_id):
            return
        if client is not None:
            self._clients.put(client_id, client, lifetime)
        else:
            self._unknown.put((client_id, None), client_id)
        if oauth_token is None or self._pending.contains("t" + oauth_token):
            return
        if token is None:
            self._unknown.put(key, oauth_token)
        elif not self._pending.contains(f"u{token.user_id}"):
            self._tokens.put(token.oauth_token, token, lifetime)

    def apply(self, message: str) -> None:
        """Apply an announcement: remove what the change may affect, and do not cache it while the change is pending."""
        is_done, identifier, change = parse_announcement(message)
        if is_done is False:
            self._pending.begin(change, identifier)
        elif is_done:
            self._pending.end(change, identifier)
        self.generation += 1
        self._unknown.clear()
        self._remove(change[:1], change[1:])

    def _remove(self, kind: str, name: str) -> None:
        if kind == "t":
            self._tokens.discard(name)
        elif kind == "c":
            self._clients.discard(name)
            self._tokens.discard_where(lambda token: token.client_id == name)
        elif kind == "u":
            self._tokens.discard_where(lambda token: str(token.user_id) == name)
        else:  # everything, or a kind that a newer release has
            self._settling_until = self._timer() + self._settling_time
            self._clients.clear()
            self._tokens.clear()
