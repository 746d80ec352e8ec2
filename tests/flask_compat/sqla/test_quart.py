"""The hooks on Quart: in worker threads, with a session for each request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import quart
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

from flask_compat import AuthorizationServer, OAuth1Error, ResourceProtector, current_credential
from flask_compat.sqla import (
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
)
from tests.flask_compat.client import Answer, Client
from tests.stress import STRESS

from . import photo_app as models

ROUNDS = 50 if STRESS else 1


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
        user = session.get(models.User, int(quart.request.args["granted"]))
        try:
            return server.create_authorization_response(grant_user=user)
        except OAuth1Error as error:
            return str(error), error.status_code

    @app.post("/token")
    async def token() -> Any:
        return await server.create_token_response()

    @app.get("/photos")
    @require_oauth()
    def photos() -> Any:
        return {"owner": current_credential.user.name}

    return app


@pytest.fixture
def engine(url: str) -> Iterator[Any]:
    """A database with the tables, two users and a client; at the end every connection has been given back."""
    engine: Any = create_engine(url, pool_size=32, max_overflow=32)
    models.fill(SimpleNamespace(extensions={"engine": engine}))
    yield engine
    assert engine.pool.checkedout() == 0
    engine.dispose()


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


@pytest.mark.stress
async def test_copies_of_a_request_at_once_in_tasks(engine: Any) -> None:
    """One of twelve copies is accepted, with a token and without."""
    client = Client(make_app(engine))
    await client.dance()
    assert (await client.send("GET", "/photos")).json == {"owner": "jane"}
    plain = Client(client.app)
    for _ in range(ROUNDS):
        signed = client.sign("GET", "/photos", client.parameters())
        answers = await asyncio.gather(*(client.send("GET", "/photos", signed=signed) for _ in range(12)))
        assert statuses(answers) == {200: 1, 401: 11}
        signed = plain.sign("POST", "/initiate", plain.parameters(callback="https://client.test/ready"))
        answers = await asyncio.gather(*(plain.send("POST", "/initiate", signed=signed) for _ in range(12)))
        assert statuses(answers) == {200: 1, 401: 11}


@pytest.mark.stress
async def test_approvals_and_exchanges_at_once_in_tasks(engine: Any) -> None:
    """One of two users approves, and one of six exchanges gets the token."""
    client = Client(make_app(engine))
    for _ in range(ROUNDS):
        client.token, client.token_secret = None, ""
        initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
        client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
        approvals = await asyncio.gather(*(client.approve(user=str(number % 2 + 1)) for number in range(4)))
        assert statuses(approvals).keys() <= {302, 409}
        [verifier] = {answer.location["oauth_verifier"] for answer in approvals if answer.status == 302}
        answers = await asyncio.gather(*(client.send("POST", "/token", verifier=verifier) for _ in range(6)))
        assert statuses(answers) == {200: 1, 401: 5}
