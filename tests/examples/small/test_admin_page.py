"""The example of the admin page, under uvicorn: the sign-in decides, and two processes agree at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from async_oauth1 import Client
from async_oauth1.stores import open_store
from tests.attacks.asgi_servers import PATIENCE, serving

COMMAND = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "examples.admin_page:app"]


@contextmanager
def operator(port: int, password: str = "wonderland") -> Iterator[requests.Session]:
    """A browser in which Alice has signed in, or has tried to."""
    with requests.Session() as session:
        session.post(f"http://127.0.0.1:{port}/login", {"name": "alice", "password": password}, timeout=PATIENCE)
        yield session


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A store with a client."""
    url = f"sqlite:///{tmp_path}/provider.db"
    store = open_store(url)
    await store.migrate()
    async with store:
        await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))
    return url


async def test_the_sign_in_decides(url: str) -> None:
    """With a wrong password, and after the operator was removed, the page is refused."""
    options = {"PROVIDER_STORE": url, "SESSION_KEY": "k" * 32}
    with serving(COMMAND, OPERATORS="alice:wonderland", **options) as port:
        with operator(port, "wrong") as guesser:
            assert guesser.get(f"http://127.0.0.1:{port}/admin/", timeout=PATIENCE).status_code == 403
        with operator(port) as alice:
            answer = alice.get(f"http://127.0.0.1:{port}/admin/", timeout=PATIENCE)
            assert (answer.status_code, "Printer" in answer.text) == (200, True)
            cookies = alice.cookies.get_dict()
    with serving(COMMAND, OPERATORS="bob:builder", **options) as port:
        answer = requests.get(f"http://127.0.0.1:{port}/admin/", cookies=cookies, timeout=PATIENCE)
        assert (answer.status_code, "Printer" in answer.text) == (403, False)


async def test_what_one_process_disables_is_disabled_in_the_other(url: str) -> None:
    """A form of one process is accepted by another one, and used once; a change is seen at once."""
    options = {"PROVIDER_STORE": url, "SESSION_KEY": "k" * 32, "OPERATORS": "alice:wonderland"}
    with serving(COMMAND, **options) as one, serving(COMMAND, **options) as other, operator(one) as alice:
        form = alice.get(f"http://127.0.0.1:{one}/admin/new", timeout=PATIENCE).text
        found = re.search('name="form_token" value="([^"]*)"', form)
        assert found
        fields = {"form_token": found[1], "name": "Frame"}
        statuses = [
            alice.post(f"http://127.0.0.1:{port}/admin/new", fields, timeout=PATIENCE).status_code
            for port in (other, one, other)
        ]
        assert statuses == [200, 409, 409]
        page = f"http://127.0.0.1:{one}/admin/client?id=printer"
        assert "Enabled" in alice.get(page, timeout=PATIENCE).text
        alice.post(f"http://127.0.0.1:{other}/admin/client/disable?id=printer", fields, timeout=PATIENCE)
        assert "Disabled" in alice.get(page, timeout=PATIENCE).text
