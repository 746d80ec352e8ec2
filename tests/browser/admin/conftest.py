"""The example of the admin page, running, and windows in which Alice is signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from async_oauth1.credentials import Client
from async_oauth1.stores import open_store
from tests.attacks.asgi_servers import serving

from ..conftest import PATIENCE
from ..watching import Open, Watch

COMMAND = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", "examples.admin_page:app"]
NAMES = {"gnp.\u202efdp": "frame", "<script>alert(1)</script>": "markup", "متجر الصور": "shop", "n" * 200: "long"}


async def fill(url: str) -> None:
    """Register clients, and issue tokens of the first one."""
    store: Any = open_store(url)
    await store.migrate()
    async with store:
        for name, client_id in {"Printer": "printer", **NAMES}.items():
            await store.add_client(Client(client_id=client_id, client_secret="s" * 40, name=name, callbacks=("oob",)))
        for number in range(60):
            sensor = Client(client_id=f"s{number:02}", client_secret="s" * 40, name=f"Sensor {number:02}")
            await store.add_client(sensor)
        await store.issue_token_credential("printer", "jane", scope="photos.read", lifetime=86_400)
        await store.issue_token_credential("printer", "<b>bob</b>")


@contextmanager
def admin_page(folder: Path, fill: Callable[[str], Coroutine[Any, Any, None]] = fill) -> Iterator[str]:
    """The example with some clients; yields its URL."""
    url = f"sqlite:///{folder}/provider.db"
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright's loop runs in this thread
        elsewhere.submit(lambda: asyncio.run(fill(url))).result()
    with serving(COMMAND, PROVIDER_STORE=url, OPERATORS="alice:wonderland", SESSION_KEY="k" * 32) as port:
        yield f"http://127.0.0.1:{port}"


def sign_in(page: Page) -> None:
    """Sign in as Alice."""
    page.goto("/login")
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill("wonderland")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


@pytest.fixture(scope="package")
def site(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The running example."""
    with admin_page(tmp_path_factory.mktemp("admin")) as url:
        yield url


@pytest.fixture
def open_signed_in(browser: Browser, site: str, watch: Watch) -> Iterator[Open]:
    """Opens a window with options of Playwright, in which Alice is signed in; fails if the browser complains."""
    with ExitStack() as windows:

        def open_signed_in(**options: Any) -> Page:
            window = browser.new_context(base_url=site, **options)
            windows.callback(window.close)
            window.set_default_timeout(PATIENCE)
            page = window.new_page()
            sign_in(page)
            watch.listen(page)
            return page

        yield open_signed_in
    assert not watch.complaints
