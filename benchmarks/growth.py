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
from async_oauth1.bridge import drive
from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres

from . import stores
from .contestants import CONTESTANTS, OURS, make_case
from .duels import Plan
from .load import burst
from .processes import ProviderProcess
from .providers.ours import fill
from .serving import servers
from .signing import QUERY_STRING, Signer
from .verify import measure

__all__ = ["run"]

Say = Callable[[str], None]
Table = dict[str, Any]
HOST = "127.0.0.1:8000"
BATCH = 500


def table(key: str, title: str, columns: list[str], rows: list[list[Any]]) -> Table:
    """A table whose last column is the ratio of the one before to that of the first row."""
    first = rows[0][-1]
    return {
        "key": key,
        "title": title,
        "columns": [*columns, "ratio"],
        "rows": [[*row, row[-1] / first] for row in rows],
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


def _microseconds(store: MemoryStore) -> float:
    """CPU time of one whole request: the median of several batches."""
    protector = ResourceProtector()
    protector.register_hooks(store)
    signer, batches = Signer(HOST, "/photos"), []
    for _ in range(9):
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
            drive(protector.validate_request(request))
        batches.append((time.process_time() - started) / BATCH * 1e6)
    return median(batches)


def memory_store(what: str, counts: tuple[int, ...]) -> Table:
    """Time per request and bytes per entry against how many entries there are.

    Args:
        what: ``nonces``, ``tokens`` or ``clients``.
        counts: of entries.
    """
    rows = []
    for count in counts:
        sizes = {"nonces": 0, "tokens": 16, "clients": 0, what: count}
        tracemalloc.start()
        store = asyncio.run(_filled(**sizes))
        octets = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        gc.collect()
        gc.freeze()  # a server's collector has seen them long ago, too
        rows.append([count, round(octets / count), _microseconds(store)])
        gc.unfreeze()
    columns = [what, "bytes each", "CPU us per request"]
    return table(f"memory-{what}", f"Memory store: live {what}", columns, rows)


def parameters(counts: tuple[int, ...], rounds: int) -> Table:
    """Time per verification against the number of query parameters, ours and the peers'."""
    rows = []
    for count in counts:
        case = make_case("header", more=count - 2)
        names = (OURS, "Authlib", "oauthlib")
        times = measure({name: CONTESTANTS[name](case) for name in names}, rounds)
        ours, *others = (median(times[name]) for name in names)
        rows.append([count, *others, ours])
    columns = ["query parameters", "Authlib, us", "oauthlib, us", "async-oauth1, us"]
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
    many = (1_000, 50_000) if quick else (1_000, 10_000, 100_000, 300_000)
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
    return results
