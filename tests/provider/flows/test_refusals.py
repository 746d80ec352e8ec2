"""Refused requests change nothing, and their answers do not show which clients and tokens exist."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from async_oauth1 import Client, Policy
from async_oauth1.errors import (
    InvalidClientError,
    InvalidNonceError,
    InvalidSignatureError,
    InvalidTokenError,
    UnsupportedSignatureMethodError,
)
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.provider.responses import resource_error_response
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import NOW, Signer, Wire
from tests.provider.provider import CALLBACK, Provider

BOTH = Policy(signature_methods=("HMAC-SHA1", "HMAC-SHA256"))


@pytest.fixture
def ready() -> tuple[Provider, Signer, Signer, str]:
    """A provider, token credentials, and approved temporary credentials with their verifier."""
    provider = Provider(BOTH)
    jane, temporary = provider.token(), provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.hooks.calls.clear()
    return provider, jane, temporary, verifier


BAD: dict[str, dict[str, Any]] = {
    "wrong signature": {"signature": "x"},
    "no signature": {"signature": ""},
    "signature beyond ASCII": {"signature": "é"},
    "unknown client": {"oauth_consumer_key": "unknown"},
    "no client": {"oauth_consumer_key": None},
    "other client": {"oauth_consumer_key": "other"},
    "late": {"oauth_timestamp": str(NOW - 301)},
    "early": {"oauth_timestamp": str(NOW + 301)},
    "no timestamp": {"oauth_timestamp": None},
    "no nonce": {"oauth_nonce": None},
    "long nonce": {"oauth_nonce": "x" * 256},
    "control character": {"oauth_nonce": "\x00"},
    "wrong version": {"oauth_version": "2.0"},
    "unknown method": {"oauth_signature_method": "HMAC-MD5"},
    "method not enabled": {"oauth_signature_method": "PLAINTEXT"},
    "plain http": {"scheme": "http"},
    "body hash on a form": {"oauth_body_hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "form": []},
    "wrong body hash": {"oauth_body_hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "body": b"x"},
    "malformed body hash": {"oauth_body_hash": "x"},
}


@pytest.mark.rfc5849("2.1/verified")
@pytest.mark.parametrize("bad", BAD)
def test_refused_requests_change_nothing(ready: tuple[Provider, Signer, Signer, str], bad: str) -> None:
    """No nonce is used, no credentials are stored, deleted or counted, and valid requests are accepted afterwards."""
    provider, jane, temporary, verifier = ready
    refused = provider.initiate(provider.client.wire("POST", **{"oauth_callback": CALLBACK, **BAD[bad]}))
    assert 400 <= refused.status_code < 500
    refused = provider.exchange(temporary.wire("POST", **{"oauth_verifier": verifier, **BAD[bad]}))
    assert 400 <= refused.status_code < 500
    assert 400 <= provider.refusal(jane.wire("POST", **BAD[bad])).status_code < 500
    assert provider.hooks.changes == []

    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200
    assert provider.protect(jane.wire())


@pytest.mark.parametrize(
    "bad", ["late", "no timestamp", "no nonce", "long nonce", "wrong version", "unknown method", "plain http"]
)
def test_checks_without_look_ups_come_first(ready: tuple[Provider, Signer, Signer, str], bad: str) -> None:
    """A malformed, late or insecure request is refused without calling the store."""
    provider, jane, temporary, verifier = ready
    provider.refusal(jane.wire(**BAD[bad]))
    provider.exchange(temporary.wire("POST", **{"oauth_verifier": verifier, **BAD[bad]}))
    assert provider.hooks.calls == []


def test_unsigned_request_for_a_token_deletes_nothing(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """The temporary token is in URLs that a browser opens, so the token alone must not be enough to use it up."""
    provider, _, temporary, verifier = ready
    for query in (f"oauth_token={temporary.token}", f"oauth_token={temporary.token}&oauth_verifier={verifier}"):
        assert provider.exchange(Wire("POST", raw_query=query.encode())).status_code == 400
    assert provider.hooks.calls == []
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200


def test_forged_requests_do_not_use_a_nonce(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """A forged request with a client's nonce does not make the client's request a replay."""
    provider, jane, _, _ = ready
    provider.refusal(jane.wire(oauth_nonce="victim", signature="forged"))
    assert provider.protect(jane.wire(oauth_nonce="victim"))


def test_order_of_the_hooks_for_an_accepted_request(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """The nonce is stored after all checks, and before credentials are created or deleted."""
    provider, jane, temporary, verifier = ready
    provider.protect(jane.wire())
    assert provider.hooks.calls == ["query_credentials", "exists_nonce"]
    provider.hooks.calls.clear()
    provider.exchange(temporary.wire("POST", oauth_verifier=verifier))
    assert provider.hooks.calls == ["query_client", "get_temporary_credential", "exists_nonce", "exchange"]
    provider.hooks.calls.clear()
    provider.initiate(provider.client.wire("POST", oauth_callback=CALLBACK))
    assert provider.hooks.calls == ["query_client", "exists_nonce", "create_temporary_credential"]


# Uniform errors ------------------------------------------------------------------------------------------------------


def _unlike(provider: Provider, jane: Signer) -> dict[str, Wire]:
    provider.add(Client(client_id="narrow", client_secret="n", signature_methods=("HMAC-SHA256",)))
    revoked = provider.token()
    run_sync(provider.store.revoke_token_credential(revoked.token or ""))
    return {
        "unknown client": Signer("unknown", "x", jane.token, "x").wire(),
        "unknown token": jane.with_token("unknown", jane.token_secret).wire(),
        "foreign token": Signer("other", "other-secret", jane.token, jane.token_secret).wire(),
        "revoked token": revoked.wire(),
        "method not enabled": Signer("narrow", "n").wire(),
        "wrong signature": jane.wire(signature="x"),
        "wrong secret": Signer(jane.client_id, "x", jane.token, jane.token_secret).wire(),
    }


def test_uniform_errors(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """Unknown clients, unknown, foreign or revoked tokens and wrong signatures get identical answers."""
    provider, jane, _, _ = ready
    answers = {
        case: resource_error_response(provider.refusal(wire, two_legged=True), realm="")
        for case, wire in _unlike(provider, jane).items()
    }
    assert len({str(answer) for answer in answers.values()}) == 1, answers
    assert answers["unknown client"].status_code == 401
    assert ("WWW-Authenticate", 'OAuth realm=""') in answers["unknown client"].headers


def test_uniform_errors_at_the_endpoints(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """Unknown, foreign and wrongly signed temporary credentials get identical answers."""
    provider, _, temporary, verifier = ready
    other = Signer("other", "other-secret", temporary.token, temporary.token_secret)
    wires = [
        Signer("unknown", "x", temporary.token, "x").wire("POST", oauth_verifier=verifier),
        temporary.with_token("unknown", "x").wire("POST", oauth_verifier=verifier),
        other.wire("POST", oauth_verifier=verifier),
        temporary.wire("POST", oauth_verifier=verifier, signature="x"),
        temporary.wire("POST", oauth_verifier="wrong", signature="x"),
    ]
    answers = [provider.exchange(wire) for wire in wires]
    assert len({str(answer) for answer in answers}) == 1
    assert answers[0].status_code == 401
    assert provider.hooks.changes == []
    assert provider.initiate(Signer("unknown", "x").wire("POST", oauth_callback=CALLBACK)) == provider.initiate(
        provider.client.wire("POST", oauth_callback=CALLBACK, signature="x")
    )


def test_uniform_work(ready: tuple[Provider, Signer, Signer, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of an unknown client causes the same look-ups and one signature, like that of a known one."""
    provider, jane, _, _ = ready
    counted = []
    from async_oauth1.signature import HmacSignatureMethod

    original = HmacSignatureMethod.verify
    monkeypatch.setattr(HmacSignatureMethod, "verify", lambda *args: counted.append(1) or original(*args))
    for case, wire in _unlike(provider, jane).items():
        counted.clear()
        provider.hooks.calls.clear()
        provider.refusal(wire, two_legged=True)
        assert len(counted) == 1, case
        assert provider.hooks.calls == ["query_client" if case == "method not enabled" else "query_credentials"], case


@pytest.mark.rfc5849("3.2/401")
def test_specific_errors_without_uniform_errors() -> None:
    """With ``uniform_errors=False`` each reason has Authlib's error."""
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "HMAC-SHA256"), uniform_errors=False))
    jane = provider.token()
    errors = {case: type(provider.refusal(wire, two_legged=True)) for case, wire in _unlike(provider, jane).items()}
    assert errors == {
        "unknown client": InvalidClientError,
        "unknown token": InvalidTokenError,
        "foreign token": InvalidTokenError,
        "revoked token": InvalidTokenError,
        "method not enabled": UnsupportedSignatureMethodError,
        "wrong signature": InvalidSignatureError,
        "wrong secret": InvalidSignatureError,
    }


# Replay --------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc5849("3.2/nonce")
def test_replay(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """The same request is refused, with any escaping of the nonce; other clients and tokens may use the nonce."""
    provider, jane, _, _ = ready
    wire = jane.wire(oauth_nonce="abcA")
    assert provider.protect(wire)
    assert isinstance(provider.refusal(wire), InvalidNonceError)
    for escaped in (b"abc%41", b"%61bcA", b"abc%2541"):
        header = dict(wire.headers)[b"authorization"].replace(b"abcA", escaped)
        again = wire.changed(headers=((b"authorization", header),))
        assert provider.refusal(again).status_code == 401
    assert provider.protect(provider.token().wire(oauth_nonce="abcA"))
    assert provider.protect(jane.wire(oauth_nonce="abcA", oauth_timestamp=str(NOW + 1)))


def test_replay_of_a_future_timestamp(ready: tuple[Provider, Signer, Signer, str]) -> None:
    """A nonce with a timestamp in the future is stored until the timestamp is refused."""
    provider, jane, _, _ = ready
    wire = jane.wire(oauth_timestamp=str(NOW + 300))
    assert provider.protect(wire)
    for seconds in (1, 300, 599, 600):
        provider.clock.now = NOW + seconds
        assert isinstance(provider.refusal(wire), InvalidNonceError)
    provider.clock.now = NOW + 601
    assert provider.refusal(wire).error == "timestamp_refused"


def test_client_that_repeats_nonces(caplog: pytest.LogCaptureFixture) -> None:
    """With ``log-only`` a client's repeated nonce is logged and accepted; for other clients it is refused."""
    provider = Provider()
    provider.add(Client(client_id="loose", client_secret="l", nonce_policy="log-only"))
    loose = Signer("loose", "l")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert provider.protect(loose.wire(oauth_nonce="same"), two_legged=True)
    assert "repeated the nonce 'same'" in caplog.text
    strict = provider.client.wire(oauth_nonce="same")
    assert provider.protect(strict, two_legged=True)
    assert isinstance(provider.refusal(strict, two_legged=True), InvalidNonceError)


# Logs ----------------------------------------------------------------------------------------------------------------


def test_no_secret_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, the whole dance and every refusal log no secret, no verifier, no signature and no form value.

    The base string has the query, as access logs do, but no value of a parameter that is named like a secret.
    """
    caplog.set_level(logging.DEBUG)
    provider = Provider(Policy(signature_methods=("HMAC-SHA1", "PLAINTEXT", "RSA-SHA1")))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    plaintext = Signer(provider.client.client_id, "hidden-guess", temporary.token, "hidden-token", "PLAINTEXT")
    provider.exchange(plaintext.wire("POST", oauth_verifier=verifier))
    provider.exchange(temporary.wire("POST", oauth_verifier="hidden-verifier"))
    provider.exchange(temporary.wire("POST", oauth_verifier=verifier, signature="hidden-signature"))
    jane = provider.token()
    provider.refusal(jane.wire("POST", form=[(b"password", b"hidden-form")], signature="x"))
    provider.refusal(jane.wire(query=[(b"access_token", b"hidden-query")], signature="x"))
    provider.add(Client(client_id="rsa", rsa_public_key=StoredKey("hidden-key")))
    provider.refusal(Signer("rsa", signature_method="RSA-SHA1").wire(signature="AAAA"), two_legged=True)
    provider.exchange(temporary.wire("POST", oauth_verifier=verifier))

    assert "Refused" in caplog.text
    secrets = ["hidden", provider.client.client_secret, temporary.token_secret, jane.token_secret, verifier]
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_requests_cannot_forge_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    """A refused request writes one line, with any path and any client identifier."""
    caplog.set_level(logging.DEBUG)
    provider = Provider()
    wire = provider.client.wire(path=b"/a\nERROR forged\x1b[0m", signature="x")
    assert isinstance(provider.refusal(wire, two_legged=True), InvalidSignatureError)
    assert all(record.getMessage().isprintable() for record in caplog.records)
    assert caplog.records
