"""The timestamp must be within the window when the nonce is stored, even if the request had to wait before."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from async_oauth1 import OAuth1Request, Policy
from async_oauth1.errors import TimestampRefusedError
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Signer

from .provider import CALLBACK, Provider

BODY = b'{"amount": 1}'
BODY_HASH = base64.b64encode(hashlib.sha1(BODY).digest()).decode()
WINDOW = Policy().timestamp_window


def slow(provider: Provider, name: str, seconds: float) -> None:
    """Make a hook take this long."""
    hook = getattr(provider.store, name)

    def slowly(*args: Any) -> Any:
        provider.clock.now += seconds
        return hook(*args)

    provider.hooks.replaced[name] = slowly


def with_slow_body(provider: Provider, request: OAuth1Request, seconds: float) -> OAuth1Request:
    """Make the request's body take this long to arrive."""

    async def read_body() -> bytes:
        provider.clock.now += seconds
        return BODY

    request.read_body = read_body
    return request


@pytest.mark.parametrize("two_legged", [False, True])
@pytest.mark.parametrize(("seconds", "accepted"), [(WINDOW, True), (WINDOW + 1, False)])
def test_a_slow_body_of_a_protected_resource(*, two_legged: bool, seconds: float, accepted: bool) -> None:
    """If the body takes longer than the window, the timestamp is refused; at the end of the window it is accepted."""
    provider = Provider()
    client = provider.client if two_legged else provider.token()
    request = with_slow_body(provider, client.wire("POST", oauth_body_hash=BODY_HASH).read(), seconds)
    if accepted:
        assert provider.protect(request, two_legged=two_legged) is request
        return
    calls = list(provider.hooks.calls)
    assert isinstance(provider.refusal(request, two_legged=two_legged), TimestampRefusedError)
    assert "exists_nonce" not in provider.hooks.calls[len(calls) :]


@pytest.mark.parametrize("name", ["query_client", "query_token", "query_credentials", "exists_nonce"])
@pytest.mark.parametrize("two_legged", [False, True])
def test_a_slow_hook_of_a_protected_resource(name: str, *, two_legged: bool) -> None:
    """If a look-up or the nonce store takes longer than the window, the timestamp is refused."""
    provider = Provider(without=("query_credentials",) if name in ("query_client", "query_token") else ())
    client = provider.client if two_legged else provider.token()
    slow(provider, "query_client" if two_legged and name != "exists_nonce" else name, WINDOW + 1)
    assert isinstance(provider.refusal(client.wire(), two_legged=two_legged), TimestampRefusedError)


@pytest.mark.parametrize("name", ["query_client", "exists_nonce"])
def test_a_slow_hook_of_the_first_step(name: str) -> None:
    """If a hook takes longer than the window, no temporary credentials are created."""
    provider = Provider()
    slow(provider, name, WINDOW + 1)
    response = provider.initiate(provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK))
    assert (response.status_code, "timestamp_refused" in response.body) == (401, True), response
    assert "create_temporary_credential" not in provider.hooks.calls


@pytest.mark.parametrize("name", ["query_client", "get_temporary_credential", "exists_nonce"])
def test_a_slow_hook_of_the_exchange(name: str) -> None:
    """If a hook takes longer than the window, the temporary credentials are not deleted."""
    provider = Provider(Policy(temporary_credential_lifetime=10_000))
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    slow(provider, name, WINDOW + 1)
    response = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    assert (response.status_code, "timestamp_refused" in response.body) == (401, True), response
    assert not {"exchange", "delete_temporary_credential"} & set(provider.hooks.calls)


@pytest.mark.parametrize(("path", "oauth"), [(b"/initiate", {"oauth_callback": CALLBACK}), (b"/token", {})])
def test_a_slow_body_at_the_endpoints(path: bytes, oauth: dict[str, str]) -> None:
    """The endpoints check oauth_body_hash, so they wait for the body, too."""
    provider = Provider(Policy(temporary_credential_lifetime=10_000))
    client: Signer = provider.client
    step: Callable[[Any], Any] = provider.server.validate_temporary_credentials_request
    if path == b"/token":
        client, step = provider.temporary(), provider.server.validate_token_request
        oauth = {"oauth_verifier": provider.decide(client.token).verifier}
    request = client.wire("POST", path, oauth_body_hash=BODY_HASH, **oauth).read()
    with pytest.raises(TimestampRefusedError):
        run_sync(step(with_slow_body(provider, request, WINDOW + 1)))


def test_plaintext_without_timestamp_is_not_late() -> None:
    """PLAINTEXT may omit timestamp and nonce, so a slow request is accepted."""
    provider = Provider(Policy(signature_methods=("PLAINTEXT",)))
    slow(provider, "query_client", WINDOW + 1)
    provider.client = Signer(signature_method="PLAINTEXT", timestamp=None)
    provider.protect(provider.client.wire(oauth_nonce=None), two_legged=True)


@pytest.mark.parametrize(("seconds", "accepted"), [(WINDOW, True), (WINDOW + 1, False)])
def test_plaintext_with_a_timestamp_alone_can_be_late(*, seconds: float, accepted: bool) -> None:
    """The window counts without a nonce, too, and another client's longer window does not."""
    provider = Provider(Policy(signature_methods=("PLAINTEXT",), longest_timestamp_window=2 * WINDOW))
    slow(provider, "query_client", seconds)
    provider.client = Signer(signature_method="PLAINTEXT")
    request = provider.client.wire(oauth_nonce=None)
    if accepted:
        provider.protect(request, two_legged=True)
    else:
        assert isinstance(provider.refusal(request, two_legged=True), TimestampRefusedError)
