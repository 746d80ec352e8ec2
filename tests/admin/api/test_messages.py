"""A refusal says which of several values is wrong."""

from __future__ import annotations

import pytest

from async_oauth1.admin.api import AdminAPI
from async_oauth1.stores import MemoryStore

from .calling import api_of, call


@pytest.fixture
def api() -> AdminAPI:
    """The API of an empty store."""
    return api_of(MemoryStore())


@pytest.mark.parametrize("callback", ["https://", "printer", "javascript:alert(1)"])
async def test_the_wrong_callback_is_named(api: AdminAPI, callback: str) -> None:
    """The client has two, and only one of them is wrong."""
    document = {"name": "Printer", "callbacks": ["https://printer.example.com/ready", callback]}
    answer = await call(api, "POST", "/admin/clients", document)
    assert answer.status == 400
    assert answer.json["detail"].startswith(f"callbacks: {callback!a} ")


async def test_the_repeated_parameter_is_named(api: AdminAPI) -> None:
    """The other parameter of the query is sent once."""
    answer = await call(api, "GET", "/admin/clients?page_size=2&search=a&search=b")
    assert answer.json["detail"] == 'The parameter "search" is repeated; send it once.'
