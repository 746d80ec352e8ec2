"""Every answer of the admin page forbids framing, scripts, foreign content and caching."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore

from .visiting import Visitor

PAGES = {"/": 200, "/new": 200, "/client?id=printer": 200, "/client/rotate?id=printer": 303, "/nothing": 404}


@pytest.fixture(autouse=True)
async def printer(store: MemoryStore) -> None:
    """A registered client."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))


@pytest.mark.parametrize(("path", "status"), PAGES.items())
async def test_the_header_fields_protect_the_page(visitor: Visitor, path: str, status: int) -> None:
    """The policy has no exception: only the one style is allowed, by its hash."""
    answer = await visitor.client.get(path)
    assert answer.status_code == status
    policy = dict(part.partition(" ")[::2] for part in answer.headers["content-security-policy"].split("; "))
    style = policy.pop("style-src")
    assert policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    for content in re.findall("<style>(.*?)</style>", answer.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert style == f"'sha256-{digest}'"
    assert not re.search(r"<script|\sstyle=|\son[a-z]+=|javascript:", answer.text)


async def test_head_is_get_without_a_body(visitor: Visitor) -> None:
    """With the same header fields."""
    answer = await visitor.client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/client", "GET, HEAD"),
        ("PUT", "/new", "GET, POST, HEAD"),
        ("OPTIONS", "/client/disable", "GET, POST, HEAD"),
    ],
)
async def test_another_method_is_a_405(visitor: Visitor, method: str, path: str, allowed: str) -> None:
    """The answer names the methods that are allowed."""
    answer = await visitor.client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_a_store_that_is_down_is_a_503(store: MemoryStore, visitor: Visitor, monkeypatch: Any) -> None:
    """The page says so, and when to try again."""

    async def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailableError()

    monkeypatch.setattr(store, "page_clients", fail)
    answer = await visitor.open()
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["cache-control"] == "no-store"
    assert "The store does not answer" in answer.text
