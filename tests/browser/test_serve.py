"""The pages of `async-oauth1 serve` in a browser: requests appear live, and the consent page works, on any screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from requests_oauthlib import OAuth1, OAuth1Session

from async_oauth1.testing import OAuth1Server

from .conftest import PATIENCE
from .watching import Watch

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
}


@pytest.fixture
def server() -> Iterator[OAuth1Server]:
    """A provider that asks."""
    with OAuth1Server(consent="ask") as running:
        yield running


@pytest.fixture(params=SCREENS)
def window(request: pytest.FixtureRequest, browser: Browser, server: OAuth1Server, watch: Watch) -> Iterator[Page]:
    """A page of the provider; the test fails if the browser complains."""
    with browser.new_context(base_url=server.url, **SCREENS[request.param]) as context:
        context.set_default_timeout(PATIENCE)
        context.on("page", watch.listen)
        yield context.new_page()
    assert not watch.complaints


def test_requests_appear_live(server: OAuth1Server, window: Page, tmp_path: Path) -> None:
    """An accepted request, and a refused one with both base strings side by side, without a reload."""
    window.goto("/")
    expect(window.locator("#none")).to_be_visible()
    client = server.client()
    good = OAuth1(client.client_id, client.client_secret)
    requests.get(f"{server.url}/signed?file=vacation.jpg", auth=good, timeout=60)
    prepared = requests.Request("GET", f"{server.url}/signed?a=1&b=2", auth=good).prepare()
    prepared.url = f"{server.url}/signed?a=1&b=2&utm_source=mail"
    with requests.Session() as session:
        session.send(prepared, timeout=60)
    expect(window.locator(".record")).to_have_count(2)
    refused = window.locator(".refused")
    expect(refused).to_contain_text("parameter_added")
    expect(refused.locator("mark").first).to_be_visible()
    expect(window.locator(".accepted .strings")).to_be_hidden()
    window.locator(".accepted > summary").click()
    expect(window.locator(".accepted .strings")).to_be_visible()
    assert window.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    window.screenshot(path=tmp_path / "requests.png", full_page=True)


def test_the_consent_page(server: OAuth1Server, window: Page, tmp_path: Path) -> None:
    """Approving shows the code to an out-of-band client, which can exchange it."""
    client = server.client()
    session = OAuth1Session(client.client_id, client.client_secret, callback_uri="oob")
    token = session.fetch_request_token(f"{server.url}/initiate")["oauth_token"]
    window.goto(f"/authorize?oauth_token={token}")
    window.screenshot(path=tmp_path / "consent.png", full_page=True)
    window.get_by_role("button", name="Approve").click()
    verifier = window.locator("#oauth_verifier").inner_text()
    session.fetch_access_token(f"{server.url}/token", verifier=verifier)
    assert session.get(f"{server.url}/echo").json()["user"] == "alice"
