"""Takes the pictures of `docs/administration.md`: ``python -m tests.browser.admin.screenshots``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from ..conftest import NAMES
from .conftest import admin_page, sign_in

TARGET = Path(__file__).resolve().parents[3] / "docs" / "administration"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1100, "height": 640}}
TELEPHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 620}, "is_mobile": True, "color_scheme": "dark"}


def take_pictures(browser: Browser, site: str) -> None:
    """Walk through the page, and write a picture of each step."""
    page = opened(browser, site, DESKTOP)
    page.goto("/admin/?q=s")
    page.screenshot(path=TARGET / "clients.png")
    page.goto("/admin/client?id=printer")
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
    with tempfile.TemporaryDirectory() as folder, admin_page(Path(folder)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        take_pictures(browser, site)
        browser.close()


if __name__ == "__main__":
    main()
