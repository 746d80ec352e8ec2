"""Authlib's scenarios in this project's words, on both frameworks, with views, hooks and models plain or async."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from .client import Client, fetch
from .ported import Ported, Token

OWNER = {"user": "7"}


async def test_the_whole_dance(client: Client, ported: Ported) -> None:
    """Temporary credentials, approval, token credentials, photos: what Authlib's documentation promises."""
    await client.dance()
    assert (await client.send("GET", "/photos")).json == OWNER
    assert (await client.send("GET", "/no-parens")).json == OWNER
    assert not ported.database.temporary


@pytest.mark.parametrize("place", ["header", "query", "form"])
async def test_parameters_in_each_place(client: Client, place: str) -> None:
    """RFC 5849 section 3.5 has three places for them."""
    answer = await client.send("POST", "/initiate", place=place, callback="https://client.test/ready")
    assert answer.status == 200
    assert answer.form["oauth_callback_confirmed"] == "true"
    assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_order_of_errors_at_the_first_step(client: Client) -> None:
    """Each request lacks one thing more than the one after it, and is told the first."""
    app = client.app
    assert (await fetch(app, "GET", "/initiate")).form == {"error": "method_not_allowed"}
    told = [
        ("", "missing_required_parameter", "oauth_consumer_key"),
        ("oauth_consumer_key=x", "missing_required_parameter", "oauth_callback"),
        ("oauth_consumer_key=x&oauth_callback=nonsense", "invalid_request", "oauth_callback"),
        ("oauth_consumer_key=x&oauth_callback=oob", "invalid_client", ""),
        ("oauth_consumer_key=client&oauth_callback=oob", "missing_required_parameter", "oauth_timestamp"),
        ("oauth_consumer_key=client&oauth_callback=oob&oauth_timestamp=12", "invalid_request", "oauth_timestamp"),
        ("oauth_consumer_key=client&oauth_callback=oob&oauth_timestamp=NOW", "missing_required_parameter", "nonce"),
        (
            "oauth_consumer_key=client&oauth_callback=oob&oauth_timestamp=NOW&oauth_nonce=n",
            "missing_required_parameter",
            "oauth_signature_method",
        ),
        (
            "oauth_consumer_key=client&oauth_callback=oob&oauth_timestamp=NOW&oauth_nonce=n&oauth_signature_method=X",
            "unsupported_signature_method",
            "",
        ),
        (
            "oauth_consumer_key=client&oauth_callback=oob&oauth_signature_method=PLAINTEXT",
            "missing_required_parameter",
            '"oauth_signature"',
        ),
        (
            "oauth_consumer_key=client&oauth_callback=oob&oauth_signature_method=PLAINTEXT&oauth_signature=x",
            "invalid_signature",
            "",
        ),
    ]
    for form, error, description in told:
        body = form.replace("NOW", str(int(time.time())))
        answer = await fetch(app, "POST", "/initiate", body, {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.form["error"] == error, form
        assert description in answer.form.get("error_description", ""), form


async def test_order_of_errors_at_the_last_step(client: Client, ported: Ported) -> None:
    """The verifier is compared before the signature; whatever is wrong, the temporary credential stays."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token = initiated.form["oauth_token"]
    await client.approve()
    token = f"oauth_consumer_key=client&oauth_token={client.token}"
    for body, error in [
        ("", "missing_required_parameter"),
        ("oauth_consumer_key=x", "invalid_client"),
        ("oauth_consumer_key=client", "missing_required_parameter"),
        ("oauth_consumer_key=client&oauth_token=x", "invalid_token"),
        (token, "missing_required_parameter"),
        (token + "&oauth_verifier=wrong", "invalid_request"),
    ]:
        answer = await fetch(client.app, "POST", "/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.form["error"] == error, body
    assert ported.database.temporary.keys() == {client.token}


async def test_order_of_errors_at_a_resource(client: Client) -> None:
    """JSON, with Authlib's codes; 401 has the header that HTTP asks for."""
    for query, status, error in [
        ("", 400, "missing_required_parameter"),
        ("?oauth_consumer_key=x", 401, "invalid_client"),
        ("?oauth_consumer_key=client", 400, "missing_required_parameter"),
        ("?oauth_consumer_key=client&oauth_token=x", 401, "invalid_token"),
    ]:
        answer = await fetch(client.app, "GET", "/photos" + query)
        assert (answer.status, answer.json["error"]) == (status, error)
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    await client.dance()
    answer = await fetch(client.app, "GET", f"/photos?oauth_consumer_key=client&oauth_token={client.token}")
    assert "oauth_timestamp" in answer.json["error_description"]


async def test_denial(client: Client, ported: Ported) -> None:
    """It goes to the callback, names the token, and is final."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready?a=1")
    client.token = initiated.form["oauth_token"]
    answer = await client.approve(granted=False)
    assert answer.status == 302
    assert answer.headers["Location"].startswith("https://client.test/ready?a=1&error=access_denied")
    assert answer.location["oauth_token"] == client.token
    assert (await client.approve()).json["error"] == "invalid_token"
    assert not ported.database.tokens


async def test_oob_goes_to_the_default(client: Client, ported: Ported) -> None:
    """As Authlib does; a client without a default gets a 400 where Authlib fails."""
    initiated = await client.send("POST", "/initiate", callback="oob")
    client.token = initiated.form["oauth_token"]
    assert (await client.approve()).headers["Location"].startswith("https://client.test/default?oauth_token=")
    ported.database.clients["client"].default_redirect_uri = None
    answer = await client.approve()
    assert (answer.status, answer.form["error"]) == (400, "invalid_request")


async def test_check_authorization_request(client: Client) -> None:
    """It raises what the view catches, and finds what the consent page shows."""
    assert (await fetch(client.app, "GET", "/authorize")).json["error"] == "missing_required_parameter"
    assert (await fetch(client.app, "GET", "/authorize?oauth_token=x")).json["error"] == "invalid_token"
    initiated = await client.send("POST", "/initiate", callback="oob")
    found = await fetch(client.app, "GET", f"/authorize?oauth_token={initiated.form['oauth_token']}")
    assert found.json == {"client_id": "client"}


async def test_replay_is_refused_and_a_forgery_burns_nothing(client: Client, ported: Ported) -> None:
    """The nonce is remembered behind the signature: who has seen it cannot spend it."""
    await client.dance()
    signed = client.sign("GET", "/photos", client.parameters())
    before = len(ported.database.nonces)
    forged = {**signed, "oauth_signature": "forged"}
    assert (await client.send("GET", "/photos", signed=forged)).json == {"error": "invalid_signature"}
    assert len(ported.database.nonces) == before
    assert (await client.send("GET", "/photos", signed=signed)).json == OWNER
    assert (await client.send("GET", "/photos", signed=signed)).json == {"error": "invalid_nonce"}


@pytest.mark.parametrize("seconds", [-330, 330, 10**9])  # the clock goes on meanwhile
async def test_timestamps_have_two_sides(client: Client, seconds: int) -> None:
    """Neither the past nor the future counts beyond five minutes."""
    await client.dance()
    answer = await client.send("GET", "/photos", timestamp=str(int(time.time()) + seconds))
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


async def test_concurrent_exchanges(client: Client, ported: Ported) -> None:
    """Of ten at once one gets credentials, although the delete hook cannot tell who took them."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    answers = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 9
    assert len(ported.database.tokens) == 1


async def test_the_credential_is_bound_to_its_client(client: Client, ported: Ported) -> None:
    """Another client that knows token, secret and verifier gets nothing."""
    database = ported.database
    database.clients["other"] = type(database.clients["client"])("other", "secret2")
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    other = Client(client.app, "other", "secret2", client.token, client.token_secret)
    assert (await other.send("POST", "/token", verifier=verifier)).form["error"] == "invalid_token"


def generator(*_: Any) -> Iterator[bool]:
    yield False


async def async_generator(*_: Any) -> AsyncIterator[bool]:
    yield False


def future(*_: Any) -> Future[bool]:
    return Future()


@pytest.mark.parametrize("check_verifier", [generator, async_generator, future])
async def test_no_verdict_is_no_yes(client: Client, ported: Ported, check_verifier: Callable[..., Any]) -> None:
    """What a model's check returns may be true as an object, and have decided nothing."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    ported.database.temporary[client.token].check_verifier = check_verifier
    answer = await client.send("POST", "/token", verifier="guessed")
    assert (answer.status, answer.form["error"]) == (400, "invalid_request")
    assert not ported.database.tokens


async def test_form_fields_are_signed_and_left_for_the_view(client: Client) -> None:
    """Repeated names count, each of them."""
    await client.dance()
    assert (await client.send("POST", "/photos", form="a=1&a=2&b=%E4%BD%A0+x")).json == OWNER
    signed = client.sign("POST", "/photos", client.parameters(), "a=1")
    tampered = await client.send("POST", "/photos", form="a=1&a=999", signed=signed)
    assert tampered.json == {"error": "invalid_signature"}


async def test_concurrent_requests_each_have_their_credential(client: Client, ported: Ported) -> None:
    """``current_credential`` never is another request's."""
    database = ported.database
    owners = []
    for number in range(20):
        name = f"t{number}"
        database.tokens[name] = database.make(Token, "client", name, "s", name)
        owners.append(Client(client.app, token=name, token_secret="s"))
    answers = await asyncio.gather(*(owner.send("GET", "/photos") for owner in owners))
    assert [answer.json["user"] for answer in answers] == [f"t{number}" for number in range(20)]
