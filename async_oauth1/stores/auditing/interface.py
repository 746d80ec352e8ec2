"""The method of a store that has an audit trail, as a Protocol."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from async_oauth1.provider.records.audit import AuditEvent

__all__ = ["AUDIT_PAGE_SIZE", "MAX_AUDIT_PAGE_SIZE", "KeepsAuditTrail", "check_audit_limit"]

#: Records that are returned, if nothing else is said.
AUDIT_PAGE_SIZE = 100
#: Records that may be asked for at once.
MAX_AUDIT_PAGE_SIZE = 10_000


@runtime_checkable
class KeepsAuditTrail(Protocol):
    """A store with an audit trail: SQLite and PostgreSQL in a table, memory in a list; each of them with a cache too.

    SQLite and PostgreSQL write a record in the transaction of the change that it is about.
    """

    async def audit_events(
        self,
        *,
        since: float | None = None,
        client_id: str | None = None,
        limit: int = AUDIT_PAGE_SIZE,
        after: int = 0,
    ) -> list[AuditEvent]:
        """Records, in the order in which they were written.

        Args:
            since: Unix time; only those from then on.
            client_id: only those of this client.
            limit: how many at most, 1 to 10,000.
            after: only those behind the one with this number, which is `AuditEvent.id`; for the next page. In
                PostgreSQL a record may appear a moment after another one with a higher number.

        Raises:
            ValueError: a limit out of range.
        """
        ...

    async def recent_audit_events(
        self, client_id: str, *, limit: int = AUDIT_PAGE_SIZE, before: int | None = None
    ) -> list[AuditEvent]:
        """Records of one client, the newest first.

        Args:
            client_id: the client.
            limit: how many at most, 1 to 10,000.
            before: only those in front of the one with this number, which is `AuditEvent.id`; for the next page.

        Raises:
            ValueError: a limit out of range.
        """
        ...


def check_audit_limit(limit: int) -> None:
    """Refuse a limit out of range.

    Raises:
        ValueError: it is not from 1 to `MAX_AUDIT_PAGE_SIZE`.
    """
    if not 1 <= limit <= MAX_AUDIT_PAGE_SIZE:
        raise ValueError(f"limit is a number from 1 to {MAX_AUDIT_PAGE_SIZE}, not {limit}")
