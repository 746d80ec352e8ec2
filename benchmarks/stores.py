"""The cost of the stores: batches compared with single statements, memory per nonce, and growth to a million rows.

    python -m benchmarks.stores [--live 1000000] [--json]

Starts its own servers in temporary folders. Compare only figures of one run: times differ between machines and from
minute to minute.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from hashlib import md5
from typing import Any
from uuid import UUID

import asyncpg
import redis.asyncio

from async_oauth1.credentials import Client
from async_oauth1.stores.base import nonce_key
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.sql import REMEMBER
from async_oauth1.stores.redis import RedisStore
from tests.servers import Postgres, Valkey, redis_binary

CONCURRENT = 64
SMALL = 10_000
# Checks per measurement, and measurements per median.
CHECKS = 1_280
ROUNDS = 15

Check = Callable[[int], Awaitable[object]]


async def seconds_per_check(check: Check, start: int, count: int = CHECKS) -> float:
    """Seconds for a number of checks by `CONCURRENT` concurrent callers, divided by that number."""

    async def caller(number: int) -> None:
        for check_number in range(start + number, start + count, CONCURRENT):
            await check(check_number)

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(CONCURRENT)))
    return (time.perf_counter() - began) / count


async def compare(first: Check, second: Check) -> tuple[float, float]:
    """The medians of two checks, measured in turns so that noise affects both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        for check, kept in zip((first, second), times, strict=True):
            taken = await seconds_per_check(check, number * CHECKS)
            if number:  # the first round warms up
                kept.append(taken)
    return statistics.median(times[0]), statistics.median(times[1])


def report(name: str, value: float, limit: float | None = None, unit: str = "") -> dict[str, Any]:
    """Print one line of the result."""
    verdict = "" if limit is None else f"  (limit {limit:g}: {'kept' if value <= limit else 'MISSED'})"
    print(f"{name:<66} {value:>10.3f} {unit}{verdict}", flush=True)
    return {"name": name, "value": value, "limit": limit}


def store_check(store: RedisStore | PostgresStore, label: str) -> Check:
    """A check with a new nonce each time."""
    timestamp = str(int(time.time()))
    return lambda number: store.exists_nonce(f"{label}{number}", timestamp, "client", "token")


async def redis_batches(server: Valkey) -> list[dict[str, Any]]:
    """Compare one script per batch with one SET per nonce."""
    client = redis.asyncio.Redis(port=server.port, max_connections=2 * CONCURRENT)

    async def single(number: int) -> None:
        await client.set(b"single:%d" % number, "1", nx=True, ex=660)

    async with RedisStore(server.url) as store, client:
        batched, one_by_one = await compare(store_check(store, "batch"), single)
    server.flush()
    return [
        report("Valkey: one SET NX per nonce", one_by_one * 1e6, unit="us"),
        report("Valkey: batched", batched * 1e6, unit="us"),
        report("Valkey: batched / one by one", batched / one_by_one, 1 / 3),
    ]


async def postgres_batches(server: Postgres) -> list[dict[str, Any]]:
    """Compare one INSERT per batch with one per nonce on a pool of ten connections."""
    statement = "INSERT INTO single VALUES ($1, 0) ON CONFLICT DO NOTHING RETURNING 1"
    async with PostgresStore(server.url) as store, asyncpg.create_pool(server.url, min_size=10, max_size=10) as pool:
        await pool.execute("CREATE TABLE single (nonce text PRIMARY KEY, expires_at bigint NOT NULL)")
        batched, one_by_one = await compare(
            store_check(store, "batch"), lambda number: pool.fetch(statement, f"single:{number}")
        )
        await pool.execute("DROP TABLE single; TRUNCATE oauth1_nonce")
    return [
        report("PostgreSQL: one INSERT per nonce", one_by_one * 1e6, unit="us"),
        report("PostgreSQL: batched", batched * 1e6, unit="us"),
        report("PostgreSQL: batched / one by one", batched / one_by_one, 1 / 3),
    ]


async def fill_redis(server: Valkey, first: int, last: int) -> None:
    """Write nonces in the store's format, in bulk."""
    timestamp, value = str(int(time.time())), b"1"
    async with redis.asyncio.Redis(port=server.port) as client:
        for start in range(first, last, 10_000):
            pipeline = client.pipeline(transaction=False)
            for number in range(start, min(start + 10_000, last)):
                key = b"oauth1:n" + nonce_key(f"live{number}", timestamp, "client", "token")
                pipeline.set(key, value, nx=True, ex=6600)
            await pipeline.execute()


async def redis_growth(binary: str | None, name: str, live: int, limit: float) -> list[dict[str, Any]]:
    """Measure memory per nonce, and time per check with few nonces and with many."""
    few_server, many_server = (Valkey("--appendonly", "no", binary=binary) for _ in range(2))
    try:
        with many_server.client() as client:
            empty = client.info("memory")["used_memory"]
            await fill_redis(many_server, 0, live)
            used, count = client.info("memory")["used_memory"] - empty, client.dbsize()
        await fill_redis(few_server, 0, SMALL)
        async with RedisStore(few_server.url) as few, RedisStore(many_server.url) as many:
            times = await compare(store_check(few, "check"), store_check(many, "check"))
    finally:
        few_server.close()
        many_server.close()
    return [
        report(f"{name}: bytes per nonce, {count:,} live", used / count, limit),
        report(f"{name}: time per check, {live:,} live / {SMALL:,} live", times[1] / times[0], 1.3),
    ]


async def fill_postgres(pool: asyncpg.Pool[Any], first: int, last: int) -> None:
    """Write nonces with the store's statement, with timestamps spread over their lifetime of eleven minutes."""
    now = int(time.time())
    for start in range(first, last, 5_000):
        keys = sorted(
            str(UUID(bytes=nonce_key(f"live{n}", str(now + n * 660 // last), "client", "token")))
            for n in range(start, min(start + 5_000, last))
        )
        await pool.fetch(REMEMBER, keys, [int(key[:8], 16) for key in keys], 6600)


async def postgres_growth(server: Postgres, live: int) -> list[dict[str, Any]]:
    """Measure bytes per nonce on disk, and time per check and look-up with few rows and with many."""
    server.sql("CREATE DATABASE few")
    server.sql("CREATE DATABASE many")
    few, many = (PostgresStore(server.url.replace("/postgres?", f"/{name}?")) for name in ("few", "many"))
    size = 0.0
    for store, count in ((few, SMALL), (many, live)):
        await store.migrate()
        size = await fill_database(store, count)
    async with few, many:
        checks = await compare(store_check(few, "check"), store_check(many, "check"))
        look_ups = await compare(look_up_check(few, SMALL), look_up_check(many, live))
    return [
        report(f"PostgreSQL: bytes per nonce on disk, {live:,} live", size),
        report(f"PostgreSQL: time per check, {live:,} live / {SMALL:,} live", checks[1] / checks[0], 1.3),
        report(f"PostgreSQL: time per look-up, {live:,} tokens / {SMALL:,}", look_ups[1] / look_ups[0], 1.3),
    ]


async def fill_database(store: PostgresStore, count: int) -> float:
    """Add nonces, token credentials and a client; returns the bytes per nonce on disk."""
    tokens = """INSERT INTO oauth1_token_credential
        SELECT md5(n::text), md5(n::text || 's'), 'client', 'user' || n % 1000, '', n
        FROM generate_series(0, $1::int - 1) AS n"""
    async with store:
        await store.add_client(Client(client_id="client", client_secret="secret"))
    async with asyncpg.create_pool(store.url, min_size=1, max_size=1) as pool:
        await fill_postgres(pool, 0, count)
        await pool.execute(tokens, count, timeout=600)
        await pool.execute("VACUUM ANALYZE")
        await pool.execute("CHECKPOINT")
        return float(await pool.fetchval("SELECT pg_total_relation_size('oauth1_nonce')")) / count


def look_up_check(store: PostgresStore, count: int) -> Check:
    """A look-up of a client and one of its tokens, spread over the table."""

    async def check(number: int) -> None:
        name = md5(b"%d" % (number * 7919 % count), usedforsecurity=False).hexdigest()
        client, token = await store.query_credentials("client", name)
        if client is None or token is None:
            raise LookupError(name)

    return check


async def main(live: int) -> list[dict[str, Any]]:
    """Measure everything."""
    results = []
    valkey = Valkey()
    try:
        results += await redis_batches(valkey)
    finally:
        valkey.close()
    results += await redis_growth(None, "Valkey 9", live, 105.0)
    if binary := redis_binary():
        results += await redis_growth(binary, "Redis 7", live, 150.0)
    postgres = Postgres("-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB")
    try:
        await PostgresStore(postgres.url).migrate()
        results += await postgres_batches(postgres)
        results += await postgres_growth(postgres, live)
    finally:
        postgres.close()
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--live", type=int, default=1_000_000, help="how many nonces and tokens are many")
    parser.add_argument("--json", action="store_true", help="print the results once more, as JSON")
    options = parser.parse_args()
    measured_results = asyncio.run(main(options.live))
    if options.json:
        print(json.dumps(measured_results))
    sys.exit(any(result["limit"] is not None and result["value"] > result["limit"] for result in measured_results))
