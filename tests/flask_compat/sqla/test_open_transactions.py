"""The application's transaction stays its own: a hook neither commits nor rolls back what a view has not finished."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from tests.flask_compat.client import HOST, Client, fetch

from . import photo_app
from .conftest import MakeApp


def test_a_view_that_never_commits_leaves_nothing_but_the_approval(make_app: MakeApp) -> None:
    """What it flushed before the approval is rolled back; the approval stays, and the token is the user's."""
    app = make_app()
    session = app.extensions["session"]
    client = Client(app)
    initiated = asyncio.run(client.send("POST", "/initiate", callback="https://client.test/ready"))
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    path = f"/authorize?oauth_token={client.token}&granted=2&keep_open=1"
    approved = asyncio.run(fetch(app, "POST", path, "", {}))
    assert approved.status == 302, HOST + path
    with app.app_context():
        assert session.scalar(select(func.count()).select_from(photo_app.Note)) == 0
    answer = asyncio.run(client.send("POST", "/token", verifier=approved.location["oauth_verifier"]))
    assert answer.status == 200, answer.body
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    assert asyncio.run(client.send("GET", "/photos")).json == {"owner": "john"}


def test_a_view_that_commits_keeps_both(make_app: MakeApp) -> None:
    """Its own row, and the approval."""
    app = make_app()
    client = Client(app)
    asyncio.run(client.dance())
    with app.app_context():
        assert app.extensions["session"].scalar(select(func.count()).select_from(photo_app.Note)) == 1
    assert asyncio.run(client.send("GET", "/photos")).json == {"owner": "jane"}


def test_a_value_longer_than_its_column_is_the_clients_mistake(make_app: MakeApp) -> None:
    """A nonce of 49 characters is a 400 on each database, and 48 are accepted."""
    client = Client(make_app(), token="t", token_secret="s")
    answer = asyncio.run(client.send("GET", "/photos", nonce="n" * 49))
    assert answer.status == 400
    assert answer.json["error_description"] == '"oauth_nonce" has 49 characters, and this provider keeps at most 48.'
    assert asyncio.run(client.send("GET", "/photos", nonce="n" * 48)).status == 200
