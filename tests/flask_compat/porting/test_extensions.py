"""Extensions that the guide to porting names: they work next to both kinds of servers."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import quart
from quart_auth import AuthUser, QuartAuth, current_user, login_required, login_user
from quart_rate_limiter import RateLimiter, rate_limit

from async_oauth1.quart import ResourceProtector as NativeProtector
from flask_compat import ResourceProtector
from tests.asgi.test_cors import make_store
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Client as ClientModel
from tests.flask_compat.ported import Token
from tests.servers import unmeasured_environment

ROOT = Path(__file__).parents[3]


async def make_protector(kind: str, app: quart.Quart) -> Any:
    """A protector of the facade or of async_oauth1 that knows the client and the token."""
    if kind == "native":
        protector = NativeProtector(app)
        protector.register_hooks(await make_store())
        return protector
    return ResourceProtector(
        app,
        lambda _: ClientModel("client", "secret"),
        lambda *_: Token("client", "tok", "toksecret", "jane"),
        lambda *_: False,
    )


@pytest.mark.parametrize("kind", ["native", "flask_compat"])
async def test_quart_auth_and_quart_rate_limiter(kind: str) -> None:
    """Users sign in to the pages, clients sign requests, and both are limited."""
    app = quart.Quart("extensions")
    app.secret_key = "secret"
    app.config["QUART_AUTH_COOKIE_SECURE"] = False
    QuartAuth(app)
    RateLimiter(app)
    require_oauth = await make_protector(kind, app)

    @app.post("/login")
    async def login() -> str:
        login_user(AuthUser("jane"))
        return ""

    @app.get("/page")
    @login_required
    async def page() -> str:
        return str(current_user.auth_id)

    @app.get("/photos")
    @rate_limit(2, timedelta(hours=1))
    @require_oauth()
    async def photos() -> dict[str, Any]:
        return {}

    browser = app.test_client()
    assert (await browser.get("/page")).status_code == 401
    await browser.post("/login")
    assert await (await browser.get("/page")).get_data(as_text=True) == "jane"
    async with app.test_app():
        client = Client(app, token="tok", token_secret="toksecret")
        assert [(await client.send("GET", "/photos")).status for _ in range(3)] == [200, 200, 429]


def test_quart_flask_patch_keeps_flask_sqlalchemy(tmp_path: Path) -> None:
    """In a process of its own, because it patches Flask and Quart."""
    command = [sys.executable, "-m", "tests.flask_compat.porting.patched_app", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=unmeasured_environment(), capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("200\n", 0), done.stderr
