"""What clients of other providers expect: more parameters beside a token, GET, and other words for a denial."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from async_oauth1 import Policy
from tests.provider.provider import CALLBACK, Provider, fields, with_credentials

from .conftest import StoreProvider


def exchange(provider: Provider) -> Any:
    """The response to an exchange."""
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    return provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier))


def test_the_hook_adds_parameters_to_the_token_response() -> None:
    """It sees the request, the temporary and the new credentials; numbers become text, and ``None`` is left out."""

    async def more(request: Any, credential: Any) -> dict[str, Any]:
        assert request.credential.oauth_callback == CALLBACK
        assert request.client.name == "Printer"
        return {"user_id": 42, "screen_name": f"{credential.user_id} & co", "url": None}

    answer = exchange(StoreProvider(token_response_parameters=more))
    assert answer.body.endswith("&user_id=42&screen_name=jane%20%26%20co")
    assert set(fields(answer)) == {"oauth_token", "oauth_token_secret", "user_id", "screen_name"}


@pytest.mark.parametrize("returned", [None, {}, [], ()])
def test_a_hook_may_add_nothing(returned: object) -> None:
    """Then the response has the credentials alone."""
    answer = exchange(StoreProvider(token_response_parameters=lambda request, credential: returned))
    assert set(fields(answer)) == {"oauth_token", "oauth_token_secret"}


@pytest.mark.parametrize(
    "returned",
    [{"oauth_token": "x"}, [("oauth_token_secret", "x")], [("a", "1"), ("a", "2")], 7, ["text"], OSError("down")],
)
def test_a_hook_that_fails_does_not_lose_the_token(returned: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The temporary credentials are spent by then: the client gets its token, and the log has the error."""

    def more(request: Any, credential: Any) -> Any:
        if isinstance(returned, Exception):
            raise returned
        return returned

    provider = StoreProvider(token_response_parameters=more)
    with caplog.at_level(logging.ERROR, "async_oauth1"):
        answer = exchange(provider)
    assert (answer.status_code, set(fields(answer))) == (200, {"oauth_token", "oauth_token_secret"})
    assert "token_response_parameters failed" in caplog.text
    assert fields(answer)["oauth_token_secret"] not in caplog.text


def test_get_is_refused_unless_the_policy_accepts_it(provider: StoreProvider) -> None:
    """405 names the method."""
    response = provider.initiate(provider.client.wire("GET", b"/initiate", oauth_callback=CALLBACK))
    assert response.status_code == 405
    assert ("Allow", "POST") in response.headers
    token = provider.exchange(provider.temporary().wire("GET", b"/token", oauth_verifier="x"))
    assert token.status_code == 405


@pytest.mark.parametrize("place", ["HEADER", "QUERY"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_get_at_the_token_endpoints(method: str, place: str) -> None:
    """With the policy, both endpoints accept GET as well as POST."""
    provider = StoreProvider(Policy(get_at_token_endpoints=True))
    asked = provider.initiate(provider.client.wire(method, b"/initiate", place=place, oauth_callback=CALLBACK))
    temporary = with_credentials(provider.client, asked)
    verifier = provider.decide(temporary.token).verifier
    answer = provider.exchange(temporary.wire(method, b"/token", place=place, oauth_verifier=verifier))
    assert answer.status_code == 200
    assert ("Cache-Control", "no-store") in answer.headers


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_stay_refused(method: str) -> None:
    """Frameworks route HEAD with GET, and it must not spend credentials."""
    provider = StoreProvider(Policy(get_at_token_endpoints=True))
    response = provider.initiate(provider.client.wire(method, b"/initiate", oauth_callback=CALLBACK))
    assert response.status_code == 405
    assert ("Allow", "POST, GET") in response.headers


def test_a_signature_for_post_is_none_for_get() -> None:
    """The method is part of the signature."""
    provider = StoreProvider(Policy(get_at_token_endpoints=True))
    wire = provider.client.wire("POST", b"/initiate", oauth_callback=CALLBACK).changed(method="GET")
    assert provider.initiate(wire).status_code == 401


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (("error",), {"error": ["access_denied"]}),
        (("oauth_problem",), {"oauth_problem": ["user_refused"]}),
        (("denied",), {"denied": ["TOKEN"]}),
        (
            ("error", "oauth_problem", "denied"),
            {"error": ["access_denied"], "oauth_problem": ["user_refused"], "denied": ["TOKEN"]},
        ),
    ],
)
def test_how_a_denial_is_told(kinds: tuple[str, ...], told: dict[str, list[str]]) -> None:
    """The callback gets the parameters that the policy names, and the token in any case."""
    provider = StoreProvider(Policy(denial_parameters=kinds))
    temporary = provider.temporary()
    query = parse_qs(urlsplit(provider.decide(temporary.token, None).location).query)
    token = temporary.token or ""
    expected = {name: [value.replace("TOKEN", token) for value in values] for name, values in told.items()}
    assert query == {**expected, "oauth_token": [token]}


@pytest.mark.parametrize("kinds", [(), ("refused",), ("error", "error")])
def test_a_policy_without_a_way_to_tell_is_refused(kinds: tuple[str, ...]) -> None:
    """The message names the three ways."""
    with pytest.raises(ValueError, match="denied, error, oauth_problem"):
        Policy(denial_parameters=kinds)
    with pytest.raises(TypeError, match="denial_parameters"):
        Policy(denial_parameters="error")  # type: ignore[arg-type]
