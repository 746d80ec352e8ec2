"""Databases, and the application over each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest

from tests.servers import MariaDB, Postgres

from . import photo_app

DRIVERS = ["sqlite", "psycopg", "pymysql"]


@pytest.fixture(params=DRIVERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, for SQLAlchemy."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/photos.db?timeout=60"  # a writer may have to wait for a slow disk
    if request.param == "pymysql":
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        return mariadb.sqlalchemy_url(mariadb.new_database(), "mysql+pymysql")
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.sqlalchemy_url(postgres.new_database(), "postgresql+psycopg")


MakeApp = Callable[..., flask.Flask]


@pytest.fixture
def make_app(url: str) -> Iterator[MakeApp]:
    """Makes the application over a database with its tables."""
    made: list[flask.Flask] = []

    def make(**options: Any) -> flask.Flask:
        made.append(photo_app.make_app(url, **options))
        photo_app.fill(made[-1])
        return made[-1]

    yield make
    for app in made:
        app.extensions["engine"].dispose()
