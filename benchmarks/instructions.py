"""Count the instructions that protection adds to a request, and the cache misses, with valgrind.

The request is one of a Quart route, and one of `OAuth1Middleware` in front of an application without a framework.

    python -m benchmarks.instructions [--check | --misses]

Unlike times, these are steady on one machine. Another machine with the same Python was 2.2% away: the C library and
OpenSSL choose their code by the processor. With ``--check`` the program fails if there are more than `BASELINE` and
both tolerances allow; without it, it writes that file. With ``--misses`` it only prints how often the nearest caches,
and all of them, would miss in a simulation. Needs ``valgrind``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from async_oauth1.asgi import OAuth1Middleware

from .load.processes import readers
from .providers.ours import fill
from .reporting.markdown import markdown_table
from .steps import Bench

__all__ = ["BASELINE", "main"]

#: Instructions per request, by Python, reader and route.
BASELINE = Path(__file__).parent / "instructions.json"
#: How much the instructions that protection adds may grow.
TOLERANCE = 0.03
#: How far two machines are apart that count the same code.
MACHINES = 0.025
#: Requests in the shorter and in the longer run. The difference is not influenced by the start of the program.
FEW, MANY = 50, 100
#: The path that the middleware protects.
BEHIND_MIDDLEWARE = "/middleware"

_COLLECTED = re.compile(r"Collected : ([\d ]+)")
#: The misses of a simulation, and where valgrind prints their parts: of instructions, of reads, of writes.
_MISSES = {"L1 instructions": (3,), "L1 data": (4, 5), "last level": (6, 7, 8)}


def serve(path: str, count: int) -> None:
    """Serve a number of requests; the program that valgrind runs."""
    bench = Bench()
    bench.app.add_url_rule("/protected", "protected", bench.protector()(_answer))
    if path == BEHIND_MIDDLEWARE:
        bench.app = OAuth1Middleware(_answer_bare, bench.protector, [BEHIND_MIDDLEWARE])  # type: ignore[assignment]

    async def run() -> None:
        await fill(bench.store, 16)
        gc.collect()
        gc.disable()
        bench.signer = bench.signer_for(path)
        for scope in bench.scopes(path)[:count]:
            await bench.serve_one(scope)

    asyncio.run(run())


async def _answer() -> dict[str, str]:
    return {"answer": "42"}


async def _answer_bare(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"42"})


def instructions(path: str, *, natively: bool) -> int:
    """Instructions per request of a path."""
    return _counted(path, natively=natively)[0]


def misses(path: str, *, natively: bool) -> list[int]:
    """Cache misses per request of a path, as in `_MISSES`."""
    counted = _counted(path, natively=natively, simulation=("--cache-sim=yes",))
    return [sum(counted[part] for part in parts) for parts in _MISSES.values()]


def _counted(path: str, *, natively: bool, simulation: tuple[str, ...] = ()) -> list[int]:
    """Every figure per request of a path."""
    few, many = (_collected(path, count, natively=natively, simulation=simulation) for count in (FEW, MANY))
    return [round((more - less) / (MANY - FEW)) for less, more in zip(few, many, strict=True)]


def _collected(path: str, count: int, *, natively: bool, simulation: tuple[str, ...] = ()) -> list[int]:
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *simulation)
    done = _run(path, count, *valgrind, natively=natively)
    found = _COLLECTED.search(done.stderr)
    if found is None:
        raise ValueError(f"valgrind has counted nothing: {done.stderr[-500:]}")
    return [int(figure) for figure in found[1].split()]


def _run(path: str, count: int, *command: str, natively: bool) -> subprocess.CompletedProcess[str]:
    """Serve requests in another process, which a command may watch."""
    served = (sys.executable, "-m", "benchmarks.instructions", "--path", path, "--count", str(count))
    environment = {**os.environ, "PYTHONHASHSEED": "0", "ASYNC_OAUTH1_NATIVE": "" if natively else "0"}
    environment["PYTHONDONTWRITEBYTECODE"] = ""
    return subprocess.run((*command, *served), check=True, capture_output=True, text=True, env=environment)


def _write_bytecode() -> None:
    """Import what each run imports: a module without bytecode would be compiled in one of the runs only."""
    for path in ("/albums", "/protected", BEHIND_MIDDLEWARE):
        for natively in (True, False):
            _run(path, 1, natively=natively)


def measure() -> dict[str, dict[str, int]]:
    """The instructions of the unprotected route, and what protection adds with each reader that there is."""
    _write_bytecode()
    measured = {}
    for reader in readers():
        unprotected = instructions("/albums", natively=reader == "native")
        added = instructions("/protected", natively=reader == "native") - unprotected
        measured[reader] = {"unprotected": unprotected, "added": added}
        # The application behind the middleware does nearly nothing, so it is not counted alone.
        measured[f"{reader}, middleware"] = {"added": instructions(BEHIND_MIDDLEWARE, natively=reader == "native")}
    return measured


def missed() -> Iterator[list[Any]]:
    """A row for the unprotected route, and one for what protection adds with each reader that there is."""
    _write_bytecode()
    for reader in readers():
        unprotected = misses("/albums", natively=reader == "native")
        protected = misses("/protected", natively=reader == "native")
        yield [f"unprotected request, {reader}", *unprotected]
        yield [f"protection adds, {reader}", *(more - less for less, more in zip(unprotected, protected, strict=True))]


def grown(measured: dict[str, dict[str, int]], baseline: dict[str, dict[str, int]]) -> list[str]:
    """The readers for which protection adds more than the tolerances allow."""
    return [
        f"{reader}: {now['added']:,} instructions instead of {baseline[reader]['added']:,}"
        for reader, now in measured.items()
        if reader in baseline and now["added"] > baseline[reader]["added"] * (1 + TOLERANCE + MACHINES)
    ]


def main(
    *,
    check: Annotated[bool, typer.Option(help="Fail if protection adds more than before.")] = False,
    cache_misses: Annotated[bool, typer.Option("--misses", help="Print cache misses only.")] = False,
    path: Annotated[str, typer.Option(hidden=True)] = "",
    count: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Count, and compare or write."""
    if path:
        serve(path, count)
        return
    console = Console()
    if shutil.which("valgrind") is None:
        console.print("valgrind is not installed.")
        raise typer.Exit(2)
    if cache_misses:
        console.print(markdown_table(["misses", *_MISSES], missed()), markup=False)
        return
    measured, key = measure(), f"{platform.python_version()} {platform.machine()}"
    rows = [[reader, now.get("unprotected"), now["added"]] for reader, now in measured.items()]
    console.print(markdown_table(["reader", "unprotected request", "protection adds"], rows), markup=False)
    known: dict[str, dict[str, dict[str, int]]] = json.loads(BASELINE.read_text(encoding="utf-8"))
    if not check:
        BASELINE.write_text(json.dumps({**known, key: measured}, indent=1) + "\n", encoding="utf-8")
    elif key not in known:
        console.print(f"There are no figures for Python {key} to compare with; run this without --check.")
    elif problems := grown(measured, known[key]):
        console.print("\n".join(problems))
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
