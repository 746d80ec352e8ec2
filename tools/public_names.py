"""The modules that users import, and what each of them exports."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .imports import modules

__all__ = ["PUBLIC_MODULES", "exported", "violations"]

#: All other modules are implementation details, and may change in any release.
PUBLIC_MODULES = (
    "async_oauth1",
    "async_oauth1.admin.api",
    "async_oauth1.admin.page",
    "async_oauth1.asgi",
    "async_oauth1.credentials",
    "async_oauth1.django",
    "async_oauth1.django.rest_framework",
    "async_oauth1.errors",
    "async_oauth1.explain",
    "async_oauth1.fastapi",
    "async_oauth1.hooks",
    "async_oauth1.limits",
    "async_oauth1.litestar",
    "async_oauth1.logs",
    "async_oauth1.lti",
    "async_oauth1.lti.outcomes",
    "async_oauth1.native",
    "async_oauth1.policy",
    "async_oauth1.quart",
    "async_oauth1.signature",
    "async_oauth1.sqlalchemy",
    "async_oauth1.starlette",
    "async_oauth1.stores",
    "async_oauth1.stores.caching",
    "async_oauth1.stores.memory",
    "async_oauth1.stores.postgres",
    "async_oauth1.stores.redis",
    "async_oauth1.stores.sqlite",
    "async_oauth1.telemetry",
    "async_oauth1.testing",
    "flask_compat",
    "flask_compat.authorization_server",
    "flask_compat.cache",
    "flask_compat.errors",
    "flask_compat.resource_protector",
    "flask_compat.signature",
    "flask_compat.sqla",
    "flask_compat.util",
    "flask_compat.wrapper",
)


def violations() -> Iterator[str]:
    """Public modules without a sorted and complete ``__all__``, and modules whose names begin with an underscore."""
    for module, path in modules().items():
        if path.stem.startswith("_") and path.stem not in ("__init__", "__main__"):
            yield f"{module}: rename it without an underscore; tools/public_names.py lists the public modules"
    for module in PUBLIC_MODULES:
        tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
        names = exported(tree)
        if names is None:
            yield f"{module} has no __all__"
            continue
        if names != sorted(names, key=_order):
            yield f"{module}.__all__ is not sorted: constants, classes, functions"
        if missing := _defined(tree) - set(names):
            yield f"{module}.__all__ does not name {', '.join(sorted(missing))}; or begin them with an underscore"


def exported(tree: ast.Module) -> list[str] | None:
    """The names in ``__all__``; ``None`` if there is no ``__all__``."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def _order(name: str) -> tuple[bool, bool, str]:
    """The sort key of isort and ruff: constants, classes, the rest."""
    return not name.isupper(), not name[:1].isupper(), name


def _defined(tree: ast.Module) -> set[str]:
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    }
