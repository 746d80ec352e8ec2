"""Temporary credentials that have ended: who is told, and that they are never exchanged again."""

from __future__ import annotations

import pytest

from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from tests.provider.provider import CALLBACK, Provider, Signer


def ways_to_end(provider: Provider, way: str) -> tuple[Signer, str]:
    """End temporary credentials; returns their signer and the verifier."""
    temporary = provider.temporary()
    if way == "denied":
        provider.decide(temporary.token, None)
        return temporary, "none"
    verifier = provider.decide(temporary.token).verifier or ""
    if way == "exchanged":
        assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200
    else:
        for _ in range(5):
            assert provider.exchange(temporary.wire("POST", oauth_verifier="wrong")).status_code == 401
    return temporary, verifier


WAYS = pytest.mark.parametrize("way", ["exchanged", "denied", "spent by wrong verifiers"])


@WAYS
def test_the_client_is_told(provider: Provider, way: str) -> None:
    """A client that signs with ended credentials gets ``token_rejected``, as often as it asks, and never a token."""
    temporary, verifier = ways_to_end(provider, way)
    tokens = len(run_sync(provider.store.list_token_credentials()))
    for sent in (verifier, "wrong", verifier):
        answer = provider.exchange(temporary.wire("POST", oauth_verifier=sent))
        assert answer.status_code == 401
        assert "error=token_rejected" in answer.body
        assert "Start%20again" in answer.body
    assert len(run_sync(provider.store.list_token_credentials())) == tokens


@WAYS
def test_others_learn_nothing(provider: Provider, way: str) -> None:
    """Without the client's secret, ended and unknown credentials and a wrong signature get the same answer.

    They cost the same look-ups as well.
    """
    temporary, verifier = ways_to_end(provider, way)
    pending = provider.temporary()
    signers = [
        Signer(temporary.client_id, "wrong", temporary.token, temporary.token_secret),
        temporary.with_token(temporary.token or "", "wrong"),
        Signer("other", "other-secret", temporary.token, temporary.token_secret),
        Signer("unknown", "x", temporary.token, temporary.token_secret),
        temporary.with_token("unknown", temporary.token_secret or ""),
        pending.with_token(pending.token or "", "wrong"),
        Signer("other", "other-secret", pending.token, pending.token_secret),
    ]
    answers, calls = set(), set()
    for signer in signers:
        provider.hooks.calls.clear()
        answers.add(str(provider.exchange(signer.wire("POST", oauth_verifier=verifier))))
        calls.add(tuple(provider.hooks.calls))
    assert len(answers) == 1
    assert "token_rejected" not in answers.pop()
    assert calls == {("query_client", "get_temporary_credential", "get_ended_temporary_credential")}


def test_a_success_does_not_ask(provider: Provider) -> None:
    """Only a refused exchange looks for ended credentials, and the first step never does."""
    provider.token()
    provider.initiate(provider.client.wire("POST", oauth_callback=CALLBACK, signature="x"))
    assert "get_ended_temporary_credential" not in provider.hooks.calls


def test_what_is_tolerated_of_a_client_counts(provider: Provider) -> None:
    """A client that deviates as it may is told as well; another one is refused for the deviation."""
    run_sync(provider.store.update_client(provider.client.client_id, tolerances=("other_header_parameters",)))
    temporary, verifier = ways_to_end(provider, "exchanged")
    wire = temporary.wire("POST", oauth_verifier=verifier, more="1")
    assert "error=token_rejected" in provider.exchange(wire).body
    run_sync(provider.store.update_client(provider.client.client_id, tolerances=()))
    wire = temporary.wire("POST", oauth_verifier=verifier, more="1")
    assert "token_rejected" not in provider.exchange(wire).body


@WAYS
def test_without_the_hook(way: str) -> None:
    """The answer is that for an unknown token."""
    provider = Provider(without=("get_ended_temporary_credential",))
    temporary, verifier = ways_to_end(provider, way)
    answer = provider.exchange(temporary.wire("POST", oauth_verifier=verifier))
    assert "error=invalid_signature" in answer.body
    assert answer == provider.exchange(temporary.with_token("unknown", "x").wire("POST", oauth_verifier=verifier))


def test_a_hook_that_tells_of_another_client(provider: Provider) -> None:
    """It makes no difference: the credentials must be this client's."""
    temporary, verifier = ways_to_end(provider, "exchanged")
    foreign = Signer("other", "other-secret", temporary.token, temporary.token_secret)
    answer = provider.exchange(foreign.wire("POST", oauth_verifier=verifier))
    assert "error=invalid_signature" in answer.body


def test_an_exchange_that_comes_second(provider: Provider) -> None:
    """If another one is faster, after the signature was verified, the client is told in the same way."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier

    async def gone(*_: object) -> None:
        return None

    provider.hooks.replaced["exchange"] = gone
    answer = provider.exchange(temporary.wire("POST", oauth_verifier=verifier))
    assert "error=token_rejected" in answer.body


def test_a_server_that_asks_one_hook_at_a_time() -> None:
    """Hooks that are registered one by one are not mixed with those of a store."""
    store = MemoryStore()
    provider = Provider()
    provider.server.register_hook("delete_temporary_credential", store.delete_temporary_credential)
    assert provider.server.hooks.get("get_ended_temporary_credential") is None
