"""End to end over loopback: protected routes compared with unprotected ones, and with other providers.

    python -m benchmarks serving

One hypercorn worker on uvloop serves the requests of wrk; PostgreSQL and Valkey are real servers. Requests are signed
before each burst.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape

from async_oauth1 import native
from tests.servers import Postgres, Valkey

from . import bad_input
from .load import pacing
from .load.duels import TWIN, Duel, Plan, Side, Size, fight
from .load.processes import IN_PYTHON
from .load.seeding import seed_postgres, seed_sqlite
from .load.wrk import RanOutError, wrk_path
from .providers.settings import Settings

__all__ = ["STORES", "Servers", "duels", "run", "servers"]

STORES = {
    "memory": "memory",
    "sqlite": "SQLite",
    "postgres": "PostgreSQL",
    "redis": "Redis + PostgreSQL",
}
PEERS = {
    "ported": "Authlib's verifier on Quart, hooks awaited in turn",
    "flask": "Authlib on Flask, gunicorn with 8 threads",
    "patched": "Authlib on Quart by quart-flask-patch",
    "oauthlib": "oauthlib on Quart, look-ups awaited before",
}
#: Duels with a goal get more bursts, and those whose difference is close to the noise get the most.
WITH_GOALS = {"memory-warm", "memory-warm-python", "redis-warm", "redis-cold", "flask", "patched", "refusal"}
CLOSE = {"memory-warm", "memory-warm-python", "redis-warm", "redis-cold"}
#: These are also measured without the native reader.
WITH_BOTH_READERS = ("memory-warm", "redis-warm", "redis-cold")
MIDDLEWARE = "ours-redis+middleware"
OURS = "async-oauth1, Redis + PostgreSQL"


@dataclass(frozen=True, slots=True)
class Servers:
    """The running servers, and the settings for the providers."""

    settings: Settings
    postgres: Postgres
    valkey: Valkey


@contextmanager
def servers(tokens: int, *, sqlite: bool = True) -> Iterator[Servers]:
    """Start PostgreSQL and Valkey, and fill the stores with tokens."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "provider.db"
        postgres = Postgres()
        try:
            valkey = Valkey()
            try:
                seed_postgres(postgres, tokens)
                if sqlite:
                    seed_sqlite(path, tokens)
                yield Servers(Settings(postgres.url, valkey.url, str(path), tokens), postgres, valkey)
            finally:
                valkey.close()
        finally:
            postgres.close()


def duels(*, quick: bool = False) -> list[Duel]:
    """All comparisons."""
    found = [*_twins(quick=quick)]
    for peer, title in PEERS.items():
        sides = (Side(OURS, "ours-redis"), Side(title, peer))
        found.append(Duel(peer, title, sides, _sizes(peer, quick=quick)))
    refused = Side("bad signature refused", MIDDLEWARE, genuine=False, refused=True)
    sides = (Side("unprotected", MIDDLEWARE, path=TWIN, genuine=False), refused)
    found.append(Duel("refusal", "a bad signature, refused by the middleware", sides, _sizes("refusal", quick=quick)))
    sides = (Side(OURS, "ours-redis"), Side(f"{OURS}, Python's own thresholds", "ours-redis+default-collector"))
    found.append(Duel("collector", "the garbage collector", sides, _sizes("collector", quick=quick)))
    return found


def _twins(*, quick: bool) -> Iterator[Duel]:
    """The unprotected route against the protected one, over each store."""
    for store, title in STORES.items():
        for credentials in ("warm", "cold"):
            key = f"{store}-{credentials}"
            yield _twin(key, store, f"{title}, {credentials}", quick=quick)
            if key in WITH_BOTH_READERS and native.IN_USE:
                yield _twin(f"{key}-python", f"{store}{IN_PYTHON}", f"{title}, {credentials}, in Python", quick=quick)


def _twin(key: str, store: str, title: str, *, quick: bool) -> Duel:
    cold, provider = "cold" in key, f"ours-{store}"
    sides = (Side("unprotected", provider, path=TWIN, cold=cold), Side(title, provider, cold=cold))
    return Duel(key, title, sides, _sizes(key, quick=quick))


def _sizes(key: str, *, quick: bool) -> tuple[Size, ...]:
    if quick:
        return (Size(64, 1, 1),) if key in WITH_GOALS else ()
    few, many = Size(64, 3, 1), Size(1_000, 3, 2)
    if key.endswith("-python"):
        return (Size(64, 15 if key in CLOSE else 5, 1),)
    if key == "collector":
        return (Size(1_000, 5, 2),)
    if key in CLOSE:
        return Size(64, 15, 1), many
    if key in WITH_GOALS:
        return Size(64, 11, 1), many
    return (few,) if key.endswith("-cold") else (few, Size(1_000, 3, 1))


def run(say: Callable[[str], None], *, tokens: int, quick: bool = False, only: str = "") -> dict[str, Any]:
    """Measure everything.

    Args:
        say: prints progress.
        tokens: number of tokens in the stores; cold requests use each once.
        quick: one short burst of each, to check that everything works.
        only: run only measurements whose key contains this.
    """
    wrk_path()
    with servers(tokens) as running:
        plan = Plan(running.settings, say)
        results: dict[str, Any] = {"duels": [], "failed": []}
        for duel in duels(quick=quick):
            if only in duel.key and duel.sizes:
                with recording_failures(results, duel.key, say):
                    results["duels"] += fight(duel, plan)
        if only in "pacing":
            with recording_failures(results, "pacing", say):
                results["pacing"] = pacing.run(plan, quick=quick)
        if only in "bad-input":
            with recording_failures(results, "bad-input", say):
                results["bad_input"] = bad_input.run(plan, running.postgres, running.valkey, quick=quick)
    return results


@contextmanager
def recording_failures(results: dict[str, Any], key: str, say: Callable[[str], None]) -> Iterator[None]:
    """Record a failure and go on, so that it does not cost the other measurements; the page lists it."""
    try:
        yield
    except (AssertionError, OSError, RanOutError) as error:
        say(f"[red]failed[/]: {key}: {escape(str(error))}")
        results["failed"].append(f"{key}: {str(error).splitlines()[0]}")
