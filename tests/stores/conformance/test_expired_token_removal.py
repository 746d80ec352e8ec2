"""The SQL stores remove expired token credentials a day later."""

from __future__ import annotations

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import Store
from async_oauth1.testing import Clock

from .nonces.test_nonce_clocks import make_busy


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_expired_tokens_are_removed_a_day_later(full_store: Store, clock: Clock, client: Client) -> None:
    """A clock that jumps an hour ahead removes none; a day later they are removed."""
    await full_store.add_client(client)
    await full_store.issue_token_credential(client.client_id, "jane", lifetime=60)
    count = "SELECT count(*) FROM oauth1_token_credential"
    for seconds, left in ((3600, 1), (86_400, 0)):
        clock.advance(seconds)
        await make_busy(full_store, clock(), f"at{clock()}")
        assert (await full_store._read(count))[0][0] == left  # type: ignore[attr-defined]
