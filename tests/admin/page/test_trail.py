"""A client's page has its audit trail: what happened, when, and by whom; the newest first."""

from __future__ import annotations

import re
from html import unescape
from typing import Any, get_args

import httpx

from async_oauth1.admin.page.events import ENDED, EVENTS
from async_oauth1.credentials import Client
from async_oauth1.provider.records import audit
from async_oauth1.stores import MemoryStore, acting_as

from .visiting import Visitor

RECORD = re.compile(r"<li[^>]*>\s*<p><strong>([^<]*)</strong>(.*?)</p>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def records(page: httpx.Response) -> list[tuple[str, str]]:
    """What happened, and by whom."""
    trail = page.text.partition('<ol class="trail"')[2]
    return [(what, " ".join(unescape(TAG.sub("", by)).split())) for what, by in RECORD.findall(trail)]


async def test_each_change_is_recorded_with_the_operator(store: MemoryStore, visitor: Visitor) -> None:
    """All that the page does is in the trail, under the name that the permission hook returned."""
    client_id, _ = await visitor.register()
    token = await store.issue_token_credential(client_id, "jane")
    other = await store.issue_token_credential(client_id, "bob")
    here = f"id={client_id}"
    await visitor.send("/client/rotate", await visitor.token(), here, overlap="0")
    await visitor.send("/client/disable", await visitor.token(), here)
    await visitor.send("/client/enable", await visitor.token(), here)
    await visitor.send("/client/revoke", await visitor.token(), here, oauth_token=token.oauth_token)
    await visitor.send("/client/revoke", await visitor.token(), here)
    page = await visitor.open("/client", id=client_id)
    assert records(page) == [
        ("Token revoked", "by the operator alice"),
        ("Token revoked", "by the operator alice"),
        ("Client enabled", "by the operator alice"),
        ("Client disabled", "by the operator alice"),
        ("Secret rotated", "by the operator alice"),
        ("Token issued", "by the application"),
        ("Token issued", "by the application"),
        ("Client registered", "by the operator alice"),
    ]
    assert page.text.count(other.oauth_token) == 2  # issued and revoked


async def test_a_long_trail_is_read_in_pages(store: MemoryStore, visitor: Visitor) -> None:
    """From the newest record to the oldest, without a gap."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))
    with acting_as("command", "<b>root\u202e</b>"):
        for _ in range(25):
            await store.rotate_client_secret("printer", overlap=0)
    page, seen = await visitor.open("/client", id="printer"), list[tuple[str, str]]()
    while True:
        seen += records(page)
        following = re.search(r'href="([^"]*before=[^"]*)"', page.text)
        if not following:
            break
        page = await visitor.client.get(unescape(following[1]))
    assert seen == [("Secret rotated", "by a command of <b>root\\u202e</b>")] * 25 + [
        ("Client registered", "by the application")
    ]


async def test_a_number_that_is_none_is_a_400(store: MemoryStore, visitor: Visitor) -> None:
    """And a number that no record has leads to an empty page."""
    await store.add_client(Client(client_id="printer", client_secret="s", name="Printer"))
    for before in ("x", "-1", "1e3", "٣", "9" * 30):
        assert (await visitor.open("/client", id="printer", before=before)).status_code == 400
    page = await visitor.open("/client", id="printer", before="1")
    assert "There are no earlier records." in page.text


def test_every_event_and_every_actor_has_its_words() -> None:
    """What the stores record is not shown as a code."""
    assert set(EVENTS) == set(audit.EVENTS)
    assert set(EVENTS) > ENDED
    assert get_args(audit.ActorKind) == ("user", "client", "operator", "command", "application", "provider")


async def test_a_store_without_a_trail_is_no_error(store: MemoryStore, visitor: Visitor, monkeypatch: Any) -> None:
    """A cache has the method also if the store behind it has not."""

    async def fail(*_: Any, **__: Any) -> None:
        raise NotImplementedError

    client_id, _ = await visitor.register()
    monkeypatch.setattr(store, "recent_audit_events", fail)
    assert "Nothing is recorded." in (await visitor.open("/client", id=client_id)).text
