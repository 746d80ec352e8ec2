"""Fixtures for all tests."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import httpx._config as httpx_config
import httpx._transports.default as httpx_transports
import httpx2._config as httpx2_config
import httpx2._transports.default as httpx2_transports
import pytest

from tests.servers import TEMPLATES, MariaDB, Postgres, mariadb_binary, unmeasured_environment
from tests.servers.processes import PATIENCE


def pytest_xdist_auto_num_workers() -> int:
    """Return twice the number of cores: much of a test is spent waiting for a server or for a time-out."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    """Make a folder for the empty databases that servers copy. Workers of pytest-xdist have it in their environment."""
    if TEMPLATES not in os.environ:
        folder = os.environ[TEMPLATES] = tempfile.mkdtemp(prefix="oauth1-templates-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.add_cleanup(lambda: os.environ.pop(TEMPLATES))
    for transports in (httpx_transports, httpx2_transports):
        # Each client would read all certificates of authorities again, which takes longer than most requests.
        vars(transports)["create_ssl_context"] = cache(transports.create_ssl_context)
    for settings in (httpx_config, httpx2_config):
        # By default a client gives up after 5 seconds, which is too early on a busy machine.
        default = settings.DEFAULT_TIMEOUT_CONFIG
        default.connect = default.read = default.write = default.pool = PATIENCE


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without garbage collection: there is little garbage, and more and more to visit."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """Leave what was imported and collected out of garbage collection while tests run."""
    gc.freeze()
    try:
        return (yield)
    finally:
        gc.unfreeze()  # Hypothesis looks for referrers when it is imported, which may be now, and finds no frozen ones


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
