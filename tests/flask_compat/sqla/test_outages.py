"""A database that is down, that is back, and one without a free connection: over HTTP, on Flask and on Quart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select

from tests.flask_compat.client import Answer, Client
from tests.servers import MariaDB, Postgres, mariadb_binary

from . import photo_app
from .test_quart import make_app as make_quart_app


@pytest.fixture(scope="module", params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres | MariaDB]:
    """A server that these tests may kill. CI installs MariaDB, and fails if it is missing."""
    if request.param == "mariadb" and mariadb_binary() is None:
        request.getfixturevalue("mariadb")  # skips, or fails in CI
    server = Postgres("-c", "fsync=off") if request.param == "postgres" else MariaDB()
    yield server
    server.close()


def url_of(server: Postgres | MariaDB) -> str:
    driver = "postgresql+psycopg" if isinstance(server, Postgres) else "mysql+pymysql"
    return server.sqlalchemy_url(server.new_database(), driver)


MakeApp = Callable[..., Any]


def flask_app(url: str, **options: Any) -> tuple[Any, Any]:
    app = photo_app.make_app(url, **options)
    return app, app.extensions["engine"]


def quart_app(url: str, **options: Any) -> tuple[Any, Any]:
    engine = create_engine(url, **options)
    return make_quart_app(engine), engine


@pytest.fixture(params=[flask_app, quart_app], ids=["flask", "quart"])
def make_app(request: pytest.FixtureRequest) -> Iterator[MakeApp]:
    """Makes the application over a database with its tables, on one of the frameworks."""
    engines: list[Any] = []

    def make(url: str, **options: Any) -> Any:
        app, engine = request.param(url, **options)
        engines.append(engine)
        photo_app.fill(SimpleNamespace(extensions={"engine": engine}))
        return app, engine

    yield make
    for engine in engines:
        engine.dispose()


def asked(app: Any) -> dict[str, Callable[[], Answer]]:
    """A request of each kind, of a client that has been approved and of one with a token."""
    protected, plain, ready = Client(app, token="t", token_secret="s"), Client(app), Client(app)
    initiated = asyncio.run(ready.send("POST", "/initiate", callback="https://client.test/ready"))
    ready.token, ready.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = asyncio.run(ready.approve()).location["oauth_verifier"]
    return {
        "a protected view": lambda: asyncio.run(protected.send("GET", "/photos")),
        "temporary credentials": lambda: asyncio.run(plain.send("POST", "/initiate", callback="https://c.test/")),
        "an exchange": lambda: asyncio.run(ready.send("POST", "/token", verifier=verifier)),
    }


def assert_unavailable(answers: dict[str, Answer]) -> None:
    """Each is a 503 that says when to come back, and shows no statement."""
    for name, answer in answers.items():
        assert (answer.status, answer.headers.get("Retry-After")) == (503, "1"), (name, answer.body)
        assert "SELECT" not in answer.body
        assert "INSERT" not in answer.body


def test_a_server_that_is_killed_and_starts_again(server: Any, make_app: MakeApp) -> None:
    """While it is down nothing is accepted; afterwards the pool's dropped connections fail no request."""
    app, engine = make_app(url_of(server))
    ask = asked(app)
    server.kill()
    try:
        assert_unavailable({name: send() for name, send in ask.items()})
    finally:
        server.start()
    assert {name: send().status for name, send in ask.items()} == dict.fromkeys(ask, 200)
    assert engine.pool.checkedout() == 0


def test_connections_that_the_server_drops(server: Any, make_app: MakeApp) -> None:
    """Each kind of request is tried once more on a new connection."""
    app, engine = make_app(url_of(server))
    for send in asked(app).values():
        drop_connections(server)
        assert send().status == 200
    assert engine.pool.checkedout() == 0


def drop_connections(server: Postgres | MariaDB) -> None:
    if isinstance(server, Postgres):
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname LIKE 'test%'"
        )
        return
    numbers = server.sql("SELECT id FROM information_schema.processlist WHERE db LIKE 'test%'").split()
    for number in numbers:
        server.sql(f"KILL {number}")


def test_a_pool_without_a_free_connection(server: Any, make_app: MakeApp) -> None:
    """Nothing is stored, and requests succeed once there is a connection again."""
    app, engine = make_app(url_of(server), pool_size=2, max_overflow=0, pool_timeout=0.3)
    ask = asked(app)
    with engine.connect(), engine.connect() as connection:
        nonces = connection.scalar(select(func.count()).select_from(photo_app.Nonce))
        assert_unavailable({name: send() for name, send in ask.items()})
        connection.rollback()
        assert connection.scalar(select(func.count()).select_from(photo_app.Nonce)) == nonces
    assert {name: send().status for name, send in ask.items()} == dict.fromkeys(ask, 200)
