"""The command ``async-oauth1 audit list``: what happened to the credentials of a provider, and by which actor."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from async_oauth1.admin.descriptions import describe_event
from async_oauth1.stores import AuditEvent, KeepsAuditTrail, Store

from .console import CommandError, format_time, print_page, printable
from .options import JsonOption, StoreOption, parse_seconds
from .store_access import with_store

__all__ = ["app"]

# Records that are read together.
_AT_ONCE = 10_000

app = typer.Typer(help="Read the audit trail.", rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Read the audit trail."""


@app.command("list")
def list_(
    store: StoreOption,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="2026-11-29, 2026-11-29T12:00:00Z, or how long ago: 30d, 12h, 15m."
        ),
    ] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="CLIENT_ID", help="Only of this client.")] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="NUMBER", min=1, max=_AT_ONCE, help="At most so many. Default: all."),
    ] = None,
    after: Annotated[
        int, typer.Option("--after", metavar="ID", min=0, help="Only those behind the record with this number.")
    ] = 0,
    *,
    as_json: JsonOption = False,
) -> None:
    """List what happened to credentials, oldest first: when, to which, and by which actor."""
    start = None if since is None else _parse_since(since)

    async def work(opened: Store) -> list[AuditEvent]:
        return await _read(opened, start, client, limit, after)

    events = with_store(store, work)
    has_more = limit is not None and len(events) > limit
    events = events[:limit]
    print_page(
        ("time", "event", "client_id", "oauth_token", "user_id", "actor"),
        [
            (
                format_time(event.at),
                event.event,
                event.client_id,
                event.oauth_token or "",
                event.user_id or "",
                f"{event.actor.kind} {event.actor.name}".rstrip(),
            )
            for event in events
        ],
        records=[describe_event(event) for event in events],
        cursor=events[-1].id if has_more else None,
        is_page=limit is not None,
        as_json=as_json,
    )


async def _read(
    store: Store, since: float | None, client_id: str | None, limit: int | None, after: int
) -> list[AuditEvent]:
    """All records, or one more than the limit."""
    if not isinstance(store, KeepsAuditTrail):
        raise CommandError(f"{store.url}: this store has no audit trail")
    wanted = None if limit is None else limit + 1
    events: list[AuditEvent] = []
    while wanted is None or len(events) < wanted:
        size = min(_AT_ONCE, _AT_ONCE if wanted is None else wanted - len(events))
        found = await store.audit_events(since=since, client_id=client_id, limit=size, after=after)
        events += found
        if len(found) < size:
            break
        after = found[-1].id
    return events


def _parse_since(text: str) -> float:
    """Unix time of a date and time, or of so long ago.

    Raises:
        CommandError: the text is neither.
    """
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo is not None else given.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return time.time() - parse_seconds("--since", text)
    except CommandError:
        raise CommandError(
            f"--since {printable(text)}: write a date, such as 2026-11-29 or 2026-11-29T12:00:00Z, or how long ago,"
            " such as 30d, 12h or 15m"
        ) from None
