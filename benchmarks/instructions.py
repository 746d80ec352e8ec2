"""Count the instructions that protection adds to a Quart request, with valgrind.

    python -m benchmarks.instructions [--check]

Unlike times, these are steady on one machine. Another machine with the same Python was 2.2% away: the C library and
OpenSSL choose their code by the processor. With ``--check`` the program fails if there are more than `BASELINE` and
both tolerances allow; without it, it writes that file. Needs ``valgrind``.
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
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from async_oauth1 import native

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

_COLLECTED = re.compile(r"Collected : (\d+)")


def serve(path: str, count: int) -> None:
    """Serve a number of requests; the program that valgrind runs."""
    bench = Bench()
    bench.app.add_url_rule("/protected", "protected", bench.protector()(_answer))

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


def instructions(path: str, *, natively: bool) -> int:
    """Instructions per request of a path."""
    few, many = (_collected(path, count, natively=natively) for count in (FEW, MANY))
    return round((many - few) / (MANY - FEW))


def _collected(path: str, count: int, *, natively: bool) -> int:
    command = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m",
               "benchmarks.instructions", "--path", path, "--count", str(count))  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": "0", "ASYNC_OAUTH1_NATIVE": "" if natively else "0"}
    environment["PYTHONDONTWRITEBYTECODE"] = ""  # else a module without bytecode would be compiled in some runs only
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found = _COLLECTED.search(done.stderr)
    if found is None:
        raise ValueError(f"valgrind has counted nothing: {done.stderr[-500:]}")
    return int(found[1])


def measure() -> dict[str, dict[str, int]]:
    """The instructions of the unprotected route, and what protection adds with each reader that there is."""
    _collected("/protected", 1, natively=False)  # writes the bytecode
    measured = {}
    for reader in ("native", "python") if native.IN_USE else ("python",):
        unprotected = instructions("/albums", natively=reader == "native")
        added = instructions("/protected", natively=reader == "native") - unprotected
        measured[reader] = {"unprotected": unprotected, "added": added}
    return measured


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
    measured, key = measure(), f"{platform.python_version()} {platform.machine()}"
    rows = [[reader, now["unprotected"], now["added"]] for reader, now in measured.items()]
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
