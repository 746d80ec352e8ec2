"""Without the permission of the application's own sign-in, the admin page shows and does nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from async_oauth1.admin.page import AdminPage
from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore

from .visiting import KEY, Visitor, visit

PATHS = ["/", "/new", "/client?id=printer", "/client/rotate?id=printer", "/nothing", "//", "/%2e%2e/"]


async def refused_everywhere(visitor: Visitor, status: int) -> None:
    """Every path and method is refused, and no client is shown or changed."""
    for path in PATHS:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            answer = await visitor.client.request(method, path)
            assert answer.status_code == status, (method, path)
            assert "Printer" not in answer.text
            assert "form_token" not in answer.text


@pytest.fixture
async def printer(store: MemoryStore) -> None:
    """A registered client."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))


@pytest.mark.usefixtures("printer")
async def test_a_page_without_its_hook_refuses_everything_and_says_so_at_start(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    """The error is logged when the page is made, so also if it is mounted and sees no start."""
    with caplog.at_level(logging.ERROR):
        async with visit(store, None) as visitor:
            assert [(record.levelname, record.name) for record in caplog.records] == [("ERROR", "async_oauth1.admin")]
            assert "no permission hook" in caplog.text
            await refused_everywhere(visitor, 403)


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("answer", [None, "", "  ", True, 7, b"alice", "a\udcff", "a\0b"], ids=repr)
async def test_only_a_name_is_a_permission(store: MemoryStore, answer: object) -> None:
    """Anything but the operator's name is refused, also a true value."""

    async def hook(scope: Any) -> Any:
        return answer

    async with visit(store, hook) as visitor:
        await refused_everywhere(visitor, 403)


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("error", [OSError("down"), TimeoutError(), StoreUnavailableError()], ids=repr)
async def test_a_hook_that_cannot_tell_is_a_503(store: MemoryStore, error: Exception) -> None:
    """If the sign-in's own database is down, nothing is shown."""

    async def hook(scope: Any) -> str | None:
        raise error

    async with visit(store, hook) as visitor:
        await refused_everywhere(visitor, 503)
        assert (await visitor.open()).headers["retry-after"]


async def test_the_hook_sees_the_scope_and_its_name_is_shown(store: MemoryStore) -> None:
    """The hook can tell operators apart by what their browsers send."""

    async def hook(scope: Any) -> str | None:
        return dict(scope["headers"]).get(b"x-operator", b"").decode() or None

    async with visit(store, hook, sign_in_url="/login?next=/admin/") as visitor:
        refused = await visitor.open()
        assert refused.status_code == 403
        assert 'href="/login?next=/admin/"' in refused.text
        shown = await visitor.client.get("/", headers={"X-Operator": "<b>bob</b>"})
        assert shown.status_code == 200
        assert "<bdi>&lt;b&gt;bob&lt;/b&gt;</bdi>" in shown.text


def test_a_short_key_is_refused(store: MemoryStore) -> None:
    """A key that can be guessed would let other sites make form tokens."""
    with pytest.raises(ValueError, match="secret_key has 5 bytes; the admin page needs 16 or more"):
        AdminPage(store, secret_key="short")


async def test_websockets_are_refused(store: MemoryStore) -> None:
    """The page has none."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await AdminPage(store, secret_key=KEY)({"type": "websocket"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
