"""The programs about grades in `docs/lti.md`."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from async_oauth1.lti import Outcome

URL = "http://localhost"


@pytest.fixture
def program(repository: Path) -> dict[str, Any]:
    """The page's tool and platform, in one application."""
    page = (repository / "docs" / "lti.md").read_text(encoding="utf-8")
    before, _, rest = page.partition("## What a launch says")
    grades = rest.partition("## Grades")[2].partition("## Testing a tool")[0]
    names: dict[str, Any] = {"__name__": "tool", "log": None}
    for text in (before, grades):
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        exec("\n".join(block for block in blocks if "flask.request" not in block), names)
    names["secret"] = names["consumers"]["course-7"].client_secret
    return names


async def test_a_grade_is_sent_and_stored(program: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What `send_grade` sends is stored by the page's own platform."""
    stored: list[tuple[Any, ...]] = []

    async def store(*grade: Any) -> None:
        stored.append(grade)

    program["db"] = SimpleNamespace(store_grade=store)
    transport = httpx.ASGITransport(program["app"], client=("127.0.0.1", 1))
    make = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda: make(transport=transport))
    outcome = Outcome("course-7", f"{URL}/outcomes", "grade-1")
    await program["send_grade"](Outcome(**json.loads(json.dumps(asdict(outcome)))), 0.92)
    assert stored == [("course-7", "grade-1", 0.92)]


async def test_the_platform_opens_the_tool(program: dict[str, Any]) -> None:
    """The page that it answers posts itself."""
    page = await (await program["app"].test_client().get("/open")).get_data(as_text=True)
    assert 'action="https://tool.example/launch"' in page
    assert 'name="oauth_signature"' in page
