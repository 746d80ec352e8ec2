"""An address that tries to sign in too often is refused with 429, if limits are switched on."""

from __future__ import annotations

import asyncio

import httpx2

from tests.examples.jane import Jane
from tests.examples.running import photos

# More than the 60 of two windows: one may end while the test runs.
ATTEMPTS = 130


async def _crowd(url: str, token: str, cookie: str) -> list[httpx2.Response]:
    """Send many forms with different names at once."""

    async def sign_in(browser: httpx2.AsyncClient, name: str) -> httpx2.Response:
        return await browser.post(f"{url}/login", data={"csrf_token": token, "username": name, "password": "x"})

    async with httpx2.AsyncClient(cookies={"photos_session": cookie}, timeout=120) as browser:
        return list(await asyncio.gather(*(sign_in(browser, f"user{number}") for number in range(ATTEMPTS))))


def test_too_many_sign_ins_from_one_address_are_429() -> None:
    """The page says when to try again, and no password is checked."""
    with photos("--limits", "memory://") as running, Jane(running.url) as jane:
        answers = asyncio.run(_crowd(running.url, jane.csrf_token(), jane.cookie))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= ATTEMPTS - 120
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert "Too many requests" in refused[0].text
    assert "text/html" in refused[0].headers["content-type"]
