"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import MariaDB, Postgres, mariadb_binary, unmeasured_environment


def pytest_xdist_auto_num_workers() -> int:
    """Return twice the number of cores: much of a test is spent waiting for a server or for a time-out."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", name="unmeasured_environment")
def unmeasured_environment_fixture() -> dict[str, str]:
    """The environment for processes without coverage, which would import additional modules."""
    return unmeasured_environment()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests."""
    server = Postgres("-c", "fsync=off")
    yield server
    server.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server for all tests. CI installs it, and fails if it is missing."""
    if mariadb_binary() is None and not os.environ.get("CI"):
        pytest.skip("mariadb-server is no wheel and not installed here")
    assert mariadb_binary() is not None, "there is no mariadbd"
    server = MariaDB()
    yield server
    server.close()
