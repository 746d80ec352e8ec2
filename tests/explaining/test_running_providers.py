"""Refusals of real applications are explained after the answer, in Quart, behind the middleware, and in Flask."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from oauthlib.oauth1 import Client as Signer
from quart import Quart

from async_oauth1 import Client, Policy, TokenCredential
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.explain import Explanation
from async_oauth1.provider.resource_protector import ResourceProtector as CoreProtector
from async_oauth1.quart import ResourceProtector
from async_oauth1.stores import MemoryStore
from flask_compat import ResourceProtector as FlaskProtector

SECRET, URL = "kd94hf93k423kf44", "https://example.net/photos?size=large"
PATIENCE = 30
Call = tuple[Any, Any, Explanation | None]


async def store() -> MemoryStore:
    """A store with a client."""
    opened = MemoryStore()
    await opened.add_client(Client(client_id="printer", client_secret=SECRET))
    return opened


def headers(url: str = "http://example.net/photos?size=large", secret: str = SECRET) -> dict[str, str]:
    """A signature that was made for another URL: the client signed http."""
    _, signed, _ = Signer("printer", secret).sign(url)
    return dict(signed)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def explained(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines that explain."""
    texts = [record.getMessage() for record in caplog.records]
    assert not [text for text in texts if SECRET in text]
    return [text for text in texts if text.startswith("Explained: ")]


@pytest.mark.parametrize("wanted", [True, ("printer",), ("another",), False])
async def test_quart_logs_the_cause(wanted: bool | tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    """The answer is the same, and the log has the cause if the policy wants it for this client."""
    caplog.set_level(logging.INFO, "async_oauth1")
    app = Quart(__name__)
    calls: list[Call] = []
    require_oauth = ResourceProtector(app, policy=Policy(explain_refusals=wanted))
    require_oauth.register_hooks(await store())
    require_oauth.register_hook("on_refusal", lambda *call: calls.append(call))

    @app.get("/photos")
    @require_oauth(two_legged=True)
    async def photos() -> str:
        return "photos"

    fields = {"Host": "example.net", **headers()}
    answer = await app.test_client().get("/photos?size=large", scheme="https", headers=fields)
    assert answer.status_code == 401
    assert calls == []  # the hook waits until the answer is sent
    assert b"scheme" not in await answer.get_data(as_text=False)
    await until(lambda: calls)
    (request, error, explanation) = calls[0]
    assert (request.client_id, error.error) == ("printer", "invalid_signature")
    if wanted in (True, ("printer",)):
        assert explanation is not None
        assert [cause.code for cause in explanation.causes] == ["scheme"]
        assert "scheme: The client signed http://example.net" in explained(caplog)[0]
    else:
        assert explanation is None
        assert explained(caplog) == []


async def test_the_answer_does_not_depend_on_it() -> None:
    """Status, header fields and body are equal, octet by octet."""
    answers = []
    for wanted in (False, True):
        protector = CoreProtector(Policy(explain_refusals=wanted))
        protector.register_hooks(await store())
        middleware = OAuth1Middleware(_unreachable, protector, ["/"], two_legged=True)
        answers.append([await _ask(middleware, signed) for signed in (headers(), headers(secret="wrong"), {})])
    assert answers[0] == answers[1]


async def test_the_middleware_logs_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    """Also for a coroutine as hook, and for what needs no signature."""
    caplog.set_level(logging.INFO, "async_oauth1")
    protector = CoreProtector(Policy(explain_refusals=True))
    protector.register_hooks(await store())
    calls: list[Call] = []

    async def on_refusal(*call: Any) -> None:
        calls.append(call)

    protector.register_hook("on_refusal", on_refusal)
    middleware = OAuth1Middleware(_unreachable, protector, ["/"], two_legged=True)
    for signed in (headers(), headers(secret="wrong"), {"Authorization": 'OAuth oauth_consumer_key="x"'}):
        await _ask(middleware, signed)
    await until(lambda: len(calls) == 3)
    codes = [[cause.code for cause in explanation.causes] for _, _, explanation in calls if explanation]
    assert codes[0] == ["scheme"]
    assert codes[1] == []
    assert codes[2] == ["malformed"]
    assert "most likely a secret is wrong" in explained(caplog)[1]


async def _unreachable(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError


async def _ask(middleware: OAuth1Middleware, fields: dict[str, str]) -> list[Any]:
    scope = {
        "type": "http", "method": "GET", "scheme": "https", "path": "/photos", "raw_path": b"/photos",
        "query_string": b"size=large", "client": ("192.0.2.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
        "headers": [(b"host", b"example.net"), *((k.lower().encode(), v.encode()) for k, v in fields.items())],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await middleware(scope, receive, send)
    assert sent[0]["status"] in (400, 401)
    return sent


async def test_a_hook_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The next refusal is handled all the same."""
    protector = CoreProtector()
    protector.register_hooks(await store())
    calls: list[Call] = []

    def on_refusal(*call: Any) -> None:
        calls.append(call)
        raise ValueError

    protector.register_hook("on_refusal", on_refusal)
    middleware = OAuth1Middleware(_unreachable, protector, ["/"], two_legged=True)
    await _ask(middleware, headers())
    await _ask(middleware, headers())
    await until(lambda: len(calls) == 2)
    await until(lambda: "could not be explained" in caplog.text)


def test_flask_logs_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The thread explains, and ends when nothing waits; a coroutine may be the hook."""
    caplog.set_level(logging.INFO, "async_oauth1")
    app = Flask(__name__)
    app.config.update(OAUTH1_EXPLAIN_REFUSALS=True)
    opened = asyncio.run(store())
    token = TokenCredential(client_id="printer", oauth_token="token", oauth_token_secret="token secret", user_id="jane")
    calls: list[Call] = []
    require_oauth = FlaskProtector(
        app, query_client=opened.query_client, query_token=lambda *_: token, exists_nonce=lambda *_: False
    )  # fmt: skip

    async def on_refusal(*call: Any) -> None:
        calls.append(call)

    require_oauth.on_refusal = on_refusal

    @app.get("/photos")
    @require_oauth()
    def photos() -> str:
        return "photos"

    _, signed, _ = Signer("printer", SECRET, "token", "token secret").sign("http://example.net/photos?size=large")
    answer = app.test_client().get("/photos?size=large", base_url="https://example.net", headers=signed)
    assert answer.status_code == 401
    asyncio.run(until(lambda: calls))
    (_, _, explanation) = calls[0]
    assert explanation is not None
    assert [cause.code for cause in explanation.causes] == ["scheme"]
    assert "scheme" in explained(caplog)[0]


async def test_a_server_without_an_observer_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """A policy that has no effect is named when the hooks are checked."""
    protector = CoreProtector(Policy(explain_refusals=True))
    protector.register_hooks(await store())
    protector.require_hooks()
    assert "Refusals are not explained here" in caplog.text


def test_what_the_policy_takes() -> None:
    """A switch, or identifiers of clients."""
    assert Policy(explain_refusals=["a"]).explain_refusals == ("a",)  # type: ignore[arg-type]
    for wrong in ("client", 1, None):
        with pytest.raises(TypeError, match="explain_refusals"):
            Policy(explain_refusals=wrong)  # type: ignore[arg-type]
