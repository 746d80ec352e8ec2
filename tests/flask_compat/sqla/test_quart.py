"""The hooks on Quart: in worker threads, with a session for each request."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import quart
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

from flask_compat import AuthorizationServer, ResourceProtector, current_credential
from flask_compat.sqla import (
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
)
from tests.flask_compat.client import Client

from . import photo_app as models


def make_app(engine: Any) -> quart.Quart:
    app = quart.Quart("photos")
    session = scoped_session(sessionmaker(engine), scopefunc=quart.g._get_current_object)
    query_client = create_query_client_func(session, models.Client)
    query_token = create_query_token_func(session, models.TokenCredential)
    exists_nonce = create_exists_nonce_func(session, models.Nonce)
    require_oauth = ResourceProtector(app, query_client, query_token, exists_nonce)
    server = AuthorizationServer(app, query_client=query_client)
    register_authorization_hooks(server, session, models.TokenCredential, models.TemporaryCredential, models.Nonce)

    @app.teardown_appcontext
    async def remove_session(_: object) -> None:
        session.remove()

    @app.post("/initiate")
    async def initiate() -> Any:
        return await server.create_temporary_credentials_response()

    @app.post("/authorize")
    def authorize() -> Any:
        return server.create_authorization_response(grant_user=session.get(models.User, 1))

    @app.post("/token")
    async def token() -> Any:
        return await server.create_token_response()

    @app.get("/photos")
    @require_oauth()
    def photos() -> Any:
        return {"owner": current_credential.user.name}

    return app


async def test_the_dance_and_copies_at_once_in_tasks(url: str) -> None:
    """One of twelve copies is accepted, and every connection is given back."""
    engine = create_engine(url, pool_size=32, max_overflow=32)
    models.fill(SimpleNamespace(extensions={"engine": engine}))
    client = Client(make_app(engine))
    await client.dance()
    assert (await client.send("GET", "/photos")).json == {"owner": "jane"}
    signed = client.sign("GET", "/photos", client.parameters())
    answers = await asyncio.gather(*(client.send("GET", "/photos", signed=signed) for _ in range(12)))
    assert Counter(answer.status for answer in answers) == {200: 1, 401: 11}
    pool: Any = engine.pool
    assert pool.checkedout() == 0
    engine.dispose()
