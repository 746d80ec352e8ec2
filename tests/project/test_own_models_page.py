"""The program in docs/own-models.md serves."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.protocol.wire import Signer


async def test_the_program_serves(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request with a token is answered with the user of the token, from one of the page's own models."""
    page = (repository / "docs" / "own-models.md").read_text(encoding="utf-8")
    program, with_cache, _ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/page.db")
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(program, "own-models.md", "exec", dont_inherit=True), names)
    async with names["engine"].begin() as connection:
        await connection.run_sync(names["Base"].metadata.create_all)
    async with names["app"].test_app() as served:
        store = names["store"]
        await store.add_client(names["Client"](client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44"))
        sessions = names["sessions"] = names["async_sessionmaker"](names["engine"])
        async with sessions() as session, session.begin():
            session.add(names["User"](id=7, name="Jane"))
        token = await store.issue_token_credential("dpf43f3p2l4k3l03", 7)
        signer = Signer(timestamp=int(time.time())).with_token(token.oauth_token, token.oauth_token_secret)
        wire = signer.wire(path=b"/me", scheme="http", host="localhost")
        headers = {name.decode(): value.decode() for name, value in wire.headers}
        response = await served.test_client().get("/me", headers=headers)
        assert (response.status_code, await response.get_json()) == (200, {"name": "Jane"})
        exec(
            compile(with_cache, "own-models.md", "exec", dont_inherit=True), names
        )  # makes a store, and connects to nothing
