"""`__all__` says what is public, and says it in order."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def is_public(path: Path) -> bool:
    """Neither the module nor a package around it begins with an underscore."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return not any(part.startswith("_") and part != "__init__" for part in parts)


def dotted_name(path: Path) -> str:
    """The module's name, as `import` says it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PUBLIC = [
    path
    for package in ("async_oauth1", "flask_compat")
    for path in sorted((ROOT / package).rglob("*.py"))
    if is_public(path)
]


def is_registered(node: ast.AST) -> bool:
    """A function that a decorator hands over, as `@app.command("add")` does, is called by that name alone."""
    return any(
        isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute)
        for decorator in getattr(node, "decorator_list", ())
    )


def defined(tree: ast.Module) -> set[str]:
    """Public classes and functions."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not is_registered(node)
    }


def reexported(tree: ast.Module) -> set[str]:
    """What a package takes from its own modules, and does not use itself."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    } - used


@pytest.mark.parametrize("path", PUBLIC, ids=dotted_name)
def test_all_is_sorted_and_really_there(path: Path) -> None:
    """What `__all__` names can be imported; a reader finds a name where the alphabet has it."""
    module = importlib.import_module(dotted_name(path))
    names = module.__all__
    # As isort and ruff have it: constants, classes, the rest.
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[:1].isupper(), name))
    assert len(names) == len(set(names))
    for name in names:
        assert hasattr(module, name), f"{module.__name__}.__all__ names {name}, which is not there"


@pytest.mark.parametrize("path", PUBLIC, ids=dotted_name)
def test_all_names_everything_public(path: Path) -> None:
    """A class or function without an underscore is public; what is public is named."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    expected = defined(tree) | (reexported(tree) if path.name == "__init__.py" else set())
    missing = expected - set(importlib.import_module(dotted_name(path)).__all__)
    assert not missing, f"{path}: name these in __all__, or begin them with an underscore: {sorted(missing)}"
