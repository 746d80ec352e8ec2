"""Visiting the admin page without a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx

from async_oauth1.admin.page import AdminPage
from async_oauth1.stores import Store

KEY = "a key of this test, long enough"
ORIGIN = "https://provider.example"
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]*)"')
_OUTPUT = re.compile(r"<output[^>]*>([^<]*)</output>")


async def alice(scope: Any) -> str | None:
    """Everyone is Alice."""
    return "alice"


class Visitor:
    """A browser of a kind: it opens pages and sends their forms."""

    def __init__(self, client: httpx.AsyncClient, base: str = "") -> None:
        self.client = client
        self.base = base

    async def open(self, path: str = "/", **query: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(self.base + path, params=query)

    async def send(self, path: str, token: str, /, query: str = "", **fields: str) -> httpx.Response:
        """Send a form with a token, as a browser does."""
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        address = f"{self.base}{path}{'?' if query else ''}{query}"
        return await self.client.post(address, data={"form_token": token, **fields}, headers=headers)

    async def token(self) -> str:
        """A form token, from a page."""
        return form_token(await self.open("/new"))

    async def register(self, name: str = "Printer", **fields: str) -> tuple[str, str]:
        """Register a client; returns its identifier and its secret."""
        answer = await self.send("/new", await self.token(), name=name, **fields)
        assert answer.status_code == 200, answer.text
        client_id, secret = outputs(answer)
        return client_id, secret


@asynccontextmanager
async def visit(store: Store, operator: Callable[[Any], Any] | None = alice, **options: Any) -> AsyncIterator[Visitor]:
    """Visit a page on a store."""
    page = AdminPage(store, operator=operator, secret_key=KEY, **options)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=ORIGIN) as client:
        yield Visitor(client)


def form_token(answer: httpx.Response) -> str:
    """The token of a page's forms."""
    found = _FORM_TOKEN.search(answer.text)
    assert found, answer.text
    return unescape(found[1])


def outputs(answer: httpx.Response) -> list[str]:
    """What a page shows to be copied."""
    return [unescape(text) for text in _OUTPUT.findall(answer.text)]
