"""The cost of a protected request with `SQLAlchemyStore` on PostgreSQL, beside `PostgresStore` on the same server.

    python -m benchmarks.models [--requests 500]

Both stores have asyncpg, ten connections at most and no cache. Starts its own server in a temporary folder. Compare
only figures of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from async_oauth1 import Client, ResourceProtector
from async_oauth1.sqlalchemy import SQLAlchemyStore
from async_oauth1.stores.postgres import PostgresStore
from tests.protocol.wire import Signer, Wire
from tests.servers import Postgres
from tests.sqlalchemy.models import Base, FullClient, FullTemporary, FullToken, Nonce

ROUNDS = 7
CLIENT = Client(client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44")

Request = Callable[[Wire], Awaitable[object]]


async def requests_of(store: Any) -> tuple[Request, Signer]:
    """Verifies a request with a store, and the client that signs requests."""
    await store.add_client(CLIENT)
    token = await store.issue_token_credential(CLIENT.client_id, "jane")
    protector = ResourceProtector()
    protector.register_hooks(store)
    signer = Signer(timestamp=int(time.time()))

    async def verify(wire: Wire) -> None:
        await protector.validate_request(wire.read())

    return verify, signer.with_token(token.oauth_token, token.get_oauth_token_secret())


async def seconds_per_request(verify: Request, signer: Signer, count: int, concurrent: int) -> tuple[float, float]:
    """Seconds and seconds of this process's CPU for a request."""
    wires = iter([signer.wire() for _ in range(count)])

    async def caller() -> None:
        for wire in wires:
            await verify(wire)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(concurrent)))
    return (time.perf_counter() - began) / count, (time.process_time() - cpu) / count


def time_in_statements(engine: AsyncEngine) -> list[float]:
    """The seconds that each statement takes from now on, from its start to its result."""
    taken: list[float] = []
    began: dict[int, float] = {}

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def start(_connection: object, cursor: object, *_: object) -> None:
        began[id(cursor)] = time.perf_counter()

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def stop(_connection: object, cursor: object, *_: object) -> None:
        taken.append(time.perf_counter() - began.pop(id(cursor)))

    return taken


async def main(count: int) -> None:
    """Measure both stores in turns."""
    server = Postgres()
    engine = create_async_engine(server.sqlalchemy_url("postgres"), pool_size=10, max_overflow=0)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        ours = PostgresStore(server.url)
        await ours.migrate()
        models = SQLAlchemyStore(
            async_sessionmaker(engine),
            Client=FullClient,
            TokenCredential=FullToken,
            TemporaryCredential=FullTemporary,
            Nonce=Nonce,
        )
        async with ours, models:
            contestants = {"PostgresStore": await requests_of(ours), "SQLAlchemyStore": await requests_of(models)}
            for concurrent in (1, 64):
                await compare(contestants, count, concurrent)
            taken = time_in_statements(engine)
            await seconds_per_request(*contestants["SQLAlchemyStore"], count, 1)
            print(f"one after the other, in the {len(taken) / count:.1f} statements: {sum(taken) / count * 1e6:.0f} us")
    finally:
        await engine.dispose()
        server.close()


async def compare(contestants: dict[str, tuple[Request, Signer]], count: int, concurrent: int) -> None:
    """Print the medians of both for a number of concurrent callers, measured in turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for number in range(ROUNDS + 1):
        for name, contestant in contestants.items():
            measured = await seconds_per_request(*contestant, count, concurrent)
            if number:  # the first round warms up
                found[name].append(measured)
    medians = {name: [statistics.median(values) for values in zip(*each, strict=True)] for name, each in found.items()}
    for name, (seconds, cpu) in medians.items():
        print(f"{concurrent:>2} at once  {name:<16} {seconds * 1e6:>7.0f} us a request, {cpu * 1e6:>6.0f} us of CPU")
    first, second = medians.values()
    print(f"{concurrent:>2} at once  ratio of the times {second[0] / first[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=500, help="for one measurement")
    asyncio.run(main(parser.parse_args().requests))
