"""The imports between modules, and what importing the package loads."""

from __future__ import annotations

import subprocess
import sys

from tools import draw_floors, floors
from tools.imports import PACKAGES, ROOT, dotted_name, imports

PACKAGE = "async_oauth1"

#: Modules that `import async_oauth1` must not load.
HEAVY = (
    "aiosqlite",
    "asyncio",
    "asyncpg",
    "cryptography",
    "flask",
    "httpx",
    "hypercorn",
    "quart",
    "redis",
    "requests",
    "rich",
    "sqlite3",
    "typer",
    "werkzeug",
)


def test_modules_import_only_from_lower_floors() -> None:
    """No module imports from its own floor or a higher one, or a driver outside of the driver's package."""
    assert list(floors.violations()) == []


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    """This holds for the packages, the examples, the benchmarks and the tools."""
    folders = (*PACKAGES, "benchmarks", "examples", "tools")
    paths = {dotted_name(path): path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    faces = {name for name, path in paths.items() if path.name == "__init__.py"}  # they import what they re-export
    graph = {
        name: {target for _, target in imports(path)} - {name} - (set() if name in faces else faces)
        for name, path in paths.items()
    }
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these import each other: {sorted(graph)}"


def test_an_import_from_above_is_found() -> None:
    """The check can fail."""
    assert floors.is_below("async_oauth1.protocol.request", "async_oauth1.provider.verification")
    assert not floors.is_below("async_oauth1.provider.verification", "async_oauth1.protocol.request")
    assert not floors.is_below("async_oauth1.stores.redis.node", "async_oauth1.stores.postgres.store")
    assert not floors.is_below("async_oauth1.stores.memory.store", "async_oauth1.stores.postgres.store")
    assert not floors.is_below("async_oauth1.asgi.middleware", "async_oauth1.stores.memory.store")


def test_the_picture_shows_the_floors() -> None:
    """docs/floors.svg is drawn from the current floors."""
    assert draw_floors.is_current()


def test_importing_the_package_loads_no_framework_and_no_driver(unmeasured_environment: dict[str, str]) -> None:
    """A fresh interpreter that imports the core loads no framework, driver or event loop."""
    code = f"import sys, {PACKAGE}; print('\\n'.join(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT, env=unmeasured_environment
    )
    loaded = {name.partition(".")[0] for name in answer.stdout.split()}
    assert PACKAGE in loaded
    assert not loaded & set(HEAVY)
