"""A page of another origin calls a protected API, after the browser's preflight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Error, Page

from tests.attacks.asgi_servers import serving
from tests.attacks.provider import JANE
from tests.attacks.signer import sign

from .watching import Open, Watch

COMMAND = ["-m", "hypercorn", "-b", "127.0.0.1:{port}", "tests.browser.cross_origin_api:app"]
FETCH = """async ([url, authorization]) => {
    const response = await fetch(url, {headers: {Authorization: authorization}});
    return [response.status, await response.json()];
}"""


@pytest.fixture(scope="module")
def api(executable: str) -> Iterator[str]:
    """The API's origin."""
    with serving(COMMAND) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def other_page(open_page: Open, landing: str) -> Page:
    """A page of another origin than the API's."""
    page = open_page()
    page.goto(f"{landing}/ready")
    return page


def call_api(page: Page, api: str, path: str, **how: Any) -> tuple[int, Any]:
    """Call the API from the page with a signed request, and return what the page may read."""
    header = dict(sign(JANE, "GET", path, origin=api, **how).headers)[b"authorization"]
    status, body = page.evaluate(FETCH, [api + path, header.decode()])
    return status, body


@pytest.mark.parametrize("path", ["/on-top", "/below", "/middleware"])
def test_a_page_of_another_origin_calls_the_api(other_page: Page, api: str, path: str) -> None:
    """The browser's preflight passes, and the page reads the answer."""
    assert call_api(other_page, api, path) == (200, {"user": "jane"})


@pytest.mark.parametrize("path", ["/below", "/middleware"])
def test_the_page_reads_why_it_was_refused(other_page: Page, api: str, path: str, watch: Watch) -> None:
    """If CORS is on the outside, a refusal has its headers."""
    watch.expect_about(api + path)
    status, body = call_api(other_page, api, path, signature=b"x")
    assert (status, body["error"]) == (401, "invalid_signature")


@pytest.mark.parametrize("path", ["/on-top", "/closed"])
def test_the_browser_withholds_an_answer_without_cors_headers(
    other_page: Page, api: str, path: str, watch: Watch
) -> None:
    """A refusal from above the CORS decorator has none, nor has an API without CORS."""
    watch.expect_about(api + path)
    with pytest.raises(Error, match="Failed to fetch"):
        call_api(other_page, api, path, signature=b"x")
