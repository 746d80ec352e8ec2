"""The flow of RFC 5849 section 2, from temporary credentials to a protected resource, without an event loop."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from async_oauth1 import OAuth1Error
from async_oauth1.errors import AlreadyDecidedError, InvalidTokenError, MissingRequiredParameterError
from async_oauth1.provider.responses import FORM
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Wire
from tests.provider.provider import CALLBACK, Provider, fields


@pytest.mark.rfc5849("2.2/redirect")
@pytest.mark.parametrize("place", ["HEADER", "QUERY", "BODY"])
def test_whole_flow(provider: Provider, place: str) -> None:
    """A client obtains a token and a protected resource, with its protocol parameters in any place."""
    initiated = provider.initiate(
        provider.client.wire("POST", b"/initiate", place=place, oauth_callback=CALLBACK, oauth_version="1.0")
    )
    assert initiated.status_code == 200
    temporary = provider.client.with_token(fields(initiated)["oauth_token"], fields(initiated)["oauth_token_secret"])

    decision = provider.decide(temporary.token)
    assert decision.location == f"{CALLBACK}?oauth_token={temporary.token}&oauth_verifier={decision.verifier}"

    exchanged = provider.exchange(temporary.wire("POST", b"/token", place=place, oauth_verifier=decision.verifier))
    assert exchanged.status_code == 200
    jane = provider.client.with_token(fields(exchanged)["oauth_token"], fields(exchanged)["oauth_token_secret"])

    method = "POST" if place == "BODY" else "GET"
    request = provider.protect(jane.wire(method, query=[(b"file", b"vacation.jpg")], place=place))
    assert request.client.client_id == provider.client.client_id
    assert request.credential.user_id == "jane"
    assert request.query_params[0] == ("file", "vacation.jpg")


@pytest.mark.rfc5849("2.1/response", "2.1/callback-confirmed")
def test_temporary_credentials_response(provider: Provider) -> None:
    """The response is form-encoded, not cacheable, and confirms the callback with ``true`` in lower case."""
    response = provider.initiate(provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK))
    assert ("Content-Type", FORM) in response.headers
    assert ("Cache-Control", "no-store") in response.headers
    assert response.body.endswith("&oauth_callback_confirmed=true")
    assert len(fields(response)) == 3


@pytest.mark.rfc5849("2.3/response")
def test_token_response_has_only_the_credentials(provider: Provider) -> None:
    """Section 2.3 defines two parameters, and the response has no others."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    response = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    assert set(fields(response)) == {"oauth_token", "oauth_token_secret"}
    assert ("Cache-Control", "no-store") in response.headers


@pytest.mark.rfc5849("2.2/verifier")
def test_credentials_carry_enough_randomness(provider: Provider) -> None:
    """Tokens, secrets and verifiers have at least 128 bits, 22 characters of 62, and are never repeated."""
    first, second = provider.temporary(), provider.temporary()
    verifier = provider.decide(first.token).verifier
    values = [first.token, first.token_secret, second.token, second.token_secret, verifier]
    assert len(set(values)) == len(values)
    assert all(value is not None and len(value) >= 22 for value in values)


@pytest.mark.parametrize("endpoint", ["initiate", "exchange"])
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_endpoints_accept_only_post(provider: Provider, endpoint: str, method: str) -> None:
    """Other methods are answered with 405 and Allow, even if correctly signed."""
    response = getattr(provider, endpoint)(provider.client.wire(method, oauth_callback=CALLBACK))
    assert response.status_code == 405
    assert ("Allow", "POST") in response.headers
    assert provider.hooks.calls == []


@pytest.mark.rfc5849("2.1/callback")
def test_missing_callback(provider: Provider) -> None:
    """Without oauth_callback the answer is 400, and names it; OAuth 1.0 without it is not supported."""
    response = provider.initiate(provider.client.wire("POST", b"/initiate"))
    assert response.status_code == 400
    assert "oauth_callback" in response.body


@pytest.mark.rfc5849("2.2/verifier-needed", "2.3/verifier")
def test_missing_verifier(provider: Provider) -> None:
    """Without oauth_verifier the answer is 400, and the temporary credentials stay valid."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    assert provider.exchange(temporary.wire("POST", b"/token")).status_code == 400
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="")).status_code == 400
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)).status_code == 200


@pytest.mark.rfc5849("2.3/verified", "2.2/user-sent")
def test_exchange_before_approval(provider: Provider) -> None:
    """Temporary credentials cannot be exchanged before approval, with any verifier."""
    temporary = provider.temporary()
    for verifier in ("None", "x", temporary.token):
        response = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
        assert response.status_code == 401


def test_denial_redirects_without_a_verifier(provider: Provider) -> None:
    """The redirect to the callback has the token, so that the client knows which request was denied."""
    temporary = provider.temporary()
    decision = provider.decide(temporary.token, None)
    assert decision.verifier is None
    query = parse_qs(urlsplit(decision.location).query)
    assert query == {"error": ["access_denied"], "oauth_token": [temporary.token]}


def test_denial_is_final(provider: Provider) -> None:
    """Denied credentials cannot be approved or exchanged."""
    temporary = provider.temporary()
    provider.decide(temporary.token, None)
    with pytest.raises((InvalidTokenError, AlreadyDecidedError)):
        provider.decide(temporary.token)
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="x")).status_code == 401


def test_denial_without_its_hook_deletes_the_credentials() -> None:
    """If the store has no deny_temporary_credential, a denial deletes the temporary credentials."""
    provider = Provider(without=("deny_temporary_credential",))
    temporary = provider.temporary()
    provider.decide(temporary.token, None)
    assert provider.hooks.calls[-1] == "delete_temporary_credential"
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token)


def test_approval_happens_once(provider: Provider) -> None:
    """Another user's approval and a denial are refused, and the first approval stands."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token, "jane").verifier
    for user in ("mallory", None):
        with pytest.raises(AlreadyDecidedError):
            provider.decide(temporary.token, user)
    provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    [credential] = run_sync(provider.store.list_token_credentials())
    assert credential.user_id == "jane"


def test_two_concurrent_approvals(provider: Provider) -> None:
    """If two approvals both find the credentials undecided, the atomic hook accepts only one."""
    temporary = provider.temporary()
    provider.hooks.replaced["create_authorization_verifier"] = lambda *args: False
    with pytest.raises(AlreadyDecidedError):
        provider.decide(temporary.token)


def test_authorize_ignores_a_callback(provider: Provider) -> None:
    """An oauth_callback at the authorization endpoint is ignored, against the session fixation attack of 2009."""
    temporary = provider.temporary()
    query = f"oauth_token={temporary.token}&oauth_callback=https%3A%2F%2Fevil.example%2F".encode()
    decision = run_sync(provider.server.authorize(Wire(raw_query=query).read(), "jane"))
    assert decision.location.startswith(CALLBACK)


@pytest.mark.rfc5849("2.2/token")
@pytest.mark.parametrize("query", [b"", b"oauth_token=", b"a=b"])
def test_authorize_without_token(provider: Provider, query: bytes) -> None:
    """Without a token there is an error, and no look-up."""
    with pytest.raises(MissingRequiredParameterError):
        run_sync(provider.server.check_authorization_request(Wire(raw_query=query).read()))
    assert provider.hooks.calls == []


@pytest.mark.parametrize("token", ["unknown", "%00", "%FF", "a%0Ab", "x" * 256, "%ED%A0%80"])
def test_authorize_with_an_invalid_token(provider: Provider, token: str) -> None:
    """An unknown token is an OAuth1Error; a malformed one, too, before the store is called."""
    with pytest.raises(OAuth1Error) as caught:
        provider.decide(token)
    assert caught.value.status_code in (400, 401)
    assert provider.hooks.calls == (["get_temporary_credential"] if token == "unknown" else [])


def test_authorize_for_a_deleted_client(provider: Provider) -> None:
    """Temporary credentials of a deleted client are not shown to the resource owner."""
    temporary = provider.temporary()
    provider.hooks.replaced["query_client"] = lambda client_id: None
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token)


@pytest.mark.rfc5849("2.2/client-shown")
def test_authorization_request_names_client_and_credential(provider: Provider) -> None:
    """The consent page can show the client and the callback."""
    temporary = provider.temporary()
    wire = Wire(raw_query=f"oauth_token={temporary.token}".encode())
    request = run_sync(provider.server.check_authorization_request(wire.read()))
    assert request.client.name == "Printer"
    assert request.credential.get_redirect_uri() == CALLBACK
    assert request.token == temporary.token


@pytest.mark.rfc5849("2.2/redirect")
def test_authorization_response_redirects(provider: Provider) -> None:
    """The response is not cacheable, and its URL is not sent as a Referer."""
    wire = Wire(raw_query=f"oauth_token={provider.temporary().token}".encode())
    response = run_sync(provider.server.create_authorization_response(wire.read(), "jane"))
    headers = dict(response.headers)
    assert response.status_code == 302
    assert headers["Location"].startswith(CALLBACK)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.rfc5849("2.2/code-shown", "2.2/code-to-type")
def test_oob_shows_a_short_code(provider: Provider) -> None:
    """Out of band there is no redirect; the code is short because wrong ones are counted, and it can be exchanged."""
    temporary = provider.temporary(callback="oob")
    wire = Wire(raw_query=f"oauth_token={temporary.token}".encode())
    response = run_sync(provider.server.create_authorization_response(wire.read(), "jane"))
    assert response.status_code == 200
    assert len(response.body) == provider.server.policy.oob_verifier_length
    assert not any(name == "Location" for name, _ in response.headers)
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=response.body)).status_code == 200


def test_oob_code_is_long_if_guesses_are_not_counted() -> None:
    """Without count_wrong_verifier the code is as long as any verifier."""
    provider = Provider(without=("count_wrong_verifier",))
    decision = provider.decide(provider.temporary(callback="oob").token)
    assert decision.location is None
    assert len(decision.verifier) >= 22


def test_oob_denial(provider: Provider) -> None:
    """After a denial out of band there is neither a code nor a redirect."""
    wire = Wire(raw_query=f"oauth_token={provider.temporary(callback='oob').token}".encode())
    response = run_sync(provider.server.create_authorization_response(wire.read(), None))
    assert response.status_code == 200
    assert "denied" in response.body


@pytest.mark.rfc5849("2/limited-lifetime", "2.3/verified")
def test_temporary_credentials_expire(provider: Provider) -> None:
    """Ten minutes after the first step they can neither be approved nor exchanged."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.clock.now += provider.server.policy.temporary_credential_lifetime + 1
    late = temporary.wire("POST", b"/token", oauth_verifier=verifier, oauth_timestamp=str(int(provider.clock.now)))
    assert provider.exchange(late).status_code == 401
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token)


def test_callback_at_the_exchange(provider: Provider) -> None:
    """Some clients repeat oauth_callback there; it is signed and otherwise ignored."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    wire = temporary.wire("POST", b"/token", oauth_verifier=verifier, oauth_callback="http://elsewhere.example/")
    assert provider.exchange(wire).status_code == 200


def test_empty_token_at_the_first_step(provider: Provider) -> None:
    """Many clients send an empty oauth_token; it counts as absent, but is signed."""
    wire = provider.client.wire("POST", b"/initiate", oauth_token="", oauth_callback=CALLBACK)
    assert provider.initiate(wire).status_code == 200
