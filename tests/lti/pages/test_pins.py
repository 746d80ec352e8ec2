"""The program of the page on LTI that pins keys, over real files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from async_oauth1 import Client, OAuth1Error, StoreUnavailableError
from async_oauth1.lti import LTILaunchError
from tests.lti.consumer import BASIC, KEY, SECRET, launched
from tests.pages.programs import program


@pytest.fixture
async def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModuleType]:
    """The program, serving, with one client."""
    monkeypatch.chdir(tmp_path)
    module = program("lti", "async def pin_consumer")
    async with module.app.test_app():
        await module.store.add_client(Client(client_id=KEY, client_secret=SECRET, name="A course"))
        yield module


async def launch(module: ModuleType, course: str) -> str | None:
    """The code with which a launch from a course is refused; ``None`` if it is accepted."""
    try:
        await module.tool.verify_launch(launched({**BASIC, "context_id": course}, timestamp=int(time.time())))
    except LTILaunchError as error:
        return error.error
    return None


async def test_a_key_is_pinned_to_its_first_course(tool: ModuleType) -> None:
    """The client of a store launches from there again, and from nowhere else."""
    assert [await launch(tool, course) for course in ("a", "a", "b", "a")] == [None, None, "lti_pinned", None]


async def test_of_many_first_launches_one_course_wins(tool: ModuleType) -> None:
    """At once, each from another course."""
    outcomes = await asyncio.gather(*(launch(tool, f"course-{number}") for number in range(10)))
    assert sorted(map(str, outcomes)) == ["None", *["lti_pinned"] * 9]


async def test_another_client_is_unknown(tool: ModuleType) -> None:
    """As without pins."""
    with pytest.raises(OAuth1Error) as caught:
        await tool.tool.verify_launch(launched(key="unknown", timestamp=int(time.time())))
    assert caught.value.status_code == 401


async def test_without_its_database_no_launch_is_accepted(tool: ModuleType, tmp_path: Path) -> None:
    """The error is that of a store that is down."""
    (tmp_path / "tool.db").unlink()
    (tmp_path / "tool.db").mkdir()
    with pytest.raises(StoreUnavailableError):
        await launch(tool, "a")
