"""A database that does not answer is a 503, never a 500, and nothing is accepted."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import AsyncAdaptedQueuePool, NullPool, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import StoreError
from tests.servers import MariaDB, Postgres, mariadb_binary

from .models import PlainBase, User
from .provider import PlainProvider, new_plain_store

# A driver leaves a connection that broke to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("default::ResourceWarning"), pytest.mark.usefixtures("collected")]


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect garbage after this test, so that it is not collected during another one."""
    yield
    gc.collect()


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres | MariaDB]:
    """A server for this test only, which the test kills."""
    if request.param == "mariadb":
        if mariadb_binary() is None:
            request.getfixturevalue("mariadb")  # skips, or fails in CI
        server: Postgres | MariaDB = MariaDB()
    else:
        server = Postgres("-c", "fsync=off")
    yield server
    server.close()


@pytest_asyncio.fixture
async def served(server: Postgres | MariaDB) -> AsyncIterator[PlainProvider]:
    """A provider on that server."""
    engine = create_async_engine(server.sqlalchemy_url(server.new_database()))
    async with engine.begin() as connection:
        await connection.run_sync(PlainBase.metadata.create_all)
        await connection.execute(User.__table__.insert(), [{"id": 7, "name": "Jane"}])
    yield await PlainProvider.over(engine)
    await engine.dispose()


async def test_a_killed_server(
    server: Postgres | MariaDB, served: PlainProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """While it is down every request is a 503; afterwards it is served, and what was accepted stays known."""
    signer = await served.token()
    accepted = signer.wire()
    assert not isinstance(await served.protect(accepted), int)
    await asyncio.to_thread(server.kill)
    caplog.clear()
    refused = signer.wire()
    assert await asyncio.gather(*(served.protect(refused) for _ in range(3))) == [503] * 3
    assert (await served.initiate(served.initiation())).status_code == 503
    with pytest.raises(StoreUnavailableError):
        await served.store.ping()
    assert signer.token_secret not in caplog.text
    await asyncio.to_thread(server.start)
    for _ in range(20):  # dropped connections are replaced one by one
        if not isinstance(await served.protect(signer.wire()), int):
            break
    assert await served.protect(accepted) == 401
    assert not isinstance(await served.protect(refused), int)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg", "mariadb"])
async def test_dropped_connections(provider: PlainProvider, engine: AsyncEngine) -> None:
    """If the server ends idle connections, requests are 503 until they are replaced, or accepted; never a 500."""
    signer = await provider.token()
    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            await connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
        else:
            ids = await connection.execute(
                text("SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()")
            )
            for (number,) in ids.all():
                await connection.execute(text(f"KILL {number}"))
    answers = [await provider.protect(signer.wire()) for _ in range(10)]
    assert {answer for answer in answers if isinstance(answer, int)} <= {503}
    assert not isinstance(answers[-1], int)


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_the_server_has_no_connection_left(driver: str, caplog: pytest.LogCaptureFixture) -> None:
    """A driver's own error while it connects is a 503 as well, and the log has the reason."""
    server = Postgres("-c", "max_connections=4", "-c", "superuser_reserved_connections=0", "-c", "fsync=off")
    engine = create_async_engine(server.sqlalchemy_url("postgres", f"postgresql+{driver}"), poolclass=NullPool)
    try:
        held = [await asyncpg.connect(server.url) for _ in range(4)]
        provider = PlainProvider(new_plain_store(engine))
        assert await provider.protect(provider.signer.with_token("t", "s").wire()) == 503
        assert "too many clients" in caplog.text
        for connection in held:
            await connection.close()
    finally:
        await engine.dispose()
        server.close()


@pytest.mark.parametrize("driver", ["asyncpg", "sqlite"])
async def test_the_pool_is_in_use(engine: AsyncEngine, engines, caplog: pytest.LogCaptureFixture) -> None:
    """If views hold every connection, requests are 503 in time, with a line for the operator; then they are served."""
    small = engines(poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, pool_timeout=1)
    provider = await PlainProvider.over(small)
    signer = await provider.token()
    async with small.connect() as held:
        await held.execute(select(1))
        assert await asyncio.gather(*(provider.protect(signer.wire()) for _ in range(5))) == [503] * 5
    assert "pool_size" in caplog.text
    assert not isinstance(await provider.protect(signer.wire()), int)


async def test_a_locked_database(engine: AsyncEngine, engines) -> None:
    """A lock that is held for longer than the store waits is a 503."""
    provider = await PlainProvider.over(engine)
    signer = await provider.token()
    impatient = PlainProvider(new_plain_store(engines(connect_args={"timeout": 0.05}), timeout=3))
    async with engine.connect() as held:
        await held.execute(text("BEGIN IMMEDIATE"))
        assert await impatient.protect(signer.wire()) == 503
        await held.rollback()
    assert not isinstance(await impatient.protect(signer.wire()), int)


async def test_missing_tables(engines, caplog: pytest.LogCaptureFixture) -> None:
    """A store that is opened says so; a request gets a 503, and the log names the table."""
    store = new_plain_store(engines())
    with pytest.raises(StoreError, match="cannot be used"):
        await store.open()
    with pytest.raises(StoreUnavailableError):
        await store.query_client("c")
    assert "no such table: client" in caplog.text


async def test_the_views_transaction_is_left_alone(provider: PlainProvider, engine: AsyncEngine) -> None:
    """Hooks neither commit nor roll back what a view has not finished, even if a view's session is the factory's."""
    signer = await provider.token()
    async with async_sessionmaker(engine)() as session:
        session.add(User(id=9, name="Mary"))
        client, token = await provider.store.query_credentials(signer.client_id, signer.token or "")
        assert client is not None
        assert token not in session
        await session.rollback()
        assert (await session.scalars(select(User).where(User.id == 9))).all() == []


async def test_a_row_that_a_constraint_refuses(engine: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    """A token for a user that does not exist is an error without secrets, in its text and in the log."""
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE TRIGGER no_users BEFORE INSERT ON token BEGIN SELECT RAISE(ABORT, 'no'); END")
        )
    provider = await PlainProvider.over(engine)
    caplog.set_level(logging.DEBUG, "async_oauth1")
    with pytest.raises(Exception, match="refuses a row") as caught:
        await provider.store.issue_token_credential("dpf43f3p2l4k3l03", 99)
    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert not (await provider.store.list_token_credentials())
