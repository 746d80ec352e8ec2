"""What RFC 5849 requires of the endpoints before anything is issued."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from async_oauth1.provider.responses import OAuth1Response
from tests.protocol.wire import Wire
from tests.provider.provider import CALLBACK, Provider

ENDPOINTS = ["initiate", "token"]


def ask(provider: Provider, endpoint: str, **request: Any) -> OAuth1Response:
    """Make a request that differs from a correct one as given."""
    if endpoint == "initiate":
        return provider.initiate(provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK, **request))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    return provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier, **request))


@pytest.mark.rfc5849("2.1/secure-channel", "2.3/secure-channel")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_credentials_are_not_sent_over_plain_http(provider: Provider, endpoint: str) -> None:
    """A correctly signed request over http gets no credentials, and over https it does."""
    refused = ask(provider, endpoint, scheme="http")
    assert refused.status_code == 400
    assert "oauth_token_secret" not in refused.body
    assert ask(provider, endpoint).status_code == 200


@pytest.mark.rfc5849("2/endpoint-queries", "3.5/one-place")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("name", "status"), [(b"oauth_page", 400), (b"page", 200)])
def test_an_endpoint_has_no_oauth_parameter_of_its_own(
    provider: Provider, endpoint: str, name: bytes, status: int
) -> None:
    """Such a parameter in the URI is a second place, so the endpoint would refuse each request. Other names work."""
    assert ask(provider, endpoint, query=[(name, b"1")]).status_code == status


@pytest.mark.rfc5849("2.1/empty-token-secret")
def test_the_first_step_has_an_empty_token_secret(provider: Provider) -> None:
    """A signature with any token secret does not verify."""
    client = replace(provider.client, token_secret="secret")
    assert provider.initiate(client.wire("POST", b"/initiate", oauth_callback=CALLBACK)).status_code == 401


@pytest.mark.rfc5849("2.1/verified", "2.3/verified")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nothing_is_issued_for_a_wrong_signature(provider: Provider, endpoint: str) -> None:
    """The answer is 401."""
    refused = ask(provider, endpoint, signature="wrong")
    assert refused.status_code == 401
    assert "oauth_token_secret" not in refused.body


@pytest.mark.rfc5849("3.4.1.1/method")
@pytest.mark.parametrize(("method", "encoded"), [("PURGE", "PURGE"), ("M-SEARCH", "M-SEARCH"), ("a|b", "A%7CB")])
def test_a_method_of_ones_own_is_encoded(method: str, encoded: str) -> None:
    """It is in upper case, and percent-encoded."""
    assert Wire(method).read().signature_base_string.startswith(f"{encoded}&https%3A%2F%2F")
