"""An override on the instance is noticed whenever it is set, and whatever has become of it since."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest

from async_oauth1 import OAuth1Error, Policy, ResourceProtector
from async_oauth1.errors import InvalidNonceError, UnsupportedSignatureMethodError
from tests.native.test_lane import lane_verdicts, protector_with, store_of, verify
from tests.provider.provider import Clock

__all__ = ["lane_verdicts"]


class Early(ResourceProtector[Any, Any]):
    """Sets an override before its base class is initialised."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.insecure = 0
        self.is_secure: Any = self._count
        super().__init__(*args, **kwargs)

    def _count(self, _: object) -> bool:
        self.insecure += 1
        return True


def test_an_override_that_is_set_first_is_noticed(lane_verdicts: Counter[bool]) -> None:
    """Every request asks it, and none takes the lane."""
    protector = protector_with(Early)
    verify(protector)
    assert protector.insecure == 2
    assert not lane_verdicts


def test_a_removed_override_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is removed, requests are accepted as before."""
    protector = protector_with()
    with monkeypatch.context() as patch:
        patch.setattr(protector, "is_secure", lambda _: False)
        with pytest.raises(OAuth1Error, match="https"):
            verify(protector, 2)
    verify(protector, 2)


def test_a_copy_keeps_the_override() -> None:
    """A copied protector refuses what the first one refuses."""

    def refuse(*_: Any) -> bool:
        raise InvalidNonceError("refused by an override")

    protector = protector_with()
    protector.use_nonce = refuse
    with pytest.raises(InvalidNonceError, match="override"):
        verify(copy.copy(protector))


def test_observer_and_limiter_of_a_class_count() -> None:
    """A subclass may have them as attributes of the class, as a retirement."""
    observer, limiter, retirement = object(), object(), object()
    attributes = {"decision_observer": observer, "limiter": limiter, "retirement": retirement}
    protector: Any = type("Own", (ResourceProtector,), attributes)()
    assert (protector.decision_observer, protector.limiter, protector.retirement) == (observer, limiter, retirement)
    assert ResourceProtector[Any, Any]().limiter is None


class Replacing(dict[str, Any]):
    """Clients of which one is replaced while its token is looked up."""

    between: Any = staticmethod(lambda: None)

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        self.between()
        return found


def test_client_and_token_are_of_one_moment() -> None:
    """If a client is removed between its look-up and that of its token, neither is found."""
    store = store_of(Clock())
    clients = store._clients = Replacing(store._clients)
    assert None not in store.peek("usual", "token-of-usual")

    def remove() -> None:
        del clients.between
        del clients["usual"]
        del store._tokens["token-of-usual"]

    clients.between = remove
    assert store.peek("usual", "token-of-usual") == (None, None)


def test_a_client_that_is_changed_meanwhile_is_read_again() -> None:
    """The changed client is returned, together with the token."""
    store = store_of(Clock())
    clients = store._clients = Replacing(store._clients)

    def change() -> None:
        del clients.between
        clients["usual"] = store_of(Clock())._clients["usual"]

    clients.between = change
    client, token = store.peek("usual", "token-of-usual")
    assert client is clients["usual"]
    assert token is not None


class PolicyReplacer:
    """A limiter that replaces the policy while a request waits for it."""

    def __init__(self, protector: Any) -> None:
        self.protector = protector

    async def count_arrival(self, *_: object) -> None:
        self.protector.policy = Policy(signature_methods=("PLAINTEXT",))

    async def count_client(self, *_: object) -> None:
        """Nothing is counted."""


@pytest.mark.parametrize("waits_for", ["a limit", "a look-up"])
def test_a_policy_that_is_replaced_meanwhile_counts(waits_for: str) -> None:
    """What the new policy does not allow is refused, although the old one allowed it when the request arrived."""
    protector = protector_with()
    replacer = PolicyReplacer(protector)
    if waits_for == "a limit":
        protector.limiter = replacer
    else:
        store = protector.hooks.get("query_credentials").__self__

        async def query_credentials(client_id: str, token: str) -> Any:
            await replacer.count_arrival()
            return await store.query_credentials(client_id, token)

        protector.register_hook("query_credentials", query_credentials)
    with pytest.raises(UnsupportedSignatureMethodError):
        verify(protector)
