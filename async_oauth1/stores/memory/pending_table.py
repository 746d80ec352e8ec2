"""The memory store's temporary credentials, and each client's share of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from async_oauth1.credentials import TemporaryCredential

from .expiring import Expiring

__all__ = ["MAX_TEMPORARY_CREDENTIALS", "PURGED_TOGETHER", "Pending", "PendingTable"]

#: Live temporary credentials; about 1 KB each. 80 new ones a second, sustained.
MAX_TEMPORARY_CREDENTIALS = 50_000
#: Each insertion removes up to this many expired entries: more than one, so that a backlog shrinks; few, so that each
#: request stays fast.
PURGED_TOGETHER = 4


@dataclass(slots=True)
class Pending:
    """A temporary credential, and how many wrong verifiers were sent for it."""

    credential: TemporaryCredential
    wrong_verifiers: int = 0


class PendingTable(Expiring[str, Pending]):
    """Temporary credentials by token, and how many each client has. Remove them only with ``del`` and `purge`."""

    def __init__(self, on_expiry: Callable[[TemporaryCredential], None] | None = None) -> None:
        """Start empty.

        Args:
            on_expiry: called with credentials that have expired, when they are removed.
        """
        super().__init__()
        self._on_expiry = on_expiry
        self._of_client: Counter[str] = Counter()

    def __setitem__(self, oauth_token: str, entry: tuple[float, Pending]) -> None:
        """Add credentials whose token is not in the table yet."""
        super().__setitem__(oauth_token, entry)
        self._of_client[entry[1].credential.client_id] += 1

    def __delitem__(self, oauth_token: str) -> None:
        """Remove credentials, which makes room for others of their client."""
        client_id = self[oauth_token][1].credential.client_id
        super().__delitem__(oauth_token)
        self._of_client[client_id] -= 1
        if not self._of_client[client_id]:
            del self._of_client[client_id]

    def purge(self, now: float, limit: int) -> list[Pending]:
        """Remove up to ``limit`` credentials that have expired, and return them."""
        removed = super().purge(now, limit)
        if self._on_expiry is not None:
            for pending in removed:
                self._on_expiry(pending.credential)
        return removed

    def end(self, oauth_token: str, ended: PendingTable, limit: int, now: float) -> None:
        """Move credentials to those that have ended, if their client has fewer than ``limit`` there."""
        expires_at, pending = self[oauth_token]
        del self[oauth_token]
        ended.purge(now, PURGED_TOGETHER)
        if oauth_token in ended:  # the generator has repeated itself
            del ended[oauth_token]
        if ended.has_room(pending.credential.client_id, limit, now):
            ended[oauth_token] = (expires_at, pending)

    def remove_client(self, client_id: str) -> list[TemporaryCredential]:
        """Remove every temporary credential of a client, and return them."""
        gone = [pending.credential for _, pending in self.values() if pending.credential.client_id == client_id]
        for credential in gone:
            del self[credential.oauth_token]
        return gone

    def has_room(self, client_id: str, limit: int, now: float) -> bool:
        """Whether a client has fewer than ``limit``; expired ones are only removed if it has not."""
        if self._of_client[client_id] >= limit:
            self.purge(now, len(self))
        return self._of_client[client_id] < limit
