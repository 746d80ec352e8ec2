"""The exchange (RFC 5849 section 2.3): verifiers are counted, and one approval gives one token."""

from __future__ import annotations

import pytest

from async_oauth1 import Policy
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Signer

from .provider import Provider, fields


def test_wrong_verifiers_are_counted_and_consume(provider: Provider) -> None:
    """Four guesses leave the credentials alive; the fifth takes them, and then the right one is too late."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    for guess in range(4):
        response = provider.exchange(temporary.wire("POST", oauth_verifier=f"guess{guess}"))
        assert (response.status_code, fields(response)["error"]) == (401, "invalid_verifier")
    assert run_sync(provider.store.get_temporary_credential(temporary.token or ""))
    assert provider.exchange(temporary.wire("POST", oauth_verifier="guess4")).status_code == 401
    assert run_sync(provider.store.get_temporary_credential(temporary.token or "")) is None
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 401


def test_right_verifier_after_four_wrong_ones(provider: Provider) -> None:
    """A user who mistypes a code four times can still enter the right one."""
    temporary = provider.temporary(callback="oob")
    verifier = provider.decide(temporary.token).verifier
    for _ in range(4):
        provider.exchange(temporary.wire("POST", oauth_verifier="wrong"))
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_guesses_without_a_valid_signature_count_for_nothing(provider: Provider) -> None:
    """Without the client's secret, an attacker can neither guess the verifier nor use the credentials up."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    for _ in range(10):
        provider.exchange(temporary.wire("POST", oauth_verifier="wrong", signature="x"))
    assert "count_wrong_verifier" not in provider.hooks.calls
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_number_of_tries_is_a_policy() -> None:
    """One wrong verifier may be enough."""
    provider = Provider(Policy(max_wrong_verifiers=1))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.exchange(temporary.wire("POST", oauth_verifier="wrong"))
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 401


def test_wrong_verifiers_are_not_counted_where_nobody_can() -> None:
    """Without the optional hook the credentials stay, and the verifier is long enough to make guessing hopeless."""
    provider = Provider(without=("count_wrong_verifier",))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    for _ in range(7):
        provider.exchange(temporary.wire("POST", oauth_verifier="wrong"))
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


@pytest.mark.parametrize("without", [(), ("exchange",)])
def test_one_exchange_for_one_approval(without: tuple[str, ...]) -> None:
    """The second exchange is refused, whether the store has one transaction or a take and a create."""
    provider = Provider(without=without)
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    answers = [provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code for _ in range(3)]
    assert answers == [200, 401, 401]
    assert len(run_sync(provider.store.list_token_credentials())) == 1


@pytest.mark.parametrize("without", [(), ("exchange",)])
def test_credentials_that_go_between_look_and_take(without: tuple[str, ...]) -> None:
    """Of two exchanges that both found the credentials, the one that takes nothing gets nothing."""
    provider = Provider(without=without)
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    found = run_sync(provider.store.get_temporary_credential(temporary.token or ""))
    provider.hooks.replaced["get_temporary_credential"] = lambda token: found
    answers = [provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code for _ in range(3)]
    assert answers == [200, 401, 401]
    assert len(run_sync(provider.store.list_token_credentials())) == 1


def test_temporary_credentials_of_another_client(provider: Provider) -> None:
    """Token, secret and verifier in another client's hands are worth nothing, and stay good for the right one."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    thief = Signer("other", "other-secret", temporary.token, temporary.token_secret)
    assert provider.exchange(thief.wire("POST", oauth_verifier=verifier)).status_code == 401
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_temporary_credentials_open_no_resource(provider: Provider) -> None:
    """They are not token credentials, nor the other way round."""
    temporary = provider.temporary()
    provider.decide(temporary.token)
    assert provider.refusal(temporary.wire()).status_code == 401
    jane = provider.token()
    assert provider.exchange(jane.wire("POST", oauth_verifier="x")).status_code == 401
