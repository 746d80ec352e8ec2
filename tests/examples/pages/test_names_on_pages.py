"""What the pages say about applications and about who is signed in."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from tests.cli.command import run_json
from tests.examples.jane import READY, Jane, Printer, verifier_in
from tests.examples.running import Photos, add_client, photos

NAME = 'Print & "Co" <b>'
SHOWN = "Print &amp; &#34;Co&#34; &lt;b&gt;"


@pytest.fixture
def application(provider: Photos) -> Printer:
    """A client with a name that must be escaped, two callbacks and the code."""
    callbacks = [f"--callback={callback}" for callback in (READY, "com.example.printer:/ready", "oob")]
    return Printer(provider.url, **add_client(provider.store, *callbacks, name=NAME))


def test_the_sign_in_page_names_the_application_that_waits(provider: Photos, application: Printer) -> None:
    """Also after a wrong password, and until the credentials are decided."""
    token, _ = application.initiate()
    with Jane(provider.url) as browser:
        page = browser.get(f"/authorize?oauth_token={token}").headers["Location"]
        assert SHOWN in browser.get(page).text
        assert SHOWN in browser.sign_in("wrong", next=f"/authorize?oauth_token={token}").text
        assert browser.sign_in(next=f"/authorize?oauth_token={token}").status_code == 302
        browser.decide(token, "deny")
        assert SHOWN not in browser.get(page).text


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/authorize",
        "/authorize?oauth_token=unknown",
        "/authorize?oauth_token=",
        "/authorize?oauth_token=%00%ff",
        "/authorize?oauth_token={token}&oauth_token={token}",
        "/other?oauth_token={token}",
        "//elsewhere.example/authorize?oauth_token={token}",
    ],
)
def test_other_sign_in_pages_name_no_application(provider: Photos, application: Printer, target: str) -> None:
    """The page is shown as usual."""
    target = target.format(token=application.initiate()[0])
    page = httpx2.get(f"{provider.url}/login?next={quote(target, safe='')}")
    assert page.status_code == 200
    assert "asks to see your photos" not in page.text


@pytest.mark.parametrize(("decision", "heading"), [("approve", "Type this code into"), ("deny", "was not let in")])
def test_the_page_after_a_decision_names_the_application(
    jane: Jane, application: Printer, decision: str, heading: str
) -> None:
    """The page with the code and the page after a denial."""
    page = jane.decide(application.initiate("oob")[0], decision).text
    (title,) = re.findall(r"<h1[^>]*>.*?</h1>", page)
    assert SHOWN in title
    assert heading in title


def test_the_list_shows_since_when_host_and_scope(provider: Photos, application: Printer, jane: Jane) -> None:
    """The earliest time counts; the scopes of all tokens are listed once."""
    application.let_in_by(jane)
    for scope in ("photos.read albums.read", "photos.read"):
        run_json(
            "token", "issue", "--store", provider.store,
            "--client", application.client_id, "--user", "jane", "--scope", scope,
        )  # fmt: skip
    page = jane.get("/").text
    entry = page[page.index(SHOWN) :].partition("</li>")[0]
    assert "<dd>printer.example.com</dd>" in entry
    assert re.search(
        r"<dt>Since</dt><dd><time datetime=\"20\d\d-\d\d-\d\dT[^\"]*\">\d+ [A-Z][a-z]+ 20\d\d</time>", entry
    )
    assert "<dd>photos.read, albums.read</dd>" in entry


def test_an_app_is_listed_by_its_scheme(provider: Photos, jane: Jane) -> None:
    """If no callback leads to a host, the list shows what opens the app."""
    callback = "org.example.viewer:/done"
    app = Printer(provider.url, **add_client(provider.store, "--callback", callback, name="Viewer"))
    token, secret = app.initiate(callback)
    answer = jane.decide(token)
    assert answer.headers["Location"].startswith(callback)
    app.exchange((token, secret), verifier_in(answer))
    entry = jane.get("/").text.partition("Viewer")[2].partition("</li>")[0]
    assert "<dd>org.example.viewer</dd>" in entry


def test_error_pages_keep_the_user(provider: Photos, jane: Jane) -> None:
    """The header is that of other pages if a user is signed in, and has no user otherwise."""
    for path in ("/nothing-here", "/authorize?oauth_token=unknown", "/logout"):
        page = jane.get(path).text
        assert "Signed in as <strong>jane</strong>" in page
        assert 'action="/logout"' in page
        assert "Signed in as" not in httpx2.get(provider.url + path).text
    assert jane.post("/logout", "/nothing-here").headers["Location"] == "/login"


def test_error_pages_need_no_store(tmp_path: Path) -> None:
    """While the users cannot be read, an error page has no user."""
    path = tmp_path / "photos.db"
    with photos(store=f"sqlite:///{path}") as running, Jane(running.url) as browser:
        browser.sign_in()
        path.rename(tmp_path / "aside.db")
        page = browser.get("/nothing-here")
        assert page.status_code == 404
        assert "Signed in as" not in page.text
        assert browser.get("/").status_code == 503


def test_a_removal_is_confirmed_to_her_alone(provider: Photos, application: Printer, jane: Jane) -> None:
    """Not to other sessions, and not if there was nothing to remove."""
    application.let_in_by(jane)
    with Jane(provider.url) as other:
        other.sign_in()
        assert jane.post("/", "/", client_id=application.client_id).status_code == 302
        assert "Access removed" not in other.get("/").text
    assert f"Access removed: <strong><bdi>{SHOWN}</bdi></strong>" in jane.get("/").text
    jane.post("/", "/", client_id=application.client_id)
    assert "Access removed" not in jane.get("/").text
