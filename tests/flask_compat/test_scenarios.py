"""The scenarios that Authlib tests, on both frameworks, with plain and async views, hooks and models."""

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


async def test_the_whole_flow_works(client: Client, ported: Ported) -> None:
    """Temporary credentials, approval, token credentials and a protected resource."""
    await client.dance()
    assert (await client.send("GET", "/photos")).json == OWNER
    assert (await client.send("GET", "/no-parens")).json == OWNER
    assert not ported.database.temporary


@pytest.mark.parametrize("place", ["header", "query", "form"])
async def test_parameters_are_accepted_in_header_query_and_form(client: Client, place: str) -> None:
    """RFC 5849 section 3.5 defines these places."""
    answer = await client.send("POST", "/initiate", place=place, callback="https://client.test/ready")
    assert answer.status == 200
    assert answer.form["oauth_callback_confirmed"] == "true"
    assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_errors_come_in_order_for_temporary_credentials(client: Client) -> None:
    """Each request has one defect less than the one before, and gets the error of its first defect."""
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


async def test_errors_come_in_order_for_token_credentials(client: Client, ported: Ported) -> None:
    """The verifier is checked before the signature, and no error deletes the temporary credential."""
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


async def test_errors_come_in_order_for_a_resource(client: Client) -> None:
    """They are JSON with Authlib's codes, and a 401 has ``WWW-Authenticate``."""
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


async def test_a_denial_is_final(client: Client, ported: Ported) -> None:
    """The redirect to the callback names the token."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready?a=1")
    client.token = initiated.form["oauth_token"]
    answer = await client.approve(granted=False)
    assert answer.status == 302
    assert answer.headers["Location"].startswith("https://client.test/ready?a=1&error=access_denied")
    assert answer.location["oauth_token"] == client.token
    assert (await client.approve()).json["error"] == "invalid_token"
    assert not ported.database.tokens


async def test_oob_uses_the_default_callback(client: Client, ported: Ported) -> None:
    """A client without a default gets 400."""
    initiated = await client.send("POST", "/initiate", callback="oob")
    client.token = initiated.form["oauth_token"]
    assert (await client.approve()).headers["Location"].startswith("https://client.test/default?oauth_token=")
    ported.database.clients["client"].default_redirect_uri = None
    answer = await client.approve()
    assert (answer.status, answer.form["error"]) == (400, "invalid_request")


async def test_check_authorization_request_returns_the_client_or_raises(client: Client) -> None:
    """The view can catch the error."""
    assert (await fetch(client.app, "GET", "/authorize")).json["error"] == "missing_required_parameter"
    assert (await fetch(client.app, "GET", "/authorize?oauth_token=x")).json["error"] == "invalid_token"
    initiated = await client.send("POST", "/initiate", callback="oob")
    found = await fetch(client.app, "GET", f"/authorize?oauth_token={initiated.form['oauth_token']}")
    assert found.json == {"client_id": "client"}


async def test_a_replay_is_refused_and_a_forged_request_uses_no_nonce(client: Client, ported: Ported) -> None:
    """The nonce is stored after the signature was verified."""
    await client.dance()
    signed = client.sign("GET", "/photos", client.parameters())
    before = len(ported.database.nonces)
    forged = {**signed, "oauth_signature": "forged"}
    assert (await client.send("GET", "/photos", signed=forged)).json == {"error": "invalid_signature"}
    assert len(ported.database.nonces) == before
    assert (await client.send("GET", "/photos", signed=signed)).json == OWNER
    assert (await client.send("GET", "/photos", signed=signed)).json == {"error": "invalid_nonce"}


@pytest.mark.parametrize("seconds", [-330, 330, 10**9])  # more than 300, because the clock continues
async def test_a_timestamp_more_than_five_minutes_off_is_refused(client: Client, seconds: int) -> None:
    """This holds for the past and the future."""
    await client.dance()
    answer = await client.send("GET", "/photos", timestamp=str(int(time.time()) + seconds))
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


async def test_one_of_ten_concurrent_exchanges_succeeds(client: Client, ported: Ported) -> None:
    """This holds although the delete hook does not report whether it deleted."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    answers = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 9
    assert len(ported.database.tokens) == 1


async def test_another_client_cannot_exchange_the_credential(client: Client, ported: Ported) -> None:
    """This holds even if it has the token, the secret and the verifier."""
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
async def test_a_check_of_a_model_must_return_a_bool(
    client: Client, ported: Ported, check_verifier: Callable[..., Any]
) -> None:
    """An object that is only true as an object refuses the request."""
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    ported.database.temporary[client.token].check_verifier = check_verifier
    answer = await client.send("POST", "/token", verifier="guessed")
    assert (answer.status, answer.form["error"]) == (400, "invalid_request")
    assert not ported.database.tokens


async def test_form_fields_are_signed_and_left_for_the_view(client: Client) -> None:
    """Every value of a repeated field is signed."""
    await client.dance()
    assert (await client.send("POST", "/photos", form="a=1&a=2&b=%E4%BD%A0+x")).json == OWNER
    signed = client.sign("POST", "/photos", client.parameters(), "a=1")
    tampered = await client.send("POST", "/photos", form="a=1&a=999", signed=signed)
    assert tampered.json == {"error": "invalid_signature"}


async def test_each_concurrent_request_has_its_own_credential(client: Client, ported: Ported) -> None:
    """``current_credential`` is never that of another request."""
    database = ported.database
    owners = []
    for number in range(20):
        name = f"t{number}"
        database.tokens[name] = database.make(Token, "client", name, "s", name)
        owners.append(Client(client.app, token=name, token_secret="s"))
    answers = await asyncio.gather(*(owner.send("GET", "/photos") for owner in owners))
    assert [answer.json["user"] for answer in answers] == [f"t{number}" for number in range(20)]
