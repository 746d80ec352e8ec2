"""The example on SQLAlchemy: its migrations, and the whole flow with the most common client over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from alembic import command
from requests_oauthlib import OAuth1Session

from examples.sqlalchemy_provider.__main__ import migrations
from tests.servers.processes import free_ports, wait_until_it_listens

CALLBACK = "http://127.0.0.1:8001/ready"


class Site(NamedTuple):
    """A provider that is served, and what its command printed."""

    url: str
    printed: dict[str, str]


@pytest.fixture
def site(repository: Path, tmp_path: Path) -> Iterator[Site]:
    """The example, with its tables made by Alembic."""
    environment = {**os.environ, "NOTES_DATABASE": f"sqlite+aiosqlite:///{tmp_path}/notes.db"}
    program = [sys.executable, "-m", "examples.sqlalchemy_provider"]
    made = subprocess.run(
        [*program, "init"], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    (port,) = free_ports(1)
    server = subprocess.Popen([*program, "serve", "--port", str(port)], cwd=repository, env=environment)
    try:
        wait_until_it_listens(server, port)
        yield Site(f"http://127.0.0.1:{port}", dict(line.split("=", 1) for line in made.stdout.splitlines()))
    finally:
        server.terminate()
        server.wait()


def approve(site: Site, oauth_token: str, answer: str = "1") -> str:
    """Answer the consent page as a browser would, and return the callback's URL."""
    browser = requests.Session()
    page = browser.get(f"{site.url}/authorize", params={"oauth_token": oauth_token})
    assert page.url == f"{site.url}/login"
    login = {"name": site.printed["user"], "password": site.printed["password"]}
    assert browser.post(page.url, data={**login, "password": "wrong"}).status_code == 403
    consent = browser.post(page.url, data=login).text
    assert "Let Printer read and add to your notes?" in consent
    form = dict(re.findall(r'<input type=hidden name=(\w+) value="([^"]*)">', consent))
    assert browser.post(f"{site.url}/authorize", data={**form, "csrf": "x", "granted": answer}).status_code == 403
    form |= {"granted": answer} if answer else {}
    return browser.post(f"{site.url}/authorize", data=form, allow_redirects=False).headers["Location"]


def session(site: Site, token: dict[str, str] | None = None, **options: str) -> OAuth1Session:
    """The client."""
    keys = (
        {"resource_owner_key": token["oauth_token"], "resource_owner_secret": token["oauth_token_secret"]}
        if token
        else {}
    )
    return OAuth1Session(site.printed["client_id"], site.printed["client_secret"], **keys, **options)


def temporary(site: Site) -> dict[str, str]:
    """New temporary credentials, for reading and writing."""
    asked = f"{site.url}/initiate?scope=notes.read+notes.write"
    return session(site, callback_uri=CALLBACK).fetch_request_token(asked)


def test_the_whole_flow(site: Site) -> None:
    """The client gets a token after the user's approval, reads and adds notes, and cannot exchange again."""
    asked = temporary(site)
    returned = parse_qs(urlsplit(approve(site, asked["oauth_token"])).query)
    client = session(site, asked, verifier=returned["oauth_verifier"][0])
    token = client.fetch_access_token(f"{site.url}/token")
    api = session(site, token)
    assert api.get(f"{site.url}/notes").json() == {"owner": "jane", "notes": ["Buy paper"]}
    assert api.post(f"{site.url}/notes", data={"text": "Buy ink"}).status_code == 201
    assert api.get(f"{site.url}/notes").json()["notes"] == ["Buy paper", "Buy ink"]
    again = session(site, asked, verifier=returned["oauth_verifier"][0])
    assert again.post(f"{site.url}/token").status_code == 401
    assert requests.get(f"{site.url}/notes").status_code == 401


def test_a_denial(site: Site) -> None:
    """The user's "No" reaches the client, and nothing can be exchanged."""
    asked = temporary(site)
    location = approve(site, asked["oauth_token"], answer="")
    assert "oauth_verifier" not in location
    assert session(site, asked, verifier="guessed").post(f"{site.url}/token").status_code == 401


def test_the_migrations_make_the_models_tables(tmp_path: Path) -> None:
    """After the migrations, Alembic finds no difference to the models; and they can be undone."""
    config = migrations(f"sqlite+aiosqlite:///{tmp_path}/notes.db")
    command.upgrade(config, "head")
    command.check(config)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
