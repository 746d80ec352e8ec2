"""Models in two databases, and a database that is down."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import scoped_session, sessionmaker

from async_oauth1.errors import StoreUnavailableError
from flask_compat import AuthorizationServer
from flask_compat.sqla import (
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
)
from tests.flask_compat.client import Client

from . import photo_app
from .photo_app import Nonce, TemporaryCredential, TokenCredential


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_models_in_two_binds(url: str, tmp_path: Path) -> None:
    """Temporary credentials may be in another database; then one of two exchanges still gets the token."""
    app = photo_app.make_app(url)
    photo_app.fill(app)
    other = create_engine(f"sqlite:///{tmp_path}/temporary.db")
    photo_app.Base.metadata.create_all(other)
    session: Any = app.extensions["session"]
    session.remove()
    session.configure(binds={TemporaryCredential: other})
    client = Client(app)
    initiated = asyncio.run(client.send("POST", "/initiate", callback="https://client.test/ready"))
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    count = select(func.count()).select_from(TemporaryCredential)
    with other.connect() as connection, app.extensions["engine"].connect() as main:
        assert [connection.scalar(count), main.scalar(count)] == [1, 0]
    verifier = asyncio.run(client.approve()).location["oauth_verifier"]
    assert [asyncio.run(client.send("POST", "/token", verifier=verifier)).status for _ in range(2)] == [200, 401]
    app.extensions["engine"].dispose()
    other.dispose()


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "mysql+pymysql"])
def test_each_hook_says_that_a_database_is_down(driver: str) -> None:
    """Nothing listens on the port: every hook fails as a store that is unavailable, which is a 503."""
    session = scoped_session(sessionmaker(create_engine(f"{driver}://user:password@127.0.0.1:1/none")))
    server = AuthorizationServer()
    register_authorization_hooks(server, session, TokenCredential, TemporaryCredential, Nonce)
    token = {"oauth_token": "t", "oauth_token_secret": "s"}
    credential = TemporaryCredential(client_id="client", user_id=1, **token)
    hooks: dict[str, Any] = {name: server.find_hook(name) for name in server._hooks}
    calls: list[Any] = [
        lambda: create_query_client_func(session, photo_app.Client)("client"),
        lambda: create_query_token_func(session, TokenCredential)("client", "t"),
        lambda: create_exists_nonce_func(session, Nonce)("n", 1, "client", "t"),
        lambda: hooks["create_temporary_credential"](token, "client", "oob"),
        lambda: hooks["get_temporary_credential"]("t"),
        lambda: hooks["delete_temporary_credential"]("t"),
        lambda: hooks["create_authorization_verifier"](credential, 1, "v"),
        lambda: hooks["create_token_credential"](token, credential),
        lambda: hooks["create_token_credential"].__self__.exchange_after(hooks["delete_temporary_credential"])(
            credential, token
        ),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailableError):
            call()
