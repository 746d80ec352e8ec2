"""`token_exchange`: a signed request gets a bearer token."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import token_exchange
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Message, sign
from tests.attacks.wire import Answer, call

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class Hooks:
    """The hooks of an exchange, async, which keep what happens."""

    def __init__(self) -> None:
        """Start with nothing exchanged."""
        self.events: list[str] = []
        self.exchanged: set[tuple[str, str]] = set()
        self.makes: list[Any] = []

    async def make(self, credential: Any, client: Any) -> Any:
        """Make a token, or raise or return what a test wants."""
        await asyncio.sleep(0)
        self.events.append(f"make {credential.get_user_id()} {client.client_id}")
        made = self.makes.pop(0) if self.makes else {"access_token": "b", "expires_in": 3600, "scope": "photos.read"}
        if isinstance(made, Exception):
            raise made
        return made

    async def mark(self, client_id: str, oauth_token: str) -> bool:
        """Mark once."""
        self.events.append("mark")
        key = (client_id, oauth_token)
        is_new = key not in self.exchanged
        self.exchanged.add(key)
        await asyncio.sleep(0)
        return is_new

    def unmark(self, client_id: str, oauth_token: str) -> None:
        """Take the mark away."""
        self.exchanged.discard((client_id, oauth_token))

    def audit(self, client_id: str, oauth_token: str) -> None:
        """Note the exchange."""
        self.events.append(f"audit {client_id} {oauth_token}")


async def make_protector() -> ResourceProtector[Any, Any]:
    """A protector with one client and one token."""
    protector: ResourceProtector[Any, Any] = ResourceProtector()
    protector.register_hooks(await make_store())
    return protector


async def exchange(app: Any, fields: dict[str, str] | None = None, **how: Any) -> Answer:
    """Send a signed exchange."""
    body = urlencode(fields or {}).encode()
    return await call(app, sign(JANE, "POST", "/exchange", body=body, **how))


async def test_without_a_form() -> None:
    """The answer is that of RFC 8693 section 2.2.1, and the hooks are called in this order."""
    hooks = Hooks()
    answer = await exchange(token_exchange(await make_protector(), hooks.make, hooks.mark, hooks.audit))
    assert answer.json == {
        "access_token": "b",
        "expires_in": 3600,
        "scope": "photos.read",
        "token_type": "Bearer",
        "issued_token_type": ACCESS_TOKEN,
    }
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    assert (answer.header("cache-control"), answer.header("pragma")) == ("no-store", "no-cache")
    assert hooks.events == ["mark", "make jane client", "audit client tok"]


@pytest.mark.parametrize("place", ["header", "body"])
async def test_with_the_form_of_rfc_8693(place: str) -> None:
    """Also with the OAuth parameters in the form."""
    app = token_exchange(await make_protector(), Hooks().make)
    fields = {
        "grant_type": GRANT,
        "subject_token": "tok",
        "subject_token_type": "x:y",
        "requested_token_type": ACCESS_TOKEN,
    }
    assert (await exchange(app, fields, place=place)).status == 200
    assert (await exchange(app, {}, place=place)).status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"subject_token": "tok"}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": GRANT, "subject_token": "other"}, "invalid_request"),
        ({"grant_type": GRANT, "requested_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"grant_type": GRANT, "actor_token": "x"}, "invalid_request"),
    ],
)
async def test_other_forms_are_refused(fields: dict[str, str], code: str) -> None:
    """400 as in RFC 6749 section 5.2, and the token is not marked."""
    hooks = Hooks()
    answer = await exchange(token_exchange(await make_protector(), hooks.make, hooks.mark), fields)
    assert (answer.status, answer.json["error"], hooks.events) == (400, code, [])
    assert answer.header("cache-control") == "no-store"


async def test_repeated_parameters_and_other_bodies_are_refused() -> None:
    """Both are 400 invalid_request."""
    app = token_exchange(await make_protector(), Hooks().make)
    twice = f"grant_type={GRANT}&grant_type={GRANT}".encode()
    for message in (
        sign(JANE, "POST", "/exchange", body=twice),
        sign(JANE, "POST", "/exchange", body=b"{}", content_type=b"application/json"),
    ):
        answer = await call(app, message)
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")


async def test_a_token_is_exchanged_once() -> None:
    """The second time is 400 invalid_grant, without another token; also if both come at once."""
    hooks = Hooks()
    app = token_exchange(await make_protector(), hooks.make, hooks.mark, hooks.audit)
    answers = await asyncio.gather(*(exchange(app) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400, 400]
    assert {answer.json.get("error") for answer in answers} == {None, "invalid_grant"}
    assert [event for event in hooks.events if event != "mark"] == ["make jane client", "audit client tok"]


async def test_many_times_without_the_mark() -> None:
    """Without ``mark_exchanged`` a token may be exchanged again; plain functions will do."""
    app = token_exchange(await make_protector(), lambda credential, client: {"access_token": credential.oauth_token})
    assert [(await exchange(app)).json["access_token"] for _ in range(2)] == ["tok", "tok"]


async def test_refusals_are_those_of_any_resource() -> None:
    """A wrong signature, a replay, no token, another method, and no signature."""
    hooks = Hooks()
    app = token_exchange(await make_protector(), hooks.make, hooks.mark)
    assert (await exchange(app, signature=b"x")).status == 401
    assert (await call(app, sign(CLIENT, "POST", "/exchange"))).json["error"] == "missing_required_parameter"
    method = await call(app, sign(JANE, "GET", "/exchange"))
    assert (method.status, method.header("allow")) == (405, "POST")
    unsigned = await call(app, Message(method="POST", target=b"/", headers=((b"host", b"provider.example"),)))
    assert (unsigned.status, unsigned.header("www-authenticate")) == (401, 'OAuth realm=""')
    assert hooks.events == []
    message = sign(JANE, "POST", "/exchange")
    assert [(await call(app, message)).status for _ in range(2)] == [200, 401]


async def test_a_token_that_could_not_be_made(caplog: pytest.LogCaptureFixture) -> None:
    """The token stays marked, so that it is never exchanged twice; the log says so, for the operator."""
    hooks = Hooks()
    hooks.makes = [ConnectionError("down")]
    app = token_exchange(await make_protector(), hooks.make, hooks.mark, hooks.audit)
    assert (await exchange(app)).status == 503
    assert "its token is marked as exchanged" in caplog.text
    assert (await exchange(app)).json["error"] == "invalid_grant"
    assert hooks.events == ["mark", "make jane client", "mark"]


async def test_with_unmark_the_client_may_try_again() -> None:
    """``unmark_exchanged`` is called if the token could not be made."""
    hooks = Hooks()
    hooks.makes = [ConnectionError("down")]
    app = token_exchange(await make_protector(), hooks.make, hooks.mark, unmark_exchanged=hooks.unmark)
    assert [(await exchange(app)).status for _ in range(3)] == [503, 200, 400]


@pytest.mark.parametrize("made", [None, {}, {"access_token": ""}, {"access_token": "x", "token_type": "mac"}])
async def test_a_hook_that_makes_no_bearer_token(made: Any) -> None:
    """It is an error of the application, which no client sees as a token."""
    hooks = Hooks()
    hooks.makes = [made]
    with pytest.raises((TypeError, ValueError), match="make_bearer"):
        await exchange(token_exchange(await make_protector(), hooks.make))


async def test_an_audit_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets its token, because it could not exchange again."""

    def audit(client_id: str, oauth_token: str) -> None:
        raise RuntimeError("no disk")

    hooks = Hooks()
    app = token_exchange(await make_protector(), hooks.make, hooks.mark, audit)
    assert (await exchange(app)).status == 200
    assert "could not be audited" in caplog.text


async def test_a_mark_that_is_down_is_503() -> None:
    """Nothing is made that could not be marked."""

    def mark(client_id: str, oauth_token: str) -> bool:
        raise TimeoutError

    hooks = Hooks()
    assert (await exchange(token_exchange(await make_protector(), hooks.make, mark))).status == 503
    assert hooks.events == []


@pytest.mark.parametrize("server", SERVERS)
async def test_mounted_over_a_server(server: str) -> None:
    """The client signs the whole path."""
    app = Starlette(routes=[Mount("/oauth/exchange", token_exchange(await make_protector(), Hooks().make))])
    async with serving(app, server) as port, httpx.AsyncClient() as client:
        origin = f"http://127.0.0.1:{port}"
        message = sign(JANE, "POST", "/oauth/exchange/", origin=origin, body=urlencode({"grant_type": GRANT}).encode())
        headers = [(name.decode(), value.decode()) for name, value in message.headers]
        answer = await client.post(f"{origin}/oauth/exchange/", headers=headers, content=message.body)
    assert json.loads(answer.content)["token_type"] == "Bearer"
