"""The memory store's audit trail: the newest records, in a list."""

from __future__ import annotations

from collections import deque
from itertools import islice
from threading import Lock

from async_oauth1.credentials import TemporaryCredential, TokenCredential
from async_oauth1.provider.records.audit import Actor, AuditEvent, current_actor
from async_oauth1.stores.auditing.interface import AUDIT_PAGE_SIZE, check_audit_limit
from async_oauth1.stores.base import BaseStore

from .pending_table import PendingTable
from .token_table import TokenTable

__all__ = ["MAX_AUDIT_EVENTS", "AuditInMemory"]

#: Records that the memory store keeps, about 500 bytes each; the oldest are dropped.
MAX_AUDIT_EVENTS = 10_000

_APPLICATION = Actor("application")
_PROVIDER = Actor("provider")


class AuditInMemory(BaseStore):
    """The part of the memory store that implements `KeepsAuditTrail`."""

    _lock: Lock
    _tokens: TokenTable
    _temporary: PendingTable

    def _start_audit(self) -> None:
        self._trail: deque[AuditEvent] = deque(maxlen=MAX_AUDIT_EVENTS)
        self._recorded = 0

    async def audit_events(
        self,
        *,
        since: float | None = None,
        client_id: str | None = None,
        limit: int = AUDIT_PAGE_SIZE,
        after: int = 0,
    ) -> list[AuditEvent]:
        """As `KeepsAuditTrail.audit_events`; the newest 10,000 records are kept."""
        check_audit_limit(limit)
        with self._lock:
            self._note_expired()
            self._temporary.purge(self.clock(), len(self._temporary))
            found = (
                each
                for each in self._trail
                if each.id > after and client_id in (None, each.client_id) and (since is None or each.at >= since)
            )
            return list(islice(found, limit))

    async def recent_audit_events(
        self, client_id: str, *, limit: int = AUDIT_PAGE_SIZE, before: int | None = None
    ) -> list[AuditEvent]:
        """As `KeepsAuditTrail.recent_audit_events`."""
        every = await self.audit_events(client_id=client_id, limit=MAX_AUDIT_EVENTS)
        check_audit_limit(limit)
        return [each for each in reversed(every) if before is None or each.id < before][:limit]

    def _note(
        self,
        event: str,
        client_id: str,
        oauth_token: str | None = None,
        user_id: str | None = None,
        usual: Actor = _APPLICATION,
    ) -> None:
        """Record a change; the lock is held."""
        self._recorded += 1
        self._trail.append(
            AuditEvent(
                at=self.clock(),
                event=event,
                client_id=client_id,
                oauth_token=oauth_token,
                user_id=user_id,
                actor=current_actor(usual),
                id=self._recorded,
            )
        )

    def _note_token(self, event: str, token: TokenCredential, usual: Actor = _APPLICATION) -> None:
        self._note(event, token.client_id, token.oauth_token, token.user_id, usual)

    def _note_temporary(self, event: str, credential: TemporaryCredential, usual: Actor = _APPLICATION) -> None:
        self._note(event, credential.client_id, credential.oauth_token, credential.user_id, usual)

    def _note_expired_temporary(self, credential: TemporaryCredential) -> None:
        self._note_temporary("temporary.expired", credential, _PROVIDER)

    def _note_expired(self) -> None:
        """Record the tokens that have expired, each once; before they are removed."""
        for token in self._tokens.take_expired(self.clock()):
            self._note_token("token.expired", token, _PROVIDER)

    def _selected(self, user_id: str | None, client_id: str | None) -> list[TokenCredential]:
        """Live token credentials; the lock is held."""
        self._note_expired()
        return self._tokens.select(user_id, client_id, self.clock())
