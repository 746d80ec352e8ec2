"""Rules for protected requests: two-legged access, PLAINTEXT, body hashes and scopes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1 import Client, Policy
from async_oauth1.errors import (
    InsecureTransportError,
    InsufficientScopeError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    MissingRequiredParameterError,
    UnsupportedSignatureMethodError,
)
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Signer
from tests.provider.provider import Provider

PLAINTEXT = Policy(signature_methods=("HMAC-SHA1", "PLAINTEXT"))


# Two-legged ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, ""])
def test_two_legged(provider: Provider, token: str | None) -> None:
    """The client acts for itself; an empty oauth_token counts as absent, but is signed."""
    request = provider.protect(provider.client.wire(oauth_token=token), two_legged=True)
    assert request.client.name == "Printer"
    assert request.credential is None
    assert request.token is None
    assert ("oauth_token%3D" in request.signature_base_string) == (token is not None)


@pytest.mark.rfc5849("3.2/token")
@pytest.mark.parametrize("token", [None, ""])
def test_three_legged_routes_require_a_token(provider: Provider, token: str | None) -> None:
    """If the token is missing, the error names it, and the store is not called."""
    error = provider.refusal(provider.client.wire(oauth_token=token))
    assert isinstance(error, MissingRequiredParameterError)
    assert "oauth_token" in error.description
    assert provider.hooks.calls == []


def test_two_legged_with_a_token(provider: Provider) -> None:
    """If a token is sent on a two-legged route, it must belong to the client."""
    jane = provider.token()
    assert provider.protect(jane.wire(), two_legged=True).credential.user_id == "jane"
    assert provider.refusal(provider.client.with_token("unknown", "").wire(), two_legged=True).status_code == 401
    foreign = Signer("other", "other-secret", jane.token, jane.token_secret)
    assert provider.refusal(foreign.wire(), two_legged=True).status_code == 401


def test_hook_that_returns_another_clients_token(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """If query_token ignores the client, the request is refused, and the problem is logged."""
    jane = provider.token()
    credential = run_sync(provider.store.query_token(jane.client_id, jane.token or ""))
    client = run_sync(provider.store.query_client("other"))
    provider.hooks.replaced["query_credentials"] = lambda client_id, token: (client, credential)
    foreign = Signer("other", "other-secret", jane.token, jane.token_secret)
    assert isinstance(provider.refusal(foreign.wire()), InvalidSignatureError)
    assert "another client" in caplog.text


# PLAINTEXT -----------------------------------------------------------------------------------------------------------


def test_plaintext_over_https() -> None:
    """It is accepted if enabled, with or without timestamp and nonce; with them a replay is refused."""
    provider = Provider(PLAINTEXT)
    client = replace(provider.client, signature_method="PLAINTEXT")
    bare = client.wire(oauth_timestamp=None, oauth_nonce=None)
    for _ in range(2):
        assert provider.protect(bare, two_legged=True)
    assert "exists_nonce" not in provider.hooks.calls
    dated = client.wire()
    assert provider.protect(dated, two_legged=True)
    assert isinstance(provider.refusal(dated, two_legged=True), InvalidNonceError)


def test_plaintext_is_off_by_default(provider: Provider) -> None:
    """PLAINTEXT is not in the default list of the policy."""
    client = replace(provider.client, signature_method="PLAINTEXT")
    assert isinstance(provider.refusal(client.wire(), two_legged=True), UnsupportedSignatureMethodError)


@pytest.mark.rfc5849("3.4.4/secure-channel")
def test_plaintext_needs_a_secure_channel() -> None:
    """It is refused over plain http, even if the policy allows http for other methods."""
    provider = Provider(PLAINTEXT)
    client = replace(provider.client, signature_method="PLAINTEXT")
    assert isinstance(provider.refusal(client.wire(scheme="http"), two_legged=True), InsecureTransportError)
    loose = Provider(replace(PLAINTEXT, require_https=False))
    assert isinstance(loose.refusal(client.wire(scheme="http"), two_legged=True), UnsupportedSignatureMethodError)
    assert loose.protect(loose.client.wire(scheme="http"), two_legged=True)
    local = client.wire(scheme="http", host="localhost:8000", peer="127.0.0.1")
    assert provider.protect(local, two_legged=True)


def test_plaintext_per_client() -> None:
    """A client with only a stronger method enabled cannot use PLAINTEXT, not even with an empty secret."""
    provider = Provider(PLAINTEXT)
    provider.add(Client(client_id="strong", client_secret="s", signature_methods=("HMAC-SHA1",)))
    provider.add(Client(client_id="none"))
    for client in (
        Signer("strong", "s", signature_method="PLAINTEXT"),
        Signer("none", "", signature_method="PLAINTEXT"),
    ):
        assert isinstance(provider.refusal(client.wire(), two_legged=True), InvalidSignatureError)
    assert provider.protect(Signer("strong", "s").wire(), two_legged=True)
    assert isinstance(provider.refusal(Signer("none", "").wire(), two_legged=True), InvalidSignatureError)


# oauth_body_hash -----------------------------------------------------------------------------------------------------


def _hash(body: bytes, algorithm: str = "sha1") -> str:
    return base64.b64encode(hashlib.new(algorithm, body).digest()).decode()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_body_hash(provider: Provider, algorithm: str) -> None:
    """A JSON body with its hash is accepted; another body is refused, and the nonce stays unused."""
    body = b'{"amount": 1}'
    wire = provider.client.wire("POST", body=body, oauth_body_hash=_hash(body, algorithm))
    error = provider.refusal(wire.changed(body=b'{"amount": 9}'), two_legged=True)
    assert isinstance(error, InvalidSignatureError)
    assert isinstance(provider.refusal(wire.changed(body=b""), two_legged=True), InvalidSignatureError)
    assert "exists_nonce" not in provider.hooks.calls
    assert provider.protect(wire, two_legged=True)


@pytest.mark.parametrize("body", [None, b""])
def test_body_hash_of_an_empty_body(provider: Provider, body: bytes | None) -> None:
    """Some clients send the hash of the empty body with GET."""
    assert provider.protect(provider.client.wire(body=body, oauth_body_hash=_hash(b"")), two_legged=True)


def test_body_is_read_after_the_signature_was_verified(provider: Provider) -> None:
    """A body is read only if it has a hash, and only after the signature was verified."""
    read: list[int] = []

    async def read_body() -> bytes:
        read.append(1)
        return b"late"

    for signature, expected in (("x", 0), (None, 1)):
        request = provider.client.wire("POST", oauth_body_hash=_hash(b"late"), signature=signature).read()
        request.read_body = read_body
        if signature:
            provider.refusal(request, two_legged=True)
        else:
            assert provider.protect(request, two_legged=True).body == b"late"
        assert len(read) == expected


def test_body_is_not_read_without_a_hash(provider: Provider) -> None:
    """An upload without a hash is left to the framework."""
    request = provider.client.wire("POST").read()
    request.read_body = lambda: b"".join(iter(lambda: pytest.fail("the body was read"), b""))
    assert provider.protect(request, two_legged=True).body is None


def test_body_hash_on_a_form(provider: Provider) -> None:
    """The parameters of a form are signed already, so a hash is refused."""
    wire = provider.client.wire("POST", form=[(b"a", b"b")], oauth_body_hash=_hash(b"a=b"))
    assert isinstance(provider.refusal(wire, two_legged=True), InvalidRequestError)


def test_body_hash_required(provider: Provider) -> None:
    """A route may require a hash; forms need none."""
    options: dict[str, Any] = {"two_legged": True, "body_hash_required": True}
    missing = provider.refusal(provider.client.wire("POST", body=b"{}"), **options)
    assert isinstance(missing, MissingRequiredParameterError)
    assert "exists_nonce" not in provider.hooks.calls
    assert provider.protect(provider.client.wire("POST", body=b"{}", oauth_body_hash=_hash(b"{}")), **options)
    assert provider.protect(provider.client.wire("POST", form=[(b"a", b"b")]), **options)


def test_body_hash_at_the_endpoints(provider: Provider) -> None:
    """Clients that always send it send it at the first step, too."""
    good = provider.client.wire("POST", oauth_callback="oob", oauth_body_hash=_hash(b""))
    assert provider.initiate(good).status_code == 200
    bad = provider.client.wire("POST", oauth_callback="oob", oauth_body_hash=_hash(b"x"))
    assert provider.initiate(bad).status_code == 401


# Scopes --------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc5849("3.2/token")
@pytest.mark.parametrize(
    ("granted", "wanted", "enough"),
    [
        ("photos.read", "photos.read", True),
        ("photos.read photos.write", "photos.write", True),
        ("photos.read photos.write", "photos.write photos.read", True),
        ("photos.read", "photos.read photos.write", False),
        ("photos.read", "photos", False),
        ("photos", "photos.read", False),
        ("", "photos.read", False),
        (None, "photos.read", False),
        (["photos.read"], "photos.read", True),
        ((), "photos.read", False),
        ("", None, True),
        ("", "", True),
    ],
)
def test_scope(provider: Provider, granted: Any, wanted: str | None, enough: bool) -> None:
    """The credential must have every scope that the route requires, with the exact name; otherwise 403."""
    jane = provider.token()

    class Credential:
        def get_oauth_token_secret(self) -> str:
            return jane.token_secret

        async def get_scope(self) -> Any:
            return granted

    client = run_sync(provider.store.query_client(jane.client_id))
    provider.hooks.replaced["query_credentials"] = lambda *args: (client, Credential())
    if enough:
        assert provider.protect(jane.wire(), scope=wanted)
    else:
        error = provider.refusal(jane.wire(), scope=wanted)
        assert isinstance(error, InsufficientScopeError)
        assert error.status_code == 403


def test_credential_without_get_scope(provider: Provider) -> None:
    """Without the method get_scope, or without a credential, scopes are not checked."""
    jane = provider.token()

    class Credential:
        def get_oauth_token_secret(self) -> str:
            return jane.token_secret

    client = run_sync(provider.store.query_client(jane.client_id))
    provider.hooks.replaced["query_credentials"] = lambda *args: (client, Credential())
    assert provider.protect(jane.wire(), scope="photos.read")
    assert provider.protect(provider.client.wire(), scope="photos.read", two_legged=True)


def test_token_credential_without_scope(provider: Provider) -> None:
    """`TokenCredential` has only the scopes that it was created with."""
    jane = provider.token()
    assert isinstance(provider.refusal(jane.wire(), scope="photos.read"), InsufficientScopeError)
    provider.server.register_hook(
        "token_generator", lambda: {"oauth_token": "t", "oauth_token_secret": "s", "scope": "photos.read"}
    )
    temporary = provider.client.with_token(provider.temporary().token or "", "s")
    verifier = provider.decide(temporary.token).verifier
    provider.server.register_hook(
        "token_generator", lambda: {"oauth_token": "u", "oauth_token_secret": "v", "scope": "photos.read"}
    )
    assert provider.exchange(temporary.wire("POST", oauth_verifier=verifier)).status_code == 200
    assert provider.protect(provider.client.with_token("u", "v").wire(), scope="photos.read")
