"""Write the pages that are made from the code, or, with ``--check``, name those that are out of date."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from tools.imports import ROOT

from . import commands, configuration, errors, requirements

__all__ = ["PAGES", "main", "outdated", "violations"]

#: The pages below ``docs``.
PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": commands.page,
    "configuration.md": configuration.page,
    "errors.md": errors.page,
    "rfc5849.md": requirements.page,
}


def outdated() -> Iterator[str]:
    """The pages that are not as the code makes them."""
    for name, make in PAGES.items():
        path = ROOT / "docs" / name
        if not path.exists() or path.read_text(encoding="utf-8") != make():
            yield f"docs/{name} is out of date; run: make reference"


def violations() -> Iterator[str]:
    """What is missing in the tables that the pages are made from."""
    yield from requirements.violations()
    yield from configuration.violations()
    yield from errors.violations()


def main() -> None:
    """Write or check the pages."""
    if "--check" not in sys.argv:
        for name, make in PAGES.items():
            (ROOT / "docs" / name).write_text(make(), encoding="utf-8")
    problems = [*outdated(), *violations()]
    print("\n".join(problems) or "The pages are up to date.")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
