"""Forms that make a secret are remembered as nonces, which must not disturb the nonces of requests."""

from __future__ import annotations

import pytest

from async_oauth1.admin.page import form_tokens
from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock

from .visiting import KEY, Visitor, form_token, outputs


async def test_a_used_form_does_not_let_a_clock_that_jumps_ahead_remove_nonces() -> None:
    """The store takes the newest timestamp for a time that has come, so the form's is not in the future."""
    clock = Clock(1_700_000_000.0)
    store = MemoryStore(clock=clock)
    tokens = form_tokens.FormTokens(KEY, store, clock)
    token = tokens.check(tokens.make("alice"), "alice")
    assert token is not None
    assert await tokens.use(token)
    assert not await tokens.use(token)
    now = int(clock())
    assert not await store.exists_nonce("first", str(now - 200), "client", None)
    clock.advance(500)
    assert not await store.exists_nonce("ahead", str(now), "client", None)
    clock.advance(-500)
    assert not await store.exists_nonce("second", str(now - 250), "client", None), "nothing was removed"


def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each form older than a form that makes a secret may be."""
    monkeypatch.setattr(form_tokens, "SECRET_FORM_LIFETIME", -1)


async def test_an_old_registration_comes_again_with_what_was_typed(
    store: MemoryStore, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is registered until the operator sends the new form."""
    with monkeypatch.context() as patch:
        old(patch)
        answer = await visitor.send("/new", await visitor.token(), name="Printer", callbacks="oob")
    assert (answer.status_code, await store.list_clients()) == (409, [])
    assert "ten minutes" in answer.text
    assert 'value="Printer"' in answer.text
    assert (await visitor.send("/new", form_token(answer), name="Printer", callbacks="oob")).status_code == 200


async def test_an_old_rotation_changes_nothing(
    store: MemoryStore, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says why, and the secret stays."""
    client_id, secret = await visitor.register()
    with monkeypatch.context() as patch:
        old(patch)
        answer = await visitor.send("/client/rotate", await visitor.token(), f"id={client_id}", overlap="0")
    assert (answer.status_code, outputs(answer)) == (409, [])
    client = await store.query_client(client_id)
    assert isinstance(client, Client)
    assert client.client_secret == secret


def test_a_form_of_a_time_to_come_is_refused(store: MemoryStore) -> None:
    """Nothing with a timestamp ahead of the clock reaches the store."""
    ahead = form_tokens.FormTokens(KEY, store, Clock(2_000.0))
    here = form_tokens.FormTokens(KEY, store, Clock(1_000.0))
    assert here.check(ahead.make("alice"), "alice") is None
