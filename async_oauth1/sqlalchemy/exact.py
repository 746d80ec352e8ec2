"""Comparisons that are the same in every database.

Equality is exact: case, accents and spaces at the end count. Text is sorted by its code points, as Python sorts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, and_, false, func, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["by_code_points", "comes_after", "contains", "exactly"]


def exactly(column: Any, value: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a column has this value, octet for octet."""
    return _Exactly(column, value)


def by_code_points(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A text to sort by; both sides of a comparison have to be given to this function."""
    return _ByCodePoints(text)


def comes_after(columns: Sequence[ColumnElement[Any]], key: Sequence[Any]) -> ColumnElement[bool]:
    """The condition that a row comes after the one with this sort key.

    Args:
        columns: what rows are sorted by; text by `by_code_points`.
        key: of the row.
    """
    after: ColumnElement[bool] = false()
    for column, value in reversed(list(zip(columns, key, strict=True))):
        other = by_code_points(literal(value, String())) if isinstance(value, str) else literal(value)
        after = or_(column > other, and_(column == other, after))
    return after


def contains(search: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    """The condition that one of the columns contains a text, whatever the case of its ASCII letters."""
    for special in "!%_":
        search = search.replace(special, "!" + special)
    exact, lower = f"%{search}%", f"%{search.lower()}%"
    return or_(
        *(column.like(exact, escape="!") for column in columns),
        *(func.lower(column).like(lower, escape="!") for column in columns),
    )


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


class _ByCodePoints(FunctionElement[str]):
    type = String()
    inherit_cache = True


@compiles(_ByCodePoints)
def _as_it_is(element: _ByCodePoints, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return compiler.process(text, **options)


@compiles(_ByCodePoints, "sqlite")
def _as_in_sqlite(element: _ByCodePoints, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return f"{compiler.process(text, **options)} COLLATE BINARY"


@compiles(_ByCodePoints, "postgresql")
def _as_in_postgresql(element: _ByCodePoints, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return f'CAST({compiler.process(text, **options)} AS text) COLLATE "C"'


@compiles(_ByCodePoints, "mysql")
@compiles(_ByCodePoints, "mariadb")
def _as_octets(element: _ByCodePoints, compiler: SQLCompiler, **options: Any) -> str:
    (text,) = element.clauses
    return f"CAST(CONVERT({compiler.process(text, **options)} USING utf8mb4) AS BINARY)"
