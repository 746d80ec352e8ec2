"""The newest records of a client come first, in parts."""

from __future__ import annotations

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import Store
from async_oauth1.stores.caching.delegating import DelegatingStore

from .test_audit_trail import every_kind, trail_of


@every_kind
async def test_the_trail_of_a_client_is_read_backwards(kind: str, full_store: Store) -> None:
    """A part ends where the next one begins, and other clients' records are left out."""
    trail = trail_of(full_store)
    for client_id in ("one", "other"):
        await full_store.add_client(Client(client_id=client_id, client_secret="s"))
        for _ in range(3):
            await full_store.rotate_client_secret(client_id, overlap=0)
    every = (await trail.audit_events(client_id="one"))[::-1]
    assert [each.event for each in every] == ["client.rotated"] * 3 + ["client.created"]
    assert await trail.recent_audit_events("one") == every
    assert await trail.recent_audit_events("one", limit=2) == every[:2]
    assert await trail.recent_audit_events("one", limit=2, before=every[1].id) == every[2:]
    assert await trail_of(DelegatingStore(full_store)).recent_audit_events("one") == every
    for before in (0, -1, -(10**30)):
        assert await trail.recent_audit_events("one", before=before) == []
    assert await trail.recent_audit_events("one", before=10**30) == every
    for client_id in ("unknown", "\ud800"):
        assert await trail.recent_audit_events(client_id) == []
    for limit in (0, 10_001):
        with pytest.raises(ValueError, match="limit is a number from 1 to 10000"):
            await trail.recent_audit_events("one", limit=limit)
