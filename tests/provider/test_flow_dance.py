"""RFC 5849 section 2, from temporary credentials to a protected resource, without an event loop."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from async_oauth1 import OAuth1Error
from async_oauth1.errors import AlreadyDecidedError, InvalidTokenError, MissingRequiredParameterError
from async_oauth1.provider.responses import FORM
from async_oauth1.provider.sync_driver import run_sync
from tests.protocol.wire import Wire

from .provider import CALLBACK, Provider, fields


@pytest.mark.parametrize("place", ["HEADER", "QUERY", "BODY"])
def test_whole_dance(provider: Provider, place: str) -> None:
    """Jane's printer gets her photo, wherever it puts its protocol parameters."""
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


def test_temporary_credentials_response(provider: Provider) -> None:
    """Credentials are form-encoded, not to be stored, and confirm the callback in lower case, as Go and PHP insist."""
    response = provider.initiate(provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK))
    assert ("Content-Type", FORM) in response.headers
    assert ("Cache-Control", "no-store") in response.headers
    assert response.body.endswith("&oauth_callback_confirmed=true")
    assert len(fields(response)) == 3


def test_token_response_holds_the_credentials_alone(provider: Provider) -> None:
    """Section 2.3 names two parameters, and the response has no others."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    response = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    assert set(fields(response)) == {"oauth_token", "oauth_token_secret"}
    assert ("Cache-Control", "no-store") in response.headers


def test_credentials_carry_enough_randomness(provider: Provider) -> None:
    """Tokens, secrets and verifiers have at least 128 bits, 22 characters of 62, and never repeat."""
    first, second = provider.temporary(), provider.temporary()
    verifier = provider.decide(first.token).verifier
    values = [first.token, first.token_secret, second.token, second.token_secret, verifier]
    assert len(set(values)) == len(values)
    assert all(value is not None and len(value) >= 22 for value in values)


@pytest.mark.parametrize("endpoint", ["initiate", "exchange"])
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_endpoints_serve_post_alone(provider: Provider, endpoint: str, method: str) -> None:
    """Any other method is 405 with Allow, however well it is signed."""
    response = getattr(provider, endpoint)(provider.client.wire(method, oauth_callback=CALLBACK))
    assert response.status_code == 405
    assert ("Allow", "POST") in response.headers
    assert provider.hooks.calls == []


def test_missing_callback(provider: Provider) -> None:
    """The first step without oauth_callback is 400 and says what is missing: the 1.0 flow does not exist."""
    response = provider.initiate(provider.client.wire("POST", b"/initiate"))
    assert response.status_code == 400
    assert "oauth_callback" in response.body


def test_missing_verifier(provider: Provider) -> None:
    """An exchange without oauth_verifier is 400, and the temporary credentials live on."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    assert provider.exchange(temporary.wire("POST", b"/token")).status_code == 400
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="")).status_code == 400
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)).status_code == 200


def test_exchange_before_approval(provider: Provider) -> None:
    """Temporary credentials without an approval cannot be exchanged, whatever the verifier."""
    temporary = provider.temporary()
    for verifier in ("None", "x", temporary.token):
        response = provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
        assert response.status_code == 401


def test_denial_sends_back_without_verifier(provider: Provider) -> None:
    """A denial returns to the callback with the token, so that the client knows which one, and no verifier."""
    temporary = provider.temporary()
    decision = provider.decide(temporary.token, None)
    assert decision.verifier is None
    query = parse_qs(urlsplit(decision.location).query)
    assert query == {"error": ["access_denied"], "oauth_token": [temporary.token]}


def test_denial_is_final(provider: Provider) -> None:
    """What was denied cannot be approved or exchanged."""
    temporary = provider.temporary()
    provider.decide(temporary.token, None)
    with pytest.raises((InvalidTokenError, AlreadyDecidedError)):
        provider.decide(temporary.token)
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier="x")).status_code == 401


def test_denial_without_a_hook_of_its_own_deletes() -> None:
    """Where the store has no deny_temporary_credential, a denial takes the credentials away."""
    provider = Provider(without=("deny_temporary_credential",))
    temporary = provider.temporary()
    provider.decide(temporary.token, None)
    assert provider.hooks.calls[-1] == "delete_temporary_credential"
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token)


def test_approval_happens_once(provider: Provider) -> None:
    """A second approval, by whomever, is refused, and the first one stands."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token, "jane").verifier
    for user in ("jane", "mallory", None):
        with pytest.raises(AlreadyDecidedError):
            provider.decide(temporary.token, user)
    provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))
    [credential] = run_sync(provider.store.list_token_credentials())
    assert credential.user_id == "jane"


def test_two_approvals_at_once(provider: Provider) -> None:
    """Where two approvals pass the look at the same time, the atomic hook lets one through."""
    temporary = provider.temporary()
    provider.hooks.replaced["create_authorization_verifier"] = lambda *args: False
    with pytest.raises(AlreadyDecidedError):
        provider.decide(temporary.token)


def test_authorize_ignores_a_callback_of_its_own(provider: Provider) -> None:
    """An oauth_callback at the authorization endpoint is ignored (the session fixation of 2009)."""
    temporary = provider.temporary()
    query = f"oauth_token={temporary.token}&oauth_callback=https%3A%2F%2Fevil.example%2F".encode()
    decision = run_sync(provider.server.authorize(Wire(raw_query=query).read(), "jane"))
    assert decision.location.startswith(CALLBACK)


@pytest.mark.parametrize("query", [b"", b"oauth_token=", b"a=b"])
def test_authorize_without_token(provider: Provider, query: bytes) -> None:
    """No token: nothing to decide, and nothing is looked up."""
    with pytest.raises(MissingRequiredParameterError):
        run_sync(provider.server.check_authorization_request(Wire(raw_query=query).read()))
    assert provider.hooks.calls == []


@pytest.mark.parametrize("token", ["unknown", "%00", "%FF", "a%0Ab", "x" * 256, "%ED%A0%80"])
def test_authorize_with_a_token_that_is_none(provider: Provider, token: str) -> None:
    """An unknown or impossible token is the browser's problem: an OAuth1Error, before any store sees it."""
    with pytest.raises(OAuth1Error) as caught:
        provider.decide(token)
    assert caught.value.status_code in (400, 401)
    assert provider.hooks.calls == (["get_temporary_credential"] if token == "unknown" else [])


def test_authorize_for_a_client_that_is_gone(provider: Provider) -> None:
    """Temporary credentials of a client that was removed meanwhile are not put before the resource owner."""
    temporary = provider.temporary()
    provider.hooks.replaced["query_client"] = lambda client_id: None
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token)


def test_authorization_request_names_client_and_credential(provider: Provider) -> None:
    """What the consent page shows: the application, and the callback it will go back to."""
    temporary = provider.temporary()
    wire = Wire(raw_query=f"oauth_token={temporary.token}".encode())
    request = run_sync(provider.server.check_authorization_request(wire.read()))
    assert request.client.name == "Printer"
    assert request.credential.get_redirect_uri() == CALLBACK
    assert request.token == temporary.token


def test_authorization_response_redirects(provider: Provider) -> None:
    """The redirect is not stored and leaks no address."""
    wire = Wire(raw_query=f"oauth_token={provider.temporary().token}".encode())
    response = run_sync(provider.server.create_authorization_response(wire.read(), "jane"))
    headers = dict(response.headers)
    assert response.status_code == 302
    assert headers["Location"].startswith(CALLBACK)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_oob_shows_a_code_to_type(provider: Provider) -> None:
    """Out of band there is no redirect but a code, short where wrong ones are counted, and it works."""
    temporary = provider.temporary(callback="oob")
    wire = Wire(raw_query=f"oauth_token={temporary.token}".encode())
    response = run_sync(provider.server.create_authorization_response(wire.read(), "jane"))
    assert response.status_code == 200
    assert len(response.body) == provider.server.policy.oob_verifier_length
    assert not any(name == "Location" for name, _ in response.headers)
    assert provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=response.body)).status_code == 200


def test_oob_code_is_long_if_guesses_are_not_counted() -> None:
    """Without count_wrong_verifier, a code is as long as any verifier, because guesses are not counted."""
    provider = Provider(without=("count_wrong_verifier",))
    decision = provider.decide(provider.temporary(callback="oob").token)
    assert decision.location is None
    assert len(decision.verifier) >= 22


def test_oob_denial(provider: Provider) -> None:
    """Denied out of band, there is nothing to type."""
    wire = Wire(raw_query=f"oauth_token={provider.temporary(callback='oob').token}".encode())
    response = run_sync(provider.server.create_authorization_response(wire.read(), None))
    assert response.status_code == 200
    assert "denied" in response.body


def test_temporary_credentials_expire(provider: Provider) -> None:
    """Ten minutes after the first step there is nothing left to approve or to exchange."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    provider.clock.now += provider.server.policy.temporary_credential_lifetime + 1
    late = temporary.wire("POST", b"/token", oauth_verifier=verifier, oauth_timestamp=str(int(provider.clock.now)))
    assert provider.exchange(late).status_code == 401
    with pytest.raises(InvalidTokenError):
        provider.decide(temporary.token)


def test_callback_sent_again_at_the_last_step(provider: Provider) -> None:
    """Some clients repeat oauth_callback at the exchange; it is signed and otherwise ignored."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    wire = temporary.wire("POST", b"/token", oauth_verifier=verifier, oauth_callback="http://elsewhere.example/")
    assert provider.exchange(wire).status_code == 200


def test_empty_token_at_the_first_step(provider: Provider) -> None:
    """An empty oauth_token, which many clients send, counts as none and stays in the base string."""
    wire = provider.client.wire("POST", b"/initiate", oauth_token="", oauth_callback=CALLBACK)
    assert provider.initiate(wire).status_code == 200
