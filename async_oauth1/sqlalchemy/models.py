"""The application's models: whether they have what a store needs, and rows of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Numeric,
    UniqueConstraint,
    bindparam,
    func,
    inspect,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.encryption import KeyRing, UnreadableError

from .columns import ModelColumns, UnstorableValueError, UnsuitableModelError
from .exact import by_code_points, comes_after, exactly
from .secrets import SECRETS, open_secrets, sealed_length

__all__ = ["Model", "Needs", "parameter_name"]

_log = logging.getLogger(__name__)
T = TypeVar("T")

_TIMES = ("created_at", "expires_at")


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
        table: where its rows are.
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
        self._columns = ModelColumns(cls, needs.mixin, needs.columns, needs.methods)
        self.secrets = tuple(name for name in SECRETS if name in self._columns)
        if is_encrypted:
            sealed = {name: sealed_length(needs.columns[name]) for name in self.secrets if name in needs.columns}
            ModelColumns(cls, needs.encrypted, sealed)
        self._require_numbers()
        mapper: Any = inspect(cls)
        self.table: Any = mapper.local_table
        self._accepted = _accepted_arguments(cls)

    def has(self, name: str) -> bool:
        """Whether it has a column for this attribute."""
        return name in self._columns

    def require(self, name: str, mixin: str, why: str) -> None:
        """Refuse a model without a column that is needed for something optional.

        Raises:
            UnsuitableModelError: it does not have the column.
        """
        if name not in self._columns:
            raise UnsuitableModelError(f"{self.cls.__qualname__}: {why} needs the column {name}; add {mixin}")

    def attribute(self, name: str) -> Any:
        """An attribute of the class, for a statement."""
        return self._columns.attribute(name)

    async def page(
        self,
        session: AsyncSession,
        conditions: Sequence[ColumnElement[bool]],
        order: Mapping[str, Any],
        key: Sequence[Any] | None,
        limit: int,
    ) -> list[tuple[T, tuple[Any, ...]]]:
        """Some rows in an order, each with its sort key.

        Args:
            session: of the transaction.
            conditions: of the rows.
            order: the names of attributes, each with what stands for one that is missing or NULL.
            key: only rows after the one with this sort key; ``None`` for the first ones.
            limit: how many rows.
        """
        columns = [self._sortable(name, missing) for name, missing in order.items()]
        where = [*conditions, *([] if key is None else [comes_after(columns, key)])]
        statement = select(self.cls).where(*where).order_by(*columns).limit(limit)
        found = (await session.scalars(statement)).unique()
        return [(row, tuple(_key_part(row, name, missing) for name, missing in order.items())) for row in found]

    def _sortable(self, name: str, missing: Any) -> Any:
        value = func.coalesce(self.attribute(name), missing) if self.has(name) else literal(missing)
        return by_code_points(value) if isinstance(missing, str) else value

    def column(self, name: str) -> Any:
        """The column in the table of an attribute, whose name may differ."""
        attribute: Any = self.attribute(name)
        return attribute.property.columns[0]

    def room(self, name: str) -> int | None:
        """The characters that a column has room for; ``None`` for any number."""
        return self._columns.length_of(name)

    def fits(self, name: str, value: str) -> bool:
        """Whether a column has room for a text."""
        room = self.room(name)
        return room is None or len(value) <= room

    def values(self, **values: Any) -> dict[str, Any]:
        """The values that the model has columns for, in the types of these columns.

        Raises:
            UnstorableValueError: a value is longer than its column, or not of its type; it is not shown.
        """
        return {name: self._value(name, value) for name, value in values.items() if name in self._columns}

    def new(self, **values: Any) -> T:
        """A new row of the values that the model has columns for.

        Raises:
            UnstorableValueError: as `values`.
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
            UnstorableValueError: as `values`.
        """
        return exactly(self.attribute(name), literal(self._value(name, value), self._columns.type_of(name)))

    def matches(self, name: str) -> ColumnElement[bool]:
        """The same condition with a parameter instead of the value, for a statement that is made once."""
        return exactly(self.attribute(name), self.parameter(name))

    def parameter(self, name: str, number: int = 0) -> Any:
        """A parameter of the column's type, named by `parameter_name`."""
        return bindparam(parameter_name(name, number), type_=self._columns.type_of(name))

    def opened(self, row: T, keys: KeyRing, clock: Callable[[], float]) -> T:
        """A row, with its secrets decrypted beside its columns.

        Raises:
            StoreUnavailableError: none of the keys decrypts one of them, or another program has made the row invalid.
        """
        name = getattr(row, self.key)
        try:
            open_secrets(row, self.secrets, (self.table.name, name), keys, clock)
        except (ValueError, TypeError, AttributeError) as error:
            reason = error if isinstance(error, UnreadableError) else "is damaged"
            _log.error("a secret of the %s %.8r... %s", self.cls.__name__, name, reason)
            raise StoreUnavailableError() from error
        return row

    def is_unique(self, *names: str) -> bool:
        """Whether a constraint or index makes rows unique that have the same values in all of these attributes."""
        columns = {self.column(name) for name in names}
        unique: list[Any] = [self.table.primary_key, *(each for each in self.table.indexes if each.unique)]
        unique += [each for each in self.table.constraints if isinstance(each, UniqueConstraint)]
        return any(set(each.columns) and set(each.columns) <= columns for each in unique)

    def _value(self, name: str, value: Any) -> Any:
        converted = self._columns.cast(name, value)
        if isinstance(value, str) and isinstance(converted, int) and str(converted) != value:
            raise UnstorableValueError(f'Invalid "{name}" value')  # int() reads "1_0" and " 10" as 10 as well
        return converted

    def _require_numbers(self) -> None:
        for name in _TIMES:
            if name in self._columns and not isinstance(self._columns.type_of(name), (Float, Integer, Numeric)):
                raise UnsuitableModelError(
                    f"{self.cls.__qualname__}: the column {name} must hold Unix time as a number, such as Double"
                )


def parameter_name(name: str, number: int = 0) -> str:
    """The name of the parameter for an attribute of a row; SQLAlchemy reserves the names of columns."""
    return f"given_{name}_{number}" if number else f"given_{name}"


def _accepted_arguments(cls: type[Any]) -> frozenset[str] | None:
    """The arguments of a model's constructor; ``None`` if it takes any."""
    parameters = signature(cls.__init__).parameters.values()
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters):
        return None
    return frozenset(each.name for each in parameters if each.kind is not Parameter.POSITIONAL_ONLY)


def _key_part(row: Any, name: str, missing: Any) -> Any:
    value = getattr(row, name, None)
    return missing if value is None else type(missing)(value)
