"""Flows with plain, asynchronous and faulty hooks, models and signature methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from async_oauth1 import OAuth1Request, Policy
from async_oauth1.errors import (
    AlreadyDecidedError,
    InvalidSignatureError,
    UnsupportedSignatureMethodError,
)
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Signer
from tests.provider.hooks.test_hooks import SHAPES
from tests.provider.provider import Provider

# Awaitables ----------------------------------------------------------------------------------------------------------


class _Model:
    """A model around a record of the store, whose methods return awaitables of the given kind."""

    def __init__(self, record: Any, shape: Callable[[Any], Any], **answers: Any) -> None:
        self._record, self._shape, self._answers = record, shape, answers

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._record, name)
        if not callable(method):
            return method
        return lambda *args: self._shape(self._answers[name] if name in self._answers else method(*args))


def _shaped(provider: Provider, shape: Callable[[Any], Any]) -> None:
    """Wrap the result of every look-up in an awaitable, and in a model with awaitable methods."""

    def look_up(name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            record = run_sync(getattr(provider.store, name)(*args))
            return shape(record if record is None else _Model(record, shape))

        return call

    for name in ("query_client", "query_token", "get_temporary_credential"):
        provider.hooks.replaced[name] = look_up(name)
    for name in ("exists_nonce", "create_temporary_credential", "create_authorization_verifier",
                 "delete_temporary_credential", "create_token_credential"):  # fmt: skip
        provider.hooks.replaced[name] = lambda *args, name=name: shape(run_sync(getattr(provider.store, name)(*args)))


@pytest.mark.parametrize("shape", SHAPES)
def test_whole_flow_with_awaitable_hooks_and_models(shape: str) -> None:
    """Hooks and methods of models may return coroutines, awaitable objects, or awaitables of awaitables."""
    provider = Provider(without=("query_credentials", "exchange"))
    _shaped(provider, SHAPES[shape])
    jane = provider.token()
    assert provider.protect(jane.wire())
    wire = jane.wire()
    assert provider.protect(wire)
    assert provider.refusal(wire).error == "invalid_nonce"


@pytest.mark.parametrize("shape", SHAPES)
def test_awaitable_false_is_false(shape: str) -> None:
    """The result of an async hook or method is always awaited, so its False is not read as true."""
    wrapped = SHAPES[shape]
    provider = Provider(without=("exchange",))
    temporary = provider.temporary()

    provider.hooks.replaced["create_authorization_verifier"] = lambda *args: wrapped(False)
    with pytest.raises(AlreadyDecidedError):
        provider.decide(temporary.token)
    del provider.hooks.replaced["create_authorization_verifier"]
    verifier = provider.decide(temporary.token).verifier

    provider.hooks.replaced["get_temporary_credential"] = lambda token: _Model(
        run_sync(provider.store.get_temporary_credential(token)), wrapped, check_verifier=False
    )
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 401
    del provider.hooks.replaced["get_temporary_credential"]

    for gone in (False, 0):
        provider.hooks.replaced["delete_temporary_credential"] = lambda *args, gone=gone: wrapped(gone)
        assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 401
    assert run_sync(provider.store.list_token_credentials()) == []


@pytest.mark.parametrize("verdict", [1, "yes", b"x", [0], object()])
def test_check_verifier_must_return_true(verdict: object) -> None:
    """A model that returns another true value, such as the verifier, has not compared anything."""
    provider = Provider()
    temporary = provider.temporary()
    provider.decide(temporary.token)
    provider.hooks.replaced["get_temporary_credential"] = lambda token: _Model(
        run_sync(provider.store.get_temporary_credential(token)), lambda value: value, check_verifier=verdict
    )
    assert provider.exchange(temporary.wire("POST", oauth_verifier="x")).status_code == 401


# Custom signature methods --------------------------------------------------------------------------------------------


async def _async_verdict(verdict: object) -> object:
    return verdict


@pytest.mark.parametrize("verdict", [b"computed", "computed", 1, None, [True], object(), False, lambda: True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_custom_method_must_return_true(verdict: object, asynchronous: bool) -> None:
    """A verifier that returns the computed signature instead of comparing it does not accept the request."""
    provider = Provider(Policy(signature_methods=("CUSTOM",)))
    provider.protector.register_signature_method(
        "CUSTOM", lambda request: _async_verdict(verdict) if asynchronous else verdict  # type: ignore[arg-type,return-value]
    )  # fmt: skip
    wire = Signer(signature_method="CUSTOM").wire()
    assert isinstance(provider.refusal(wire, two_legged=True), InvalidSignatureError)
    assert "exists_nonce" not in provider.hooks.calls


@pytest.mark.parametrize("asynchronous", [False, True])
def test_custom_method(asynchronous: bool) -> None:
    """True accepts, plain or awaited, and the verifier gets the request with its client and credential."""
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "CUSTOM")))
    provider.server.register_signature_method("CUSTOM", lambda request: False)
    jane = provider.token()
    seen: list[OAuth1Request] = []

    def verify(request: OAuth1Request) -> Any:
        seen.append(request)
        return _async_verdict(True) if asynchronous else True

    provider.protector.register_signature_method("CUSTOM", verify)
    wire = Signer(jane.client_id, "", jane.token, "", "CUSTOM").wire()
    assert provider.protect(wire)
    assert seen[0].client.name == "Printer"
    assert seen[0].credential.user_id == "jane"


def test_custom_method_belongs_to_one_server() -> None:
    """It is unknown to other servers, and must be enabled in the policy, too."""
    policy = Policy(signature_methods=("HMAC-SHA1", "CUSTOM"))
    provider = Provider(policy)
    provider.protector.register_signature_method("CUSTOM", lambda request: True)
    with pytest.raises(ValueError, match="CUSTOM"):
        provider.server.require_hooks()
    narrow = Provider()
    narrow.protector.register_signature_method("CUSTOM", lambda request: True)
    wire = Signer(signature_method="CUSTOM").wire()
    assert isinstance(narrow.refusal(wire, two_legged=True), UnsupportedSignatureMethodError)


def test_custom_method_is_not_called_for_unknown_clients() -> None:
    """A custom verifier is not called for unknown clients and tokens."""
    provider = Provider(Policy(signature_methods=("CUSTOM",)))
    provider.protector.register_signature_method("CUSTOM", lambda request: True)
    for signer in (Signer("unknown", "", None, "", "CUSTOM"), Signer(token="unknown", signature_method="CUSTOM")):
        assert provider.refusal(signer.wire(), two_legged=True).status_code == 401
