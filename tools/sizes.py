"""The sizes of functions, modules and directories: `python -m tools.sizes`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from .imports import ROOT, modules

__all__ = ["MAX_MODULES", "MAX_MODULE_LINES", "MEDIAN_LINES", "NINTH_DECILE_LINES", "function_lines", "violations"]

#: Lines of a function's body without its docstring: the largest median, and the limit for nine in ten functions.
MEDIAN_LINES = 6
NINTH_DECILE_LINES = 15
MAX_MODULE_LINES = 350
#: Modules in one directory, without ``__init__``.
MAX_MODULES = 15

_TREES = ("async_oauth1", "flask_compat", "examples", "tests", "benchmarks", "tools")


def violations() -> Iterator[str]:
    """Sizes above their limits."""
    lines = function_lines()
    if median(lines) > MEDIAN_LINES:
        yield f"the median function has {median(lines)} lines; at most {MEDIAN_LINES}"
    if ninth_decile(lines) >= NINTH_DECILE_LINES:
        yield f"one function in ten has {ninth_decile(lines)} lines or more; under {NINTH_DECILE_LINES}"
    for module, path in modules().items():
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > MAX_MODULE_LINES:
            yield f"{module} has {length} lines; at most {MAX_MODULE_LINES}"
    for directory, count in sorted(modules_per_directory().items()):
        if count > MAX_MODULES:
            yield f"{directory} has {count} modules; at most {MAX_MODULES}"


def modules_per_directory() -> Counter[Path]:
    """The number of modules in each directory."""
    return Counter(
        path.parent.relative_to(ROOT)
        for tree in _TREES
        for path in (ROOT / tree).rglob("*.py")
        if path.stem not in ("__init__", "__main__", "conftest")
    )


def function_lines() -> list[int]:
    """The lines of each function of the published packages, from its first statement after the docstring."""
    return [
        _body_lines(node)
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def ninth_decile(lines: list[int]) -> float:
    """The ninth decile."""
    return quantiles(lines, n=10, method="inclusive")[-1]


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first, last = node.body[0], node.body[-1]
    if ast.get_docstring(node) is not None:
        if len(node.body) == 1:
            return 0
        first = node.body[1]
    return (last.end_lineno or last.lineno) - first.lineno + 1


def main() -> None:
    """Print the figures."""
    lines = function_lines()
    print(f"{len(lines)} functions: median {median(lines)} lines, nine in ten under {ninth_decile(lines):.0f}")
    for problem in violations():
        print(problem)


if __name__ == "__main__":
    main()
