"""Calculations for one worker to a million requests per second: the tables of docs/scaling.md.

    python -m benchmarks.scaling [--cpu-us 600] [--tokens 1000000] [--zipf 1] ... [--write]

CPU times come from options, or else from docs/benchmarks/results.json. ``--write`` puts the tables into the page, each
between its two comments.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.reporting.figures import spread

from .sizing import Assumptions
from .tables import tables

__all__ = ["main", "measured_cpu", "put"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, RESULTS = DOCS / "scaling.md", DOCS / "benchmarks" / "results.json"
DEFAULTS = Assumptions()


def measured_cpu(results: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """CPU times from the benchmarks' results and their sources, by the assumption that each replaces.

    The figure at a fixed rate of 60% of capacity is preferred: at full capacity, batches are larger and cheaper.
    """
    serving = results.get("serving", {}).get("results", {})
    bursts = {duel["key"]: duel["bursts"] for duel in serving.get("duels", []) if duel["connections"] == 64}
    found = {}
    if pacing := serving.get("pacing"):
        cpu = spread([pair[1]["cpu"] for pair in pacing["paces"][0]["bursts"]]).median
        found["cpu_us"] = (cpu, "measured: protected route at 60% of its capacity, 1,000 connections")
    elif "redis-warm" in bursts:
        cpu = spread([pair[1]["cpu"] for pair in bursts["redis-warm"]]).median
        found["cpu_us"] = (cpu, "measured: Redis + PostgreSQL, warm, 64 connections")
    if {"redis-warm", "redis-cold"} <= bursts.keys():
        warm, cold = (_over_twin(bursts[key]) for key in ("redis-warm", "redis-cold"))
        found["cold_extra_us"] = (max(0.0, cold - warm), "measured: cold less warm, each over its unprotected twin")
    return found


def _over_twin(bursts: list[list[dict[str, Any]]]) -> float:
    """The CPU time that protection adds, by pairs."""
    return spread([protected["cpu"] - twin["cpu"] for twin, protected in bursts]).median


def put(page: str, name: str, table: str) -> str:
    """Replace a table of the page, between the two comments with its name.

    Raises:
        ValueError: they are not there.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise ValueError(f"the page has no place for the table of {name}")
    return f"{before}{begin}{table}{end}{after}"


def main(
    *,
    cpu_us: Annotated[float | None, typer.Option(help="CPU time of a request, microseconds.")] = None,
    cold_extra_us: Annotated[float | None, typer.Option(help="More of it for credentials not remembered.")] = None,
    utilisation: Annotated[float, typer.Option(help="Of a core, as planned.")] = DEFAULTS.utilisation,
    nonce_lifetime: Annotated[float, typer.Option(help="Seconds.")] = DEFAULTS.nonce_lifetime,
    nonce_bytes: Annotated[float, typer.Option(help="Redis memory of a live nonce.")] = DEFAULTS.nonce_bytes,
    headroom: Annotated[float, typer.Option(help="Factor on memory.")] = DEFAULTS.headroom,
    replicas: Annotated[int, typer.Option(help="Of a Redis shard.")] = DEFAULTS.replicas,
    shard_gigabytes: Annotated[float, typer.Option(help="Memory of a Redis server.")] = DEFAULTS.shard_gigabytes,
    redis_call_us: Annotated[float, typer.Option(help="Redis: CPU of a round trip.")] = DEFAULTS.redis_call_us,
    redis_nonce_us: Annotated[float, typer.Option(help="Redis: CPU of a nonce in it.")] = DEFAULTS.redis_nonce_us,
    round_trip_us: Annotated[float, typer.Option(help="Redis: a batch is under way.")] = DEFAULTS.round_trip_us,
    tokens: Annotated[int, typer.Option(help="In use.")] = DEFAULTS.tokens,
    zipf: Annotated[float, typer.Option(help="Exponent of their popularity.")] = DEFAULTS.zipf,
    cache_lifetime: Annotated[float, typer.Option(help="Seconds of an entry.")] = DEFAULTS.cache_lifetime,
    cache_entries: Annotated[int, typer.Option(help="Of one worker.")] = DEFAULTS.cache_entries,
    postgres_look_ups: Annotated[float, typer.Option(help="A server's, per second.")] = DEFAULTS.postgres_look_ups,
    postgres_sessions: Annotated[float, typer.Option(help="A server's.")] = DEFAULTS.postgres_sessions,
    request_bytes: Annotated[float, typer.Option(help="With its answer.")] = DEFAULTS.request_bytes,
    gigabits: Annotated[float, typer.Option(help="Of a network interface.")] = DEFAULTS.gigabits,
    seconds: Annotated[float, typer.Option(help="Simulated of each cache.")] = 60.0,
    write: Annotated[bool, typer.Option("--write", help="Into docs/scaling.md.")] = False,
) -> None:
    """Print sizing tables and simulations as Markdown."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    asked = {"cpu_us": cpu_us, "cold_extra_us": cold_extra_us}
    found = {name: figure for name, figure in measured_cpu(results).items() if asked[name] is None}
    known = {name: value for name, value in asked.items() if value is not None}
    given = Assumptions(
        **known,
        **{name: value for name, (value, _) in found.items()},
        utilisation=utilisation,
        nonce_lifetime=nonce_lifetime,
        nonce_bytes=nonce_bytes,
        headroom=headroom,
        replicas=replicas,
        shard_gigabytes=shard_gigabytes,
        redis_call_us=redis_call_us,
        redis_nonce_us=redis_nonce_us,
        round_trip_us=round_trip_us,
        tokens=tokens,
        zipf=zipf,
        cache_lifetime=cache_lifetime,
        cache_entries=cache_entries,
        postgres_look_ups=postgres_look_ups,
        postgres_sessions=postgres_sessions,
        request_bytes=request_bytes,
        gigabits=gigabits,
    )
    page = PAGE.read_text(encoding="utf-8") if write else ""
    for name, table in tables(given, {name: source for name, (_, source) in found.items()}, seconds=seconds):
        if write:
            page = put(page, name, table)
        else:
            print(f"### {name.capitalize()}\n\n{table}")
    if write:
        PAGE.write_text(page, encoding="utf-8")
