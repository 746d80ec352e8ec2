"""The recipes for databases in ``docs/porting-from-flask.md``, with SQLAlchemy's own pool, under many requests."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import pytest
import quart
from authlib.oauth1 import ClientMixin, TokenCredentialMixin
from quart.utils import run_sync
from sqlalchemy import StaticPool, UniqueConstraint, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from flask_compat import ResourceProtector, current_credential
from tests.flask_compat.client import Client

GUIDE = Path(__file__).parents[3] / "docs" / "porting-from-flask.md"
REQUESTS = 40


class Base(DeclarativeBase):
    """The tables."""


class Application(Base, ClientMixin):
    """A client."""

    __tablename__ = "application"
    client_id: Mapped[str] = mapped_column(primary_key=True)
    client_secret: Mapped[str]

    def get_client_secret(self) -> str:
        """The secret."""
        return self.client_secret


class Grant(Base, TokenCredentialMixin):
    """A token credential."""

    __tablename__ = "grants"
    oauth_token: Mapped[str] = mapped_column(primary_key=True)
    oauth_token_secret: Mapped[str]
    client_id: Mapped[str]

    def get_oauth_token(self) -> str:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """The secret."""
        return self.oauth_token_secret


class Nonce(Base):
    """A nonce."""

    __tablename__ = "nonce"
    __table_args__ = (UniqueConstraint("client_id", "timestamp", "nonce", "oauth_token"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    timestamp: Mapped[int]
    nonce: Mapped[str]
    oauth_token: Mapped[str]


def recipe(containing: str) -> CodeType:
    """The block of the guide that contains a text."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [found] = [block for block in blocks if containing in block]
    return compile(found, str(GUIDE), "exec")


@pytest.fixture
def names(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What the recipes use, with SQLAlchemy's default pool, and the names that they define."""
    names: dict[str, Any] = {
        "app": quart.Quart("sessions"),
        "create_engine": lambda url, **_: create_engine(url, connect_args={"timeout": 30}),
        "g": quart.g,
        "IntegrityError": IntegrityError,
        "Nonce": Nonce,
        "scoped_session": scoped_session,
        "sessionmaker": sessionmaker,
        "url": f"sqlite:///{tmp_path}/provider.db",
    }
    exec(recipe("def remove_session"), names)
    exec(recipe("def exists_nonce"), names)
    fill(names["engine"])
    yield names
    names["engine"].dispose()


def fill(engine: Any) -> None:
    """Create the tables, a client and a token."""
    Base.metadata.create_all(engine)
    with sessionmaker(engine).begin() as session:
        session.add(Application(client_id="client", client_secret="secret"))
        session.add(Grant(oauth_token="t", oauth_token_secret="s", client_id="client"))


def add_views(names: dict[str, Any]) -> Client:
    """Add a plain and an async view that use the session, and return a client."""
    app, session = names["app"], names["session"]
    require_oauth = ResourceProtector(
        app,
        lambda client_id: session.get(Application, client_id),
        lambda _, token: session.get(Grant, token),
        names["exists_nonce"],
    )

    @app.get("/plain")
    @require_oauth()
    def plain() -> dict[str, Any]:
        return {"name": session.get(Application, "client").client_secret, "token": current_credential.oauth_token}

    @app.get("/async")
    @require_oauth()
    async def in_a_thread() -> dict[str, Any]:
        return {"name": await run_sync(lambda: session.get(Application, "client").client_secret)(), "token": "t"}

    return Client(app, token="t", token_secret="s")


async def statuses(client: Client, path: str) -> Counter[int]:
    """Send the requests at once."""
    answers = await asyncio.gather(*(client.send("GET", path) for _ in range(REQUESTS)))
    return Counter(answer.status for answer in answers)


@pytest.mark.parametrize("path", ["/plain", "/async"])
async def test_the_recipe_answers_many_requests_with_the_default_pool(names: dict[str, Any], path: str) -> None:
    """No request times out while waiting for a connection, and all connections are given back."""
    client = add_views(names)
    assert await statuses(client, path) == {200: REQUESTS}
    assert names["engine"].pool.checkedout() == 0


@pytest.mark.parametrize("path", ["/plain", "/async"])
async def test_a_plain_teardown_function_does_not_wait_behind_the_views(names: dict[str, Any], path: str) -> None:
    """It gives back the connection that a view may be waiting for; so do plain functions after the request."""
    app = names["app"]
    app.teardown_appcontext_funcs.clear()

    @app.after_request
    def add_header(response: quart.Response) -> quart.Response:
        response.headers["X-Plain"] = "1"
        return response

    @app.teardown_appcontext
    def remove_session(_: object) -> None:
        names["session"].remove()

    client = add_views(names)
    assert await statuses(client, path) == {200: REQUESTS}
    assert (await client.send("GET", path)).headers["X-Plain"] == "1"
    assert names["engine"].pool.checkedout() == 0


@pytest.mark.parametrize("path", ["/plain", "/async"])
async def test_a_plain_function_before_the_request_may_use_the_session(names: dict[str, Any], path: str) -> None:
    """It takes the request's connection, and no request waits for its view behind one that waits for a connection."""
    app, session = names["app"], names["session"]

    @app.before_request
    def find_user() -> None:
        quart.g.user = session.get(Application, "client").client_id

    @app.before_request
    def check_user() -> quart.Response | None:
        return None if session.get(Application, quart.g.user) else quart.Response("Who is that?", 403)

    client = add_views(names)
    assert await statuses(client, path) == {200: REQUESTS}
    assert names["engine"].pool.checkedout() == 0


async def test_a_plain_function_before_the_request_may_answer_it(names: dict[str, Any]) -> None:
    """Its response is sent, and its error handled, as without the facade."""
    app = names["app"]

    @app.before_request
    def close() -> tuple[str, int] | None:
        if quart.request.args.get("fail"):
            raise PermissionError
        return ("Closed", 403) if quart.request.args else None

    app.register_error_handler(PermissionError, lambda _: ("Refused", 418))
    client = add_views(names)
    assert (await client.send("GET", "/plain")).status == 200
    assert (await client.send("GET", "/plain?a=b")).status == 403
    assert (await client.send("GET", "/plain?fail=1")).status == 418


async def test_the_recipe_for_nonces_has_one_winner(names: dict[str, Any]) -> None:
    """One of many equal requests at once is accepted, and the others are refused as repeated."""
    client = add_views(names)
    signed = client.sign("GET", "/plain", client.parameters())
    answers = await asyncio.gather(*(client.send("GET", "/plain", signed=signed) for _ in range(20)))
    assert Counter(answer.status for answer in answers) == {200: 1, 401: 19}
    assert {answer.json["error"] for answer in answers if answer.status == 401} == {"invalid_nonce"}


async def test_a_pool_smaller_than_the_threads_is_warned_of_once(
    names: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The warning names both numbers, and no password."""
    client = add_views(names)
    with caplog.at_level(logging.WARNING, "flask_compat"):
        for _ in range(2):
            assert (await client.send("GET", "/plain")).status == 200
    [message] = [record.getMessage() for record in caplog.records if "pool" in record.getMessage()]
    assert "15 connections" in message
    assert "64 threads" in message


@pytest.mark.parametrize("options", [{"pool_size": 32, "max_overflow": 32}, {"max_overflow": -1}])
async def test_a_pool_that_is_large_enough_is_not_warned_of(
    names: dict[str, Any], caplog: pytest.LogCaptureFixture, options: dict[str, int]
) -> None:
    """Nor is one without a limit."""
    engine = create_engine(names["url"], **options)
    names["session"].session_factory.configure(bind=engine)
    client = add_views(names)
    assert (await client.send("GET", "/plain")).status == 200
    assert "pool" not in caplog.text
    names["session"].session_factory.configure(bind=names["engine"])
    engine.dispose()


async def test_a_database_in_memory_is_shared_by_all_threads(names: dict[str, Any]) -> None:
    """As the guide has it for tests."""
    own = {"create_engine": create_engine, "StaticPool": StaticPool}
    exec(recipe("StaticPool"), own)
    engine: Any = own["engine"]
    fill(engine)
    names["session"].session_factory.configure(bind=engine)
    client = add_views(names)
    for path in ("/plain", "/async"):
        assert (await client.send("GET", path)).json == {"name": "secret", "token": "t"}
    engine.dispose()


def test_an_application_that_runs_plain_functions_in_its_own_way_keeps_it() -> None:
    """Its override, or quart-flask-patch's, is not bypassed."""
    from flask_compat.execution.ending_requests import separate_endings

    class Own(quart.Quart):
        def sync_to_async(self, func: Any) -> Any:
            return super().sync_to_async(func)

    app = Own("own")
    functions = SimpleNamespace(teardown=lambda _: None)
    app.teardown_appcontext(functions.teardown)
    separate_endings(app)
    assert app.teardown_appcontext_funcs == [functions.teardown]
