"""The list of applications: when each was last used, and the page that asks before a removal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.examples.jane import READY, Jane, Printer
from tests.examples.running import Photos, add_client, photos
from tests.servers import Postgres, wait_until

_LAST_USED = re.compile(r"<dt>Last used</dt><dd>(?:<time datetime=\"([^\"]+)\">[^<]+</time>|not yet)</dd>")


def last_used(page: str) -> datetime | None:
    """When the only application on a page was last used."""
    (found,) = _LAST_USED.findall(page)
    return datetime.fromisoformat(found) if found else None


@pytest.mark.parametrize("kind", ["memory", "sqlite, two workers", "postgres, with a cache"])
def test_it_shows_when_a_token_was_last_used(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Before the first request: not yet. After a refused one: the same. After a request: the time, in UTC."""
    store = "memory://" if kind == "memory" else f"sqlite:///{tmp_path}/photos.db"
    if kind.startswith("postgres"):
        server: Postgres = request.getfixturevalue("postgres")
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        store = server.url + ("&cache=100" if "?" in server.url else "?cache=100") * ("cache" in kind)
    workers = ["--workers", "2"] if "two" in kind else []
    with photos(*workers, store=store) as running, Jane(running.url) as jane:
        jane.sign_in()
        printer = Printer(running.url)
        token, _ = printer.let_in_by(jane)
        assert last_used(jane.get("/").text) is None
        assert printer.send("POST", "/albums", token=printer.token).status_code == 403
        assert printer.send("GET", "/photos", token=(token, "wrong")).status_code == 401
        assert last_used(jane.get("/").text) is None
        began = datetime.now(UTC).replace(microsecond=0)
        assert printer.photo().status_code == 200
        # The worker that had the request writes it within seconds.
        wait_until(lambda: last_used(jane.get("/").text) is not None, "the use is recorded")
        used = last_used(jane.get("/").text)
        assert used is not None
        assert began <= used <= datetime.now(UTC)


def test_only_the_page_that_asks_is_between(provider: Photos, jane: Jane) -> None:
    """The button leads to a page that names the application. Opening it removes nothing; its form does."""
    application = Printer(provider.url, **add_client(provider.store, "--callback", READY, name="Wall <b>calendar"))
    application.let_in_by(jane)
    page = jane.get("/").text
    assert 'formaction="/remove"' in page
    asked = jane.post("/remove", "/", client_id=application.client_id)
    assert (asked.status_code, asked.headers["Location"]) == (302, f"/remove?client_id={application.client_id}")
    question = jane.get(asked.headers["Location"])
    assert question.status_code == 200
    assert question.headers["Cache-Control"] == "no-store"
    assert "Remove the access of <q><bdi>Wall &lt;b&gt;calendar</bdi></q>?" in question.text
    assert "<script" not in question.text
    assert application.photo().status_code == 200
    assert jane.post("/", asked.headers["Location"], client_id=application.client_id).status_code == 302
    assert application.photo().status_code == 401
    assert jane.get(asked.headers["Location"]).headers["Location"] == "/"


@pytest.mark.parametrize("client_id", ["", "unknown", "\N{SNOWMAN}", "//elsewhere.example", "a&b=c#d", "x" * 2_000])
def test_there_is_nothing_to_ask_about(jane: Jane, client_id: str) -> None:
    """For an application that she has not let in, both steps lead to the list."""
    asked = jane.post("/remove", "/login", client_id=client_id)
    assert asked.headers["Location"] == f"/remove?client_id={quote(client_id, safe='')}"
    assert jane.get(asked.headers["Location"]).headers["Location"] == "/"
    assert jane.get(f"/remove?client_id={quote(client_id, safe='')}%00").headers["Location"] == "/"


def test_another_user_is_asked_nothing(provider: Photos, jane: Jane) -> None:
    """Without a session the question comes after the sign-in page, and without a CSRF token there is none."""
    application = Printer(provider.url, **add_client(provider.store, "--callback", READY))
    application.let_in_by(jane)
    question = f"/remove?client_id={application.client_id}"
    with Jane(provider.url) as other:
        sign_in = other.get(question)
        assert sign_in.headers["Location"] == f"/login?next={quote(question, safe='')}"
        assert other.sign_in(next=question).headers["Location"] == question
        assert other.get(question).status_code == 200
    assert jane.post("/remove", client_id=application.client_id, csrf_token="forged").status_code == 400
    assert jane.http.post("/remove", json={}).status_code == 415
    assert application.photo().status_code == 200
