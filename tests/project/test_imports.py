"""Imports only go down, and nothing heavy comes along."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

#: The floors of the package, lowest first. A floor is a row of steps: a module imports from lower floors, and from
#: earlier steps of its own. Modules of one step do not know each other. A package is one name here.
FLOORS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("errors", "_recoding", "_rsa_keys", "_tokens"), ("_encoding",)),
    (("_authorization", "_base_string", "_callbacks", "_header_fields", "_hosts"), ("signature",)),
    (("request",),),
    (("credentials", "policy"), ("hooks",)),
    (("_checks", "_origin", "responses"),),
    (("bridge", "_models"), ("_base_server",), ("_credential_hooks",), ("authorization_server", "resource_protector")),
    (
        ("_asgi", "_covered_paths"),
        ("_verifying",),
        ("asgi",),
        ("_quart_requests",),
        ("_quart_applications",),
        ("quart",),
    ),
    (("stores", "explain"),),
    (("cli",), ("__main__",)),
)

PLACES = {
    module: (floor, step)
    for floor, steps in enumerate(FLOORS)
    for step, modules in enumerate(steps)
    for module in modules
}

#: The package's own face: what it re-exports lies below the frameworks.
FACE = (5, len(FLOORS[5]))

#: The only module below the frameworks' floor that may know the event loop.
KNOWS_ASYNCIO = {"bridge"}

FRAMEWORK_FLOOR = 6

#: What `import async_oauth1` must not load, and what needs it.
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

PACKAGE = "async_oauth1"
ROOT = Path(__file__).resolve().parent.parent.parent
FILES = sorted((ROOT / PACKAGE).rglob("*.py"))
UPPER_FILES = sorted((ROOT / "flask_compat").rglob("*.py"))


def dotted_name(path: Path) -> str:
    """The module's name, as `import` says it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit(dotted: str) -> str:
    """The name that FLOORS knows a module by; empty for the package itself."""
    return dotted.removeprefix(PACKAGE).lstrip(".").partition(".")[0]


def place(dotted: str) -> tuple[int, int]:
    """Floor and step of a module."""
    name = unit(dotted)
    if not name:
        return FACE
    if name not in PLACES:
        pytest.fail(f"{dotted} stands on no floor: give {name!r} its place in FLOORS, in {Path(__file__).name}")
    return PLACES[name]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, wherever it stands in it: its line, and the module's absolute name."""
    dotted = dotted_name(path)
    package = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, imported(base, alias.name)) for alias in node.names)


def imported(base: str, name: str) -> str:
    """What `from base import name` loads: a module of that name where there is one."""
    candidate = ROOT.joinpath(*base.split("."), name)
    return f"{base}.{name}" if candidate.with_suffix(".py").exists() or candidate.is_dir() else base


@pytest.mark.parametrize("path", FILES, ids=dotted_name)
def test_a_module_imports_from_below_alone(path: Path) -> None:
    """Whoever reads a module needs to know those under it, and no others."""
    here = dotted_name(path)
    for line, target in imports(path):
        top = target.partition(".")[0]
        assert top not in {"flask_compat", "examples", "tests"}, f"{path}:{line} imports {target}, from above"
        if top == PACKAGE and unit(target) != unit(here):
            assert place(target) < place(here), f"{path}:{line} imports {target}, which is not below {here}"


def test_modules_of_one_package_do_not_import_each_other_in_a_circle() -> None:
    """Within a package, too, one can begin to read somewhere."""
    graph = {dotted_name(path): {target for _, target in imports(path)} - {dotted_name(path)} for path in FILES}
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these import each other: {sorted(graph)}"


@pytest.mark.parametrize("path", FILES, ids=dotted_name)
def test_the_event_loop_is_unknown_below_the_frameworks(path: Path) -> None:
    """The flows run under WSGI, too: they only await hooks."""
    if place(dotted_name(path))[0] >= FRAMEWORK_FLOOR or unit(dotted_name(path)) in KNOWS_ASYNCIO:
        return
    for line, target in imports(path):
        assert target.partition(".")[0] not in {"asyncio", "anyio", "trio"}, f"{path}:{line} imports {target}"


@pytest.mark.parametrize("path", UPPER_FILES, ids=dotted_name)
def test_flask_compat_stands_on_top(path: Path) -> None:
    """It takes from the package, never from the examples or the tests."""
    for line, target in imports(path):
        assert target.partition(".")[0] not in {"examples", "tests"}, f"{path}:{line} imports {target}"


def test_importing_the_package_loads_no_framework_and_no_driver(unmeasured_environment: dict[str, str]) -> None:
    """Who uses the core alone pays for the core alone, in a fresh interpreter."""
    code = f"import sys, {PACKAGE}; print('\\n'.join(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT, env=unmeasured_environment
    )
    loaded = {name.partition(".")[0] for name in answer.stdout.split()}
    assert PACKAGE in loaded
    assert not loaded & set(HEAVY)
