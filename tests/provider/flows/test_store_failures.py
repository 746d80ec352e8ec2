"""Flows with a failing store: the answer is 503, and nothing is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from async_oauth1.errors import (
    StoreUnavailableError,
)
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Wire
from tests.provider.provider import CALLBACK, Provider, fields


def _fail(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any) -> Any:
        raise error

    return fail


FAILURES = [StoreUnavailableError(), OSError("down"), TimeoutError(), ConnectionResetError()]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("hook", ["query_client", "exists_nonce", "create_temporary_credential"])
def test_store_fails_at_the_first_step(hook: str, error: Exception) -> None:
    """The answer is 503 with Retry-After, and no credentials are issued."""
    provider = Provider()
    provider.hooks.replaced[hook] = _fail(error)
    response = provider.initiate(provider.client.wire("POST", oauth_callback=CALLBACK))
    assert response.status_code == 503
    assert ("Retry-After", "1") in response.headers
    assert "oauth_token" not in fields(response)
    if hook != "create_temporary_credential":
        assert "create_temporary_credential" not in provider.hooks.calls


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("hook", "without"),
    [
        ("query_client", ()),
        ("get_temporary_credential", ()),
        ("exists_nonce", ()),
        ("exchange", ()),
        ("delete_temporary_credential", ("exchange",)),
    ],
)
def test_store_fails_at_the_exchange(hook: str, without: tuple[str, ...], error: Exception) -> None:
    """The answer is 503 without a token, and the temporary credentials can be exchanged later."""
    provider = Provider(without=without)
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.hooks.replaced[hook] = _fail(error)
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 503
    assert run_sync(provider.store.list_token_credentials()) == []
    provider.hooks.replaced.clear()
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_store_fails_between_delete_and_create() -> None:
    """The temporary credentials stay deleted, because two tokens for one approval would be worse than a new flow."""
    provider = Provider(without=("exchange",))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.hooks.replaced["create_token_credential"] = _fail(OSError("down"))
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 503
    provider.hooks.replaced.clear()
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 401
    assert run_sync(provider.store.list_token_credentials()) == []


@pytest.mark.parametrize("hook", ["get_temporary_credential", "query_client", "create_authorization_verifier"])
def test_store_fails_at_the_authorization(hook: str) -> None:
    """The resource owner gets 503, and nothing is decided."""
    provider = Provider()
    temporary = provider.temporary()
    provider.hooks.replaced[hook] = _fail(OSError("down"))
    with pytest.raises(StoreUnavailableError):
        provider.decide(temporary.token)
    provider.hooks.replaced.clear()
    assert provider.decide(temporary.token).verifier


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("hook", "without"),
    [
        ("query_credentials", ()),
        ("exists_nonce", ()),
        ("query_client", ("query_credentials",)),
        ("query_token", ("query_credentials",)),
    ],
)
def test_store_fails_at_a_resource(hook: str, without: tuple[str, ...], error: Exception) -> None:
    """The request is refused: a nonce is new only if the store says so."""
    provider = Provider(without=without)
    jane = provider.token()
    provider.hooks.replaced[hook] = _fail(error)
    assert isinstance(provider.refusal(jane.wire()), StoreUnavailableError)


def test_bug_in_a_hook_is_not_hidden() -> None:
    """Other exceptions are raised to the framework."""
    provider = Provider()
    provider.hooks.replaced["query_client"] = _fail(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        provider.initiate(Wire("POST").changed(headers=provider.client.wire("POST", oauth_callback=CALLBACK).headers))
