"""The exchange (RFC 5849 section 2.3): wrong verifiers are counted, and an approval gives one token."""

from __future__ import annotations

import pytest

from async_oauth1 import Policy
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Signer
from tests.provider.provider import Provider, fields


def test_five_wrong_verifiers_delete_the_credentials(provider: Provider) -> None:
    """After four wrong verifiers the credentials are valid; after the fifth even the right one is refused."""
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


def test_wrong_verifiers_without_a_valid_signature_are_not_counted(provider: Provider) -> None:
    """Without the client's secret an attacker can neither guess the verifier nor use up the attempts."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    for _ in range(10):
        provider.exchange(temporary.wire("POST", oauth_verifier="wrong", signature="x"))
    assert "count_wrong_verifier" not in provider.hooks.calls
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_number_of_attempts_is_configurable() -> None:
    """With a limit of one, the first wrong verifier deletes the credentials."""
    provider = Provider(Policy(max_wrong_verifiers=1))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.exchange(temporary.wire("POST", oauth_verifier="wrong"))
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 401


@pytest.mark.rfc5849("2.3/verifier-verified")
def test_wrong_verifiers_are_not_counted_without_the_hook() -> None:
    """Without the optional hook the credentials stay valid, and the verifier is too long to be guessed."""
    provider = Provider(without=("count_wrong_verifier",))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    for _ in range(7):
        provider.exchange(temporary.wire("POST", oauth_verifier="wrong"))
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


@pytest.mark.rfc5849("2/used-once", "2.3/verified")
@pytest.mark.parametrize("without", [(), ("exchange",)])
def test_one_exchange_for_one_approval(without: tuple[str, ...]) -> None:
    """A second exchange is refused, with a single transaction and with separate delete and create hooks."""
    provider = Provider(without=without)
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    answers = [provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code for _ in range(3)]
    assert answers == [200, 401, 401]
    assert len(run_sync(provider.store.list_token_credentials())) == 1


@pytest.mark.parametrize("without", [(), ("exchange",)])
def test_credentials_that_are_deleted_during_an_exchange(without: tuple[str, ...]) -> None:
    """Of two exchanges that both found the credentials, only the one that deletes them gets a token."""
    provider = Provider(without=without)
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    found = run_sync(provider.store.get_temporary_credential(temporary.token or ""))
    provider.hooks.replaced["get_temporary_credential"] = lambda token: found
    answers = [provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code for _ in range(3)]
    assert answers == [200, 401, 401]
    assert len(run_sync(provider.store.list_token_credentials())) == 1


def test_temporary_credentials_of_another_client(provider: Provider) -> None:
    """Another client cannot exchange them, even with secret and verifier, and they stay valid for their client."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    thief = Signer("other", "other-secret", temporary.token, temporary.token_secret)
    assert provider.exchange(thief.wire("POST", oauth_verifier=verifier)).status_code == 401
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_temporary_credentials_are_not_token_credentials(provider: Provider) -> None:
    """Temporary credentials are refused at resources, and token credentials at the exchange."""
    temporary = provider.temporary()
    provider.decide(temporary.token)
    assert provider.refusal(temporary.wire()).status_code == 401
    jane = provider.token()
    assert provider.exchange(jane.wire("POST", oauth_verifier="x")).status_code == 401
