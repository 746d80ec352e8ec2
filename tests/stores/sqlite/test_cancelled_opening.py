"""A connection whose opening is cancelled is closed before the caller goes on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from async_oauth1.stores.sqlite.connection import connect

ROUNDS = 50


async def _cancel_after(turns: int, uri: str) -> None:
    opening = asyncio.create_task(connect(uri, 1.0))
    for _ in range(turns):
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening


@pytest.mark.parametrize("exists", [True, False])
def test_its_thread_ends_without_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool) -> None:
    """The event loop may be closed at once, as after Ctrl-C: the thread reports nothing to it."""
    path = tmp_path / "store.db"
    if exists:
        path.touch()
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_value))
    before = set(threading.enumerate())
    for number in range(ROUNDS):
        asyncio.run(_cancel_after(1 + number % 3, f"file:{path}?mode=rw"))
        for thread in set(threading.enumerate()) - before:
            thread.join(60)
            assert not thread.is_alive()
    assert raised == []
