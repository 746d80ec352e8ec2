"""The requirements of RFC 5849, and the tests that hold them."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tools.imports import ROOT

from .markdown import MADE, table

__all__ = ["Requirement", "marked", "page", "requirements", "violations"]

_TABLE = ROOT / "tests" / "rfc5849.toml"
_MARKER = "rfc5849"
_ABOUT = """# RFC 5849, requirement by requirement

Each MUST, MUST NOT, REQUIRED, SHALL, SHOULD and RECOMMENDED of [RFC 5849](https://www.rfc-editor.org/rfc/rfc5849), in
our words, with the tests that hold it. The requirements are in `tests/rfc5849.toml`; a test names those that it holds,
as in `@pytest.mark.rfc5849("3.2/nonce")`. A MUST without a test is an error of `make test`.
"""
_CLIENTS = """
## What clients and users have to do

A provider cannot hold these for them.

"""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement.

    Attributes:
        name: the section, a slash, and a word.
        party: ``server`` or ``client``.
        level: the RFC's word for it.
        text: what has to be done.
        reason: why there may be no test.
    """

    name: str
    party: str
    level: str
    text: str
    reason: str = ""

    @property
    def section(self) -> str:
        """The section of the RFC."""
        return self.name.partition("/")[0]


def requirements() -> list[Requirement]:
    """Every requirement, in the order of the table."""
    parties = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return [Requirement(name, party, *row) for party, rows in parties.items() for name, row in rows.items()]


def marked() -> dict[str, list[str]]:
    """The tests that hold each requirement, as ``tests/file.py::test``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if f"mark.{_MARKER}(" not in text:
            continue
        for test, name in _markers(ast.parse(text)):
            found[name].append(f"{path.relative_to(ROOT).as_posix()}::{test}")
    return dict(found)


def _markers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The name of each marked test, with each requirement that it holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{_MARKER}":
                    yield from ((node.name, ast.literal_eval(name)) for name in decorator.args)


def violations() -> Iterator[str]:
    """Requirements without a test or a reason, and markers without a requirement."""
    tests = marked()
    known = {requirement.name: requirement for requirement in requirements()}
    for name in sorted(tests.keys() - known):
        yield f"{tests[name][0]} holds {name}, which tests/rfc5849.toml does not have"
    for requirement in known.values():
        is_strict = requirement.party == "server" and requirement.level not in ("SHOULD", "SHOULD NOT", "RECOMMENDED")
        if requirement.name not in tests and (is_strict or not requirement.reason):
            yield f"no test holds {requirement.name}: mark one, or write one"


def page() -> str:
    """The page."""
    tests, rows = marked(), requirements()
    servers = table(
        ("section", "level", "requirement", "held by"),
        ((_link(row), row.level, row.text, _held_by(row, tests)) for row in rows if row.party == "server"),
    )
    clients = table(
        ("section", "level", "requirement", "here", "tests"),
        ((_link(row), row.level, row.text, row.reason, _tests(row, tests)) for row in rows if row.party == "client"),
    )
    return f"{MADE}{_ABOUT}\n{servers}{_CLIENTS}{clients}"


def _link(row: Requirement) -> str:
    return f"[{row.section}](https://www.rfc-editor.org/rfc/rfc5849#section-{row.section})"


def _held_by(row: Requirement, tests: dict[str, list[str]]) -> str:
    return _tests(row, tests) or row.reason


def _tests(row: Requirement, tests: dict[str, list[str]]) -> str:
    """The tests by their path below ``tests``: the path says what they test, and the name what they expect."""
    return ", ".join(f"`{test.removeprefix('tests/')}`" for test in tests.get(row.name, ()))
