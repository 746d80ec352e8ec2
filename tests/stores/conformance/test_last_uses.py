"""When clients and token credentials were last used."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import LastUse, RecordsUses, Store, open_store
from async_oauth1.stores.uses.last_use import UseWriter
from async_oauth1.testing import Clock


async def tokens_of(store: Store, client: Client, *users: str) -> list[TokenCredential]:
    """Register the client, and issue a token for each user."""
    await store.add_client(client)
    return [await store.issue_token_credential(client.client_id, user) for user in users]


def recorder(store: object) -> RecordsUses:
    """The store, as one that records uses."""
    assert isinstance(store, RecordsUses)
    return store


async def test_a_use_is_told_by_user_and_by_client(full_store: Store, client: Client, clock: Clock) -> None:
    """Each token has the time of its use; a token that was not used has none."""
    jane, mary, _unused = await tokens_of(full_store, client, "jane", "mary", "jane")
    uses = recorder(full_store)
    assert await uses.last_uses(user_id="jane") == []
    uses.note_use(client.client_id, jane.oauth_token)
    clock.advance(5)
    uses.note_use(client.client_id, mary.oauth_token)
    of_jane = LastUse(client.client_id, jane.oauth_token, clock.now - 5)
    of_mary = LastUse(client.client_id, mary.oauth_token, clock.now)
    assert await uses.last_uses(user_id="jane") == [of_jane]
    assert await uses.last_uses(user_id="mary", client_id=client.client_id) == [of_mary]
    assert {use.oauth_token for use in await uses.last_uses(client_id=client.client_id)} == {
        jane.oauth_token,
        mary.oauth_token,
    }
    assert sorted(await uses.last_uses(), key=lambda use: use.used_at) == [of_jane, of_mary]
    assert await uses.last_uses(user_id="nobody") == []
    assert await uses.last_uses(user_id="jane", client_id="another") == []
    assert await uses.last_uses(user_id="\ud800") == []


async def test_a_request_without_a_token(full_store: Store, client: Client, clock: Clock) -> None:
    """It is a use of the client, and belongs to no user."""
    await tokens_of(full_store, client, "jane")
    uses = recorder(full_store)
    uses.note_use(client.client_id, None)
    assert await uses.last_uses(client_id=client.client_id) == [LastUse(client.client_id, None, clock.now)]
    assert await uses.last_uses() == [LastUse(client.client_id, None, clock.now)]
    assert await uses.last_uses(user_id="jane") == []


async def test_a_use_is_written_once_a_minute(full_store: Store, client: Client, clock: Clock) -> None:
    """Within a minute the first time stays; after it the new time is written, in this process and in another one."""
    (token,) = await tokens_of(full_store, client, "jane")
    uses, used_at = recorder(full_store), []
    for seconds in (0, 30, 29, 1):
        clock.advance(seconds)
        uses.note_use(client.client_id, token.oauth_token)
        used_at.append((await uses.last_uses(user_id="jane"))[0].used_at)
    assert used_at == [clock.now - 60, clock.now - 60, clock.now - 60, clock.now]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_workers_write_a_token_once_a_minute_together(shared_url: str, clock: Clock, client: Client) -> None:
    """A second worker that sees the token within the minute changes nothing."""
    first, second = open_store(shared_url, clock=clock), open_store(shared_url, clock=clock)
    await first.migrate()
    async with first, second:
        (token,) = await tokens_of(first, client, "jane")
        began = clock.now
        recorder(first).note_use(client.client_id, token.oauth_token)
        assert len(await recorder(first).last_uses()) == 1
        clock.advance(40)
        recorder(second).note_use(client.client_id, token.oauth_token)
        assert [use.used_at for use in await recorder(second).last_uses()] == [began]


async def test_revoked_tokens_have_no_use(full_store: Store, client: Client, clock: Clock) -> None:
    """The use goes with the token, also one that is written after the token was revoked."""
    early, late = await tokens_of(full_store, client, "jane", "jane")
    uses = recorder(full_store)
    uses.note_use(client.client_id, early.oauth_token)
    assert len(await uses.last_uses()) == 1
    uses.note_use(client.client_id, late.oauth_token)
    await full_store.revoke_token_credential(early.oauth_token)
    await full_store.revoke_token_credential(late.oauth_token)
    assert await uses.last_uses() == []
    uses.note_use(client.client_id, "unknown")
    assert await uses.last_uses() == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_revoked_tokens_leave_is_removed(full_store: Store, client: Client, clock: Clock, url: str) -> None:
    """Once an hour, so that the table does not grow."""
    token, other = await tokens_of(full_store, client, "jane", "jane")
    uses = recorder(full_store)
    uses.note_use(client.client_id, token.oauth_token)
    await uses.last_uses()
    await full_store.revoke_token_credential(token.oauth_token)
    clock.advance(3600)
    uses.note_use(client.client_id, other.oauth_token)
    await uses.last_uses()
    read = full_store._read  # type: ignore[attr-defined]
    assert [row[0] for row in await read("SELECT oauth_token FROM oauth1_last_use")] == [other.oauth_token]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_closing_writes_what_was_noted(shared_url: str, clock: Clock, client: Client) -> None:
    """A worker that stops loses no use."""
    store = open_store(shared_url, clock=clock)
    await store.migrate()
    async with store:
        (token,) = await tokens_of(store, client, "jane")
        recorder(store).note_use(client.client_id, token.oauth_token)
    async with store:
        assert len(await recorder(store).last_uses()) == 1


async def test_a_store_that_fails(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """It is logged once, no request notices it, and the next use of the same token is written."""
    written: list[LastUse] = []
    is_down = True

    async def write(uses: object) -> None:
        if is_down:
            raise StoreUnavailableError()
        written.extend(uses)  # type: ignore[arg-type]

    writer = UseWriter(write, lambda work: work, clock)  # type: ignore[arg-type]
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            writer.note("printer", "token")
            await writer.flush()
    assert len(caplog.records) == 1
    assert "token" not in caplog.text
    is_down = False
    writer.note("printer", "token")
    await writer.flush()
    assert written == [LastUse("printer", "token", clock.now)]


async def test_a_missing_table(tmp_path: Path, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Even a database that refuses the statement affects no request."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    await store.migrate()
    async with store:
        (token,) = await tokens_of(store, client, "jane")
        await store._write("DROP TABLE oauth1_last_use")
        recorder(store).note_use(client.client_id, token.oauth_token)
        assert await store.query_token(client.client_id, token.oauth_token) == token
    assert "last uses cannot be recorded" in caplog.text
