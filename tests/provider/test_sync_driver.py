"""run_sync: a flow without an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from async_oauth1.provider.sync_driver import run_sync

from .provider import CALLBACK, Provider


def test_returns_what_the_flow_returns() -> None:
    """A coroutine that never waits ends at its first step."""

    async def inner() -> int:
        return 1

    async def flow() -> int:
        return await inner() + 1

    assert run_sync(flow()) == 2


def test_raises_what_the_flow_raises() -> None:
    """An exception passes through as it is."""

    async def flow() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_sync(flow())


@pytest.mark.parametrize("value", [None, 1, (1,), StopAsyncIteration()])
def test_any_result(value: Any) -> None:
    """Whatever is returned arrives unchanged."""

    async def flow() -> Any:
        return value

    assert run_sync(flow()) is value


def test_a_hook_that_waits_is_named_as_the_problem() -> None:
    """Without a loop, a waiting hook is an error, and what it holds is released first."""
    released = []

    async def flow() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            released.append(True)

    with pytest.raises(RuntimeError, match="no event loop"):
        run_sync(flow())
    assert released == [True]


def test_whole_flow_with_a_hook_that_waits() -> None:
    """An async hook that really waits, under run_sync, accepts nothing."""

    class Suspended:
        def __await__(self) -> Generator[None, None, bool]:
            yield
            return False

    provider = Provider()
    provider.hooks.replaced["exists_nonce"] = lambda *args: Suspended()
    with pytest.raises(RuntimeError, match="no event loop"):
        provider.initiate(provider.client.wire("POST", oauth_callback=CALLBACK))
    assert "create_temporary_credential" not in provider.hooks.calls


async def test_same_flow_in_an_event_loop() -> None:
    """The flows that drive runs are ordinary coroutines, whose hooks may wait where there is a loop."""
    provider = Provider()

    async def slow(*args: Any) -> bool:
        await asyncio.sleep(0)
        return await provider.store.exists_nonce(*args)

    provider.hooks.replaced["exists_nonce"] = slow
    request = provider.client.wire("POST", oauth_callback=CALLBACK).read()
    response = await provider.server.create_temporary_credentials_response(request)
    assert response.status_code == 200
