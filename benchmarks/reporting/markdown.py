"""The results as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.contestants import OURS

from . import frameworks
from .figures import number, ratios, spread
from .goals import checks, duel_ratios

__all__ = ["Counted", "markdown_table", "render"]

#: Instructions by Python, reader, and route.
Counted = dict[str, dict[str, dict[str, int]]]

INTRODUCTION = """\
# Benchmarks

`make bench` writes this page, in 40 minutes. `make bench ARGS="verify"` measures one part of it, and `make bench
ARGS="--quick"` only checks that everything works. All parts but `verify` need [wrk](https://github.com/wg/wrk).

Figures are medians, followed by the quartiles. Each ratio is taken pair by pair within one run, in which the two
sides take turns, because the machine is small and runs other programs too. Absolute figures depend on the machine.
All samples are in [results.json](results.json).
"""
VERIFY = """\
The verification of one request from its raw parts: parsing, checks, base string, comparison. Client and token are
given, so there are no look-ups. Each contestant has accepted the genuine request and refused a changed one. Ratios
are over ours.
"""
SERVING = """\
One hypercorn worker on uvloop serves each provider, except for quart-flask-patch, which needs asyncio's own loop, and
Flask, which runs under gunicorn with one worker of eight threads. wrk sends requests that were signed beforehand,
each with a new nonce; every answer was a 200. The unprotected twin is the same view in the same process, and gets
requests of the same bytes. *Warm*: sixteen tokens, cached by the caching store in front of PostgreSQL. *Cold*: each
token is used once. CPU time is the user and system time of all processes of the provider; databases and wrk share the
cores with it. `PostgreSQL` alone also keeps the nonces; the memory and SQLite stores keep everything, and need no
cache. The garbage collector of every provider is configured as in [the deployment guide](../deploying.md), except in
the line that compares this with Python's defaults. The native reader is used, except in lines that say *in Python*.
"""
PACING = """\
The rate is 60% of a route's capacity: first each route's own, then the same rate for both. Each connection pauses at
random, so requests arrive one by one, while at capacity they arrive and are answered by the dozen. A request
therefore takes more CPU time here, and at 60% of capacity the process is *busy* for more than 60% of the time.
"""
BAD_INPUT = """\
Good requests are sent at 30% of the rate that the provider answers, first alone, then beside bad ones at 30% of the
rate that it refuses. *Left behind*: rows and keys in PostgreSQL and Valkey after bad requests alone. Memory is
measured after the first pair of bursts and after the last. *Busy* is the share of the time in which the process runs,
for good and bad requests together. At 30% of capacity it is more than 30%, for the reason above.
"""
FRAMEWORKS = """\
One worker of the server, 16 connections, and clients, tokens and nonces in memory: `OAuth1Middleware`, FastAPI's
dependency, and the verifiers of Authlib and oauthlib in a middleware of the same kind. The routes take turns. *Added*
is the route's CPU time without that of the unprotected route, in the same round. The verifiers of the others only add
nonces to a set that nothing empties.
"""
INSTRUCTIONS = """\
Instructions per request, counted by valgrind in a Quart application without a server, with the memory store. They
hardly change from run to run, and CI compares them with these figures. `python -m benchmarks.instructions` counts them
anew. The rows *middleware* are for `OAuth1Middleware` in front of an application that does nearly nothing.
"""
GROWTH = "The last column is the ratio of the column before it to its first row.\n"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a table; numbers are rounded, and ``None`` is an empty cell."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else number(value)


def render(results: dict[str, Any], pictures: Sequence[str] = (), counted: Counted | None = None) -> str:
    """Format the whole page.

    Args:
        results: the parts by name, as in results.json.
        pictures: names of picture files in the folder of the page.
        counted: instructions, as in instructions.json.
    """
    parts = [INTRODUCTION, *_environments(results), *_goals(results)]
    if verify := results.get("verify"):
        parts += ["## Verification\n", *_pictures(pictures, "verify"), VERIFY, _verify(verify["results"])]
    if counted:
        parts += ["## Instructions\n", INSTRUCTIONS, _instructions(counted)]
    if serving := results.get("serving"):
        parts += ["## End to end\n", *_pictures(pictures, "rate", "cpu"), SERVING, *_serving(serving["results"])]
    if served := results.get("frameworks"):
        parts += ["## Other servers and frameworks\n", FRAMEWORKS, *_frameworks(served["results"])]
    if growth := results.get("growth"):
        parts += ["## Growth\n", GROWTH]
        for one in growth["results"]:
            parts += [f"### {one['title']}\n", markdown_table(one["columns"], one["rows"])]
    return "\n".join(parts)


def _pictures(pictures: Sequence[str], *names: str) -> list[str]:
    return [f"![{name.removesuffix('.svg')}]({name})\n" for name in pictures if name.removesuffix(".svg") in names]


def _environments(results: dict[str, Any]) -> list[str]:
    """A paragraph for each machine and set of versions; only one if all parts have the same."""
    by_text: dict[str, list[str]] = {}
    for part, one in results.items():
        by_text.setdefault(", ".join(f"{name} {value}" for name, value in one["environment"].items()), []).append(part)
    if len(by_text) == 1:
        return [f"{text}.\n" for text in by_text]
    return [f"For {', '.join(names)}: {text}.\n" for text, names in by_text.items()]


def _goals(results: dict[str, Any]) -> list[str]:
    rows = [[check.what, check.goal, check.measured, check.verdict] for check in checks(results)]
    return ["## Goals\n", markdown_table(["what", "goal", "measured", "reached"], rows)] if rows else []


def _verify(cases: list[dict[str, Any]]) -> str:
    rows = []
    for case in cases:
        times = case["microseconds"]
        for name in times:
            ratio = None if name == OURS else spread(ratios(times[name], times[OURS]))
            rows.append([case["title"], name, spread(times[name]), ratio])
    return markdown_table(["request", "by", "CPU time, us", "over ours"], rows)


def _serving(serving: dict[str, Any]) -> list[str]:
    parts = []
    for connections in sorted({duel["connections"] for duel in serving["duels"]}):
        duels = [duel for duel in serving["duels"] if duel["connections"] == connections]
        parts += [f"### {connections:,} connections\n", _duels(duels)]
    parts += [f"**Failed**: {reason}.\n" for reason in serving.get("failed", [])]
    if pacing := serving.get("pacing"):
        parts += ["### A fixed rate\n", PACING, _pacing(pacing)]
    if bad_input := serving.get("bad_input"):
        parts += ["### Bad input\n", BAD_INPUT, _bad_input(bad_input)]
    return parts


def _frameworks(results: dict[str, Any]) -> list[str]:
    table = markdown_table(frameworks.COLUMNS, map(frameworks.row, results["lines"]))
    return [table, *(f"**Failed**: {reason}.\n" for reason in results["failed"])]


def _instructions(counted: Counted) -> str:
    rows = [
        [python, reader, *_shares(one.get("unprotected"), one["added"])]
        for python, readers in counted.items()
        for reader, one in readers.items()
    ]
    return markdown_table(["Python", "reader", "unprotected request", "protection adds", "share"], rows)


def _shares(unprotected: int | None, added: int) -> tuple[object, int, str]:
    return (None, added, "") if unprotected is None else (unprotected, added, f"{added / unprotected:.0%}")


def _duels(duels: list[dict[str, Any]]) -> str:
    columns = ["A", "B", "requests/s A", "B", "p50, ms A", "B", "p99, ms A", "B", "CPU us A", "B"]
    columns += ["rate B/A", "CPU A/B", "socket errors"]
    rows = []
    for duel in duels:
        bursts = duel["bursts"]
        sides = [
            number(spread([pair[side][key] for pair in bursts]).median)
            for key in ("rate", "p50", "p99", "cpu")
            for side in (0, 1)
        ]
        rate, cpu = (spread(duel_ratios(bursts, key, *order)) for key, order in (("rate", (1, 0)), ("cpu", (0, 1))))
        errors = sum(burst["socket_errors"] for pair in bursts for burst in pair)
        rows.append([*duel["sides"], *sides, rate, cpu, errors])
    return markdown_table(columns, rows)


def _busy(bursts: list[list[dict[str, Any]]], side: int) -> str:
    """The share of the time in which the provider's process was running, refusals included."""
    return f"{spread([pair[side]['cpu'] * pair[side]['rate'] / 1e6 for pair in bursts]).median:.0%}"


def _pacing(pacing: dict[str, Any]) -> str:
    rows = []
    for pace in pacing["paces"]:
        for side, title in enumerate(pacing["sides"]):
            figures = [spread([pair[side][key] for pair in pace["bursts"]]) for key in ("rate", "p50", "p99", "cpu")]
            rows.append([pace["title"], title, number(pace["rates"][side]), *figures, _busy(pace["bursts"], side)])
    columns = ["rate", "side", "offered/s", "answered/s", "p50, ms", "p99, ms", "CPU us per request", "busy"]
    return markdown_table(columns, rows)


def _bad_input(kinds: list[dict[str, Any]]) -> str:
    columns = ["bad requests", "refused/s at most", "good/s alone", "beside", "p99, ms alone", "beside"]
    columns += ["busy alone", "beside", "MB before", "after", "left behind"]
    rows = []
    for kind in kinds:
        sides = [
            spread([pair[side][key] for pair in kind["bursts"]]).median for key in ("rate", "p99") for side in (0, 1)
        ]
        memory = [size / 2**20 for size in kind["memory"]]
        refused = None if kind["key"] == "slow" else kind["refused_per_second"]
        busy = [_busy(kind["bursts"], side) for side in (0, 1)]
        rows.append([kind["title"], refused, *sides, *busy, *memory, kind["left_behind"]])
    return markdown_table(columns, rows)
