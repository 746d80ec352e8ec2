"""What a request costs as things grow: nonces, tokens, clients, parameters, connections, workers.

    python -m benchmarks growth

Every table's last column is the cost over that of its first row.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

from async_oauth1 import OAuth1Request, ResourceProtector
from async_oauth1.credentials import Client
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres

from . import stores
from .contestants import CONTESTANTS, IN_PYTHON, OURS, make_case
from .load.duels import Plan, Size, open_sides
from .load.pacing import SIDES, paced
from .load.processes import ProviderProcess
from .load.signing import QUERY_STRING, Signer
from .load.wrk import burst
from .providers.ours import fill
from .reporting.figures import ratios
from .serving import servers
from .verify import measure

__all__ = ["run"]

Say = Callable[[str], None]
Table = dict[str, Any]
HOST = "127.0.0.1:8000"
#: Requests of a batch, and batches of each store, which take turns.
BATCH, ROUNDS = 500, 11


def table(key: str, title: str, columns: list[str], rows: list[list[Any]]) -> Table:
    """A table whose last column is the ratio of the one before to that of the first row."""
    first = rows[0][-1]
    return {
        "key": key,
        "title": title,
        "columns": [*columns, "ratio"],
        "rows": [[*row, round(row[-1] / first, 3)] for row in rows],
    }


# In this process, over the memory store -----------------------------------------------------------------------------


async def _filled(nonces: int, tokens: int, clients: int) -> MemoryStore:
    store = MemoryStore(max_nonces=10_000_000)
    await fill(store, tokens)
    for number in range(clients):
        await store.add_client(Client(client_id=f"client{number}", client_secret="secret"))
    timestamp = str(int(time.time()))
    for number in range(nonces):
        await store.exists_nonce(f"live{number:012d}", timestamp, "client", "token")
    return store


def _seconds(protector: ResourceProtector, signer: Signer) -> float:
    """CPU seconds of one whole request, over a batch of them."""
    headers = [[(b"host", HOST.encode()), (b"authorization", text.encode())] for text in signer.headers(BATCH)]
    started = time.process_time()
    for pairs in headers:
        request = OAuth1Request(
            "GET",
            scheme="http",
            host=HOST,
            raw_path=b"/photos",
            raw_query=QUERY_STRING.encode(),
            headers=pairs,
            peer="127.0.0.1",
        )
        run_sync(protector.validate_request(request))
    return (time.process_time() - started) / BATCH


def _weighed(sizes: dict[str, int]) -> tuple[ResourceProtector, int]:
    """A protector over a store that was filled, and the octets that the store takes."""
    tracemalloc.start()
    store = asyncio.run(_filled(**sizes))
    octets = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    protector = ResourceProtector()
    protector.register_hooks(store)
    return protector, octets


def memory_store(what: str, counts: tuple[int, ...]) -> Table:
    """Time per request and bytes per entry against how many entries there are.

    Args:
        what: ``nonces``, ``tokens`` or ``clients``.
        counts: of entries.
    """
    weighed = [_weighed({"nonces": 0, "tokens": 16, "clients": 0, what: count}) for count in counts]
    signer = Signer(HOST, "/photos")
    gc.collect()
    gc.freeze()  # a server's collector has seen them long ago, too
    times = [[_seconds(protector, signer) * 1e6 for protector, _ in weighed] for _ in range(ROUNDS)]
    gc.unfreeze()
    rows = []
    for place, (count, (_, octets)) in enumerate(zip(counts, weighed, strict=True)):
        taken = [row[place] for row in times]
        ratio = median(ratios(taken, [row[0] for row in times]))
        rows.append([count, round(octets / count), round(median(taken), 3), round(ratio, 3)])
    columns = [what, "bytes each", "CPU us per request", "ratio"]
    return {"key": f"memory-{what}", "title": f"Memory store: live {what}", "columns": columns, "rows": rows}


def parameters(counts: tuple[int, ...], rounds: int) -> Table:
    """Time per verification against the number of query parameters, ours with each reader, and the peers'."""
    rows = []
    for count in counts:
        case = make_case("header", more=count - 2)
        names = (OURS, IN_PYTHON, "Authlib", "oauthlib")
        times = measure({name: CONTESTANTS[name](case) for name in names}, rounds)
        ours, *others = (median(times[name]) for name in names)
        rows.append([count, *others, ours])
    columns = ["query parameters", "in Python, us", "Authlib, us", "oauthlib, us", "async-oauth1, us"]
    return table("parameters", "Verification: number of parameters", columns, rows)


# Over real servers --------------------------------------------------------------------------------------------------


def connections(plan: Plan, counts: tuple[int, ...], seconds: int) -> Table:
    """CPU time per request, and memory, against open connections."""
    rows = []
    for count in counts:
        with ProviderProcess("ours-redis", plan.settings) as provider:
            signer = Signer(provider.host, "/photos")
            burst(provider, signer, connections=16, seconds=1)
            before = provider.resident_bytes()
            result = burst(provider, signer, connections=count, seconds=seconds)
            grown = max(provider.resident_bytes() - before, 0)
            rows.append([count, round(result.rate), round(grown / 1024 / count, 1), result.p99, result.cpu])
    columns = ["connections", "requests/s", "kB each", "p99, ms", "CPU us per request"]
    return table("connections", "Redis + PostgreSQL, warm: open connections", columns, rows)


def rates(plan: Plan, wanted: tuple[int, ...], seconds: int) -> Table:
    """CPU time per request against the rate: requests that come alone, and requests among others."""
    rows: list[list[Any]] = []
    size = Size(64, 1, seconds)
    with open_sides(SIDES, plan.settings) as opponents:
        for rate in wanted:
            bursts = [paced(opponent, rate, size) for opponent in opponents]
            rows.append([f"{rate:,}", *(one.cpu for one in bursts)])
        rows.append(["as fast as possible", *(opponent.burst(size).cpu for opponent in opponents)])
    columns = ["requests/s", "unprotected, CPU us", "protected, CPU us"]
    return table("rates", "Redis + PostgreSQL, warm: rate, 64 connections", columns, rows)


def workers(plan: Plan, counts: tuple[int, ...], seconds: int) -> Table:
    """CPU time per request, and memory, against worker processes on one port."""
    rows = []
    for count in counts:
        with ProviderProcess("ours-redis", plan.settings, workers=count) as provider:
            signer = Signer(provider.host, "/photos")
            burst(provider, signer, connections=64, seconds=1)
            result = burst(provider, signer, connections=64, seconds=seconds)
            megabytes = round(provider.resident_bytes() / 2**20 / count)
            rows.append([count, round(result.rate), megabytes, result.p99, result.cpu])
    columns = ["workers", "requests/s", "MB each", "p99, ms", "CPU us per request"]
    return table(
        "workers", "Redis + PostgreSQL, warm: hypercorn workers (load and servers share the cores)", columns, rows
    )


async def _database_stores(live: int) -> list[dict[str, Any]]:
    results = await stores.redis_growth(None, "Valkey", live, 105.0)
    server = Postgres("-c", "shared_buffers=256MB")
    try:
        await PostgresStore(server.url).migrate()
        results += await stores.postgres_growth(server, live)
    finally:
        server.close()
    return results


def database_stores(live: int) -> Table:
    """Nonces and tokens in Valkey and PostgreSQL, by `benchmarks.stores`, which also does it with a million."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = asyncio.run(_database_stores(live))
    rows = [[one["name"], one["value"]] for one in found]
    return {"key": "stores", "title": "Valkey and PostgreSQL", "columns": ["figure", "measured"], "rows": rows}


def run(say: Say, *, quick: bool = False) -> list[Table]:
    """Measure everything.

    Args:
        say: told what is being measured.
        quick: small numbers, to see whether it works.
    """
    many = (1_000, 50_000) if quick else (1_000, 10_000, 100_000)
    results = []
    for what in ("nonces", "tokens", "clients"):
        say(f"growth: {what} in the memory store")
        results.append(memory_store(what, many))
    say("growth: parameters")
    results.append(parameters((10, 100) if quick else (10, 30, 100, 300, 990), 3 if quick else 7))
    if not quick:
        say("growth: Valkey and PostgreSQL")
        results.append(database_stores(200_000))
    with servers(1_000, sqlite=False) as running:
        plan, seconds = Plan(running.settings, say), 1 if quick else 3
        say("growth: connections")
        results.append(connections(plan, (16, 64) if quick else (16, 64, 256, 1_024), seconds))
        say("growth: workers")
        results.append(workers(plan, (1, 2), seconds))
        say("growth: rates")
        results.append(rates(plan, (200,) if quick else (100, 300, 600, 1_000), seconds))
    return results
