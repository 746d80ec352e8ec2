"""The columns of a user's model: found by attribute name, checked at registration, and filled without cutting a value.

A model is inspected without configuring its mapper, because hooks may be registered before every model is imported.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import orm

from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.encoding import as_text

__all__ = ["ModelColumns", "UnstorableValueError", "UnsuitableModelError"]

# What a client calls the value of an attribute.
_PARAMETERS = {"client_id": "oauth_consumer_key", "nonce": "oauth_nonce", "timestamp": "oauth_timestamp"}
_BITS: tuple[tuple[type[sa.types.TypeEngine[Any]], int], ...] = (
    (sa.SmallInteger, 15),
    (sa.BigInteger, 63),
    (sa.Integer, 31),
)


class UnsuitableModelError(TypeError):
    """A model or a session cannot be used. The message names each problem, and what to do."""


class UnstorableValueError(InvalidRequestError):
    """A value does not fit its column, so it was neither stored nor looked up; nothing was cut off."""


class ModelColumns:
    """The columns of one model that hooks use, by attribute name."""

    def __init__(
        self, model: type[Any], mixin: str, needed: Mapping[str, int | None], methods: Iterable[str] = ()
    ) -> None:
        """Inspect a model.

        Args:
            model: the mapped class. Its columns may have other names than its attributes, and synonyms count.
            mixin: the name of the mixin that has what is needed, for the error.
            needed: the names of the attributes, each with the characters that its column must hold at least. ``None``
                for any length.
            methods: the names of the methods that the model must have.

        Raises:
            UnsuitableModelError: the class is not mapped, or lacks something; all problems are in one message.
        """
        self.model = model
        self._mixin = mixin
        self._types: dict[str, sa.types.TypeEngine[Any]] = {}
        mapper: object = sa.inspect(cast("Any", model), raiseerr=False)
        if not isinstance(mapper, orm.Mapper):
            raise UnsuitableModelError(
                f"{_name_of(model)} is not a mapped class of SQLAlchemy; {mixin} is a mixin for one."
            )
        self._mapper: orm.Mapper[Any] = mapper
        problems = [*self._check_columns(needed), *self._check_methods(methods)]
        if problems:
            raise UnsuitableModelError(
                f"{_name_of(model)} cannot be used: {'; '.join(problems)}. Derive it from {mixin}, or add these."
            )

    def __contains__(self, name: str) -> bool:
        """Whether the model has a column under this attribute name, needed or not."""
        return self.type_of(name) is not None

    def attribute(self, name: str) -> orm.InstrumentedAttribute[Any]:
        """The attribute of the class, for statements."""
        attribute: orm.InstrumentedAttribute[Any] = getattr(self.model, name)
        return attribute

    def type_of(self, name: str) -> sa.types.TypeEngine[Any] | None:
        """The type of the column under an attribute name; ``None`` if there is no such column."""
        if name not in self._types:
            found = _column_type(self._mapper, name)
            if found is None:
                return None
            self._types[name] = found
        return self._types[name]

    def length_of(self, name: str) -> int | None:
        """The characters that a column holds; ``None`` if there is no limit, or if it is not known.

        The length of what a `TypeDecorator` makes of a value is not known.
        """
        kind = self.type_of(name)
        if isinstance(kind, sa.TypeDecorator):
            return None
        length: int | None = getattr(kind, "length", None)
        return length

    def cast(self, name: str, value: Any) -> Any:
        """Convert a value to the Python type of a column: PostgreSQL does not compare text with numbers.

        Args:
            name: the attribute.
            value: what is stored or looked up; ``None`` stays.

        Raises:
            UnstorableValueError: the value is longer than the column, or of no use for its type. The message shows
                the lengths alone.
        """
        kind = self.type_of(name)
        if kind is None or value is None:
            return value
        try:
            converted = _convert(value, _python_type(kind))
        except (ArithmeticError, ValueError):
            raise UnstorableValueError(f'Invalid "{_PARAMETERS.get(name, name)}" value') from None
        self._check_size(name, kind, converted)
        return converted

    def cast_all(self, **values: Any) -> dict[str, Any]:
        """Convert values by attribute name, as `cast` does."""
        return {name: self.cast(name, value) for name, value in values.items()}

    def _check_size(self, name: str, kind: sa.types.TypeEngine[Any], value: Any) -> None:
        parameter = _PARAMETERS.get(name, name)
        length = self.length_of(name)
        if isinstance(value, (str, bytes)) and length is not None and len(value) > length:
            raise UnstorableValueError(
                f'"{parameter}" has {len(value)} characters, and this provider keeps at most {length}.'
            )
        if isinstance(value, str) and not _is_text(value):
            raise UnstorableValueError(f'"{parameter}" has characters that cannot be stored.')
        bits = next((bits for types, bits in _BITS if isinstance(kind, types)), None)
        if isinstance(value, int) and bits is not None and not -(1 << bits) <= value < 1 << bits:
            raise UnstorableValueError(f'"{parameter}" is out of range.')

    def _check_columns(self, needed: Mapping[str, int | None]) -> Iterator[str]:
        for name, least in needed.items():
            if self.type_of(name) is None:
                yield f"it has no column {name!r}"
                continue
            length = self.length_of(name)
            if least is not None and length is not None and length < least:
                yield f"its column {name!r} holds {length} characters, and {least} are needed"

    def _check_methods(self, methods: Iterable[str]) -> Iterator[str]:
        for name in methods:
            if not callable(getattr(self.model, name, None)):
                yield f"it has no method {name}()"


def _column_type(mapper: orm.Mapper[Any], name: str) -> sa.types.TypeEngine[Any] | None:
    column: Any = mapper.columns.get(name)
    if column is None and name in mapper.all_orm_descriptors:
        # A synonym or a hybrid property. A relationship has no such type.
        column = getattr(mapper.class_, name)
        if isinstance(column, orm.InstrumentedAttribute):
            return None
    kind: Any = getattr(column, "type", None)
    return kind if issubclass(type(kind), sa.types.TypeEngine) else None  # isinstance makes its parameter unknown


def _python_type(kind: sa.types.TypeEngine[Any]) -> type[Any] | None:
    if isinstance(kind, sa.TypeDecorator):  # it may take anything
        return None
    try:
        return kind.python_type
    except NotImplementedError:
        return None


def _convert(value: Any, kind: type[Any] | None) -> Any:
    if kind is None or type(value) is kind:
        return value
    converter = _CONVERTERS.get(kind)
    return value if converter is None else converter(as_text(value) if isinstance(value, bytes) else str(value))


def _to_datetime(text: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(text), datetime.UTC)


_CONVERTERS: dict[type[Any], Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    decimal.Decimal: decimal.Decimal,
    uuid.UUID: uuid.UUID,
    bytes: str.encode,
    datetime.datetime: _to_datetime,
}


def _is_text(value: str) -> bool:
    """Whether every database can store it: PostgreSQL has no NUL, and UTF-8 no surrogates."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _name_of(model: object) -> str:
    return model.__qualname__ if isinstance(model, type) else repr(model)
