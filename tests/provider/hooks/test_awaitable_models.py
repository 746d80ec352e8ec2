"""Models that can be awaited, as those of Tortoise can: awaiting one gives the model itself."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, Self

import pytest

from async_oauth1.provider.hooks import call_hook, resolve


class Model:
    """A model with ``__await__``, for code that does not know whether a relation is loaded."""

    def __await__(self) -> Generator[Any, None, Self]:
        async def itself() -> Self:
            return self

        return itself().__await__()


async def nested(model: Model) -> Any:
    async def inner() -> Model:
        return model

    return inner()


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_hook_may_return_one(asynchronous: bool) -> None:
    """The model is the result; it is not awaited again and again."""
    model = Model()

    async def look_up() -> Model:
        return model

    hook = look_up if asynchronous else lambda: model
    async with asyncio.timeout(60):
        assert await call_hook(hook) is model


async def test_one_behind_coroutines_is_found() -> None:
    """A coroutine is still never taken for the result."""
    model = Model()
    async with asyncio.timeout(60):
        assert await resolve(nested(model)) is model
        assert await call_hook(nested, model) is model
