"""MariaDB without strict mode, which cuts off what its column is too short for: nothing is stored that was cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import String, select, text
from sqlalchemy.orm import Mapped, mapped_column, scoped_session, sessionmaker

from flask_compat import AuthorizationServer
from flask_compat.sqla import (
    OAuth1TemporaryCredentialMixin,
    OAuth1TokenCredentialMixin,
    UnsuitableModelError,
    register_authorization_hooks,
    register_temporary_credential_hooks,
    register_token_credential_hooks,
)
from tests.flask_compat.client import Client

from . import photo_app
from .conftest import MakeApp

LOOSE = {"connect_args": {"init_command": "SET sql_mode = ''"}}

pytestmark = pytest.mark.parametrize("url", ["pymysql"], indirect=True)


def mode(app: Any) -> str:
    with app.extensions["engine"].connect() as connection:
        return str(connection.scalar(text("SELECT @@sql_mode")))


@pytest.mark.parametrize("model", [photo_app.Nonce, photo_app.MigratedNonce])
def test_a_long_value_is_refused_and_not_cut_off(make_app: MakeApp, model: type[Any]) -> None:
    """A nonce of 49 characters is a 400 and leaves nothing behind; two that share 48 characters are no replay."""
    app = make_app(nonce_model=model, **LOOSE)
    assert mode(app) == ""
    client = Client(app, token="t", token_secret="s")
    answers = [asyncio.run(client.send("GET", "/photos", nonce="n" * 48 + end)) for end in ("a", "b", "")]
    assert [answer.status for answer in answers] == [400, 400, 200]
    with app.extensions["engine"].connect() as connection:
        assert connection.scalars(select(photo_app.Nonce.nonce)).all() == ["n" * 48]
    assert asyncio.run(Client(app, client_id="c" * 49).send("POST", "/initiate", callback="oob")).status == 401
    callback = f"https://client.test/{'x' * 70_000}"
    assert asyncio.run(Client(app).send("POST", "/initiate", callback=callback, place="form")).status == 400


@pytest.mark.parametrize(
    ("table", "column", "path"),
    [
        ("nonce", "nonce", "/photos"),
        ("temporary_credential", "oauth_token", "/initiate"),
        ("temporary_credential", "oauth_verifier", "/initiate"),
    ],
)
def test_a_table_that_is_shorter_than_its_model_is_a_503(
    make_app: MakeApp, table: str, column: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is stored, and the log names the column; after a migration requests are accepted."""
    app = make_app(**LOOSE)
    engine = app.extensions["engine"]
    narrowed = f"ALTER TABLE {table} MODIFY {column} VARCHAR({{}})"
    with engine.begin() as connection:
        connection.execute(text(narrowed.format(8)))
    client = Client(app, token="t", token_secret="s") if path == "/photos" else Client(app)
    method = "GET" if path == "/photos" else "POST"
    more = {} if path == "/photos" else {"callback": "https://client.test/ready"}
    answer = asyncio.run(client.send(method, path, **more))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert f"The column {table}.{column} holds 8 characters" in caplog.text
    with engine.begin() as connection:
        assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        connection.execute(text(narrowed.format(84)))
    assert asyncio.run(client.send(method, path, **more)).status == 200


def test_a_narrow_column_of_the_applications_own_is_not_ours(make_app: MakeApp) -> None:
    """Only the columns that hooks fill count."""
    app = make_app(**LOOSE)
    with app.extensions["engine"].begin() as connection:
        connection.execute(text("ALTER TABLE user MODIFY name VARCHAR(5)"))
    asyncio.run(Client(app).dance())


class Base(photo_app.DeclarativeBase):
    pass


class ShortToken(Base, OAuth1TokenCredentialMixin):
    __tablename__ = "short_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]
    oauth_token: Mapped[str] = mapped_column(String(20))


class ShortVerifier(Base, OAuth1TemporaryCredentialMixin):
    __tablename__ = "short_verifier"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None]
    oauth_verifier: Mapped[str | None] = mapped_column(String(8))


@pytest.mark.parametrize(
    ("register", "model", "message"),
    [
        (
            register_token_credential_hooks,
            ShortToken,
            "its column 'oauth_token' holds 20 characters, and 42 are needed",
        ),
        (register_authorization_hooks, ShortToken, "OAuth1TokenCredentialMixin"),
        (register_temporary_credential_hooks, ShortVerifier, "its column 'oauth_verifier' holds 8 characters"),
    ],
)
def test_a_model_with_a_short_column_is_refused_when_hooks_are_registered(
    url: str, register: Any, model: type[Any], message: str
) -> None:
    """The error names the class, the column and the mixin."""
    with pytest.raises(UnsuitableModelError, match=message) as caught:
        register(AuthorizationServer(), scoped_session(sessionmaker()), model)
    assert str(caught.value).startswith(f"{model.__name__} cannot be used: ")
