"""What hooks learn of a user's model: its columns, what fits into them, and what is missing."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.hybrid import hybrid_property

from async_oauth1.sqlalchemy.columns import ModelColumns, UnstorableValueError, UnsuitableModelError

MIXIN = "package.SomeMixin"
Base: Any = orm.declarative_base()


class Thing(Base):
    """A model with columns of every kind."""

    __tablename__ = "thing"
    id = sa.Column(sa.Integer, primary_key=True)
    client_id = sa.Column("consumer_key", sa.String(8))
    short = sa.Column(sa.String(4))
    token = orm.synonym("short")
    text = sa.Column(sa.Text)
    small = sa.Column(sa.SmallInteger)
    large = sa.Column(sa.BigInteger)
    number = sa.Column(sa.Numeric)
    moment = sa.Column(sa.DateTime(timezone=True))
    unique = sa.Column(sa.Uuid)
    other_id = sa.Column(sa.ForeignKey("other.id"))
    # Never configured: the other class is never defined, as in a module that is imported later.
    other = orm.relationship("Other")

    @hybrid_property
    def secret(self) -> Any:
        return self.text

    def get_secret(self) -> Any:
        return self.text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("client_id", 12, "12"),
        ("client_id", b"ab", "ab"),
        ("token", "abcd", "abcd"),
        ("secret", "x" * 500, "x" * 500),
        ("id", "1700000000", 1_700_000_000),
        ("large", "999999999999", 999_999_999_999),
        ("unique", "00000000-0000-0000-0000-000000000007", uuid.UUID(int=7)),
        ("moment", "0", datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)),
        ("text", None, None),
        ("id", 7, 7),
    ],
)
def test_a_value_is_cast_to_the_type_of_its_column(name: str, value: Any, expected: Any) -> None:
    """Whatever the column is called in the table, and also behind a synonym or a hybrid property."""
    cast = ModelColumns(Thing, MIXIN, {}).cast(name, value)
    assert cast == expected
    assert type(cast) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("client_id", "x" * 9, '"oauth_consumer_key" has 9 characters, and this provider keeps at most 8.'),
        ("token", "x" * 5, '"token" has 5 characters, and this provider keeps at most 4.'),
        ("id", "2147483648", '"id" is out of range.'),
        ("small", 40_000, '"small" is out of range.'),
        ("id", "one", 'Invalid "id" value'),
        ("number", "one", 'Invalid "number" value'),
        ("unique", "7", 'Invalid "unique" value'),
        ("moment", "9" * 30, 'Invalid "moment" value'),
        ("text", "a\0b", '"text" has characters that cannot be stored.'),
        ("text", "\ud800", '"text" has characters that cannot be stored.'),
    ],
)
def test_a_value_that_does_not_fit_is_the_clients_mistake(name: str, value: Any, said: str) -> None:
    """The error has status 400, and names what the client has sent."""
    with pytest.raises(UnstorableValueError) as caught:
        ModelColumns(Thing, MIXIN, {}).cast(name, value)
    assert caught.value.status_code == 400
    assert caught.value.description == said


def test_every_problem_of_a_model_is_in_one_error() -> None:
    """It names the class, the columns, the methods and the mixin."""
    with pytest.raises(UnsuitableModelError) as caught:
        ModelColumns(Thing, MIXIN, {"client_id": 8, "short": 5, "nonce": None, "other": None}, ["get_secret", "check"])
    assert str(caught.value) == (
        "Thing cannot be used: its column 'short' holds 4 characters, and 5 are needed; it has no column 'nonce'; "
        "it has no column 'other'; it has no method check(). Derive it from package.SomeMixin, or add these."
    )


@pytest.mark.parametrize("model", [dict, None, "Thing", Base])
def test_what_is_not_mapped_is_refused(model: Any) -> None:
    """The error names it and the mixin."""
    with pytest.raises(UnsuitableModelError, match=r"not a mapped class of SQLAlchemy; package\.SomeMixin"):
        ModelColumns(model, MIXIN, {})


def test_a_model_is_inspected_before_those_that_it_refers_to_exist() -> None:
    """Its mapper stays unconfigured: hooks are registered in any order of imports."""
    columns = ModelColumns(Thing, MIXIN, {"client_id": 8, "secret": None, "token": 4}, ["get_secret"])
    assert sa.inspect(Thing).configured is False
    assert "client_id" in columns
    assert "missing" not in columns
    assert columns.length_of("client_id") == 8
    assert columns.length_of("text") is None
    assert columns.attribute("client_id").key == "client_id"
