"""Names scopes in the descriptions of operations: Swagger UI shows those of OAuth 2 alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fastapi import FastAPI

__all__ = ["describe_scopes"]


def describe_scopes(app: FastAPI, scheme_name: str) -> None:
    """Add the scopes of one security scheme to what ``/docs`` shows of each operation.

    Args:
        app: the application; its ``openapi`` is replaced, which is FastAPI's way to extend the document.
        scheme_name: of the security scheme.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        for operation in _operations(document):
            for requirement in operation.get("security", ()):
                _describe(operation, requirement.get(scheme_name))
        return document

    replaced: Any = app  # a method, for type checkers
    replaced.openapi = openapi


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document.get("paths", {}).values():
        yield from (cast("dict[str, Any]", operation) for operation in item.values() if isinstance(operation, dict))


def _describe(operation: dict[str, Any], scopes: list[str] | None) -> None:
    if not scopes:
        return
    line = f"Scopes of the token: {', '.join(f'`{scope}`' for scope in scopes)}"
    before: str = operation.get("description", "")
    if line not in before:  # FastAPI keeps the document
        operation["description"] = f"{before}\n\n{line}".lstrip()
