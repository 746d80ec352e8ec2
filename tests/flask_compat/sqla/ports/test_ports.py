"""Two applications in the shapes of public ones on Authlib 0.15, ported, with real clients over real databases."""

from __future__ import annotations

import asyncio
import difflib
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from tests.flask_compat.client import Client, authorization

HERE = Path(__file__).parent
PAGE = HERE.parents[3] / "docs" / "porting-from-authlib-0.15.md"
SECRETS = {"client_id": "client", "client_secret": "secret", "default_redirect_uri": ""}


def lines_of(name: str) -> list[str]:
    return (HERE / f"{name}.py").read_text("utf-8").splitlines()


def difference(before: str, after: str, context: int) -> list[str]:
    """The lines of a unified diff, without its head and the lines of positions."""
    lines = list(difflib.unified_diff(lines_of(before), lines_of(after), n=context, lineterm=""))[2:]
    return [line for line in lines if not line.startswith("@@")]


def test_the_port_on_flask_is_two_changed_imports() -> None:
    """Two lines removed and two added, and the page shows them."""
    changed = difference("notes_authlib", "notes_flask", 0)
    assert len(changed) == 4
    assert all(" import " in line for line in changed)
    assert all("authlib.integrations" in line for line in changed if line.startswith("-"))


@pytest.mark.parametrize(("before", "after"), [("notes_authlib", "notes_flask"), ("photos_authlib", "photos_quart")])
def test_the_page_shows_the_whole_difference(before: str, after: str) -> None:
    """A block of the page is what differs between the two files, without context."""
    blocks = re.findall(r"```diff\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert difference(before, after, 0) in [block.splitlines() for block in blocks]


@pytest.fixture
def notes(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The ported application on Flask, imported anew: its hooks are registered outside of any context."""
    monkeypatch.setenv("NOTES_DATABASE", url)
    name = f"{__package__}.notes_flask"
    sys.modules.pop(name, None)
    module = importlib.import_module(name)
    module.Base.metadata.create_all(module.engine)
    with module.engine.begin() as connection:
        connection.execute(module.User.__table__.insert(), [{"name": "jane"}, {"name": "john"}])
        connection.execute(module.Client.__table__.insert(), [SECRETS | {"user_id": 1}])
    yield module
    module.db_session.remove()
    module.engine.dispose()


def test_flask_login_approves_and_notes_are_kept(notes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """`current_user` is the resource owner of the token, and what the view changed of the user is committed."""
    client, browser = Client(notes.app), notes.app.test_client()
    # Flask-Login's own formats octets, which python -bb refuses.
    monkeypatch.setattr(notes.login_manager, "_session_identifier_generator", lambda: "browser")
    initiated = asyncio.run(client.send("POST", "/oauth/request_token", callback="https://client.test/ready"))
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    page = f"/oauth/authorize?oauth_token={client.token}"
    assert browser.get(page).status_code == 401
    browser.post("/signin", data={"name": "john"})
    assert browser.get(page).text == "Allow client?"
    approved = browser.post(page, data={"granted": "1"})
    assert approved.status_code == 302, approved.text
    [verifier] = re.findall(r"oauth_verifier=(\w+)", approved.location)
    answer = asyncio.run(client.send("POST", "/oauth/access_token", verifier=verifier))
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    signed = client.sign("PUT", "/api/john/notes", client.parameters())
    saves = [
        browser.put("/api/john/notes", json={"notes": ["milk"]}, headers={"Authorization": authorization(signed)})
        for _ in range(2)
    ]
    assert [saved.status_code for saved in saves] == [200, 401]
    read = asyncio.run(client.send("GET", "/api/john/notes"))
    assert read.json == {"user": "john", "notes": ["milk"]}
    with notes.engine.connect() as connection:
        seen = dict(connection.execute(select(notes.User.name, notes.User.last_seen)).all())
        assert (seen["jane"], seen["john"] is not None) == (None, True)
        assert connection.scalar(select(notes.TokenCredential.user_id)) == 2
        kept = connection.execute(text("SELECT nonce, timestamp FROM timestamp_nonce")).all()
    assert {len(timestamp) for _, timestamp in kept} == {10}


async def test_the_port_on_quart(url: str) -> None:
    """The whole dance, with an owner under another name, hooks registered one kind at a time and nonces in a cache."""
    from . import photos_quart as photos

    engine: Any = create_engine(url)
    photos.Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(photos.User.__table__.insert(), [{"username": "jane"}, {"username": "john"}])
        connection.execute(photos.Client.__table__.insert(), [SECRETS | {"client_name": "Printer"}])
    app = photos.create_app(engine)
    client, browser = Client(app), app.test_client()
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    page = f"/authorize?oauth_token={client.token}"
    assert (await browser.get(page)).status_code == 403
    await browser.post("/signin", form={"username": "john"})
    assert await (await browser.get(page)).get_data(as_text=True) == "Allow client?"
    approved = await browser.post(page, form={"granted": "1"})
    [verifier] = re.findall(r"oauth_verifier=(\w+)", approved.headers["Location"])
    answers = [await client.send("POST", "/token", verifier=verifier) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 401]
    client.token, client.token_secret = answers[0].form["oauth_token"], answers[0].form["oauth_token_secret"]
    signed = client.sign("GET", "/photos", client.parameters())
    photos_read = [await client.send("GET", "/photos", signed=signed) for _ in range(2)]
    assert [answer.status for answer in photos_read] == [200, 401]
    assert photos_read[0].json == {"owner": "john"}
    engine.dispose()
