"""Types of columns, and what makes a mixin's columns part of plain models and of dataclasses alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import MappedAsDataclass, mapped_column
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

__all__ = ["exact_string", "exact_text", "fields"]

T = TypeVar("T")

# MySQL's default collations take "a" and "A" for the same.
_CHARSET = "utf8mb4"
_COLLATION = "utf8mb4_bin"


def exact_string(length: int) -> TypeEngine[str]:
    """Text of at most so many characters, compared exactly in every database."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset=_CHARSET, collation=_COLLATION), "mysql", "mariadb"
    )


def exact_text() -> TypeEngine[str]:
    """Text of any length."""
    return Text().with_variant(mysql.TEXT(charset=_CHARSET, collation=_COLLATION), "mysql", "mariadb")


@dataclass(init=False, repr=False, eq=False)
class _NoFields:
    """Its dataclass parameters are those of every mixin."""


if TYPE_CHECKING:

    @dataclass_transform(field_specifiers=(mapped_column,), kw_only_default=True, eq_default=False)
    def fields(*, init: bool) -> Callable[[type[T]], type[T]]:
        """Type checkers know the columns as fields of a dataclass that derives from the mixin."""
        ...

else:

    def fields(*, init: bool) -> Callable[[type[T]], type[T]]:  # noqa: ARG001 - for type checkers
        """Make a mixin's columns part of plain models, and fields of models that are dataclasses.

        SQLAlchemy takes fields of a dataclass only from dataclasses, and makes every model that derives from
        ``MappedAsDataclass`` a dataclass. So a mixin says that it is a dataclass, without fields of its own. Such
        models get constructors with keyword arguments: otherwise no field without a default could follow the mixin's.
        They get no ``repr``, which would show the secrets.

        Args:
            init: ``False``: the mixin has no constructor.
        """

        def mark(mixin: type[T]) -> type[T]:
            def init_subclass(cls: type[T], **options: object) -> None:
                if issubclass(cls, MappedAsDataclass):
                    options.setdefault("kw_only", True)
                    options.setdefault("repr", False)
                super(mixin, cls).__init_subclass__(**options)

            mixin.__dataclass_fields__ = {}
            mixin.__dataclass_params__ = _NoFields.__dataclass_params__
            mixin.__init_subclass__ = classmethod(init_subclass)
            return mixin

        return mark
