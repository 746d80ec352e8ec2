"""The example provider as real processes, with a database, a client and a user."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from requests_oauthlib import OAuth1Session

from tests.servers.processes import PATIENCE, free_ports, wait_until_it_listens

APPLICATION = "examples.django_provider"
SERVERS = {
    "gunicorn": ["gunicorn", "--threads", "12", "-b", "127.0.0.1:{port}", "{application}.wsgi"],
    "gunicorn with 2 workers": [
        "gunicorn",
        "-w",
        "2",
        "--threads",
        "6",
        "-b",
        "127.0.0.1:{port}",
        "{application}.wsgi",
    ],
    "hypercorn": ["hypercorn", "-b", "127.0.0.1:{port}", "{application}.asgi:application"],
    "uvicorn": ["uvicorn", "--port", "{port}", "--log-level", "warning", "{application}.asgi:application"],
}
#: The table of the database cache.
TABLE = "oauth1_cache"
CALLBACK = "http://127.0.0.1:5001/callback"


@dataclass
class Provider:
    """Running processes of one provider."""

    ports: list[int]
    secret: str
    password: str
    environment: dict[str, str]

    def url(self, path: str, process: int = 0) -> str:
        return f"http://127.0.0.1:{self.ports[process]}{path}"

    def session(self, **credentials: str) -> OAuth1Session:
        return OAuth1Session("printer", client_secret=self.secret, **credentials)

    def pending(self) -> dict[str, str]:
        """Fetch temporary credentials."""
        return self.session(callback_uri=CALLBACK).fetch_request_token(self.url("/oauth/initiate"))

    def signed_in(self) -> requests.Session:
        """A browser in which the user has signed in."""
        browser = requests.Session()
        page = browser.get(self.url("/login"), timeout=PATIENCE)
        form = {"username": "jane", "password": self.password, "csrfmiddlewaretoken": csrf_of(page.text)}
        assert browser.post(self.url("/login?next=/login"), data=form, timeout=PATIENCE).ok
        assert "sessionid" in browser.cookies
        return browser

    def decide(self, browser: requests.Session, token: str, decision: str = "approve") -> requests.Response:
        """Open the consent page, and click."""
        address = self.url(f"/oauth/authorize?oauth_token={token}")
        page = browser.get(address, timeout=PATIENCE)
        assert page.status_code == 200, page.text
        form = {"decision": decision, "csrfmiddlewaretoken": csrf_of(page.text)}
        return browser.post(address, data=form, timeout=PATIENCE, allow_redirects=False)

    def exchanged(self, pending: dict[str, str], callback: str) -> dict[str, str]:
        """Exchange temporary credentials."""
        session = self.session(
            resource_owner_key=pending["oauth_token"], resource_owner_secret=pending["oauth_token_secret"]
        )
        session.parse_authorization_response(callback)
        return session.fetch_access_token(self.url("/oauth/token"))

    def token(self) -> dict[str, str]:
        """Go through the whole flow."""
        pending = self.pending()
        answer = self.decide(self.signed_in(), pending["oauth_token"])
        return self.exchanged(pending, answer.headers["Location"])


def csrf_of(page: str) -> str:
    found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page
    return found[1]


def prepare(repository: Path, environment: dict[str, str]) -> dict[str, str]:
    """Migrate a database, and create a client and a user; their secrets."""

    def command(*arguments: str) -> str:
        run = [sys.executable, "-m", APPLICATION, *arguments]
        return subprocess.run(run, cwd=repository, env=environment, check=True, capture_output=True, text=True).stdout

    command("migrate")
    if environment.get("PROVIDER_STORAGE", "").startswith("table"):
        command("createcachetable")
    return dict(re.findall(r"(client: printer|user: jane) (\S+)", command("create_demo")))


@functools.cache
def template(repository: Path) -> tuple[Path, dict[str, str]]:
    """A file with a database that is prepared once, with a table for the cache, and the secrets in it."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "template.sqlite3"
    environment = {
        **os.environ,
        "PYTHONPATH": str(repository),
        "PROVIDER_DATABASE": str(path),
        "DJANGO_SETTINGS_MODULE": "tests.django_oauth1.settings",
        "PROVIDER_STORAGE": f"table {TABLE}",
    }
    return path, prepare(repository, environment)


@contextmanager
def serving(server: str, folder: Path, repository: Path, *, processes: int = 1, **more: str) -> Iterator[Provider]:
    """Prepare a database, and start servers."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(repository),
        "PROVIDER_DATABASE": str(folder / "provider.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "tests.django_oauth1.settings",
        **more,
    }

    if more.get("PROVIDER_STORAGE", "").startswith("postgres"):
        printed = prepare(repository, environment)
    else:
        database, printed = template(repository)
        shutil.copyfile(database, environment["PROVIDER_DATABASE"])
    provider = Provider(free_ports(processes), printed["client: printer"], printed["user: jane"], environment)
    with ExitStack() as stack:
        for port in provider.ports:
            arguments = [part.format(port=port, application=APPLICATION) for part in SERVERS[server]]
            log = stack.enter_context((folder / f"{port}.log").open("wb"))
            started = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=repository, env=environment, stdout=log, stderr=log
            )
            stack.callback(started.wait, PATIENCE)
            stack.callback(started.terminate)
            wait_until_it_listens(started, port)
        yield provider
