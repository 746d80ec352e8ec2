"""The browser, the running provider, and the client applications."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.examples.running import Photos, photos

from .applications import Application, Register, landing_server
from .jane import sign_in
from .watching import Open, Watch

#: Milliseconds after which a test fails.
PATIENCE = 60_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Features of Chromium that are switched off: Playwright's own list, which this one replaces, and the address bar's
#: two pages, which take more time in each new window than the page of a test.
SWITCHED_OFF = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
)


@pytest.fixture(scope="package")
def executable() -> str:
    """The path of the installed Chromium."""
    named = os.environ.get("PHOTOS_CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"no browser: {named or ', '.join(NAMES)} not found; PHOTOS_CHROMIUM names another"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


# For this package, not longer: while Playwright runs, its event loop is in the way of tests that are coroutines.
@pytest.fixture(scope="package")
def browser(executable: str) -> Iterator[Browser]:
    """Chromium with its back/forward cache, which Playwright switches off by default."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                f"--disable-features={','.join(SWITCHED_OFF)}",
            ],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def provider(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Photos]:
    """The example, with a new file."""
    with photos(store=f"sqlite:///{tmp_path_factory.mktemp('browser')}/photos.db") as running:
        yield running


@pytest.fixture(scope="package")
def landing(executable: str) -> Iterator[str]:
    """The web server of the applications."""
    with landing_server() as url:
        yield url


@pytest.fixture(scope="package")
def register(provider: Photos, landing: str) -> Iterator[Register]:
    """Registers an application with a name, once per session."""
    with ExitStack() as applications:

        @cache
        def register(name: str) -> Application:
            application = Application(provider, landing, name)
            applications.callback(application.close)
            return application

        yield register


@pytest.fixture
def printer(register: Register) -> Application:
    """The application Printer."""
    return register("Printer")


@pytest.fixture(scope="package")
def her_session(browser: Browser, provider: Photos) -> Any:
    """A browser's storage after signing in; for tests that do not sign out."""
    with browser.new_context(base_url=provider.url) as window:
        window.set_default_timeout(PATIENCE)
        page = window.new_page()
        page.goto("/")
        sign_in(page)
        page.wait_for_url(f"{provider.url}/")
        return window.storage_state()


@pytest.fixture
def watch() -> Watch:
    """Records the browser's complaints about the pages of a test."""
    return Watch()


@pytest.fixture
def open_page(browser: Browser, provider: Photos, watch: Watch) -> Iterator[Open]:
    """Opens a new browser window with options of Playwright; the test fails if the browser complains."""
    with ExitStack() as windows:

        def open_page(**options: Any) -> Page:
            window = browser.new_context(base_url=provider.url, **options)
            windows.callback(window.close)
            window.set_default_timeout(PATIENCE)
            window.on("page", watch.listen)
            return window.new_page()

        yield open_page
    assert not watch.complaints


@pytest.fixture
def page(open_page: Open) -> Page:
    """A browser window that is not signed in."""
    return open_page()


@pytest.fixture
def her_page(open_page: Open, her_session: Any) -> Page:
    """A browser window that is signed in."""
    return open_page(storage_state=her_session)
