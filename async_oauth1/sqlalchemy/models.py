"""The application's models: whether they have what a store needs, and rows of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    Numeric,
    Table,
    UniqueConstraint,
    bindparam,
    literal,
)
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.inspection import inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.types import String

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.base import required_text
from async_oauth1.stores.encryption import KeyRing, UnreadableError

from .exact import exactly
from .secrets import SECRETS, open_secrets, sealed_length

__all__ = ["Model", "Needs", "TooLongError", "UnsuitableModelError", "parameter_name"]

_log = logging.getLogger(__name__)
T = TypeVar("T")


class UnsuitableModelError(TypeError):
    """A model lacks what a store needs. The message names the class, what it lacks, and the mixin that has it."""


class TooLongError(ValueError):
    """A value is longer than its column. The message names the column, and does not show the value."""


class Needs(NamedTuple):
    """What a store needs of a model.

    Attributes:
        mixin: has all of it, except ``user_id``.
        columns: the names of attributes, each with the characters that its column must have room for at least.
        methods: that a server calls.
        encrypted: the mixin whose columns have room for encrypted secrets.
    """

    mixin: str
    columns: Mapping[str, int]
    methods: Sequence[str] = ()
    encrypted: str = ""


class Model(Generic[T]):
    """One of the application's models.

    Attributes:
        cls: the class.
        key: the attribute that identifies a row.
        secrets: the attributes that hold secrets.
    """

    def __init__(self, cls: type[T], needs: Needs, *, key: str, is_encrypted: bool = False) -> None:
        """Check a class.

        Args:
            cls: the class.
            needs: what it must have.
            key: the attribute that identifies a row.
            is_encrypted: whether its secrets are encrypted.

        Raises:
            UnsuitableModelError: it is not mapped, or lacks columns or methods, or a column is too short.
        """
        self.cls = cls
        self.key = key
        mapper = _mapper(cls, needs)
        self._columns: dict[str, Column[Any]] = {name: mapper.columns[name] for name in mapper.columns.keys()}  # noqa: SIM118 - not a dict
        self._add_synonyms(mapper, needs)
        columns = self._columns
        problems = [*_missing(cls, columns, needs), *_too_short(columns, needs, is_encrypted), *_no_numbers(columns)]
        if problems:
            raise UnsuitableModelError(f"{cls.__name__}: {'; '.join(problems)}")
        self.table_name = str(mapper.local_table.name) if isinstance(mapper.local_table, Table) else cls.__name__
        self.secrets = tuple(name for name in SECRETS if name in self._columns)
        self._accepted = _accepted_arguments(cls)

    def has(self, *names: str) -> bool:
        """Whether it has columns for these attributes."""
        return all(name in self._columns for name in names)

    def require(self, name: str, mixin: str, why: str) -> None:
        """Refuse a model without a column that is needed for something optional.

        Raises:
            UnsuitableModelError: it does not have the column.
        """
        if name not in self._columns:
            raise UnsuitableModelError(f"{self.cls.__name__}: {why} needs the column {name}; add {mixin}")

    def attribute(self, name: str) -> Any:
        """An attribute of the class, for a statement."""
        return getattr(self.cls, name)

    def room(self, name: str) -> int | None:
        """The characters that a column has room for; ``None`` for any number."""
        return _length(self._columns[name])

    def fits(self, name: str, value: str) -> bool:
        """Whether a column has room for a text."""
        room = self.room(name)
        return room is None or len(value) <= room

    def value(self, name: str, value: Any) -> Any:
        """A value in the type of a column.

        Raises:
            TooLongError: it is longer than the column, which some databases would cut off.
            ValueError: it is not of the column's type; or text that cannot be stored.
        """
        column = self._columns[name]
        if value is None:
            return None
        try:
            converted = _converted(column, value)
        except (ValueError, TypeError):
            raise ValueError(f"{self.cls.__name__}.{name} holds {_type_name(column)}, and the value is none") from None
        if isinstance(converted, str):
            required_text(**{name: converted})
            if not self.fits(name, converted):
                raise TooLongError(f"{self.cls.__name__}.{name} holds {self.room(name)} characters, not {len(value)}")
        return converted

    def values(self, **values: Any) -> dict[str, Any]:
        """The values that the model has columns for, in the types of these columns.

        Raises:
            ValueError: as `value`.
        """
        return {name: self.value(name, value) for name, value in values.items() if name in self._columns}

    def new(self, **values: Any) -> T:
        """A new row of the values that the model has columns for.

        Raises:
            ValueError: as `value`.
        """
        left = self.values(**values)
        accepted = left if self._accepted is None else {name: left[name] for name in self._accepted & left.keys()}
        row = self.cls(**accepted)
        for name in left.keys() - accepted.keys():
            setattr(row, name, left[name])
        return row

    def equals(self, name: str, value: Any) -> ColumnElement[bool]:
        """The condition that a column has exactly this value.

        Raises:
            ValueError: as `value`.
        """
        attribute, converted = self.attribute(name), self.value(name, value)
        if not isinstance(converted, str):
            return attribute == converted  # type: ignore[no-any-return]
        return exactly(attribute, literal(converted, self._columns[name].type))

    def matches(self, name: str) -> ColumnElement[bool]:
        """The same condition with a parameter instead of the value, for a statement that is made once."""
        return exactly(self.attribute(name), self.parameter(name))

    def parameter(self, name: str) -> Any:
        """A parameter of the column's type, named by `parameter_name`."""
        return bindparam(parameter_name(name), type_=self._columns[name].type)

    def column(self, name: str) -> Column[Any]:
        """The column of an attribute."""
        return self._columns[name]

    def opened(self, row: T, keys: KeyRing, clock: Callable[[], float]) -> T:
        """A row, with its secrets decrypted beside its columns.

        Raises:
            StoreUnavailableError: none of the keys decrypts one of them, or another program has made the row invalid.
        """
        name = getattr(row, self.key)
        try:
            open_secrets(row, self.secrets, (self.table_name, name), keys, clock)
        except (ValueError, TypeError, AttributeError) as error:
            reason = error if isinstance(error, UnreadableError) else "is damaged"
            _log.error("a secret of the %s %.8r... %s", self.cls.__name__, name, reason)
            raise StoreUnavailableError() from error
        return row

    def is_unique(self, names: frozenset[str]) -> bool:
        """Whether a constraint or index makes rows unique that have the same values in all of these attributes."""
        columns = {self._columns[name] for name in names}
        table = next(iter(columns)).table
        if not isinstance(table, Table):
            return False
        unique: list[Any] = [table.primary_key]
        unique += [each for each in table.constraints if isinstance(each, UniqueConstraint)]
        unique += [each for each in table.indexes if isinstance(each, Index) and each.unique]
        return any(set(each.columns) and set(each.columns) <= columns for each in unique) or any(
            column.unique for column in columns
        )

    def _add_synonyms(self, mapper: Mapper[Any], needs: Needs) -> None:
        for name in needs.columns:
            if name not in self._columns and mapper.has_property(name):
                target = getattr(mapper.get_property(name), "name", None)
                if target in self._columns:
                    self._columns[name] = self._columns[target]


def parameter_name(name: str) -> str:
    """The name of the parameter for an attribute; SQLAlchemy reserves the names of columns."""
    return f"given_{name}"


def _mapper(cls: Any, needs: Needs) -> Mapper[Any]:
    try:
        mapper: Any = inspect(cls)
    except NoInspectionAvailable:
        mapper = None
    if not isinstance(mapper, Mapper):
        name = cls.__name__ if isinstance(cls, type) else type(cls).__name__
        raise UnsuitableModelError(
            f"{name} is not a mapped class; derive it from {needs.mixin} and from a declarative base"
        )
    return mapper


def _missing(cls: type[Any], columns: Mapping[str, Any], needs: Needs) -> list[str]:
    problems = [f"has no column {name}; {_remedy(name, needs)}" for name in needs.columns if name not in columns]
    return problems + [
        f"has no method {name}(); add {needs.mixin}" for name in needs.methods if not callable(getattr(cls, name, None))
    ]


def _remedy(name: str, needs: Needs) -> str:
    if name == "user_id":
        return f"{needs.mixin} leaves it to the model, in the type of the user's identifier"
    return f"add {needs.mixin}"


def _too_short(columns: Mapping[str, Column[Any]], needs: Needs, is_encrypted: bool) -> list[str]:  # noqa: FBT001
    problems: list[str] = []
    for name, length in needs.columns.items():
        is_sealed = is_encrypted and name in SECRETS
        least = sealed_length(length) if is_sealed else length
        room = _length(columns[name]) if name in columns else None
        if room is not None and room < least:
            mixin = needs.encrypted if is_sealed else needs.mixin
            problems.append(f"column {name} holds {room} characters and needs {least}; {mixin} has a longer one")
    return problems


def _no_numbers(columns: Mapping[str, Column[Any]]) -> list[str]:
    times = [name for name in ("created_at", "expires_at") if name in columns]
    return [
        f"column {name} holds {_type_name(columns[name])}, and must hold Unix time as a number, such as Double"
        for name in times
        if not isinstance(columns[name].type, (Integer, Numeric, Float))
    ]


def _length(column: Column[Any]) -> int | None:
    return column.type.length if isinstance(column.type, String) else None


def _converted(column: Column[Any], value: Any) -> Any:
    """A value in the type of a column. Databases do not compare text with numbers."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return value
    if isinstance(value, kind) or kind not in (str, int, float, UUID):
        return value
    converted = kind(value)
    if isinstance(value, str) and kind is int and str(converted) != value:
        raise ValueError  # int() reads "1_0" and " 10" as well: these are other names
    return converted


def _type_name(column: Column[Any]) -> str:
    return type(column.type).__name__


def _accepted_arguments(cls: type[Any]) -> frozenset[str] | None:
    """The arguments of a model's constructor; ``None`` if it takes any."""
    parameters = signature(cls.__init__).parameters.values()
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters):
        return None
    return frozenset(each.name for each in parameters if each.kind is not Parameter.POSITIONAL_ONLY)
