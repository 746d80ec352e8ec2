"""The programs in docs/own-models.md serve."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.protocol.wire import Signer

CLIENT = {"client_id": "dpf43f3p2l4k3l03", "client_secret": "kd94hf93k423kf44"}

#: A view that fails after it has written.
BROKEN = """
@api.put("/broken")
async def broken(
    credential: Annotated[TokenCredential, Security(oauth1)], session: Annotated[AsyncSession, Depends(new_session)]
):
    (await session.get_one(User, credential.user_id)).name = "lost"
    await session.flush()
    raise LookupError("a mistake of the view")
"""


@pytest.fixture
def programs(repository: Path) -> list[str]:
    """The programs of the page: the first, on FastAPI, with another store, the migration, and on Flask."""
    page = (repository / "docs" / "own-models.md").read_text(encoding="utf-8")
    found: list[str] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(found) == 5
    return found


@pytest_asyncio.fixture
async def names(programs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the first program defines. Its tables have been created."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/page.db")
    names: dict[str, Any] = {"__name__": __name__}
    run(programs[0], names)
    async with names["engine"].begin() as connection:
        await connection.run_sync(names["Base"].metadata.create_all)
    return names


def run(program: str, names: dict[str, Any]) -> None:
    exec(compile(program, "own-models.md", "exec", dont_inherit=True), names)


async def token_in(names: dict[str, Any]) -> Signer:
    """Create a client, a user and a token; the store is open."""
    store = names["store"]
    await store.add_client(names["Client"](**CLIENT))
    async with names["async_sessionmaker"](names["engine"])() as session, session.begin():
        session.add(names["User"](id=7, name="Jane"))
    token = await store.issue_token_credential(CLIENT["client_id"], 7)
    return Signer(timestamp=int(time.time())).with_token(token.oauth_token, token.oauth_token_secret)


def signed(signer: Signer, method: str, path: bytes, query: list[tuple[bytes, bytes]] | None = None) -> dict[str, str]:
    wire = signer.wire(method, path, query=query, scheme="http", host="localhost")
    return {name.decode(): value.decode() for name, value in wire.headers}


async def test_the_program_serves(names: dict[str, Any], programs: list[str]) -> None:
    """A request with a token is answered with the user of the token, from one of the page's own models."""
    async with names["app"].test_app() as served:
        headers = signed(await token_in(names), "GET", b"/me")
        response = await served.test_client().get("/me", headers=headers)
        assert (response.status_code, await response.get_json()) == (200, {"name": "Jane"})
        names["sessions"] = names["async_sessionmaker"](names["engine"])
        run(programs[2], names)  # makes a store, and connects to nothing


async def test_the_program_on_fastapi_serves(names: dict[str, Any], programs: list[str]) -> None:
    """A view changes its user in a session of its own. If it fails, that is undone, and the nonce stays used."""
    run(programs[1], names)
    run(BROKEN, names)
    api = names["api"]
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser,
    ):
        signer = await token_in(names)
        failing = signed(signer, "PUT", b"/broken")
        assert [(await browser.put("/broken", headers=failing)).status_code for _ in range(2)] == [500, 401]
        renaming = signed(signer, "PUT", b"/me", [(b"name", b"Joan")])
        answer = await browser.put("/me?name=Joan", headers=renaming)
        assert (answer.status_code, answer.json()) == (200, {"from": "Jane", "to": "Joan"})
        assert (await browser.put("/me?name=Joan", headers=renaming)).status_code == 401
        assert (await browser.put("/me?name=Eve", headers=signed(signer, "PUT", b"/me"))).status_code == 401


def test_the_program_on_flask_serves(programs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of its own table is accepted, once for each nonce."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/page.db")
    names: dict[str, Any] = {"__name__": __name__}
    run(programs[4], names)
    names["Base"].metadata.create_all(names["engine"])
    token = {"oauth_token": "token", "oauth_token_secret": "token secret"}
    with names["session"]() as session, session.begin():
        session.add(names["Client"](**CLIENT))
        session.add(names["TokenCredential"](client_id=CLIENT["client_id"], user_id=7, **token))
    headers = signed(Signer(timestamp=int(time.time())).with_token(*token.values()), "GET", b"/photos")
    client = names["app"].test_client()
    answers = [client.get("/photos", headers=headers) for _ in range(2)]
    names["engine"].dispose()
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[0].json == {"owner": 7}
