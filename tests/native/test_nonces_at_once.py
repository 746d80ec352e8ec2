"""The lane remembers a nonce without waiting if the store can, and only the general path refuses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from async_oauth1 import OAuth1Error, Policy, ResourceProtector
from async_oauth1.asgi import request_from_scope
from async_oauth1.errors import InvalidNonceError, StoreUnavailableError, TimestampRefusedError
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from tests.provider.provider import Clock

from .test_lane import SCOPES, store_of


class Counting(MemoryStore):
    """Counts the calls that are awaited. Both functions are its own, so the lane calls the plain one."""

    awaited = 0
    answer: Callable[..., Any] = MemoryStore.exists_nonce_at_once

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        self.awaited += 1
        return MemoryStore.exists_nonce_at_once(self, nonce, timestamp, client_id, oauth_token)

    def exists_nonce_at_once(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        found: bool = self.answer(nonce, timestamp, client_id, oauth_token)
        return found


def protector_of(cls: type[Any] = ResourceProtector, store_class: type[MemoryStore] = Counting) -> tuple[Any, Any]:
    """A protector whose first request has been verified, and its store."""
    clock = Clock()
    store: Any = store_of(clock)
    protector = cls(Policy(), clock=clock)
    store.__class__ = store_class
    protector.register_hooks(store)
    verify(protector, 1)
    store.awaited = 0
    return protector, store


def verify(protector: Any, number: int) -> None:
    """Verify one of the usual requests."""
    scope, form = SCOPES[number]
    run_sync(protector.validate_request(request_from_scope(scope, protector.policy, form)))


def test_a_new_nonce_is_not_awaited() -> None:
    """The store has it afterwards, once."""
    protector, store = protector_of()
    before = len(store._nonces)
    verify(protector, 2)
    assert store.awaited == 0
    assert len(store._nonces) == before + 1


def test_a_repeated_nonce_is_refused() -> None:
    """However often, and by the general path."""
    protector, store = protector_of()
    verify(protector, 2)
    for times in (1, 2):
        with pytest.raises(InvalidNonceError, match="used before"):
            verify(protector, 2)
        assert store.awaited == times


def test_no_nonce_of_a_wrong_signature_is_kept() -> None:
    """Otherwise anyone could use up the nonces of others."""
    protector, store = protector_of()
    scope = {**SCOPES[2][0], "raw_path": b"/other"}
    before = len(store._nonces)
    with pytest.raises(OAuth1Error, match="signature"):
        run_sync(protector.validate_request(request_from_scope(scope, protector.policy)))
    assert len(store._nonces) == before


def test_a_full_store_refuses() -> None:
    """With the same error as ever: nothing is accepted that could be repeated."""
    protector, store = protector_of()
    store._nonces._most = len(store._nonces)
    with pytest.raises(StoreUnavailableError):
        verify(protector, 2)
    store._nonces._most += 1
    verify(protector, 2)


def raises(*_: Any) -> bool:
    """Fail as a driver would."""
    raise ConnectionError


@pytest.mark.parametrize("answer", [lambda *_: None, lambda *_: 0, lambda *_: True, raises])
def test_only_false_is_believed(answer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other answer, or an error, leaves the question to the awaited hook."""
    protector, store = protector_of()
    monkeypatch.setattr(Counting, "answer", answer)
    verify(protector, 2)
    assert store.awaited == 1


def test_a_timestamp_that_leaves_the_window_meanwhile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is read once more after the store has answered, as in the general path."""
    protector, _ = protector_of()

    def answer_late(*args: Any) -> bool:
        found = MemoryStore.exists_nonce_at_once(*args)
        protector.clock.now += 301
        return found

    monkeypatch.setattr(Counting, "answer", answer_late)
    with pytest.raises(TimestampRefusedError):
        verify(protector, 2)


class OwnNonces(MemoryStore):
    """Overrides one of the two functions."""

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        raise TimeoutError


def test_a_store_that_overrides_its_hook_is_asked() -> None:
    """The inherited function does not answer for it."""
    with pytest.raises(StoreUnavailableError):
        protector_of(store_class=OwnNonces)


@pytest.mark.parametrize("name", ["use_nonce", "exists_nonce"])
@pytest.mark.parametrize("where", ["subclass", "instance"])
def test_a_protector_that_overrides_a_step_is_asked(name: str, where: str) -> None:
    """Also if it does so after requests that took the lane."""

    def refuse(*_: Any) -> bool:
        raise InvalidNonceError("refused by an override")

    protector, store = protector_of()
    verify(protector, 2)
    if where == "subclass":
        protector.__class__ = type("Own", (ResourceProtector,), {name: refuse})
    else:
        setattr(protector, name, refuse)
    before = len(store._nonces)
    with pytest.raises(InvalidNonceError, match="override"):
        verify(protector, 3)
    assert len(store._nonces) == before
