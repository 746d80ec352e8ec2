"""`python -m benchmarks [verify] [serving] [frameworks] [growth] [--quick] [--output FOLDER]`."""

from __future__ import annotations

import json
import logging
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
#: `OUTPUT` is in the repository; the results of `--quick` are not worth keeping.
OUTPUT, QUICK_OUTPUT = ROOT / "docs" / "benchmarks", ROOT / "build" / "benchmarks"


class Part(StrEnum):
    """A part that can be run alone."""

    VERIFY = "verify"
    SERVING = "serving"
    FRAMEWORKS = "frameworks"
    GROWTH = "growth"


def measure(part: Part, say: Any, *, quick: bool, tokens: int, only: str) -> Any:
    """Run one part, whose modules are imported only now."""
    if part is Part.VERIFY:
        from . import verify

        return verify.run(say, rounds=3 if quick else verify.ROUNDS)
    if part is Part.SERVING:
        from . import serving

        return serving.run(say, tokens=tokens, quick=quick, only=only)
    if part is Part.FRAMEWORKS:
        from . import frameworks

        return frameworks.run(say, quick=quick)
    from . import growth

    return growth.run(say, quick=quick)


def write(results: dict[str, Any], folder: Path) -> None:
    """Write the page, the pictures and the samples."""
    from .instructions import BASELINE
    from .reporting.markdown import render
    from .reporting.plots import draw_all

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    pictures = draw_all(results, folder)
    counted = json.loads(BASELINE.read_text(encoding="utf-8"))
    (folder / "README.md").write_text(render(results, pictures, counted), encoding="utf-8")


def main(
    parts: Annotated[list[Part] | None, typer.Argument(help="Default: all.")] = None,
    *,
    quick: Annotated[
        bool, typer.Option(help="Short bursts, to check that everything works; the figures mean nothing.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Folder for page, pictures and samples.")] = None,
    tokens: Annotated[int, typer.Option(help="Number of tokens in the stores; cold requests use each once.")] = 120_000,
    only: Annotated[str, typer.Option(help="Only measurements of the part serving whose key contains this.")] = "",
) -> None:
    """Measure, and write docs/benchmarks. Parts that are not run keep their earlier results."""
    from .load.wrk import MissingToolError, wrk_path
    from .reporting.machine import describe

    console = Console()
    folder = output or (QUICK_OUTPUT if quick else OUTPUT)
    chosen = list(Part) if not parts else [part for part in Part if part in parts]
    try:
        if chosen != [Part.VERIFY]:
            wrk_path()
    except MissingToolError as error:
        console.print(str(error), markup=False)
        raise typer.Exit(2) from None
    logging.disable(logging.WARNING)
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.0f} s[/]  {text}", highlight=False)

    file = folder / "results.json"
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for part in chosen:
        measured = measure(part, say, quick=quick, tokens=tokens, only=only)
        results[part.value] = {"environment": describe(), "results": measured}
        write({name.value: results[name.value] for name in Part if name.value in results}, folder)
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
    say(f"written to {shown}")
    if any(results[part.value]["results"].get("failed") for part in chosen if part in (Part.SERVING, Part.FRAMEWORKS)):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
