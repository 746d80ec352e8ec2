"""Fixtures: each kind of store, and the clock that all of them use."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import pytest_asyncio

from async_oauth1.credentials import Client, TemporaryCredential
from async_oauth1.stores import Store, TransientStore, open_store
from async_oauth1.testing import Clock
from tests.servers import MariaDB, Postgres, SentinelTrio, Valkey, ValkeyCluster, patient, redis_binary
from tests.sqlalchemy.conftest import MARIADB_DRIVERS
from tests.sqlalchemy.records import RecordStore
from tests.stores.third_party import ThirdPartyStore
from tests.stress import STRESS

#: The same over models of an application, in each database that they may be in.
MODELS = ["models-sqlite", "models-asyncpg", "models-psycopg", "models-mariadb", "models-asyncmy"]
#: Kinds of stores that keep everything, and those that keep nonces and temporary credentials alone.
FULL = ["memory", "sqlite", "postgres"]
TRANSIENT = ["valkey", "sentinel", "cluster", "redis"]
#: Kinds that every test runs over. Outside of `make stress` it runs over one of the others only.
ALWAYS = [*FULL, "valkey"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over every kind of store, unless it names some; with `full_store` over those that keep everything.

    The third-party store has no URL, so the tests that use one leave it out.
    """
    named = any(mark.args[0] == "kind" for mark in metafunc.definition.iter_markers("parametrize"))
    if "kind" in metafunc.fixturenames and not named:
        kinds = FULL if "full_store" in metafunc.fixturenames else FULL + TRANSIENT
        if "shared_url" in metafunc.fixturenames:
            kinds = [kind for kind in kinds if kind != "memory"]
        module = metafunc.module.__name__.rpartition(".")[2]
        names_none = not {"url", "kind", "shared_url", "full_store"} & set(signature(metafunc.function).parameters)
        if names_none and module != "test_exchanged_tokens":
            kinds = [*kinds, "third-party"]
        # Models of an application have no table of last uses.
        if "conformance" in metafunc.module.__name__ and module not in {"test_forks", "test_last_uses"}:
            kinds = [*kinds, *(MODELS if STRESS or module != "test_nonce_clocks" else [])]
        metafunc.parametrize("kind", sampled(kinds, metafunc.function.__name__))


def sampled(kinds: list[str], test: str) -> list[Any]:
    """Return all kinds under stress, and otherwise those of `ALWAYS` and one more: the same in each process and run."""
    others = [kind for kind in kinds if kind not in ALWAYS]
    chosen = others if STRESS or not others else [others[crc32(test.encode()) % len(others)]]
    return [
        kind if kind in ALWAYS else pytest.param(kind, marks=pytest.mark.stress)
        for kind in kinds
        if kind in ALWAYS or kind in chosen
    ]


@pytest.fixture
def clock() -> Clock:
    """The clock that the store under test reads."""
    return Clock(1_700_000_000.0)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A single Valkey server."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Valkey]:
    """The system's Redis server. CI installs it, and fails if it is missing."""
    binary = redis_binary()
    if binary is None and not os.environ.get("CI"):
        pytest.skip("redis-server is no wheel and not installed here")
    assert binary is not None, "there is no redis-server"
    server = Valkey(binary=binary)
    yield server
    server.close()


@pytest.fixture(scope="session")
def sentinel() -> Iterator[SentinelTrio]:
    """A master with two replicas and three Sentinels, which stays the master."""
    trio = SentinelTrio()
    trio.keep_master()
    yield trio
    trio.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[ValkeyCluster]:
    """A cluster of three nodes, which stays complete."""
    cluster = ValkeyCluster()
    cluster.keep_masters()
    yield cluster
    cluster.close()


@pytest.fixture(params=["valkey", "postgres"])
def server(request: pytest.FixtureRequest) -> Iterator[Valkey | Postgres]:
    """A server for this test only, which the test kills.

    Before it answers it has written to its file, which SIGKILL does not undo. It does not wait for the disk.
    """
    server = Valkey("--appendfsync", "no") if request.param == "valkey" else Postgres("-c", "fsync=off")
    yield server
    server.close()


_SERVERS = {"valkey": "valkey", "redis": "redis_server", "sentinel": "sentinel", "cluster": "cluster"}


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> str:
    """A URL of each kind of store, which is empty."""
    if kind == "memory":
        return "memory://"
    if kind == "third-party":
        return "third-party://"
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    if kind in MODELS:
        return models_url(kind, request, tmp_path)
    if kind == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return patient(server.url)
    redis_server: Valkey | SentinelTrio | ValkeyCluster = request.getfixturevalue(_SERVERS[kind])
    redis_server.flush()
    clock.listeners.append(redis_server.shift_time)  # Redis goes by its own clock
    return patient(redis_server.url)


def models_url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty database, for SQLAlchemy."""
    driver = kind.removeprefix("models-")
    if driver == "sqlite":
        return f"sqlite+aiosqlite:///{folder}/models.db"
    if driver in MARIADB_DRIVERS:
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        return mariadb.sqlalchemy_url(mariadb.new_database(), MARIADB_DRIVERS[driver])
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.sqlalchemy_url(postgres.new_database(), f"postgresql+{driver}")


def open_kind(url: str, **options: Any) -> Any:
    """A store of any kind, closed; for `SQLAlchemyStore` the URL names a driver."""
    return (
        RecordStore(url, **options)
        if "+" in url.partition(":")[0] and "redis" not in url
        else open_store(url, **options)
    )


@pytest.fixture
def shared_url(url: str) -> str:
    """A URL of each kind of store that several processes can share."""
    return url


@pytest_asyncio.fixture
async def store(url: str, kind: str, clock: Clock) -> AsyncIterator[TransientStore]:
    """An open store of each kind, empty."""
    store = ThirdPartyStore(clock) if kind == "third-party" else open_kind(url, clock=clock)
    await store.migrate()
    async with store:
        yield store


@pytest.fixture
def full_store(store: TransientStore) -> Store:
    """The same store, if it also keeps clients and token credentials."""
    assert isinstance(store, Store)
    return store


@pytest.fixture
def client() -> Client:
    """The RFC's client."""
    return Client(
        client_id="dpf43f3p2l4k3l03",
        client_secret="kd94hf93k423kf44",
        name="Printer",
        callbacks=("http://printer.example.com/ready",),
    )


Pending = Callable[..., Awaitable[TemporaryCredential]]


@pytest.fixture
def pending(store: TransientStore) -> Pending:
    """Makes temporary credentials."""

    async def make(oauth_token: str = "hh5s93j4hdidpola", client_id: str = "dpf43f3p2l4k3l03") -> TemporaryCredential:
        token = {"oauth_token": oauth_token, "oauth_token_secret": "hdhd0244k9j7ao03"}
        return await store.create_temporary_credential(token, client_id, "http://printer.example.com/ready")

    return make


@pytest.fixture
def approved(store: TransientStore, pending: Pending) -> Pending:
    """Makes temporary credentials that the user has approved."""

    async def make(oauth_token: str = "hh5s93j4hdidpola", client_id: str = "dpf43f3p2l4k3l03") -> TemporaryCredential:
        credential = await pending(oauth_token, client_id)
        assert await store.create_authorization_verifier(credential, "jane", "hfdp7dh39dks9884")
        found = await store.get_temporary_credential(oauth_token)
        assert found is not None
        return found

    return make


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect garbage after this test, so that it is not collected during another one."""
    yield
    gc.collect()
