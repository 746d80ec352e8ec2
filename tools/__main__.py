"""Check the structure of the repository: `python -m tools`, which `make lint` runs."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator

from . import floors, prose, public_names, sizes
from .draw_floors import is_current
from .imports import ROOT

_GUIDE = ROOT / "CONTRIBUTING.md"
_SECTION = "## Where to find, and where to add"
# A table row's path: `async_oauth1/...` in the second column.
_PATH = re.compile(r"^\|[^|]+\|\s*`([\w/.*-]+)`", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def guide_violations() -> Iterator[str]:
    """Paths in CONTRIBUTING.md that do not exist, dependencies without a reason, and a picture that is out of date."""
    text = _GUIDE.read_text(encoding="utf-8")
    section = text.partition(_SECTION)[2].partition("\n## ")[0]
    paths = _PATH.findall(section)
    if not paths:
        yield f"CONTRIBUTING.md has no table under '{_SECTION}'"
    yield from (f"CONTRIBUTING.md names {path}, which does not exist" for path in paths if not (ROOT / path).exists())
    for name in sorted(_dependencies() - set(_NAME.findall(text.lower()))):
        yield f"CONTRIBUTING.md does not say what {name} is for"
    if not is_current():
        yield "docs/floors.svg is out of date; run: python -m tools.draw_floors"


def _dependencies() -> set[str]:
    """The packages that pyproject.toml requires, without our own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {name.group().lower() for group in groups for line in group if (name := _NAME.match(line))} - {
        project["name"]
    }


def main() -> None:
    """Print every violation, and fail if there is one."""
    checks = (floors.violations, public_names.violations, sizes.violations, prose.violations, guide_violations)
    problems = [problem for check in checks for problem in check()]
    print("\n".join(problems) or "The structure is sound.")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
