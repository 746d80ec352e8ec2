"""Every endpoint verifies in one order: a request with several faults is refused for the first of them."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import OAuth1Error
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import NOW, Signer

from .provider import CALLBACK, Provider

# What a request has wrong, and what is in the error.
Fault = tuple[dict[str, Any], str]

BEFORE_LOOK_UPS: list[Fault] = [
    ({"scheme": "http"}, "insecure_transport"),
    ({"oauth_version": "2.0"}, '"oauth_version"'),
    ({"oauth_timestamp": str(NOW - 301)}, "timestamp_refused"),
    ({"oauth_signature_method": "HMAC-MD5"}, "unsupported_signature_method"),
]
AUTHENTICATION: list[Fault] = [
    ({"signature": "x"}, "invalid_signature"),
    ({"body": b"x", "oauth_body_hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}, '"oauth_body_hash"'),
]
NONCE: list[Fault] = [({"oauth_nonce": "used"}, "invalid_nonce")]


def use_nonce(provider: Provider, signer: Signer) -> None:
    """Use the nonce ``used``."""
    run_sync(provider.store.exists_nonce("used", str(NOW), signer.client_id, signer.token))


def refusal(provider: Provider, kind: str, signer: Signer, scope: str = "photos", **sent: Any) -> str:
    """Verify a request, and return what its error says; an empty text if it is accepted."""
    request = signer.wire("POST", f"/{kind}".encode(), **sent).read()
    try:
        if kind == "initiate":
            run_sync(provider.server.validate_temporary_credentials_request(request))
        elif kind == "token":
            run_sync(provider.server.validate_token_request(request))
        else:
            run_sync(provider.protector.validate_request(request, scope=scope))
    except OAuth1Error as error:
        return f"{error.error}: {error.description}"
    return ""


def check_order(provider: Provider, kind: str, signer: Signer, faults: list[Fault], **right: Any) -> None:
    """Send a request with every fault, correct one after the other, and compare each refusal."""
    use_nonce(provider, signer)
    for number, (_, expected) in enumerate(faults):
        sent = dict(right)
        for fault, _ in reversed(faults[number:]):
            sent |= fault
        provider.hooks.calls.clear()
        assert expected in refusal(provider, kind, signer, **sent), sent
        if NONCE[0] in faults[number + 1 :]:
            assert not provider.hooks.changes, sent
        if faults[number] in BEFORE_LOOK_UPS:
            assert not provider.hooks.calls, sent
    assert refusal(provider, kind, signer, **right) == ""


def test_temporary_credentials(provider: Provider) -> None:
    """A callback's syntax is checked before the look-ups, and its registration once the client is authenticated."""
    faults = [
        *BEFORE_LOOK_UPS,
        ({"oauth_callback": None}, "missing_required_parameter"),
        ({"oauth_callback": "no URL"}, '"oauth_callback"'),
        *AUTHENTICATION,
        ({"oauth_callback": "https://elsewhere.example/"}, "not registered"),
        *NONCE,
    ]
    check_order(provider, "initiate", provider.client, faults, oauth_callback=CALLBACK)


def test_token_credentials(provider: Provider) -> None:
    """The verifier is compared last, so that only a genuine request can count a wrong one."""
    temporary = provider.temporary()
    faults = [
        *BEFORE_LOOK_UPS,
        ({"oauth_token": None}, "missing_required_parameter"),
        ({"oauth_verifier": None}, "missing_required_parameter"),
        ({"oauth_token": "unknown"}, "invalid_signature"),
        *AUTHENTICATION,
        *NONCE,
        ({"oauth_verifier": "wrong"}, "invalid_verifier"),
    ]
    verifier = provider.decide(temporary.token).verifier
    check_order(provider, "token", temporary, faults, oauth_verifier=verifier)


@pytest.mark.parametrize("unknown", ["oauth_consumer_key", "oauth_token"])
def test_protected_resources(provider: Provider, unknown: str) -> None:
    """The scope is compared last, because it says something about the token."""
    client = provider.client
    token = run_sync(provider.store.issue_token_credential(client.client_id, "jane", scope="photos"))
    signer = client.with_token(token.oauth_token, token.oauth_token_secret)
    faults = [
        *BEFORE_LOOK_UPS,
        ({"oauth_token": None}, "missing_required_parameter"),
        ({unknown: "unknown"}, "invalid_signature"),
        *AUTHENTICATION,
        *NONCE,
        ({"scope": "videos"}, "insufficient_scope"),
    ]
    check_order(provider, "resource", signer, faults)
