"""Takes the pictures of `docs/administration.md`: ``python -m tests.browser.admin.screenshots``."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from async_oauth1.credentials import Client
from async_oauth1.stores import acting_as
from async_oauth1.stores.sqlite import SQLiteStore
from async_oauth1.testing import Clock

from ..conftest import NAMES
from .conftest import admin_page, sign_in

TARGET = Path(__file__).resolve().parents[3] / "docs" / "administration"
CLIENTS = (
    "Calendar sync",
    "Campus grades",
    "Invoices & more",
    "Library portal",
    "Old importer",
    "Printer",
    "متجر الصور",
)
DESKTOP: dict[str, Any] = {"viewport": {"width": 1100, "height": 640}}
TELEPHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 620}, "is_mobile": True, "color_scheme": "dark"}


async def fill(url: str) -> None:
    """Register clients, and let some time pass for the first one."""
    clock = Clock(time.time() - 40 * 86_400)
    store = SQLiteStore(url, clock=clock)
    await store.migrate()
    async with store:
        with acting_as("operator", "bob"):
            for name in CLIENTS:
                await store.add_client(client(name))
                clock.advance(3_600)
        await store.disable_client(client("Old importer").client_id)
        printer = client("Printer").client_id
        for user in ("jane", "erik"):
            with acting_as("user", user):
                token = await store.issue_token_credential(printer, user, scope="photos.read")
            clock.advance(9 * 86_400)
            store.note_use(printer, token.oauth_token)
        with acting_as("operator", "alice"):
            await store.rotate_client_secret(printer, overlap=60 * 86_400)


def client(name: str) -> Client:
    """A client with an identifier that looks random and is not."""
    return Client(
        client_id=hashlib.sha256(name.encode()).hexdigest()[:32],
        client_secret="s" * 40,
        name=name,
        callbacks=("https://client.example.com/ready",),
        signature_methods=("HMAC-SHA256",) if name < "M" else ("HMAC-SHA1", "HMAC-SHA256"),
    )


def take_pictures(browser: Browser, site: str) -> None:
    """Walk through the page, and write a picture of each step."""
    page = opened(browser, site, DESKTOP)
    page.wait_for_url("**/admin/")
    page.screenshot(path=TARGET / "clients.png")
    page.get_by_role("link", name="Printer").click()
    page.get_by_text("Rotate the secret").click()
    page.screenshot(path=TARGET / "client.png", full_page=True)
    page = opened(browser, site, TELEPHONE)
    page.goto("/admin/new")
    page.get_by_label("Name", exact=True).fill("Photo frame")
    page.get_by_role("button", name="Register").click()
    page.screenshot(path=TARGET / "secret.png")


def opened(browser: Browser, site: str, options: dict[str, Any]) -> Page:
    """A window in which Alice is signed in."""
    page = browser.new_context(base_url=site, **options).new_page()
    sign_in(page)
    return page


def main() -> None:
    """Run the example and the browser."""
    TARGET.mkdir(exist_ok=True)
    executable = next(filter(None, map(shutil.which, NAMES)))
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with (
        tempfile.TemporaryDirectory() as folder,
        admin_page(Path(folder), fill) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        take_pictures(browser, site)
        browser.close()


if __name__ == "__main__":
    main()
