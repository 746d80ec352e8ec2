"""The health checks: alive as long as the process answers, ready while every store does."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from async_oauth1.asgi import health_endpoints
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore
from tests.attacks.signer import Message
from tests.attacks.wire import call


class Sick(MemoryStore):
    """A store that fails as it is told to."""

    def __init__(self, failure: BaseException | None) -> None:
        super().__init__()
        self.url = "postgresql://jane@db/photos"
        self.failure = failure

    async def ping(self) -> None:
        if isinstance(self.failure, TimeoutError):
            await asyncio.sleep(3600)
        if self.failure is not None:
            raise self.failure


def get(path: str, method: str = "GET") -> Message:
    """A request without a signature."""
    return Message(method=method, target=path.encode())


@pytest.mark.parametrize("prefix", ["", "/health"])
async def test_a_provider_whose_stores_answer(prefix: str) -> None:
    """Both are 200, for GET and HEAD, and are not cached; other paths and methods are refused."""
    app = health_endpoints(MemoryStore(), Sick(None))
    for name in ("/alive", "/ready"):
        for method, body in (("GET", b"ok"), ("HEAD", b"")):
            answer = await call(app, get(prefix + name, method))
            assert (answer.status, answer.body) == (200, body)
            assert answer.header("cache-control") == "no-store"
        refused = await call(app, get(prefix + name, "POST"))
        assert (refused.status, refused.header("allow")) == (405, "GET, HEAD")
    for path in ("/", "/health", "/other", "/alive/x"):
        assert (await call(app, get(path))).status == 404


async def test_it_can_be_mounted() -> None:
    """A framework that mounts it at /health serves both."""
    app: Any = Starlette(routes=[Mount("/health", health_endpoints(MemoryStore()))])
    assert [(await call(app, get(f"/health/{name}"))).status for name in ("alive", "ready", "x")] == [200, 200, 404]


@pytest.mark.parametrize("failure", [StoreUnavailableError(), TimeoutError(), RuntimeError("hunter2")])
async def test_a_store_that_does_not_answer(failure: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Ready is 503 with the kind of the store alone, alive stays 200; each change is logged once."""
    store = Sick(failure)
    app = health_endpoints(MemoryStore(), store, timeout=0.5)
    with caplog.at_level(logging.WARNING, "async_oauth1"):
        for _ in range(2):
            answer = await call(app, get("/health/ready"))
            assert (answer.status, answer.body) == (503, b"does not answer: postgresql")
            assert int(answer.header("retry-after") or 0) > 0
        assert (await call(app, get("/health/alive"))).status == 200
        store.failure = None
        assert (await call(app, get("/health/ready"))).status == 200
    changes = [each.message for each in caplog.records if "answer" in each.message]
    assert changes == ["health: postgresql does not answer", "health: postgresql answers again"]
