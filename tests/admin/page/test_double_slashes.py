"""Links and redirects of the page stay on its host."""

from __future__ import annotations

import pytest

from async_oauth1.admin.page import AdminPage
from async_oauth1.stores import MemoryStore
from tests.attacks.signer import Message
from tests.attacks.wire import call

from .visiting import KEY, alice


@pytest.mark.parametrize("slashes", ["//", "///"])
async def test_a_path_with_two_slashes_is_no_other_host(slashes: str) -> None:
    """If something in front cuts a part off ``path``, the part is the mount, and never a host."""
    page = AdminPage(MemoryStore(), operator=alice, secret_key=KEY)
    target = f"{slashes}evil.example/client/disable?id=printer".encode()
    message = Message(method="GET", target=target, headers=((b"host", b"provider.example"),))
    answer = await call(page, message, path="/client/disable")
    assert (answer.status, answer.header("location")) == (303, "/evil.example/client?id=printer")
