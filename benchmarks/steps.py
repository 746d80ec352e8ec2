"""The time of each step of a verification, inside a Quart request and alone.

    python -m benchmarks.steps

There is no server and no socket: the application is called as by an ASGI server, in turns with an unprotected route.
In a loop, a step finds its code and data in the nearest CPU caches; within a request, Quart's own work comes before and
after it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import typer
from quart import Quart, request
from rich.console import Console

from async_oauth1.asgi import request_from_scope
from async_oauth1.quart import ResourceProtector
from async_oauth1.stores import MemoryStore

from .load.signing import QUERY_STRING, Signer
from .providers.ours import fill
from .providers.settings import ANSWER
from .reporting.markdown import markdown_table

__all__ = ["main"]

HOST = "127.0.0.1:8000"
#: Requests per batch, and batches per side; the sides take turns.
BATCH, ROUNDS = 300, 25


@dataclass(slots=True)
class Way:
    """The state of a request between steps."""

    scope: dict[str, Any]
    request: Any = None


Step = Callable[[ResourceProtector, Way], Awaitable[None]]


async def _read(protector: ResourceProtector, way: Way) -> None:
    way.request = request_from_scope(way.scope, protector.policy)


async def _check(protector: ResourceProtector, way: Way) -> None:
    protector.check_request(way.request)


async def _look_up(protector: ResourceProtector, way: Way) -> None:
    await protector._look_up(way.request)  # noqa: SLF001 - a step of validate_request, measured alone


async def _base_string(_: ResourceProtector, way: Way) -> None:
    way.request.signature_base_string  # noqa: B018 - a property that computes


async def _signature(protector: ResourceProtector, way: Way) -> None:
    await protector.verify_signature(way.request)


async def _nonce(protector: ResourceProtector, way: Way) -> None:
    await protector.use_nonce(way.request)


async def _nothing(protector: ResourceProtector, way: Way) -> None:
    pass


STEPS: dict[str, Step] = {
    "reading the request": _read,
    "checks": _check,
    "client and token, memory store": _look_up,
    "base string": _base_string,
    "keys, HMAC, comparison": _signature,
    "nonce, memory store": _nonce,
}


class Bench:
    """An application, and signed requests for it."""

    def __init__(self) -> None:
        """Make the application and the signer."""
        self.store = MemoryStore()
        self.app = Quart(__name__)
        self.protector = ResourceProtector(self.app)
        self.protector.register_hooks(self.store)
        self.signer = Signer(HOST, "/photos")
        self.steps: list[Step] = []
        self.app.add_url_rule("/albums", "albums", self._albums)
        self.app.add_url_rule("/photos", "photos", self._photos)

    async def _albums(self) -> dict[str, Any]:
        return ANSWER

    async def _photos(self) -> dict[str, Any]:
        scope: Any = request.scope
        way = Way(scope)
        for step in self.steps:
            await step(self.protector, way)
        return ANSWER

    def scopes(self, path: str) -> list[dict[str, Any]]:
        """Signed requests, as ASGI scopes."""
        return [
            {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.3"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": path,
                "raw_path": path.encode(),
                "query_string": QUERY_STRING.encode(),
                "root_path": "",
                "headers": [
                    (b"host", HOST.encode()),
                    (b"user-agent", b"printer/1.0"),
                    (b"accept", b"*/*"),
                    (b"authorization", header.encode()),
                ],
                "client": ("127.0.0.1", 1234),
                "server": ("127.0.0.1", 8000),
                "extensions": {},
                "state": {},
            }
            for header in self.signer.headers(BATCH)
        ]

    async def serve(self, path: str) -> float:
        """Microseconds of CPU time per request, measured over a batch."""
        scopes = self.scopes(path)
        started = time.process_time()
        for scope in scopes:
            await self.serve_one(scope)
        return (time.process_time() - started) / BATCH * 1e6

    def signer_for(self, path: str) -> Signer:
        """A signer of requests for a path."""
        return Signer(HOST, path)

    async def serve_one(self, scope: Any) -> None:
        """Serve a request, and check that it is answered with 200."""
        messages = [{"type": "http.request", "body": b"", "more_body": False}]
        never = asyncio.get_running_loop().create_future()

        async def receive() -> Any:
            return messages.pop() if messages else await never

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] != 200:
                raise AssertionError(f"answered with {message['status']}")

        await self.app(scope, receive, send)
        never.cancel()

    async def in_a_request(self, count: int) -> tuple[float, float]:
        """The time of an unprotected request, and the time that the first steps add to it."""
        self.steps = list(STEPS.values())[:count]
        pairs = [(await self.serve("/albums"), await self.serve("/photos")) for _ in range(ROUNDS)]
        return median(without for without, _ in pairs), median(with_them - without for without, with_them in pairs)

    async def by_itself(self, number: int) -> float:
        """The time of one step in a loop, minus the time of the loop."""
        *before, step = list(STEPS.values())[: number + 1]
        taken = []
        for _ in range(ROUNDS):
            ways = [Way(scope) for scope in self.scopes("/photos")]
            for way in ways:
                for earlier in before:
                    await earlier(self.protector, way)
            taken.append(await self._loop(step, ways) - await self._loop(_nothing, ways))
        return median(taken)

    async def _loop(self, step: Step, ways: list[Way]) -> float:
        started = time.process_time()
        for way in ways:
            await step(self.protector, way)
        return (time.process_time() - started) / len(ways) * 1e6


async def measure() -> list[list[Any]]:
    """Measure a row for each step, and one for all of them."""
    bench = Bench()
    await fill(bench.store, 16)
    gc.collect()
    gc.freeze()
    base, nothing = await bench.in_a_request(0)
    rows: list[list[Any]] = []
    before = nothing
    for number, name in enumerate(STEPS):
        _, added = await bench.in_a_request(number + 1)
        rows.append([name, round(added - before, 1), round(await bench.by_itself(number), 1)])
        before = added
    rows.append(["all of them", round(before - nothing, 1), round(sum(row[2] for row in rows), 1)])
    rows.append(["the unprotected request", round(base, 1), None])
    gc.unfreeze()
    return rows


def main() -> None:
    """Print the table."""
    rows = asyncio.run(measure())
    Console().print(markdown_table(["step", "in a request, us", "by itself, us"], rows), markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
