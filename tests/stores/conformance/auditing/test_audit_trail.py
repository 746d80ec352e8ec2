"""The stores with an audit trail: each change has exactly one record, which says who made it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import AuditEvent, KeepsAuditTrail, Store, StoreUnavailableError, acting_as, open_store
from async_oauth1.stores.caching.delegating import DelegatingStore
from async_oauth1.testing import Clock
from tests.stores.conftest import Pending

KINDS = ["memory", "sqlite", "postgres"]
SQL = ["sqlite", "postgres"]
_FORGED = "SELECT id, at, 'forged', client_id, oauth_token, user_id, actor, actor_name FROM oauth1_audit"
REPLACE = {
    "sqlite": f"REPLACE INTO oauth1_audit {_FORGED}",
    "postgres": f"INSERT INTO oauth1_audit OVERRIDING SYSTEM VALUE {_FORGED}"
    " ON CONFLICT (id) DO UPDATE SET event = excluded.event",
}

every_kind = pytest.mark.parametrize("kind", KINDS)


def trail_of(store: object) -> KeepsAuditTrail:
    """The store, as one with an audit trail."""
    assert isinstance(store, KeepsAuditTrail)
    return store


def line(event: AuditEvent) -> str:
    """What a record says, without numbers, times and tokens."""
    actor = f"{event.actor.kind}:{event.actor.name}" if event.actor.name else event.actor.kind
    return f"{event.event} {event.user_id or '-'} by {actor}"


async def lines(store: object) -> list[str]:
    """Every record of a store."""
    return [line(event) for event in await trail_of(store).audit_events(limit=10_000)]


@every_kind
async def test_the_flow_is_recorded(kind: str, full_store: Store, client: Client, pending: Pending) -> None:
    """From the registration of a client to its removal, each step has one record with client, token and user."""
    me = client.client_id
    await full_store.add_client(client)
    first = await pending("first")
    await full_store.create_authorization_verifier(first, "jane", "verifier", scope="photos")
    token = await full_store.exchange(first, {"oauth_token": "token", "oauth_token_secret": "secret"})
    assert token is not None
    await pending("second")
    await full_store.deny_temporary_credential("second")
    await pending("third")
    await full_store.delete_temporary_credential("third")
    await full_store.rotate_client_secret(me, overlap=60)
    await full_store.update_client(me, callbacks=("oob",))
    assert await full_store.revoke_token_credential("token", user_id="jane")
    issued = await full_store.issue_token_credential(me, "joe")
    await full_store.issue_token_credential(me, "jim")
    assert await full_store.revoke_token_credentials(user_id="jim") == 1
    await pending("fourth")
    await full_store.remove_client(me)
    events = await trail_of(full_store).audit_events()
    assert [line(event) for event in events[:-3]] == [
        "client.created - by application",
        f"temporary.created - by client:{me}",
        "consent.given jane by user:jane",
        f"token.created jane by client:{me}",
        f"temporary.created - by client:{me}",
        "consent.denied - by user",
        f"temporary.created - by client:{me}",
        "temporary.ended - by application",
        "client.rotated - by application",
        "client.changed - by application",
        "token.revoked jane by user:jane",
        "token.created joe by application",
        "token.created jim by application",
        "token.revoked jim by user:jim",
        f"temporary.created - by client:{me}",
    ]
    removed = [
        "client.removed - by application",
        "temporary.ended - by application",
        "token.revoked joe by application",
    ]
    assert sorted(line(event) for event in events[-3:]) == removed
    assert {event.client_id for event in events} == {me}
    assert [event.oauth_token for event in events[:4]] == [None, "first", "first", "token"]
    assert [event.oauth_token for event in events if event.user_id == "joe"] == [issued.oauth_token] * 2
    assert [event.id for event in events] == sorted({event.id for event in events})


@every_kind
async def test_what_changes_nothing_is_not_recorded(
    kind: str, full_store: Store, client: Client, pending: Pending
) -> None:
    """A refused or repeated step leaves no record."""
    store: Any = full_store
    await store.add_client(client)
    await store.disable_client(client.client_id)
    await store.enable_client(client.client_id)
    first = await pending("first")
    await store.create_authorization_verifier(first, "jane", "verifier")
    token = {"oauth_token": "token", "oauth_token_secret": "secret"}
    await store.exchange(first, token)
    before = await lines(store)
    assert before[1:3] == ["client.disabled - by application", "client.enabled - by application"]
    with pytest.raises(ValueError, match="taken"):
        await store.add_client(client)
    await store.enable_client(client.client_id)
    await store.disable_client("unknown")
    await store.update_client(client.client_id)
    await store.update_client("unknown", callbacks=("oob",))
    assert not await store.create_authorization_verifier(first, "joe", "other")
    assert not await store.deny_temporary_credential("first")
    assert await store.exchange(first, token) is None
    assert not await store.delete_temporary_credential("first")
    with pytest.raises(ValueError, match="taken"):
        await store.create_token_credential(token, await approved(store, pending))
    assert not await store.revoke_token_credential("token", user_id="joe")
    assert not await store.revoke_token_credential("unknown")
    assert not await store.remove_client("unknown")
    assert await lines(store) == [*before, f"temporary.created - by client:{client.client_id}",
                                  "consent.given joe by user:joe"]  # fmt: skip


async def approved(store: Any, pending: Pending) -> Any:
    """Temporary credentials that a user approved."""
    credential = await pending("another")
    await store.create_authorization_verifier(credential, "joe", "verifier")
    return await store.get_temporary_credential("another")


@every_kind
async def test_what_expires_is_recorded_once(
    kind: str, full_store: Store, client: Client, pending: Pending, clock: Clock
) -> None:
    """Tokens that expire and temporary credentials that were not used, also after their rows are gone."""
    await full_store.add_client(client)
    token = await full_store.issue_token_credential(client.client_id, "jane", lifetime=10)
    await pending("abandoned")
    await pending("denied")
    await full_store.deny_temporary_credential("denied")
    before = await lines(full_store)
    assert not any("expired" in each for each in before)
    for seconds in (10, 600, 100_000):
        clock.advance(seconds)
        await full_store.list_token_credentials()
        await pending(f"new{seconds}")
    expired = [each for each in await trail_of(full_store).audit_events() if "expired" in each.event]
    assert [line(each) for each in expired if each.oauth_token == token.oauth_token] == [
        "token.expired jane by provider"
    ]
    assert Counter((each.event, each.oauth_token) for each in expired) == {
        ("token.expired", token.oauth_token): 1,
        ("temporary.expired", "abandoned"): 1,
        ("temporary.expired", "new10"): 1,
        ("temporary.expired", "new600"): 1,
    }
    assert not await full_store.revoke_token_credential(token.oauth_token)
    await full_store.remove_client(client.client_id)
    assert (await lines(full_store)).count("token.expired jane by provider") == 1


@every_kind
async def test_the_first_use_is_recorded_once(kind: str, full_store: Store, client: Client, clock: Clock) -> None:
    """Of each token, and of the client without a token; not of a token that was revoked before its use is written."""
    store: Any = full_store
    await store.add_client(client)
    token = await store.issue_token_credential(client.client_id, "jane")
    revoked = await store.issue_token_credential(client.client_id, "joe")
    before = await lines(store)
    for agent in ("printer/1.0", "printer/1.1\r\nX: y", "p" * 500):
        store.note_use(client.client_id, token.oauth_token, agent)
        store.note_use(client.client_id, None)
        uses = {use.oauth_token: use.user_agent for use in await store.last_uses()}
        shown = {"printer/1.1\r\nX: y": "printer/1.1??X: y"}.get(agent, agent[:200])
        assert uses == {token.oauth_token: shown, None: ""}
        clock.advance(61)
    if kind != "memory":
        store.note_use(client.client_id, revoked.oauth_token)
    await store.revoke_token_credential(revoked.oauth_token)
    await store.last_uses()
    me = client.client_id
    expected = [f"client.first_used - by client:{me}", f"token.first_used jane by client:{me}"]
    assert sorted((await lines(store))[len(before) :]) == [*expected, "token.revoked joe by application"]


@every_kind
async def test_an_exchange_for_a_bearer_token_is_recorded(kind: str, full_store: Store) -> None:
    """The mark and its removal, once each."""
    store: Any = full_store
    for _ in range(2):
        await store.mark_exchanged("client", "token")
    for _ in range(2):
        await store.unmark_exchanged("client", "token")
    assert await lines(store) == [
        "token.exchanged - by client:client",
        "token.exchange_failed - by client:client",
    ]


@every_kind
async def test_an_actor_is_named(kind: str, full_store: Store, client: Client) -> None:
    """Everything in the block is theirs, and nothing after it; a strange name is kept in part."""
    with acting_as("operator", "alice"):
        await full_store.add_client(client)
        token = await full_store.issue_token_credential(client.client_id, "jane")
        await asyncio.gather(full_store.revoke_token_credential(token.oauth_token))
    with acting_as("command", "\0\ud800" + "x" * 300):
        await full_store.rotate_client_secret(client.client_id, overlap=0)
    await full_store.remove_client(client.client_id)
    actors = [(each.actor.kind, each.actor.name) for each in await trail_of(full_store).audit_events()]
    assert actors == [*[("operator", "alice")] * 3, ("command", "??" + "x" * 253), ("application", "")]
    with pytest.raises(ValueError, match="kind is one of user, client"), acting_as("somebody"):  # type: ignore[arg-type]
        pass


@every_kind
async def test_the_trail_is_read_in_parts(kind: str, full_store: Store, clock: Clock) -> None:
    """By time, by client and by number, with a limit."""
    trail = trail_of(full_store)
    for number in range(6):
        await full_store.add_client(Client(client_id=f"client-{number % 2}{number}", client_secret="s"))
        clock.advance(10)
    every = await trail.audit_events()
    assert len(every) == 6
    assert await trail.audit_events(since=every[2].at) == every[2:]
    assert await trail.audit_events(client_id="client-11") == every[1:2]
    assert await trail.audit_events(limit=2, after=every[2].id) == every[3:5]
    assert await trail.audit_events(after=10**30) == []
    for client_id in ("unknown", "\ud800"):
        assert await trail.audit_events(client_id=client_id) == []
    for limit in (0, 10_001):
        with pytest.raises(ValueError, match=f"limit is a number from 1 to 10000, not {limit}"):
            await trail.audit_events(limit=limit)
    assert await trail_of(DelegatingStore(full_store)).audit_events() == every


@pytest.mark.parametrize("kind", SQL)
async def test_a_record_cannot_be_changed(kind: str, full_store: Store, url: str) -> None:
    """The database itself refuses to update, to replace and to delete the rows of the trail."""
    await full_store.add_client(Client(client_id="client"))
    store: Any = full_store
    before = await trail_of(store).audit_events()
    for statement in ("UPDATE oauth1_audit SET actor = 'x'", "DELETE FROM oauth1_audit", REPLACE[kind]):
        with pytest.raises((StoreUnavailableError, sqlite3.IntegrityError)):
            await store._write(statement)
    assert await trail_of(store).audit_events() == before
    assert len(before) == 1


@pytest.mark.parametrize("kind", SQL)
async def test_of_many_callers_one_is_recorded(kind: str, shared_url: str, client: Client, clock: Clock) -> None:
    """Of several stores that do the same at once, the one that succeeds leaves the record."""
    await open_store(shared_url).migrate()
    first: Any = open_store(shared_url, clock=clock)
    second: Any = open_store(shared_url, clock=clock)
    async with first, second:
        await first.add_client(client)
        tokens = [await first.issue_token_credential(client.client_id, "jane", lifetime=5) for _ in range(10)]
        both = [store for store in (first, second) for _ in range(2)]
        await asyncio.gather(*(store.revoke_token_credential(tokens[0].oauth_token) for store in both))
        await asyncio.gather(*(store.disable_client(client.client_id) for store in both))
        clock.advance(5)
        await asyncio.gather(*(store.audit_events() for store in both))
        found = Counter(line(event) for event in await first.audit_events())
    assert found == {
        "client.created - by application": 1,
        "token.created jane by application": 10,
        "token.revoked jane by application": 1,
        "client.disabled - by application": 1,
        "token.expired jane by provider": 9,
    }
