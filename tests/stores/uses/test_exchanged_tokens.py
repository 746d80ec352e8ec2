"""Stores mark the tokens that were exchanged for a bearer token, once for each token."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import token_exchange
from async_oauth1.credentials import Client
from async_oauth1.stores import MarksExchanges, MemoryStore, Store, open_store
from async_oauth1.stores.caching.delegating import DelegatingStore
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call
from tests.stores.conftest import Clock


def marking(store: object) -> MarksExchanges:
    """The store, as one that marks exchanges."""
    assert isinstance(store, MarksExchanges)
    return store


async def test_a_token_is_marked_once(store: Any, clock: Clock) -> None:
    """Other tokens and other clients have marks of their own, and a mark does not expire."""
    marks = marking(store)
    assert await marks.mark_exchanged("client", "token")
    assert not await marks.mark_exchanged("client", "token")
    for other in (("client", "other"), ("other", "token"), ("clienttoken", "x"), ("{client}", "\u2603")):
        assert await marks.mark_exchanged(*other)
        assert not await marks.mark_exchanged(*other)
    clock.advance(10_000_000)
    assert not await marks.mark_exchanged("client", "token")


async def test_a_mark_is_removed_once(store: Any) -> None:
    """Then the token may be marked again."""
    marks = marking(store)
    assert not await marks.unmark_exchanged("client", "token")
    await marks.mark_exchanged("client", "token")
    assert await marks.unmark_exchanged("client", "token")
    assert not await marks.unmark_exchanged("client", "token")
    assert await marks.mark_exchanged("client", "token")


@pytest.mark.parametrize("wrong", [("\ud800", "token"), ("client", "to\0ken")])
async def test_text_that_cannot_be_stored(store: Any, wrong: tuple[str, str]) -> None:
    """It is refused in every store alike."""
    for method in (marking(store).mark_exchanged, marking(store).unmark_exchanged):
        with pytest.raises(ValueError, match="a NUL character or a lone surrogate"):
            await method(*wrong)


async def test_one_of_many_callers_succeeds(shared_url: str, clock: Clock) -> None:
    """Of several callers at once, in several stores over one database, one marks the token."""
    await open_store(shared_url).migrate()
    async with open_store(shared_url, clock=clock) as first, open_store(shared_url, clock=clock) as second:
        calls = [marking(store).mark_exchanged("client", "token") for store in (first, second) for _ in range(10)]
        assert sum(await asyncio.gather(*calls)) == 1


async def test_a_delegating_store_passes_them_on(full_store: Store) -> None:
    """A cache in front of a store marks in that store."""
    marks = marking(DelegatingStore(full_store))
    assert await marks.mark_exchanged("client", "token")
    assert not await marking(full_store).mark_exchanged("client", "token")
    assert await marks.unmark_exchanged("client", "token")


async def test_a_revoked_token_leaves_nothing_in_memory(client: Client) -> None:
    """The memory store forgets the marks of tokens that are gone, so that it does not grow for ever."""
    store = MemoryStore()
    await store.add_client(client)
    token = await store.issue_token_credential(client.client_id, "jane")
    assert await store.mark_exchanged(client.client_id, token.oauth_token)
    await store.revoke_token_credential(token.oauth_token)
    assert not await store.unmark_exchanged(client.client_id, token.oauth_token)


async def test_the_exchange_takes_the_methods(store: Any) -> None:
    """``token_exchange(protector, make_bearer, store.mark_exchanged)`` exchanges a token once; a failure is undone."""
    protector = ResourceProtector()
    protector.register_hooks(await make_store())
    outcomes = iter([RuntimeError("no OAuth 2 server"), "at"])

    def make_bearer(credential: Any, _: Any) -> dict[str, str]:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return {"access_token": f"{outcome} of {credential.user_id}"}

    marks = marking(store)
    app = token_exchange(protector, make_bearer, marks.mark_exchanged, unmark_exchanged=marks.unmark_exchanged)
    with pytest.raises(RuntimeError, match="no OAuth 2 server"):
        await call(app, sign(JANE, "POST", "/exchange"))
    assert (await call(app, sign(JANE, "POST", "/exchange"))).json["access_token"] == "at of jane"
    answer = await call(app, sign(JANE, "POST", "/exchange"))
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
