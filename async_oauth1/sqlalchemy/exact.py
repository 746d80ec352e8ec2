"""A comparison that is exact in every database: case, accents and spaces at the end count."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["exactly"]


def exactly(column: Any, value: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a column has this value, octet for octet."""
    return _Exactly(column, value)


class _Exactly(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Exactly)
def _compare(element: _Exactly, compiler: SQLCompiler, **options: Any) -> str:
    column, value = element.clauses
    return compiler.process(column == value, **options)


@compiles(_Exactly, "mysql")
@compiles(_Exactly, "mariadb")
def _compare_octets(element: _Exactly, compiler: SQLCompiler, **options: Any) -> str:
    """By the index first, which may ignore case, and then octet for octet."""
    column, value = element.clauses
    sides = (f"CAST(CONVERT({compiler.process(side, **options)} USING utf8mb4) AS BINARY)" for side in (column, value))
    return f"({compiler.process(column == value, **options)} AND {' = '.join(sides)})"
