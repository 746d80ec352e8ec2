"""A method that a view forgets to await is named."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import flask
import pytest
import quart

import flask_compat
from async_oauth1 import quart as native
from tests.flask_compat.client import fetch


def native_app() -> tuple[Any, Any, Any]:
    """The servers on Quart."""
    app = quart.Quart("unawaited")
    return app, native.AuthorizationServer(app), native.ResourceProtector(app)


def compat_app(framework: Callable[[str], Any]) -> tuple[Any, Any, Any]:
    """The facade; a plain hook, so that flows leave the loop."""
    app = framework("unawaited")
    server = flask_compat.AuthorizationServer(app, query_client=lambda _: None)
    return app, server, flask_compat.ResourceProtector(app, query_client=lambda _: None)


KINDS: dict[str, Callable[[], tuple[Any, Any, Any]]] = {
    "native": native_app,
    "flask_compat on Quart": lambda: compat_app(quart.Quart),
    "flask_compat on Flask": lambda: compat_app(flask.Flask),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("as_tuple", [False, True])
@pytest.mark.parametrize(
    "method", ["create_temporary_credentials_response", "create_authorization_response", "create_token_response"]
)
async def test_a_view_that_returns_a_call_without_await(
    kind: str, as_tuple: bool, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The error in the log names the method, and what is missing."""
    app, server, _ = KINDS[kind]()

    @app.post("/token")
    async def token() -> Any:
        called = getattr(server, method)()
        return (called, 200) if as_tuple else called

    assert (await fetch(app, "POST", "/token")).status == 500
    assert f'AuthorizationServer.{method}() without awaiting it: write "await"' in caplog.text


async def test_a_coroutine_of_the_application_is_left_to_the_framework(caplog: pytest.LogCaptureFixture) -> None:
    """It is not ours to explain."""
    app, _, _ = native_app()

    async def own() -> str:
        return ""

    waiting: list[Coroutine[Any, Any, str]] = []

    @app.get("/")
    async def index() -> Any:
        waiting.append(own())
        return waiting[0]

    assert (await fetch(app, "GET", "/")).status == 500
    assert "(coroutine) is not valid" in caplog.text
    waiting[0].close()


@pytest.mark.parametrize(
    ("kind", "server"), [("native", "ResourceProtector"), ("flask_compat on Quart", "ResourceProtector")]
)
async def test_pythons_warning_names_the_method(kind: str, server: str) -> None:
    """A result that is thrown away, so that nothing is verified."""
    app, _, protector = KINDS[kind]()

    @app.get("/")
    async def index() -> str:
        protector.acquire_credential()
        return ""

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert (await fetch(app, "GET", "/")).status == 200
        gc.collect()
    assert any(f"{server}.acquire_credential' was never awaited" in str(warning.message) for warning in caught)
