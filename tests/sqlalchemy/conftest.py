"""Databases with the tables of the application's models, and stores over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from async_oauth1.sqlalchemy import SQLAlchemyStore
from tests.servers import MariaDB, Postgres

from .models import PlainBase, User
from .provider import PlainProvider

#: Every driver; a sample has every second one.
DRIVERS = ["asyncpg", "sqlite", "mariadb", "psycopg", "asyncmy"]

#: The drivers for MariaDB.
MARIADB_DRIVERS = {"mariadb": "mysql+aiomysql", "asyncmy": "mysql+asyncmy"}


@pytest.fixture
def driver() -> str:
    """The driver of the database; tests that need others say so."""
    return "sqlite"


@pytest.fixture
def database_url(driver: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, for SQLAlchemy."""
    if driver == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/models.db"
    if driver in MARIADB_DRIVERS:
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        return mariadb.sqlalchemy_url(mariadb.new_database(), MARIADB_DRIVERS[driver])
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.sqlalchemy_url(postgres.new_database(), f"postgresql+{driver}")


Engines = Callable[..., AsyncEngine]


@pytest_asyncio.fixture
async def engines(database_url: str) -> AsyncIterator[Engines]:
    """Makes engines on the database, and disposes of them."""
    made: list[AsyncEngine] = []

    def make(**options: Any) -> AsyncEngine:
        made.append(create_async_engine(database_url, **options))
        return made[-1]

    yield make
    for engine in made:
        await engine.dispose()


@pytest_asyncio.fixture
async def engine(engines: Engines) -> AsyncEngine:
    """An engine on a database with the application's tables and two users."""
    engine = engines()
    async with engine.begin() as connection:
        await connection.run_sync(PlainBase.metadata.create_all)
        await connection.execute(insert(User), [{"id": 7, "name": "Jane"}, {"id": 8, "name": "John"}])
    return engine


@pytest_asyncio.fixture
async def provider(engine: AsyncEngine) -> PlainProvider:
    """A provider over the application's models, with one client."""
    return await PlainProvider.over(engine)


@pytest.fixture
def store(provider: PlainProvider) -> SQLAlchemyStore[Any, Any, Any]:
    """The store of the provider."""
    return provider.store
