"""The examples in ``docs/hooks.md``, each on its database, and the page's reference."""

from __future__ import annotations

import asyncio
import re
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from async_oauth1 import hooks
from async_oauth1.credentials import Client, ClientLike
from async_oauth1.provider.hooks import AUTHORIZATION_SERVER_HOOKS, RESOURCE_PROTECTOR_HOOKS
from async_oauth1.provider.hooks.signatures import hook_parameters
from tests.flask_compat.client import Client as SigningClient
from tests.servers import Postgres

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "hooks.md").read_text(encoding="utf-8")
CALLBACK = "https://client.test/ready"


def program(containing: str) -> ModuleType:
    """The program on the page that contains a text, as a module."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [found] = [block for block in blocks if containing in block]
    module = ModuleType("program")
    exec(compile(found, "docs/hooks.md", "exec", dont_inherit=True), vars(module))
    return module


@pytest.fixture(params=["asyncpg", "sqlalchemy"])
def example(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each program, and a function that adds a client."""
    if request.param == "asyncpg":
        server: Postgres = request.getfixturevalue("postgres")
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        monkeypatch.setenv("DATABASE_URL", server.url)
        module = program("asyncpg.create_pool")

        async def add_client() -> None:
            statement = "INSERT INTO clients VALUES ('client', 'secret', $1) ON CONFLICT DO NOTHING"
            await module.database.pool.execute(statement, [CALLBACK])
    else:
        monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/provider.db")
        module = program("create_async_engine")

        async def add_client() -> None:
            await module.database._add(module.Client(client_id="client", client_secret="secret", callback=CALLBACK))

    return module, add_client


async def test_the_example_serves_the_whole_flow(example: Any) -> None:
    """Credentials are issued once, requests are verified, and nothing is accepted twice."""
    module, add_client = example
    app = module.app
    async with app.test_app():
        await add_client()
        client = SigningClient(app)
        initiated = await client.send("POST", "/initiate", callback=CALLBACK)
        client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
        verifier = (await client.approve()).location["oauth_verifier"]
        answers = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(5)))
        [issued] = [answer for answer in answers if answer.status == 200]
        client.token, client.token_secret = issued.form["oauth_token"], issued.form["oauth_token_secret"]
        signed = client.sign("GET", "/photos", client.parameters())
        answers = await asyncio.gather(*(client.send("GET", "/photos", signed=signed) for _ in range(10)))
        assert sorted(answer.status for answer in answers) == [200, *[401] * 9]
        assert {"user": "jane"} in [answer.json for answer in answers]
        assert (await SigningClient(app).send("POST", "/initiate", callback="https://other.test/")).status == 400


def test_the_reference_has_every_hook_with_its_arguments() -> None:
    """As the Protocols have them."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:`([\w, ]+)`)? ?\|", PAGE, re.MULTILINE))
    names = {*AUTHORIZATION_SERVER_HOOKS, *RESOURCE_PROTECTOR_HOOKS}
    assert rows.keys() == names
    for name in names:
        assert tuple(filter(None, rows[name].split(", "))) == hook_parameters(name)


def test_the_api_shows_how_hooks_are_called() -> None:
    """And not the arguments that every Protocol seems to have."""
    conf = runpy.run_path(str(DOCS / "conf.py"))
    shown = conf["show_call"](None, "class", "", hooks.ExistsNonce)
    assert shown == ("(nonce: str, timestamp: str, client_id: str, oauth_token: str | None, /)", "MaybeAwaitable[bool]")
    assert conf["show_call"](None, "class", "", ClientLike) == ("", "")
    assert conf["show_call"](None, "class", "", Client) is None
