"""What expires does so by itself, also if an operator's change is the occasion to record it."""

from __future__ import annotations

import time
from typing import Any

from async_oauth1.credentials import Client
from async_oauth1.stores import acting_as


async def test_expiry_is_never_the_operators_deed(store: Any) -> None:
    """An operator removes a client with expired credentials: the removal has the operator's name, the expiry none."""
    await store.add_client(Client(client_id="printer", client_secret="secret", callbacks=("oob",)))
    token = {"oauth_token": "pending", "oauth_token_secret": "secret"}
    await store.create_temporary_credential(token, "printer", "oob")
    store.clock = lambda: time.time() + 100_000
    with acting_as("operator", "alice"):
        await store.remove_client("printer")
        events = await store.audit_events(client_id="printer")
    actors = {event.event: (event.actor.kind, event.actor.name) for event in events}
    assert actors["temporary.expired"] == ("provider", "")
    assert actors["client.removed"] == ("operator", "alice")
