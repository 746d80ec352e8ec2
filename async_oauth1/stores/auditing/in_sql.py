"""The audit trail of the SQL stores: a table to which each change adds its record, in one transaction."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, cast

from async_oauth1.provider.records.audit import Actor, ActorKind, AuditEvent, current_actor
from async_oauth1.stores.base import BaseStore, is_text

from .interface import AUDIT_PAGE_SIZE, check_audit_limit

__all__ = ["APPLICATION", "EXPIRED_AT_ONCE", "PROVIDER", "AuditInSQL"]

#: The provider's own code, if nothing else is said.
APPLICATION = Actor("application")

#: What happens by itself.
PROVIDER = Actor("provider")
#: Expired credentials that are recorded before a list is read.
EXPIRED_AT_ONCE = 10_000

_SELECT = "SELECT at, event, client_id, oauth_token, user_id, actor, actor_name, id FROM oauth1_audit"
# Larger numbers are no row's.
_MAX_ID = 2**63 - 1

Row = Sequence[Any]


class AuditInSQL(BaseStore):
    """The part of an SQL store that implements `KeepsAuditTrail`."""

    @abstractmethod
    async def _read(self, statement: str, *arguments: object) -> Sequence[Row]:
        """The rows of a SELECT."""

    @abstractmethod
    async def _change(self, event: str, usual: Actor, statement: str, *arguments: object) -> Sequence[Row]:
        """Run one statement and record each row that it returns, in one transaction.

        Args:
            event: the event to record. For one that begins with ``client.`` the statement returns the column
                ``client_id`` first; for others ``client_id``, ``oauth_token`` and ``user_id``.
            usual: the actor, unless `acting_as` says it.
            statement: changes rows, and returns those that it has changed.
            arguments: of the statement.

        Returns:
            The rows that the statement returns.
        """

    @abstractmethod
    async def _expire(self, now: float) -> None:
        """Record what has expired."""

    async def audit_events(
        self,
        *,
        since: float | None = None,
        client_id: str | None = None,
        limit: int = AUDIT_PAGE_SIZE,
        after: int = 0,
    ) -> list[AuditEvent]:
        """As `KeepsAuditTrail.audit_events`; what has expired by now is recorded first."""
        check_audit_limit(limit)
        if not is_text(client_id or "") or after > _MAX_ID:
            return []
        await self._expire(self.clock())
        conditions, arguments = ["id > $1"], [after]
        for condition, value in (("at >= ${}", since), ("client_id = ${}", client_id)):
            if value is not None:
                arguments.append(cast("Any", value))
                conditions.append(condition.format(len(arguments)))
        statement = f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY id LIMIT {limit:d}"
        return [_event(row) for row in await self._read(statement, *arguments)]

    async def recent_audit_events(
        self, client_id: str, *, limit: int = AUDIT_PAGE_SIZE, before: int | None = None
    ) -> list[AuditEvent]:
        """As `KeepsAuditTrail.recent_audit_events`; what has expired by now is recorded first."""
        check_audit_limit(limit)
        if not is_text(client_id):
            return []
        await self._expire(self.clock())
        last = _MAX_ID if before is None else max(0, min(before, _MAX_ID))
        statement = f"{_SELECT} WHERE client_id = $1 AND id < $2 ORDER BY id DESC LIMIT {limit:d}"
        return [_event(row) for row in await self._read(statement, client_id, last)]

    def _actor(self, usual: Actor) -> tuple[str, str]:
        actor = current_actor(usual)
        return actor.kind, actor.name


def _event(row: Row) -> AuditEvent:
    at, event, client_id, oauth_token, user_id, kind, name, number = row
    actor = Actor(cast("ActorKind", kind), name)
    return AuditEvent(
        at=float(at),
        event=event,
        client_id=client_id,
        oauth_token=oauth_token,
        user_id=user_id,
        actor=actor,
        id=int(number),
    )
