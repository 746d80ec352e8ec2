"""The tables of docs/scaling.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from async_oauth1 import Policy
from benchmarks.reporting.figures import number
from benchmarks.reporting.markdown import markdown_table

from .simulations import DAY, NonceRun, burst, constant, daily_wave, run_cache, run_nonces
from .sizing import Assumptions, Sizing, batch_size, cache_hit_rate, live_nonces, pinned_hit_rate, popularity, size

__all__ = ["RATES", "tables"]

RATES = (1_000, 10_000, 100_000, 1_000_000)
DEFAULTS = Assumptions()


def inputs(given: Assumptions, sources: dict[str, str]) -> str:
    """The inputs of the formulas, and their sources."""
    valkey = "measured: docs/stores.md, Valkey 9" if given.nonce_bytes == DEFAULTS.nonce_bytes else None
    rows = [
        ("CPU time of a request, credentials cached", f"{given.cpu_us:,.0f} us", sources.get("cpu_us")),
        ("added if they are not cached", f"{given.cold_extra_us:,.0f} us", sources.get("cold_extra_us")),
        ("lifetime of a nonce", f"{given.nonce_lifetime:,.0f} s", _default("nonce_lifetime", given, "`Policy`")),
        ("bytes of a live nonce", given.nonce_bytes, valkey),
        ("planned utilisation of workers and Redis", f"{given.utilisation:.0%}", None),
        (
            "Redis: CPU time of a round trip, of a nonce",
            f"{given.redis_call_us:g} us, {given.redis_nonce_us:g} us",
            None,
        ),
        ("Redis: round trip of a batch", f"{given.round_trip_us:,.0f} us", None),
        ("Redis: memory of a server, headroom on it", f"{given.shard_gigabytes:g} GB, {given.headroom:g} times", None),
        ("Redis: replicas of a shard", given.replicas, None),
        ("tokens in use, popularity", f"{given.tokens:,}, Zipf {given.zipf:g}", None),
        (
            "cache: lifetime of an entry",
            f"{given.cache_lifetime:g} s",
            _default("cache_lifetime", given, "`CachingStore`"),
        ),
        ("cache: entries of a worker", given.cache_entries, _default("cache_entries", given, "`CachingStore`")),
        (
            "PostgreSQL: lookups/s of a server, sessions",
            f"{given.postgres_look_ups:,.0f}, {given.postgres_sessions:,.0f}",
            None,
        ),
        (
            "a request and its answer, network interface",
            f"{given.request_bytes:,.0f} bytes, {given.gigabits:g} Gbit/s",
            None,
        ),
    ]
    return markdown_table(["figure", "value", "from"], [(what, value, by or "assumed") for what, value, by in rows])


def _default(name: str, given: Assumptions, whose: str) -> str | None:
    return f"the default of {whose}" if getattr(given, name) == getattr(DEFAULTS, name) else None


def sizings(needs: Sequence[Sizing], given: Assumptions) -> str:
    """One column for each rate."""
    hottest = next(popularity(given.tokens, given.zipf))[1]
    lines: list[tuple[str, Callable[[Sizing], object]]] = [
        ("workers (cores)", lambda need: need.workers),
        ("live nonces, millions", lambda need: need.live / 1e6),
        ("memory for nonces with headroom, GB; with replicas", lambda need: _memory(need, given)),
        ("the same nonces in PostgreSQL, GB on disk", lambda need: need.live * given.postgres_nonce_bytes / 1e9),
        ("nonces in a batch", lambda need: need.batch),
        (
            "Redis shards: for CPU, for memory; **taken**",
            lambda need: f"{need.shards_for_cpu}, {need.shards_for_memory}; **{need.shards}**",
        ),
        ("nonces/s of one shard", lambda need: round(need.rate / need.shards)),
        ("Redis connections of one shard", lambda need: need.redis_connections // need.shards),
        ("Redis, into all shards, Mbit/s", lambda need: need.redis_bits / 1e6),
        ("clients, both directions, Mbit/s", lambda need: need.client_bits / 1e6),
        ("cache hit rate", lambda need: f"{need.hit_rate:.1%}"),
        ("PostgreSQL lookups/s", lambda need: round(need.look_ups)),
        ("the same if a token keeps its worker", lambda need: _pinned(need, given)),
        ("requests/s of the most popular token", lambda need: round(need.rate * hottest)),
        ("PostgreSQL sessions", lambda need: need.postgres_sessions),
        ("change feed: probes/s", lambda need: 4 * need.workers),
    ]
    rows = [[what, *(value(need) for need in needs)] for what, value in lines]
    return markdown_table(["requests/s", *(f"{need.rate:,.0f}" for need in needs)], rows)


def _memory(need: Sizing, given: Assumptions) -> str:
    return f"{number(need.gigabytes)}; {number(need.gigabytes * (1 + given.replicas))}"


def _pinned(need: Sizing, given: Assumptions) -> int:
    return round(need.rate * (1 - pinned_hit_rate(need, given)))


def saturation(needs: Sequence[Sizing], given: Assumptions) -> str:
    """The utilisation of each resource, if it were the only limit; 1 is one full server."""
    lines: list[tuple[str, Callable[[Sizing], float]]] = [
        ("workers: one core", lambda need: need.workers),
        ("Redis: CPU of one server", lambda need: need.rate * need.redis_us / 1e6 / given.utilisation),
        ("Redis: memory of one server", lambda need: need.gigabytes / given.shard_gigabytes),
        ("Redis: network of one server", lambda need: need.redis_bits / 1e9 / given.gigabits),
        ("load balancer: one network interface", lambda need: need.client_bits / 1e9 / given.gigabits),
        ("PostgreSQL: lookups of one server", lambda need: need.look_ups / given.postgres_look_ups),
        ("PostgreSQL: sessions of one server", lambda need: need.postgres_sessions / given.postgres_sessions),
    ]
    shares = [[value(need) for need in needs] for _, value in lines]
    rows = [
        [what, *(f"**{share:,.2f}**" if share >= 1 else f"{share:,.2f}" for share in row)]
        for (what, _), row in zip(lines, shares, strict=True)
    ]
    for title, among in (
        ("first of those that can be added", range(1, 5)),
        ("first of those that cannot", range(5, 7)),
    ):
        tops = [max(among, key=lambda row, column=column: shares[row][column]) for column in range(len(needs))]
        rows.append([title, *(lines[row][0].replace(" of one server", "") for row in tops)])
    return markdown_table(["share of", *(f"{need.rate:,.0f}" for need in needs)], rows)


def nonce_runs(rate: float, given: Assumptions) -> str:
    """Memory over time, simulated."""
    settings: dict[str, Any] = {"rate": rate, "lifetime": given.nonce_lifetime}
    cases: list[tuple[str, float, NonceRun]] = [
        ("constant", 1.0, run_nonces(constant, seconds=5_400, **settings)),
        ("a day, 0.2 to 1.8 times", 1.8, run_nonces(daily_wave, seconds=DAY, step=10.0, **settings)),
        ("10 times for a minute", 10.0, run_nonces(burst, seconds=5_400, **settings)),
    ]
    steady = live_nonces(rate, given.nonce_lifetime)
    rows = [
        [
            name,
            round(most * rate),
            run.peak / 1e6,
            run.peak * given.nonce_bytes / 1e9,
            run.peak / steady,
            round(run.above(1.05 * steady)),
        ]
        for name, most, run in cases
    ]
    columns = ["traffic", "requests/s at most", "live nonces at most, millions", "GB", "over mean x lifetime"]
    return markdown_table([*columns, "5% over for, s"], rows)


def cache_runs(given: Assumptions, seconds: float) -> str:
    """Hit rate, load of PostgreSQL and age, simulated; the formula beside it."""
    cases = [(rate, tokens) for rate in (1_000.0, 100_000.0) for tokens in (10_000, given.tokens)]
    cases.append((1_000_000.0, given.tokens))
    rows = [_cache_row(rate, replace(given, tokens=tokens), seconds) for rate, tokens in cases]
    rows += [
        _cache_row(100_000.0, replace(given, **change), seconds)
        for change in ({"zipf": 0.7}, {"cache_lifetime": 300.0}, {"cache_entries": 100_000})
    ]
    columns = ["requests/s", "workers", "tokens", "Zipf", "life, s", "entries", "hit rate", "formula", "lookups/s"]
    return markdown_table([*columns, "age: median, s", "99%", "most", "held"], rows)


def hit_rates(needs: Sequence[Sizing], given: Assumptions) -> str:
    """Hit rates by the formula: with tokens spread over all workers, or always at the same one."""
    rows = []
    for tokens in (10_000, 100_000, 1_000_000, 10_000_000):
        now = replace(given, tokens=tokens)
        cells = []
        for need in needs:
            again = size(need.rate, now)
            cells.append(f"{again.hit_rate:.0%} / {pinned_hit_rate(again, now):.0%}")
        rows.append([tokens, *cells])
    return markdown_table(["tokens", *(f"{need.rate:,.0f} requests/s" for need in needs)], rows)


def _cache_row(rate: float, given: Assumptions, seconds: float) -> list[object]:
    workers = size(rate, given).workers
    known: dict[str, Any] = {
        "tokens": given.tokens,
        "zipf": given.zipf,
        "lifetime": given.cache_lifetime,
        "entries": given.cache_entries,
    }
    run = run_cache(rate=rate, workers=workers, seconds=seconds, **known)
    formula = cache_hit_rate(rate / workers, **known)
    row: list[object] = [round(rate), workers, given.tokens, f"{given.zipf:g}", f"{given.cache_lifetime:g}"]
    row += [given.cache_entries, f"{run.hit_rate:.1%}", f"{formula:.1%}", round(rate * (1 - run.hit_rate))]
    return [*row, *(f"{run.age(share):.1f}" for share in (0.5, 0.99, 1.0)), run.remembered]


def revocations() -> str:
    """The largest number of requests that a revoked token could still make."""
    cases = [
        ("the change feed works", 0.0004, "measured, median"),
        ("the change feed is frozen", 0.85, "measured, worst of 5"),
        ("database and worker are cut off together", DEFAULTS.cache_lifetime, "life of an entry"),
    ]
    rows = [[what, f"{delay:g}", by, *(f"{rate * delay:g}" for rate in (1, 100))] for what, delay, by in cases]
    return markdown_table(["revoked while", "s", "from", "at 1 request/s of the token", "at 100"], rows)


def regions(count: int, round_trip_ms: float, need: Sizing) -> str:
    """Ways to check nonces in several regions, and the risk of each."""
    window = Policy().timestamp_window
    honest, worst, others = (
        f"{window} s ({2 * window} s)",
        f"lag, and {window} s ({2 * window} s) after a loss",
        count - 1,
    )
    far = batch_size(need.rate, need.workers, need.shards, round_trip_ms * 1_000)
    waiting = need.per_worker * round_trip_ms / 1_000
    distant = f"{round_trip_ms:g} ms; {waiting:.0f} more requests wait in a worker, in batches of {far:.1f}"
    rows = [
        ("one store for all regions", distant, "none", 0, "if it is the store's region, all requests are refused"),
        (
            "a quorum over regions",
            f"{round_trip_ms:g} ms to the second nearest",
            "none",
            0,
            "nothing; not a store of ours",
        ),
        (
            "a store each; a host name each, in the signature",
            "none",
            "none",
            0,
            "its clients sign for another",
        ),
        (
            "a store each; client or token pinned to a region",
            "none",
            f"{honest} after each move",
            1,
            "its clients move",
        ),
        ("a store each, replicated later", "none", worst, others, "nothing; not a store of ours"),
        ("a store each, any request anywhere", "none", honest, others, "nothing"),
    ]
    columns = [
        "nonces are in",
        "added to a request",
        "window for a replay",
        "replays of a request",
        "if a region is lost",
    ]
    return markdown_table(columns, rows)


def tables(given: Assumptions, sources: dict[str, str], *, seconds: float = 60.0) -> Iterator[tuple[str, str]]:
    """Every table, with its name in the page."""
    needs = [size(rate, given) for rate in RATES]
    yield "inputs", inputs(given, sources)
    yield "sizing", sizings(needs, given)
    yield "saturation", saturation(needs, given)
    yield "nonces over time", nonce_runs(100_000, given)
    yield "hit rates", hit_rates(needs, given)
    yield "cache", cache_runs(given, seconds)
    yield "revocations", revocations()
    yield "regions", regions(3, 80.0, needs[-1])
