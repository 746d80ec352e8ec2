"""The record of a client's row is made once, and again as soon as anything in the row has changed."""

from __future__ import annotations

import logging

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store
from async_oauth1.testing import Clock
from tests.stores.conformance.test_damaged_records import execute

PRINTER = Client(client_id="printer", client_secret="s", callbacks=("https://printer.example/ready",))
in_sql = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


@in_sql
async def test_the_record_of_an_unchanged_row_is_reused(full_store: Store, kind: str) -> None:
    """Tokens of one client have the same client record; its secrets are decrypted once."""
    await full_store.add_client(PRINTER)
    tokens = [(await full_store.issue_token_credential("printer", "jane")).oauth_token for _ in range(2)]
    first, second = [(await full_store.query_credentials("printer", token))[0] for token in tokens]
    assert first == PRINTER
    assert first is second


@in_sql
async def test_a_change_by_another_program_is_seen(
    full_store: Store, kind: str, url: str, request: pytest.FixtureRequest
) -> None:
    """Each look-up reads the row, so a secret that was replaced in the database counts at once."""
    await full_store.add_client(PRINTER)
    assert await full_store.query_client("printer") == PRINTER
    execute(url, request, "UPDATE oauth1_client SET client_secret = 'new' WHERE client_id = 'printer'")
    found = await full_store.query_client("printer")
    assert found is not None
    assert found.client_secret == "new"


@in_sql
async def test_a_former_secret_ends_although_the_row_is_unchanged(full_store: Store, kind: str, clock: Clock) -> None:
    """The end of an overlap is not a change of the row."""
    await full_store.add_client(PRINTER)
    await full_store.rotate_client_secret("printer", overlap=60)
    for passed, former in ((0, ("s",)), (59, ("s",)), (2, ())):
        clock.advance(passed)
        found = await full_store.query_client("printer")
        assert found is not None
        assert found.overlapping_secrets == former


@in_sql
async def test_a_damaged_row_is_refused_and_logged_each_time(
    full_store: Store, kind: str, url: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """An error is not kept: a row that was repaired can be used."""
    await full_store.add_client(PRINTER)
    damage = "UPDATE oauth1_client SET callbacks = '{}' WHERE client_id = 'printer'"
    execute(url, request, damage.format("["))
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            with pytest.raises(StoreUnavailableError):
                await full_store.query_client("printer")
    assert caplog.text.count("the stored client 'printer' cannot be used") == 2
    execute(url, request, damage.format("[]"))
    found = await full_store.query_client("printer")
    assert found is not None
    assert found.callbacks == ()
